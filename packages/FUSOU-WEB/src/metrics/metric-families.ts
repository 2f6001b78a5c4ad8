import type { Metrics } from '@fusou/catalog'
import type { MetricFamily, Sample } from './text-format.ts'

type Work = Metrics['work'][number]
type Step = Metrics['steps'][number]

/** The figures of the catalog under the names that dashboards and alerts use. */
export function metricFamilies(metrics: Metrics): MetricFamily[] {
  const { jobs, work, steps, outbox, deadLetters, alerts, vacuum } = metrics
  const ended = jobs.filter(({ state }) => state !== 'queued' && state !== 'running')
  return [
    {
      name: 'fusou_jobs',
      type: 'gauge',
      help: 'Jobs in each state.',
      samples: jobs.map(({ kind, state, count }) => ({ labels: { kind, state }, value: count })),
    },
    gauge(
      'fusou_jobs_oldest_queued_seconds',
      'Age of the job that has been queued longest.',
      metrics.oldestQueuedSeconds,
    ),
    gauge(
      'fusou_jobs_oldest_waiting_seconds',
      'How long a job has waited for a slot and the queue, not counting what it waits for another of its dataset.',
      metrics.oldestWaitingSeconds,
    ),
    {
      name: 'fusou_slots',
      type: 'gauge',
      help: 'Slots for running jobs: taken, also by jobs whose message is under way, and how many there are.',
      samples: [
        { labels: { slots: 'taken' }, value: metrics.slots.taken },
        { labels: { slots: 'all' }, value: metrics.slots.all },
      ],
    },
    gauge('fusou_jobs_expired_leases', 'Running jobs whose lease ran out.', metrics.expiredLeases),
    {
      name: 'fusou_job_outcomes_total',
      type: 'counter',
      help: 'Jobs that ended, by how.',
      samples: ended.map(({ kind, state, count }) => ({ labels: { kind, outcome: state }, value: count })),
    },
    {
      name: 'fusou_job_retries_total',
      type: 'counter',
      help: 'Attempts of jobs after their first.',
      samples: work.map(({ kind, retries }) => ({ labels: { kind }, value: retries })),
    },
    inAndOut('fusou_job_files_total', 'Files that merges read (in) and wrote (out).', work, 'filesIn', 'filesOut'),
    inAndOut('fusou_job_rows_total', 'Rows that merges read (in) and wrote (out).', work, 'rowsIn', 'rowsOut'),
    inAndOut(
      'fusou_job_bytes_total',
      'Bytes of files that merges read (in) and wrote (out).',
      work,
      'bytesIn',
      'bytesOut',
    ),
    {
      name: 'fusou_job_step_duration_seconds',
      type: 'histogram',
      help: 'How long the steps of ended jobs took; the merges of a job are the step compact.',
      samples: steps.flatMap(histogram),
    },
    {
      name: 'fusou_outbox_messages',
      type: 'gauge',
      help: 'Messages of the outbox that are not sent: waiting, being sent, given up; counted up to 100000.',
      samples: [
        { labels: { status: 'pending' }, value: outbox.pending },
        { labels: { status: 'in_progress' }, value: outbox.inProgress },
        { labels: { status: 'dead' }, value: outbox.dead },
      ],
    },
    gauge('fusou_outbox_oldest_age_seconds', 'Age of the oldest message that is yet to be sent.', outbox.oldestSeconds),
    gauge(
      'fusou_dead_letters',
      'Dead letters whose work nobody has asked for again, counted up to 100000.',
      deadLetters.open,
    ),
    gauge('fusou_dead_letters_oldest_age_seconds', 'Age of the oldest of them.', deadLetters.oldestSeconds),
    gauge(
      'fusou_quarantined_files',
      'Live files that merges leave out, counted up to 100000.',
      metrics.quarantinedFiles,
    ),
    gauge('fusou_datasets_waiting', 'Datasets that need compaction.', metrics.datasetsWaiting),
    {
      name: 'fusou_alert_raised',
      type: 'gauge',
      help: 'Whether the alert stands (1) or not (0).',
      samples: alerts.map(({ kind, raised }) => ({ labels: { alert: kind }, value: raised ? 1 : 0 })),
    },
    {
      name: 'fusou_alert_incidents_total',
      type: 'counter',
      help: 'How often the alert was raised.',
      samples: alerts.map(({ kind, incidents }) => ({ labels: { alert: kind }, value: incidents })),
    },
    gauge('fusou_daily_trigger_age_seconds', 'Since the daily trigger came last.', metrics.dailyTriggerSeconds),
    gauge(
      'fusou_cron_last_run_timestamp_seconds',
      'When the cron last ran to its end, in seconds since 1970.',
      metrics.cronRanAt,
    ),
    gauge(
      'fusou_vacuum_garbage_objects',
      'Objects that vacuum is about to delete, counted up to 100000.',
      vacuum.garbage,
    ),
    gauge('fusou_vacuum_oldest_garbage_age_seconds', 'Age of the oldest of them.', vacuum.oldestGarbageSeconds),
    gauge('fusou_uploads_in_parts', 'Uploads in parts that are under way or abandoned.', vacuum.openUploads),
    counter('fusou_vacuum_deleted_objects_total', 'Objects that vacuum deleted.', vacuum.objectsDeleted),
    counter('fusou_vacuum_aborted_uploads_total', 'Uploads in parts that vacuum aborted.', vacuum.uploadsAborted),
  ]
}

const gauge = (name: string, help: string, value: number): MetricFamily => ({
  name,
  type: 'gauge',
  help,
  samples: [{ value }],
})

const counter = (name: string, help: string, value: number): MetricFamily => ({
  ...gauge(name, help, value),
  type: 'counter',
})

function inAndOut(
  name: string,
  help: string,
  work: readonly Work[],
  inward: 'filesIn' | 'rowsIn' | 'bytesIn',
  outward: 'filesOut' | 'rowsOut' | 'bytesOut',
): MetricFamily {
  const samples = work.flatMap(({ kind, [inward]: read, [outward]: written }) => [
    { labels: { kind, direction: 'in' }, value: read },
    { labels: { kind, direction: 'out' }, value: written },
  ])
  return { name, type: 'counter', help, samples }
}

function histogram({ kind, step, count, seconds, buckets }: Step): Sample[] {
  const labels = { kind, step }
  return [
    ...buckets.map((bucket) => ({
      suffix: '_bucket',
      labels: { ...labels, le: String(bucket.le) },
      value: bucket.count,
    })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: seconds },
    { suffix: '_count', labels, value: count },
  ]
}

import type { Metrics } from '@fusou/catalog'
import type { MetricFamily, Sample } from './text-format.ts'

type Work = Metrics['work'][number]
type Step = Metrics['steps'][number]

/** What the catalog counts, under the names that dashboards and alerts use. */
export function metricFamilies(metrics: Metrics): MetricFamily[] {
  const { jobs, work, steps, outbox } = metrics
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
      help: 'Messages of the outbox that are not sent: waiting, being sent, given up.',
      samples: [
        { labels: { status: 'pending' }, value: outbox.pending },
        { labels: { status: 'in_progress' }, value: outbox.inProgress },
        { labels: { status: 'dead' }, value: outbox.dead },
      ],
    },
    gauge('fusou_outbox_oldest_age_seconds', 'Age of the oldest message that is yet to be sent.', outbox.oldestSeconds),
    gauge('fusou_dead_letters', 'Messages that the dead-letter queue brought.', metrics.deadLetters),
    gauge('fusou_quarantined_files', 'Live files that merges leave out.', metrics.quarantinedFiles),
    gauge('fusou_datasets_waiting', 'Data sets that need compaction.', metrics.datasetsWaiting),
  ]
}

const gauge = (name: string, help: string, value: number): MetricFamily => ({
  name,
  type: 'gauge',
  help,
  samples: [{ value }],
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

import type { Metrics } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { metricFamilies } from '../src/metrics/metric-families.ts'

/** Every amount differs from every other, so that none can stand for another. */
const METRICS: Metrics = {
  jobs: [
    { kind: 'compaction', state: 'queued', count: 1 },
    { kind: 'compaction', state: 'running', count: 2 },
    { kind: 'compaction', state: 'succeeded', count: 3 },
    { kind: 'compaction', state: 'dead', count: 4 },
    { kind: 'compaction', state: 'cancelled', count: 5 },
  ],
  work: [
    { kind: 'compaction', retries: 6, filesIn: 7, filesOut: 8, rowsIn: 9, rowsOut: 10, bytesIn: 11, bytesOut: 12 },
  ],
  steps: [{ kind: 'compaction', step: 'compact', count: 13, seconds: 14, buckets: [{ le: 0.1, count: 15 }] }],
  oldestQueuedSeconds: 16,
  oldestWaitingSeconds: 17,
  slots: { taken: 18, all: 19 },
  expiredLeases: 20,
  outbox: { pending: 21, inProgress: 22, dead: 23, oldestSeconds: 24 },
  deadLetters: { open: 25, oldestSeconds: 26 },
  quarantinedFiles: 27,
  datasetsWaiting: 28,
  alerts: [
    { kind: 'dead_letters', raised: true, incidents: 29 },
    { kind: 'failure_rate', raised: false, incidents: 30 },
  ],
  dailyTriggerSeconds: 31,
  cronRanAt: 37,
  vacuum: { garbage: 32, oldestGarbageSeconds: 33, openUploads: 34, objectsDeleted: 35, uploadsAborted: 36 },
}

test('each amount stands under its own name and labels', () => {
  const samples = metricFamilies(METRICS).flatMap((family) =>
    family.samples.map(({ suffix = '', labels = {}, value }) => [
      [family.name + suffix, ...Object.values(labels).filter((label) => label !== 'compaction')].join(' '),
      value,
    ]),
  )
  const amounts = Object.fromEntries(samples)
  expect(amounts).toMatchObject({
    'fusou_jobs queued': 1,
    'fusou_jobs running': 2,
    'fusou_jobs succeeded': 3,
    'fusou_jobs dead': 4,
    'fusou_jobs cancelled': 5,
    'fusou_job_outcomes_total succeeded': 3,
    'fusou_job_outcomes_total dead': 4,
    'fusou_job_outcomes_total cancelled': 5,
    fusou_job_retries_total: 6,
    'fusou_job_files_total in': 7,
    'fusou_job_files_total out': 8,
    'fusou_job_rows_total in': 9,
    'fusou_job_rows_total out': 10,
    'fusou_job_bytes_total in': 11,
    'fusou_job_bytes_total out': 12,
    'fusou_job_step_duration_seconds_count compact': 13,
    'fusou_job_step_duration_seconds_sum compact': 14,
    'fusou_job_step_duration_seconds_bucket compact 0.1': 15,
    'fusou_job_step_duration_seconds_bucket compact +Inf': 13,
    fusou_jobs_oldest_queued_seconds: 16,
    fusou_jobs_oldest_waiting_seconds: 17,
    'fusou_slots taken': 18,
    'fusou_slots all': 19,
    fusou_jobs_expired_leases: 20,
    'fusou_outbox_messages pending': 21,
    'fusou_outbox_messages in_progress': 22,
    'fusou_outbox_messages dead': 23,
    fusou_outbox_oldest_age_seconds: 24,
    fusou_dead_letters: 25,
    fusou_dead_letters_oldest_age_seconds: 26,
    fusou_quarantined_files: 27,
    fusou_datasets_waiting: 28,
    'fusou_alert_raised dead_letters': 1,
    'fusou_alert_raised failure_rate': 0,
    'fusou_alert_incidents_total dead_letters': 29,
    'fusou_alert_incidents_total failure_rate': 30,
    fusou_daily_trigger_age_seconds: 31,
    fusou_cron_last_run_timestamp_seconds: 37,
    fusou_vacuum_garbage_objects: 32,
    fusou_vacuum_oldest_garbage_age_seconds: 33,
    fusou_uploads_in_parts: 34,
    fusou_vacuum_deleted_objects_total: 35,
    fusou_vacuum_aborted_uploads_total: 36,
  })
  expect(Object.keys(amounts).some((name) => name.startsWith('fusou_job_outcomes_total queued'))).toBe(false)
})

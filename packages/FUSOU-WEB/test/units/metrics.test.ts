import type { Metrics } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { metricFamilies } from '../../src/metrics/metric-families.ts'
import { inTextFormat } from '../../src/metrics/text-format.ts'

describe('metrics in the text format', () => {
  test('are families of lines, with labels where there are any', () => {
    const text = inTextFormat([
      { name: 'a', type: 'gauge', help: 'An a.', samples: [{ value: 1.5 }] },
      {
        name: 'b_seconds',
        type: 'histogram',
        help: 'A b.',
        samples: [
          { suffix: '_bucket', labels: { kind: 'k', le: '+Inf' }, value: 2 },
          { suffix: '_sum', labels: { kind: 'k' }, value: 0 },
        ],
      },
      { name: 'c', type: 'counter', help: 'None.', samples: [] },
    ])
    expect(text).toBe(
      [
        '# HELP a An a.',
        '# TYPE a gauge',
        'a 1.5',
        '# HELP b_seconds A b.',
        '# TYPE b_seconds histogram',
        'b_seconds_bucket{kind="k",le="+Inf"} 2',
        'b_seconds_sum{kind="k"} 0',
        '# HELP c None.',
        '# TYPE c counter',
        '',
      ].join('\n'),
    )
  })

  test('escape what would end a line or a label', () => {
    const family = {
      name: 'a',
      type: 'gauge',
      help: 'x\\y\nz"',
      samples: [{ labels: { l: 'x\\y\nz"' }, value: 0 }],
    } as const
    expect(inTextFormat([family])).toBe('# HELP a x\\\\y\\nz"\n# TYPE a gauge\na{l="x\\\\y\\nz\\""} 0\n')
  })
})

describe('the figures of the catalog', () => {
  const METRICS = {
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
    steps: [
      {
        kind: 'compaction',
        step: 'compact',
        count: 13,
        seconds: 14.5,
        buckets: [
          { le: 0.5, count: 15 },
          { le: 1, count: 16 },
        ],
      },
    ],
    oldestQueuedSeconds: 17,
    oldestWaitingSeconds: 18,
    slots: { taken: 19, all: 20 },
    expiredLeases: 21,
    outbox: { pending: 22, inProgress: 23, dead: 24, oldestSeconds: 25 },
    deadLetters: { open: 26, oldestSeconds: 27 },
    quarantinedFiles: 28,
    datasetsWaiting: 29,
    alerts: [
      { kind: 'a', raised: true, incidents: 30 },
      { kind: 'b', raised: false, incidents: 31 },
    ],
    dailyTriggerSeconds: 32,
    cronRanAt: 38,
    vacuum: { garbage: 33, oldestGarbageSeconds: 34, openUploads: 35, objectsDeleted: 36, uploadsAborted: 37 },
  } satisfies Metrics
  const lines = inTextFormat(metricFamilies(METRICS)).split('\n')

  test.each([
    'fusou_jobs{kind="compaction",state="queued"} 1',
    'fusou_jobs{kind="compaction",state="running"} 2',
    'fusou_jobs{kind="compaction",state="succeeded"} 3',
    'fusou_jobs{kind="compaction",state="dead"} 4',
    'fusou_jobs{kind="compaction",state="cancelled"} 5',
    'fusou_jobs_oldest_queued_seconds 17',
    'fusou_jobs_oldest_waiting_seconds 18',
    'fusou_slots{slots="taken"} 19',
    'fusou_slots{slots="all"} 20',
    'fusou_jobs_expired_leases 21',
    'fusou_job_outcomes_total{kind="compaction",outcome="succeeded"} 3',
    'fusou_job_outcomes_total{kind="compaction",outcome="dead"} 4',
    'fusou_job_outcomes_total{kind="compaction",outcome="cancelled"} 5',
    'fusou_job_retries_total{kind="compaction"} 6',
    'fusou_job_files_total{kind="compaction",direction="in"} 7',
    'fusou_job_files_total{kind="compaction",direction="out"} 8',
    'fusou_job_rows_total{kind="compaction",direction="in"} 9',
    'fusou_job_rows_total{kind="compaction",direction="out"} 10',
    'fusou_job_bytes_total{kind="compaction",direction="in"} 11',
    'fusou_job_bytes_total{kind="compaction",direction="out"} 12',
    'fusou_job_step_duration_seconds_bucket{kind="compaction",step="compact",le="0.5"} 15',
    'fusou_job_step_duration_seconds_bucket{kind="compaction",step="compact",le="1"} 16',
    'fusou_job_step_duration_seconds_bucket{kind="compaction",step="compact",le="+Inf"} 13',
    'fusou_job_step_duration_seconds_sum{kind="compaction",step="compact"} 14.5',
    'fusou_job_step_duration_seconds_count{kind="compaction",step="compact"} 13',
    'fusou_outbox_messages{status="pending"} 22',
    'fusou_outbox_messages{status="in_progress"} 23',
    'fusou_outbox_messages{status="dead"} 24',
    'fusou_outbox_oldest_age_seconds 25',
    'fusou_dead_letters 26',
    'fusou_dead_letters_oldest_age_seconds 27',
    'fusou_quarantined_files 28',
    'fusou_datasets_waiting 29',
    'fusou_alert_raised{alert="a"} 1',
    'fusou_alert_raised{alert="b"} 0',
    'fusou_alert_incidents_total{alert="a"} 30',
    'fusou_alert_incidents_total{alert="b"} 31',
    'fusou_daily_trigger_age_seconds 32',
    'fusou_cron_last_run_timestamp_seconds 38',
    'fusou_vacuum_garbage_objects 33',
    'fusou_vacuum_oldest_garbage_age_seconds 34',
    'fusou_uploads_in_parts 35',
    'fusou_vacuum_deleted_objects_total 36',
    'fusou_vacuum_aborted_uploads_total 37',
    'fusou_cron_last_run_timestamp_seconds 38',
  ])('say %s', (line) => {
    expect(lines).toContain(line)
  })

  test('have no outcome of jobs that have not ended, and the type that their name says', () => {
    expect(lines.filter((line) => /^fusou_job_outcomes_total.*"(queued|running)"/.test(line))).toEqual([])
    const types = lines.flatMap((line) => {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, type] as const]
    })
    expect(types.length).toBeGreaterThan(20)
    for (const [name, type] of types) {
      const expected = name.endsWith('_total') ? 'counter' : name.endsWith('_duration_seconds') ? 'histogram' : 'gauge'
      expect(type, name).toBe(expected)
    }
  })
})

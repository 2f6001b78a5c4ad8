import type { JobStatus } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { judgeHealth } from '../../src/routes/jobs/job-health.ts'

const WELL: JobStatus = {
  jobs: { queued: 0, running: 0, succeeded: 0, dead: 0, cancelled: 0 },
  jobsByKind: {},
  oldestQueuedSeconds: null,
  oldestWaitingSeconds: 1800,
  slots: { taken: 0, all: 1 },
  expiredLeases: 0,
  datasetsWaiting: 0,
  quarantinedFiles: 0,
  installation: {
    id: '6f9c2a52-7ad8-4e60-8e57-0c1f4b2d9a11',
    problem: null,
    problemSince: null,
    bucketId: '6f9c2a52-7ad8-4e60-8e57-0c1f4b2d9a11',
    paused: null,
    sweep: { objects: 10, orphans: 1, stoppedSince: null, acceptedOrphans: null },
    keptObjects: 0,
  },
  outbox: { open: 0, dead: 0, deadAlerts: 0, oldestSeconds: null, oldestDueSeconds: 300 },
  deadLetters: { open: 0, oldestSeconds: null },
  alerts: [],
  cron: { lastRunAt: '2026-11-22T08:00:00Z', ageSeconds: 300 },
}

describe('health is judged', () => {
  test('ok with every figure at its bound', () => {
    expect(judgeHealth(WELL)).toEqual({ ok: true, reasons: [] })
  })

  test('ok for an owner, who does not see what is for operators', () => {
    const { ok } = judgeHealth({
      ...WELL,
      slots: null,
      installation: null,
      outbox: null,
      deadLetters: null,
      alerts: null,
      cron: null,
    })
    expect(ok).toBe(true)
  })

  test.each<[string, Partial<JobStatus>]>([
    ['a job has waited for 1801 s', { oldestWaitingSeconds: 1801 }],
    ['1 running jobs have lost their lease', { expiredLeases: 1 }],
    ['foreign_bucket: ', { installation: { ...WELL.installation!, problem: 'foreign_bucket' } }],
    [
      'deletions are paused since 2026-11-22T08:00:00Z',
      { installation: { ...WELL.installation!, paused: { since: '2026-11-22T08:00:00Z', by: 'ops', reason: null } } },
    ],
    [
      '7 objects have no row in the catalog',
      {
        installation: {
          ...WELL.installation!,
          sweep: { objects: 10, orphans: 7, stoppedSince: '2026-11-22T08:00:00Z', acceptedOrphans: null },
        },
      },
    ],
    ['1 outbox messages could not be sent', { outbox: { ...WELL.outbox!, dead: 1 } }],
    ['the outbox is not relayed', { outbox: { ...WELL.outbox!, oldestDueSeconds: 301 } }],
    ['the cron has not run for 301 s', { cron: { lastRunAt: '2026-11-22T08:00:00Z', ageSeconds: 301 } }],
  ])('by one beyond it: %s', (reason, change) => {
    const { ok, reasons } = judgeHealth({ ...WELL, ...change })
    expect(ok).toBe(false)
    expect(reasons).toHaveLength(1)
    expect(reasons[0]).toContain(reason)
  })
})

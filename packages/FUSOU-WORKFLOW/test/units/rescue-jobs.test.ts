import type { Attempt } from '@fusou/catalog'
import { describe, expect, test, vi } from 'vitest'
import type { Env } from '../../src/env.ts'
import { rescueJobs } from '../../src/maintenance/rescue-jobs.ts'
import { isInstanceReset } from '../../src/workflow/instance-resets.ts'
import { fakeCatalog, logOf } from './fakes.ts'

const TIMEOUT_MS = 50

type Status = () => Promise<{ status: string; error?: { name: string; message: string } }>

/** A Workflow of which each instance answers by its job. */
function fakeWorkflow(statuses: Record<string, Status>) {
  const started: string[] = []
  const DATA_COMPACTION_WORKFLOW = {
    get: async (id: string) => ({ status: statuses[id.slice(0, id.lastIndexOf('-'))]! }),
    createBatch: async (batch: { id: string }[]) => void started.push(...batch.map(({ id }) => id)),
  }
  return { env: { DATA_COMPACTION_WORKFLOW } as unknown as Env, started }
}

async function rescue(statuses: Record<string, Status>, silentLeases = 1) {
  const expired: Attempt[] = Object.keys(statuses).map((jobId) => ({ jobId, attempt: 1 }))
  const { catalog, calls } = fakeCatalog({
    listExpiredLeases: () => expired,
    renewLease: () => ({ outcome: 'ok', silentLeases }),
    failAttempt: () => ({ outcome: 'retrying', attempt: 2, delaySeconds: 1, outbox: [] }),
    redispatchStaleJobs: () => 0,
    repeatDeathNotices: () => 0,
  })
  const { env, started } = fakeWorkflow(statuses)
  let failure: unknown
  await logOf(() =>
    rescueJobs(env, catalog, TIMEOUT_MS).catch((error: unknown) => {
      failure = error
    }),
  )
  const of = (method: string) => calls.filter(([name]) => name === method).map(([, ...args]) => args)
  return { of, started, failure, calls }
}

const missing: Status = () => Promise.reject(new Error('instance.not_found'))
const throwing: Status = () => Promise.reject(new Error('internal error; reference = abc'))
const hanging: Status = () => new Promise(() => {})
const is = (status: string, message?: string): Status => {
  return async () => ({ status, ...(message !== undefined && { error: { name: 'Error', message } }) })
}

describe('the rescuer', () => {
  test.each([
    ['throws', throwing],
    ['never comes', hanging],
  ])('goes on past instances whose status %s, and asks again later, behind the others', async (_how, status) => {
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`poison${index}`, status]))
    const { of, started, calls } = await rescue({ ...many, good: missing })
    expect(started).toEqual(['good-1'])
    expect(of('renewLease')).toContainEqual([{ jobId: 'poison0', attempt: 1 }, 300])
    expect(of('failAttempt')).toEqual([])
    expect(calls.map(([method]) => method)).toEqual(
      expect.arrayContaining(['redispatchStaleJobs', 'repeatDeathNotices']),
    )
  })

  test('takes over in the end from an instance of which nothing is said for half an hour', async () => {
    expect((await rescue({ a: throwing }, 5)).of('failAttempt')).toEqual([])
    expect((await rescue({ a: throwing }, 6)).of('failAttempt')).toMatchObject([
      [{ jobId: 'a' }, { code: 'workflow_ended', transient: true }, 120, null],
    ])
  })

  test('whose call of the database fails for one job sees to the others, and its chore fails', async () => {
    const { catalog, calls } = fakeCatalog({
      listExpiredLeases: () => [
        { jobId: 'a', attempt: 1 },
        { jobId: 'b', attempt: 1 },
      ],
      renewLease: ((attempt: Attempt) => {
        if (attempt.jobId === 'a') throw new Error('no')
        return { outcome: 'ok', silentLeases: 1 }
      }) as never,
      redispatchStaleJobs: () => Promise.reject(new Error('no')),
      repeatDeathNotices: () => 0,
    })
    const { env, started } = fakeWorkflow({ a: missing, b: missing })
    await logOf(() => expect(rescueJobs(env, catalog, TIMEOUT_MS)).rejects.toBeInstanceOf(AggregateError))
    expect(started).toEqual(['b-1'])
    expect(calls.at(-1)![0]).toBe('repeatDeathNotices')
  })

  test('gives back the attempt of an instance that the platform reset, and takes that of any other', async () => {
    const { of } = await rescue({
      reset: is('errored', 'Durable Object reset because its code was updated.'),
      own: is('errored', 'storage_unavailable: down'),
      silent: is('terminated'),
    })
    const failures = of('failAttempt').map(([attempt, failure]) => {
      const { code, counted = true } = failure as { code: string; counted?: boolean }
      return [(attempt as Attempt).jobId, code, counted]
    })
    expect(failures).toEqual([
      ['reset', 'instance_reset', false],
      ['own', 'workflow_ended', true],
      ['silent', 'workflow_ended', true],
    ])
  })
})

describe('what the platform says of an instance', () => {
  test.each([
    'Durable Object reset because its code was updated.',
    "Error: The Durable Object's code has been updated, this version can no longer access storage.",
    'WorkflowInternalError: Attempt failed due to internal workflows error',
    'Internal error in Durable Object storage caused object to be reset.',
    'Internal error while starting up Durable Object storage caused object to be reset.',
    'Durable Object storage operation exceeded timeout which caused object to be reset.',
    'internal error; reference = 0ab1',
  ])('is a reset of its own: %s', (message) => expect(isInstanceReset(message)).toBe(true))

  test.each([
    "Durable Object's isolate exceeded its memory limit and was reset.",
    'Durable Object exceeded its CPU time limit and was reset because its code was updated',
    'Worker exceeded CPU time limit.',
    'storage_unavailable: down',
    'TypeError: x is not a function',
    '',
  ])('is none: %s', (message) => expect(isInstanceReset(message)).toBe(false))
})

test('an instance has five seconds to say what it does', async () => {
  vi.useFakeTimers()
  try {
    const { catalog, calls } = fakeCatalog({
      listExpiredLeases: () => [{ jobId: 'a', attempt: 1 }],
      renewLease: () => ({ outcome: 'ok', silentLeases: 1 }),
      redispatchStaleJobs: () => 0,
      repeatDeathNotices: () => 0,
    })
    const { env } = fakeWorkflow({ a: hanging })
    await logOf(async () => {
      const rescued = rescueJobs(env, catalog).catch(() => 'failed')
      await vi.advanceTimersByTimeAsync(4999)
      expect(calls.map(([method]) => method)).toEqual(['listExpiredLeases'])
      await vi.advanceTimersByTimeAsync(1)
      expect(calls.map(([method]) => method)).toContain('renewLease')
      await rescued
    })
  } finally {
    vi.useRealTimers()
  }
})

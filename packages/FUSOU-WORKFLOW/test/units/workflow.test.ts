import type { Catalog } from '@fusou/catalog'
import { FusouError } from '@fusou/catalog'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Env } from '../../src/env.ts'
import { LEASE_SECONDS, NEXT_LEASE_SECONDS } from '../../src/leases.ts'
import { openCatalog } from '../../src/open-catalog.ts'
import { DataCompactionWorkflow } from '../../src/workflow/data-compaction-workflow.ts'
import { runMerge } from '../../src/workflow/run-merge.ts'
import { databaseRetries, mergeRetries } from '../../src/workflow/step-retries.ts'
import { fakeCatalog, logOf } from './fakes.ts'

vi.mock('../../src/open-catalog.ts', () => ({ openCatalog: vi.fn() }))
vi.mock('../../src/workflow/run-merge.ts', () => ({ runMerge: vi.fn() }))

const JOB = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'
const attempt = { jobId: JOB, attempt: 2 }
const ID = `${JOB}-2`
const files = ['a', 'b'].map((id) => ({
  id,
  table: 't',
  periodTag: '0',
  fingerprint: 'x',
  bytes: 1,
  fragments: 1,
  workBytes: 1,
  suspect: null,
}))
const mixedPartitions = [{ table: 't', periodTag: '0', schemas: 2 }]
const MESSAGE = { id: 9, type: 'compaction.requested', payload: { datasetId: 'd' } }

const ALL_WELL = {
  enterStep: () => ({ outcome: 'ok' }),
  checkInstallation: () => ({ outcome: 'paired', write: false, stamp: 1 }),
  listMergeableFiles: () => ({ outcome: 'ok', files, targetFileBytes: 100, reach: 'all', more: true, mixedPartitions }),
  savePlan: () => ({ outcome: 'ok', merges: 2 }),
  finishJob: () => ({ outcome: 'succeeded', outbox: [MESSAGE] }),
  failAttempt: () => ({ outcome: 'retrying', attempt: 3, delaySeconds: 1, outbox: [MESSAGE] }),
  completeOutbox: () => 1,
}
type Answers = Partial<Record<keyof Catalog, () => unknown>>

beforeEach(() => {
  vi.mocked(runMerge).mockReset()
  vi.mocked(runMerge).mockImplementation(
    async (_env, _catalog, _attempt, index) => ({ outcome: 'nothing_left', filesSetAside: index }) as never,
  )
})

async function run(answers: Answers = {}, payload: unknown = attempt) {
  const steps: [name: string, retries: unknown][] = []
  const step = {
    do: async (name: string, retries: unknown, body: () => Promise<unknown>) => {
      steps.push([name, retries])
      // what a step gives crosses it as data
      return structuredClone(await body())
    },
  }
  const sent: unknown[] = []
  const env = {
    BUCKET: { get: async () => null, list: async () => ({ objects: [], truncated: false }) },
    COMPACTION_QUEUE: { send: async (message: unknown) => void sent.push(message) },
  }
  const { catalog, calls } = fakeCatalog({ ...ALL_WELL, ...answers } as Answers)
  vi.mocked(openCatalog).mockReturnValue(catalog)
  const workflow = new DataCompactionWorkflow({} as never, env as unknown as Env)
  let result: unknown
  const log = await logOf(async () => {
    result = await workflow.run({ payload } as never, step as never).catch((error: unknown) => error)
  })
  return {
    result,
    steps,
    calls,
    sent,
    log,
    names: steps.map(([name]) => name),
    methods: calls.map(([method]) => method),
  }
}

const refuse = (code: ConstructorParameters<typeof FusouError>[0]) => () => {
  throw new FusouError(code, 'so')
}

describe('an attempt', () => {
  test('checks, plans, merges and ends, each in a step of its own', async () => {
    const { result, steps, calls, sent, log } = await run()
    expect(result).toEqual({ outcome: 'succeeded' })
    expect(steps).toEqual([
      ['validate-dataset', databaseRetries(ID)],
      ['get-metadata', databaseRetries(ID)],
      ['compact-1', mergeRetries(ID)],
      ['compact-2', mergeRetries(ID)],
      ['update-metadata', databaseRetries(ID)],
    ])
    expect(calls.filter(([method]) => method === 'enterStep')).toEqual([
      ['enterStep', attempt, 'validate-dataset', { leaseSeconds: LEASE_SECONDS, finished: {} }],
      [
        'enterStep',
        attempt,
        'get-metadata',
        { leaseSeconds: LEASE_SECONDS, finished: { 'validate-dataset': expect.any(Number) } },
      ],
    ])
    expect(
      vi.mocked(runMerge).mock.calls.map(([, , of, index, finished]) => [of, index, Object.keys(finished)]),
    ).toEqual([
      [attempt, 1, ['get-metadata']],
      [attempt, 2, ['compact-1']],
    ])
    const merges = [1, 2].map((index) => ({ outcome: 'nothing_left', filesSetAside: index }))
    const end = {
      result: { merges, more: true, mixedPartitions },
      more: true,
      finished: { 'compact-2': expect.any(Number) },
      sender: `workflow:${ID}`,
    }
    expect(calls.slice(-2)).toEqual([
      ['finishJob', attempt, end],
      ['completeOutbox', [9], `workflow:${ID}`],
    ])
    expect(sent).toEqual([{ datasetId: 'd' }])
    expect(log).toEqual([['info', { event: 'job_ended', ...attempt, outcome: 'succeeded', merges: 2 }]])
  })

  test('without a merge to do ends all the same', async () => {
    const { result, names } = await run({ savePlan: () => ({ outcome: 'ok', merges: 0 }) })
    expect(result).toEqual({ outcome: 'succeeded' })
    expect(names).toEqual(['validate-dataset', 'get-metadata', 'update-metadata'])
  })

  test.each(['cancelled', 'stale_attempt'] as const)('that is over stops, and is no failure: %s', async (code) => {
    const { result, names, methods, log } = await run({ enterStep: () => ({ outcome: code }) })
    expect(result).toEqual({ outcome: code })
    expect([names, methods]).toEqual([['validate-dataset'], ['enterStep']])
    expect(log.at(-1)).toEqual(['info', { event: 'attempt_stopped', ...attempt, step: 'validate-dataset', code }])
  })

  test.each([
    ['validate-dataset', { enterStep: refuse('database_unavailable') }],
    ['get-metadata', { listMergeableFiles: refuse('database_unavailable') }],
    ['update-metadata', { finishJob: refuse('database_unavailable') }],
  ] as [string, Answers][])('that fails in %s is recorded with its step, and told', async (step, answers) => {
    const { result, names, calls, sent, log } = await run(answers)
    expect(result).toMatchObject({ code: 'database_unavailable' })
    expect(names.slice(-2)).toEqual([step, 'record-failure'])
    const failure = { code: 'database_unavailable', step, message: 'so', transient: true, counted: true }
    expect(calls).toContainEqual(['failAttempt', attempt, failure, NEXT_LEASE_SECONDS, `workflow:${ID}`])
    expect(sent).toEqual([{ datasetId: 'd' }])
    expect(log.at(-1)).toMatchObject([
      'error',
      { event: 'attempt_failed', ...attempt, step, code: 'database_unavailable', outcome: 'retrying' },
    ])
  })

  test('that fails in a merge is recorded with that merge', async () => {
    vi.mocked(runMerge).mockReset()
    vi.mocked(runMerge)
      .mockResolvedValueOnce({ outcome: 'committed_before' })
      .mockRejectedValueOnce(new FusouError('row_count_mismatch', 'so'))
    const { result, calls, names } = await run()
    expect(names.slice(-2)).toEqual(['compact-2', 'record-failure'])
    expect(result).toMatchObject({ code: 'row_count_mismatch' })
    const failed = calls.find(([method]) => method === 'failAttempt')
    expect(failed?.[2]).toEqual({
      code: 'row_count_mismatch',
      step: 'compact-2',
      message: 'so',
      transient: false,
      counted: true,
    })
  })

  test('that the platform reset does not count', async () => {
    vi.mocked(runMerge).mockReset()
    vi.mocked(runMerge).mockRejectedValue(new Error('Durable Object reset because its code was updated.'))
    const { calls } = await run()
    const failed = calls.find(([method]) => method === 'failAttempt')
    expect(failed?.[2]).toMatchObject({ code: 'instance_reset', step: 'compact-1', transient: true, counted: false })
  })

  test('of a bucket that is not that of the catalog merges nothing', async () => {
    const { result, names, methods } = await run({
      checkInstallation: () => ({ outcome: 'problem', problem: 'foreign_bucket' }),
    })
    expect(result).toMatchObject({ code: 'pairing_problem' })
    expect(names).toEqual(['validate-dataset', 'get-metadata', 'record-failure'])
    expect(methods).not.toContain('listMergeableFiles')
  })

  test('is known by a job and a number', async () => {
    const { result, steps } = await run({}, { jobId: JOB })
    expect(result).toBeInstanceOf(Error)
    expect(steps).toEqual([])
  })
})

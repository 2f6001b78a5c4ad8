import type { Catalog, InputFault } from '@fusou/catalog'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Env } from '../../src/env.ts'
import { LEASE_SECONDS } from '../../src/leases.ts'
import { findMiscounted } from '../../src/workflow/find-input-faults.ts'
import { runMerge } from '../../src/workflow/run-merge.ts'
import { writeMerge } from '../../src/workflow/write-merge.ts'
import { fakeCatalog, logOf } from './fakes.ts'

vi.mock('../../src/workflow/write-merge.ts', () => ({ MERGE_BYTES: 2 ** 26, writeMerge: vi.fn() }))
vi.mock('../../src/workflow/find-input-faults.ts', () => ({ findMiscounted: vi.fn() }))

const attempt = { jobId: 'j', attempt: 2 }
const finished = { 'get-metadata': 1.5 }
const bucket = {} as R2Bucket
const report = { bytesOut: 10, rowsOut: 20, rowGroupsOut: 30, schemaFingerprint: 'print' }
const opened = {
  outcome: 'ok',
  datasetId: 'd',
  table: 't',
  periodTag: 'p',
  fingerprint: 'print',
  inputs: [{ id: 'a' }, { id: 'b' }],
}
const fault: InputFault = { fileId: 'a', r2Key: 'k', code: 'corrupt_file', message: 'torn' }
const written = { report, sha256: 'hash' }

beforeEach(() => {
  vi.mocked(writeMerge).mockReset()
  vi.mocked(findMiscounted).mockReset()
})

type Answers = Partial<Record<keyof Catalog, () => unknown>>

/** @param rounds what opening the merge answers, one time after the other */
async function run(rounds: unknown[], wrote: unknown[], answers: Answers = {}) {
  for (const one of wrote) vi.mocked(writeMerge).mockResolvedValueOnce(one as never)
  let round = 0
  const { catalog, calls } = fakeCatalog({ openMerge: () => rounds[round++], ...answers } as Answers)
  let result: unknown
  const log = await logOf(async () => {
    result = await runMerge({ BUCKET: bucket } as Env, catalog, attempt, 7, finished).catch((error: unknown) => error)
  })
  return { result, calls, log, methods: calls.map(([method]) => method) }
}

describe('a merge', () => {
  test('is opened under the lease, written under a key of its own, and swapped in', async () => {
    const { result, calls, log } = await run([opened], [written], {
      commitMerge: () => ({ outcome: 'committed', version: 9 }),
    })
    expect(result).toEqual({
      outcome: 'committed',
      table: 't',
      periodTag: 'p',
      version: 9,
      report,
      ordering: { applied: true },
      filesSetAside: 0,
    })
    const key = expect.stringMatching(/^datasets\/d\/merged\/j\/2-7-[0-9a-f-]{36}\.parquet$/)
    const output = { r2Key: key, bytes: 10, rows: 20, rowGroups: 30, sha256: 'hash', fingerprint: 'print' }
    expect(calls).toEqual([
      ['openMerge', attempt, 7, { leaseSeconds: LEASE_SECONDS, finished }],
      ['commitMerge', attempt, 7, output, LEASE_SECONDS],
    ])
    expect(vi.mocked(writeMerge).mock.calls).toEqual([[bucket, key, opened, 'j', expect.any(Function)]])
    expect(log).toMatchObject([['info', { event: 'merge_committed', ...attempt, index: 7, version: 9, rowsOut: 20 }]])
  })

  test('notes its upload in parts under the fence', async () => {
    const note = async (outcome: string) => {
      vi.mocked(writeMerge).mockImplementationOnce(async (_bucket, _key, _opened, _jobId, tell) => {
        await tell('upload-1')
        return written as never
      })
      return run([opened], [], { openMultipart: () => ({ outcome }), commitMerge: () => ({ outcome: 'superseded' }) })
    }
    const { result, calls } = await note('ok')
    expect(result).toEqual({ outcome: 'committed_before' })
    expect(calls[1]).toEqual([
      'openMultipart',
      attempt,
      { r2Key: expect.stringMatching(/^datasets/), uploadId: 'upload-1' },
    ])
    expect((await note('stale_attempt')).result).toMatchObject({ code: 'stale_attempt' })
  })

  test.each([
    [{ outcome: 'committed' }, { outcome: 'committed_before' }],
    [{ outcome: 'nothing_left' }, { outcome: 'nothing_left', filesSetAside: 0 }],
    [{ outcome: 'unknown_merge' }, { code: 'internal' }],
    [{ outcome: 'cancelled' }, { code: 'cancelled' }],
    [{ outcome: 'stale_attempt' }, { code: 'stale_attempt' }],
  ])('whose opening is answered %j writes nothing', async (answer, expected) => {
    const { result, methods } = await run([answer], [])
    expect(result).toMatchObject(expected)
    expect(methods).toEqual(['openMerge'])
    expect(writeMerge).not.toHaveBeenCalled()
  })

  test.each([
    ['superseded', { outcome: 'committed_before' }],
    ['unknown_merge', { code: 'internal' }],
    ['cancelled', { code: 'cancelled' }],
    ['stale_attempt', { code: 'stale_attempt' }],
  ])('whose swap is answered %s ends with %j', async (outcome, expected) => {
    expect((await run([opened], [written], { commitMerge: () => ({ outcome }) })).result).toMatchObject(expected)
  })

  test('sets aside the inputs that are at fault, and merges the rest at once', async () => {
    const { result, calls, methods, log } = await run([opened, opened], [{ faults: [fault] }, written], {
      setAsideInputs: () => ({ outcome: 'ok', setAside: 1 }),
      commitMerge: () => ({ outcome: 'committed', version: 9 }),
    })
    expect(result).toMatchObject({ outcome: 'committed', filesSetAside: 1 })
    expect(methods).toEqual(['openMerge', 'setAsideInputs', 'openMerge', 'commitMerge'])
    expect(calls[1]).toEqual(['setAsideInputs', attempt, 7, [fault]])
    const { message, ...named } = fault
    expect(log[0]).toEqual([
      'error',
      { event: 'file_set_aside', ...attempt, index: 7, datasetId: 'd', ...named, detail: message },
    ])
  })

  test('of which nothing is left says how many files were set aside', async () => {
    const { result } = await run([opened, { outcome: 'nothing_left' }], [{ faults: [fault, fault] }], {
      setAsideInputs: () => ({ outcome: 'ok', setAside: 2 }),
    })
    expect(result).toEqual({ outcome: 'nothing_left', filesSetAside: 2 })
  })

  test.each([
    ['unknown_merge', 'internal'],
    ['stale_attempt', 'stale_attempt'],
  ])('sets nothing aside where the answer is %s', async (outcome, code) => {
    const { result } = await run([opened], [{ faults: [fault] }], { setAsideInputs: () => ({ outcome }) })
    expect(result).toMatchObject({ code })
  })

  test('whose inputs change is opened three times, and then gives up', async () => {
    const conflict = await run([opened, opened, opened], [written, written, written], {
      commitMerge: () => ({ outcome: 'conflict' }),
    })
    expect(conflict.result).toMatchObject({ code: 'conflict' })
    expect(conflict.methods.filter((method) => method === 'openMerge')).toHaveLength(3)
    let swaps = 0
    const later = await run([opened, opened, opened], [written, written, written], {
      commitMerge: () => (++swaps < 3 ? { outcome: 'conflict' } : { outcome: 'committed', version: 4 }),
    })
    expect(later.result).toMatchObject({ outcome: 'committed', version: 4 })
  })

  test('with other rows than were counted sets aside the files that have others, or fails', async () => {
    let swaps = 0
    const commitMerge = () => (++swaps === 1 ? { outcome: 'row_count_mismatch' } : { outcome: 'committed', version: 4 })
    vi.mocked(findMiscounted).mockResolvedValueOnce([fault])
    const mended = await run([opened, opened], [written, written], {
      commitMerge,
      setAsideInputs: () => ({ outcome: 'ok', setAside: 1 }),
    })
    expect(mended.result).toMatchObject({ outcome: 'committed', filesSetAside: 1 })
    expect(findMiscounted).toHaveBeenCalledWith(bucket, opened.inputs)
    vi.mocked(findMiscounted).mockResolvedValueOnce([])
    const failed = await run([opened], [written], { commitMerge: () => ({ outcome: 'row_count_mismatch' }) })
    expect(failed.result).toMatchObject({ code: 'row_count_mismatch', detail: 'merge 7 of 2 files wrote other rows' })
  })

  const settings = { sortBy: [{ column: 'c' }], dedupeBy: ['c'], codec: 'zstd' }
  test('in an order that cannot be had is written without it, and says why', async () => {
    const { result, log, calls } = await run([{ ...opened, settings }], [{ unordered: 'no memory' }, written], {
      commitMerge: () => ({ outcome: 'committed', version: 9 }),
    })
    const ordering = { applied: false, reason: 'no memory' }
    expect(result).toMatchObject({ outcome: 'committed', ordering })
    const [first, second] = vi.mocked(writeMerge).mock.calls
    expect([first![2], second![2]]).toEqual([
      { ...opened, settings },
      { ...opened, settings: { codec: 'zstd' } },
    ])
    expect(second![1]).not.toBe(first![1])
    expect(calls[1]![3]).toMatchObject({ r2Key: second![1] })
    const line = { event: 'order_not_applied', ...attempt, index: 7, table: 't', reason: 'no memory' }
    expect(log).toEqual([
      ['info', line],
      ['info', { event: 'merge_committed', ...attempt, index: 7, key: second![1], version: 9, ordering, ...report }],
    ])
  })

  test('that cannot even be written without an order is a fault of ours', async () => {
    const { result } = await run([{ ...opened, settings }], [{ unordered: 'a' }, { unordered: 'b' }])
    expect(result).toMatchObject({ code: 'internal', detail: 'no order was asked for: b' })
  })

  const schemas = [{ fingerprint: 'f', reason: 'r' }]
  test('of schemas that cannot be united sets them apart, and merges the rest at once', async () => {
    const { result, calls, log } = await run([opened, opened], [{ apart: schemas }, written], {
      setSchemasApart: () => ({ outcome: 'ok' }),
      commitMerge: () => ({ outcome: 'committed', version: 9 }),
    })
    expect(result).toMatchObject({ outcome: 'committed', filesSetAside: 0 })
    expect(calls[1]).toEqual(['setSchemasApart', attempt, 7, schemas])
    expect(log[0]).toEqual([
      'info',
      { event: 'schemas_apart', ...attempt, index: 7, datasetId: 'd', table: 't', schemas },
    ])
  })

  test.each([
    ['unknown_merge', 'internal'],
    ['cancelled', 'cancelled'],
  ])('sets no schema apart where the answer is %s', async (outcome, code) => {
    const { result } = await run([opened], [{ apart: schemas }], { setSchemasApart: () => ({ outcome }) })
    expect(result).toMatchObject({ code })
  })
})

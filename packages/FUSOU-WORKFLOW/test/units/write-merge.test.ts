import { FusouError } from '@fusou/catalog'
import { mergeParquet, ParquetError, type Source } from '@fusou/parquet-compactor'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { findInputFaults } from '../../src/workflow/find-input-faults.ts'
import { type OpenedMerge, writeMerge } from '../../src/workflow/write-merge.ts'
import { logOf } from './fakes.ts'

vi.mock('@fusou/parquet-compactor/kernel.wasm', () => ({ default: {} }))
vi.mock('@fusou/parquet-compactor', async (original) => ({ ...(await original<object>()), mergeParquet: vi.fn() }))
vi.mock('../../src/workflow/find-input-faults.ts', async (original) => ({
  ...(await original<object>()),
  findInputFaults: vi.fn(),
}))

const opened = {
  outcome: 'ok',
  datasetId: 'd',
  ownerId: crypto.randomUUID(),
  table: 't',
  periodTag: '0',
  fingerprint: 'print',
  settings: {},
  inputs: [],
} satisfies OpenedMerge

/** What the merge throws comes to this error, or to these faults. */
async function write(thrown: unknown): Promise<unknown> {
  vi.mocked(mergeParquet).mockRejectedValueOnce(thrown)
  let outcome: unknown
  await logOf(async () => {
    outcome = await writeMerge({} as R2Bucket, 'k', opened, 'j', async () => {}).catch((error: unknown) => error)
  })
  return outcome
}

beforeEach(() => {
  vi.mocked(findInputFaults).mockReset().mockResolvedValue([])
})

describe('a merge in an order that', () => {
  const ordered = async (settings: OpenedMerge['settings'], thrown: unknown) => {
    vi.mocked(mergeParquet).mockRejectedValueOnce(thrown)
    let outcome: unknown
    await logOf(async () => {
      const merge = { ...opened, settings }
      outcome = await writeMerge({} as R2Bucket, 'k', merge, 'j', async () => {}).catch((error: unknown) => error)
    })
    return outcome
  }
  const byColumn = { sortBy: [{ column: 'c', descending: false, nullsFirst: false }] }

  test.each([byColumn, { dedupeBy: ['c'] }, { ...byColumn, dedupeBy: ['c'] }])(
    'its files or the memory do not allow can be had without it: %j',
    async (settings) => {
      for (const code of ['bad_option', 'memory_budget'] as const)
        expect(await ordered(settings, new ParquetError(code, 'no'))).toEqual({ unordered: `${code}: no` })
      for (const error of [new ParquetError('corrupt_data', 'no'), new ParquetError('write_failed', 'no')])
        expect(await ordered(settings, error)).not.toHaveProperty('unordered')
      const other = Object.assign(new Error('no'), { code: 'bad_option' })
      expect(await ordered(settings, other)).toBe(other)
    },
  )

  test.each([{}, { codec: 'zstd' as const }])('is not asked for fails as any other: %j', async (settings) => {
    expect(await ordered(settings, new ParquetError('bad_option', 'no'))).toMatchObject({ code: 'internal' })
  })
})

describe('a merge that fails', () => {
  test('on the bytes of an input names every input that is at fault', async () => {
    const fault = { fileId: 'a', r2Key: 'k', code: 'corrupt_file', message: 'torn' } as const
    vi.mocked(findInputFaults).mockResolvedValue([fault])
    expect(await write(new ParquetError('corrupt_data', 'torn'))).toEqual({ faults: [fault] })
  })

  test('though each input alone can be merged is a fault of ours, and keeps its cause', async () => {
    const error = new ParquetError('corrupt_data', 'torn')
    expect(await write(error)).toMatchObject({
      code: 'internal',
      detail: 'each input alone can be merged, all together not: corrupt_data: torn',
      cause: error,
    })
  })

  test('on something that says nothing of the inputs is thrown as it is, and nobody looks at them', async () => {
    const bug = new TypeError('a bug')
    expect(await write(bug)).toBe(bug)
    const fenced = new FusouError('stale_attempt', 'another has taken over')
    const note = new ParquetError('write_failed', 'the sink failed', { cause: fenced })
    expect(await write(note)).toBe(fenced)
    expect(findInputFaults).not.toHaveBeenCalled()
  })

  test.each([
    ['bad_option', 'internal'],
    ['write_failed', 'storage_unavailable'],
  ] as const)('by %s of the library is %s, and keeps its cause', async (code, expected) => {
    const error = new ParquetError(code, 'no')
    expect(await write(error)).toMatchObject({ code: expected, cause: error })
  })
})

test('a merge checks every page, within the memory and the limits of a merge, against the schema of the catalog', async () => {
  await write(new TypeError('stop'))
  const [sources, , options] = vi.mocked(mergeParquet).mock.lastCall as unknown as [Source[], unknown, object]
  expect(sources).toEqual([])
  expect(options).toMatchObject({ pages: 'check', schemaFingerprint: 'print', memoryBudgetBytes: 2 ** 26 })
})

import { FusouError, MERGE_LIMITS, type MergeInput, R2Source } from '@fusou/catalog'
import { explainMerge, findFaults, inspectParquet, ParquetError, type Source } from '@fusou/parquet-compactor'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { findApart } from '../../src/workflow/find-apart.ts'
import { findInputFaults, findMiscounted, readFailure } from '../../src/workflow/find-input-faults.ts'

vi.mock('@fusou/parquet-compactor', async (original) => ({
  ...(await original<object>()),
  explainMerge: vi.fn(),
  findFaults: vi.fn(),
  inspectParquet: vi.fn(),
}))
beforeEach(() => {
  for (const mock of [explainMerge, findFaults, inspectParquet]) vi.mocked(mock as never as () => unknown).mockReset()
})

const bucket = {} as R2Bucket
const input = (id: string, fingerprint = 'f', rows = 3) =>
  ({ id, r2Key: `key of ${id}`, offset: 0, length: 9, fingerprint, rows }) as MergeInput
const namesOf = (sources: readonly Source[]) => sources.map(({ name }) => name)

describe('schemas that cannot be united', () => {
  const mismatch = new ParquetError('schema_mismatch', 'another type')

  test('are found by a file of each, against those that could', async () => {
    const looked: string[][] = []
    vi.mocked(explainMerge).mockImplementation(async (sources, options) => {
      looked.push(namesOf(sources))
      expect(sources.at(-1)).toBeInstanceOf(R2Source)
      expect(options).toMatchObject({ schema: 'union', limits: MERGE_LIMITS, memoryBudgetBytes: 2 ** 26 })
      expect(options!.codecs).toHaveProperty('zstd')
      if (sources.at(-1)!.name === 'b1') throw mismatch
      return {} as never
    })
    const inputs = [input('a1', 'a'), input('a2', 'a'), input('b1', 'b'), input('c1', 'c'), input('b2', 'b')]
    expect(await findApart(bucket, inputs)).toEqual([{ fingerprint: 'b', reason: mismatch.message }])
    expect(looked).toEqual([['a1'], ['a1', 'b1'], ['a1', 'c1']])
  })

  test.each([
    new ParquetError('read_failed', 'away'),
    new TypeError('a bug'),
    Object.assign(new Error('x'), { code: 'schema_mismatch' }),
  ])('are not known where looking fails: %s', async (error) => {
    vi.mocked(explainMerge).mockRejectedValue(error)
    await expect(findApart(bucket, [input('a')])).rejects.toBe(error)
  })
})

describe('inputs that cannot be merged', () => {
  test.each([
    ['schema_mismatch', 'schema_mismatch'],
    ['encrypted', 'unsupported_parquet'],
    ['unsupported_column', 'unsupported_parquet'],
    ['page_too_large', 'unsupported_parquet'],
    ['over_limit', 'unsupported_parquet'],
    ['corrupt_data', 'corrupt_file'],
    ['not_parquet', 'corrupt_file'],
    ['bad_footer', 'corrupt_file'],
  ] as const)('by %s are told as %s, with their object', async (code, told) => {
    vi.mocked(findFaults).mockResolvedValue([{ source: 'b', code, detail: 'torn' }] as never)
    const options = { memoryBudgetBytes: 5 } as never
    expect(await findInputFaults(bucket, [input('a'), input('b')], options)).toEqual([
      { fileId: 'b', r2Key: 'key of b', code: told, message: 'torn' },
    ])
    const [sources, given] = vi.mocked(findFaults).mock.lastCall!
    expect(namesOf(sources)).toEqual(['a', 'b'])
    expect(given).toMatchObject({ memoryBudgetBytes: 5 })
    expect(given!.isReadFault!(new FusouError('object_missing', 'x'))).toBe(true)
    expect(given!.isReadFault!(new Error('x'))).toBe(false)
  })

  test('whose objects are gone are told as such', async () => {
    const cause = new FusouError('object_missing', 'no object')
    vi.mocked(findFaults).mockResolvedValue([{ source: 'a', code: 'read_failed', detail: 'x', cause }] as never)
    expect(await findInputFaults(bucket, [input('a')], {} as never)).toEqual([
      { fileId: 'a', r2Key: 'key of a', code: 'object_missing', message: 'no object' },
    ])
  })

  test('by another number of rows than the catalog counts are those that have one', async () => {
    vi.mocked(inspectParquet).mockImplementation(async ({ name }) => ({ rowCount: name === 'b' ? 4 : 3 }) as never)
    expect(await findMiscounted(bucket, [input('a'), input('b'), input('c')])).toEqual([
      {
        fileId: 'b',
        r2Key: 'key of b',
        code: 'row_count_mismatch',
        message: 'object key of b holds 4 rows, the catalog counts 3',
      },
    ])
  })
})

test('what reading threw is found behind all errors that say where', () => {
  const thrown = new Error('away')
  const inner = new ParquetError('read_failed', 'page', { cause: thrown })
  expect(readFailure(inner)).toBe(thrown)
  expect(readFailure(new ParquetError('read_failed', 'column', { cause: inner }))).toBe(thrown)
  expect(readFailure(new ParquetError('read_failed', 'column'))).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import type { Footer, RowGroupRange } from '../src/footer/footer.ts'
import { CODEC, ENCODING } from '../src/format/format.ts'
import { MergePlanner, type PlanReason, type PlanSettings, printPlan } from '../src/plan/plan-merge.ts'
import type { LeafColumn, Schema } from '../src/schema/schema.ts'

const leaf = (name: string) => ({ name, maxRepetition: 0 }) as LeafColumn
const settings: PlanSettings = {
  pages: 'splice',
  targetRowGroupBytes: 1000,
  targetRowGroupRows: 1000,
  minPageBytes: 40,
  memoryBudgetBytes: 5000,
  codecs: ['snappy', 'snappy'],
}

interface Chunk {
  bytes?: number
  codec?: number
  encodings?: number[]
  /** 0 for no dictionary */
  dictionaryBytes?: number
  pages?: number
  versions?: number
}

/** A footer of row groups with one chunk a column; what is left out is plain, snappy, 100 bytes. */
function footerOf(...rowGroups: Chunk[][]): RowGroupRange {
  const chunks = rowGroups.flat()
  const schema = { leaves: rowGroups[0]!.map((_, i) => leaf('ab'[i]!)) } as Schema
  const numbers = (pick: (chunk: Chunk) => number) => Float64Array.from(chunks, pick)
  const footer = {
    schema,
    rowsOfGroup: Float64Array.from(rowGroups, () => 10),
    chunkOffset: numbers(() => 4),
    chunkBytes: numbers(({ bytes = 100 }) => bytes),
    chunkValues: numbers(() => 10),
    chunkNulls: numbers(() => 0),
    chunkCodec: Uint8Array.from(chunks, ({ codec = CODEC.SNAPPY }) => codec),
    chunkEncodings: Uint16Array.from(chunks, ({ encodings = [ENCODING.PLAIN] }) =>
      encodings.reduce((bits, encoding) => bits | (1 << encoding), 0),
    ),
    chunkPages: Uint32Array.from(chunks, ({ pages = 0 }) => pages),
    chunkVersions: Uint8Array.from(chunks, ({ versions = 0 }) => versions),
    chunkHasDictionary: Uint8Array.from(chunks, ({ dictionaryBytes = 0 }) => Number(dictionaryBytes > 0)),
    chunkDictionaryBytes: numbers(({ dictionaryBytes = 0 }) => dictionaryBytes),
  } as unknown as Footer
  return { footer, from: 0, to: rowGroups.length }
}

function plan(ranges: RowGroupRange[], more: Partial<PlanSettings> = {}) {
  const planner = new MergePlanner(ranges[0]!.footer.schema, { ...settings, ...more })
  for (const range of ranges) planner.add(range)
  return planner.finish()
}

describe('a column of small row groups', () => {
  const CASES: [title: string, chunks: [Chunk, Chunk], action: string, reason: PlanReason][] = [
    ['without dictionaries is spliced', [{}, {}], 'splice', 'no_dictionary'],
    ['with one dictionary is spliced', [{}, { dictionaryBytes: 20 }], 'splice', 'one_dictionary'],
    ['with two is coalesced', [{ dictionaryBytes: 9 }, { dictionaryBytes: 9 }], 'coalesce', 'several_dictionaries'],
    ['of another codec is coalesced', [{}, { codec: CODEC.ZSTD }], 'coalesce', 'codec_changes'],
    ['of an encoding not known is rewritten', [{}, { encodings: [15] }], 'rewrite', 'unknown_encoding'],
    ['of both page versions is coalesced', [{ versions: 1 }, { versions: 2 }], 'coalesce', 'mixed_page_versions'],
    ['of small pages is coalesced', [{ bytes: 30 }, { bytes: 30 }], 'coalesce', 'small_pages'],
    ['of many pages in few bytes is coalesced', [{ pages: 3 }, { pages: 3 }], 'coalesce', 'small_pages'],
    [
      'of small pages behind a dictionary is coalesced',
      [{ dictionaryBytes: 80 }, { bytes: 30 }],
      'coalesce',
      'small_pages',
    ],
  ]
  test.each(CASES)('%s', (_, [a, b], action, reason) => {
    const [group, ...more] = plan([footerOf([{}, a]), footerOf([{}, b])])
    expect(more).toEqual([])
    expect(group!.members).toBe(2)
    expect(group!.columns).toEqual([
      { action: 'splice', reason: 'no_dictionary' },
      { action, reason },
    ])
    expect(group!.isStreamed).toBe(false)
  })
})

describe('row groups', () => {
  const sizes = (ranges: RowGroupRange[]) => plan(ranges).map(({ members, bytes }) => [members, bytes])
  const of = (...bytes: number[]) => footerOf(...bytes.map((size) => [{ bytes: size }]))

  test('are joined up to the target, across files and within them', () => {
    expect(sizes([of(400), of(400, 400), of(400)])).toEqual([
      [2, 800],
      [2, 800],
    ])
  })

  test('are joined up to the rows wanted, and of half of them left alone', () => {
    const rows = (targetRowGroupRows: number) =>
      plan([of(100), of(100, 100), of(100)], { targetRowGroupRows }).map(({ members }) => members)
    expect(rows(40)).toEqual([4])
    expect(rows(30)).toEqual([3, 1])
    expect(rows(20)).toEqual([1, 1, 1, 1])
  })

  test('without rows are passed over', () => {
    const empty = of(100)
    empty.footer.rowsOfGroup[0] = 0
    expect(sizes([of(100), empty, of(100)])).toEqual([[2, 200]])
  })

  test('that are large enough are copied, and end the one before', () => {
    const made = plan([of(100), of(500), of(100)])
    expect(made.map(({ members }) => members)).toEqual([1, 1, 1])
    expect(made[1]!.columns).toEqual([{ action: 'copy', reason: 'large_row_group' }])
  })

  test('far beyond the target are cut', () => {
    expect(plan([of(4000)], { memoryBudgetBytes: 9000 })[0]).toMatchObject({ isStreamed: false })
    expect(plan([of(4001)])[0]).toMatchObject({ isStreamed: true, columns: [{ reason: 'huge_row_group' }] })
  })

  test('with a chunk beyond the budget stream through', () => {
    const reason = 'chunk_over_budget'
    expect(plan([of(2600)])[0]).toMatchObject({ isStreamed: true, columns: [{ action: 'rewrite', reason }] })
  })

  test('that are large keep the columns that need no change', () => {
    const [group] = plan([footerOf([{ bytes: 600 }, { codec: CODEC.GZIP }])])
    expect(group).toMatchObject({
      isStreamed: false,
      columns: [
        { action: 'copy', reason: 'large_row_group' },
        { action: 'coalesce', reason: 'codec_changes' },
      ],
    })
  })

  test('that are large stream through whole if values of a column must be read', () => {
    const [group] = plan([footerOf([{ bytes: 600 }, { encodings: [ENCODING.DELTA_BINARY_PACKED], codec: CODEC.GZIP }])])
    expect(group).toMatchObject({
      isStreamed: true,
      columns: [
        { action: 'rewrite', reason: 'row_group_rewritten' },
        { action: 'rewrite', reason: 'codec_changes' },
      ],
    })
  })
})

test('a plan can be read', () => {
  const made = plan([footerOf([{}, { bytes: 10 }]), footerOf([{}, {}]), footerOf([{ bytes: 900 }, {}])])
  expect(`\n${printPlan(made, { leaves: [leaf('a'), leaf('b')] })}\n`).toBe(`
row group 0: 2 row groups, 20 rows, 310 bytes
  splice (no chunk has a dictionary): a, b
row group 1: 1 row group, 10 rows, 1000 bytes
  copy (the row group is large enough as it is): a, b
`)
})

import { describe, expect, test } from 'vitest'
import { ByteBuffer } from '../src/format/byte-buffer.ts'
import { checksum } from '../src/format/checksum.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { encodeHybridRuns } from '../src/format/hybrid-runs.ts'
import { type MergeOptions, memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { query, store } from './engines.ts'
import { type HandmadeFile, type HandmadePage, handmade } from './handmade.ts'

/** The ways a column can go through a merge in which its values are looked at. */
const WAYS: Record<string, MergeOptions> = {
  'pages that are checked': { pages: 'check' },
  'pages that are rewritten': { pages: 'rewrite' },
  'pages that are joined': { minPageBytes: 2 ** 24 },
  'rows that are sorted': { sortBy: [{ column: 'v' }] },
  'rows that are deduplicated': { dedupeBy: ['v'] },
}
const LIST_WAYS = Object.fromEntries(Object.entries(WAYS).filter(([, { sortBy, dedupeBy }]) => !sortBy && !dedupeBy))

async function merge(files: Uint8Array[], options: MergeOptions): Promise<Uint8Array> {
  const sink = memorySink()
  const sources = files.map((bytes, i) => memorySource(['good', 'bad', 'last'][i]!, bytes))
  await mergeParquet(sources, sink, options)
  return sink.bytes()
}

const int32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer)

/** Levels of version 1: their length, then one run for each. */
function levels(width: number, values: number[]): Uint8Array {
  const runs = new ByteBuffer()
  encodeHybridRuns(Uint32Array.from(values), width, runs)
  const out = new ByteBuffer()
  out.uint32(runs.length)
  out.append(runs.view())
  return out.take()
}

/** Indices as a page has them: their width, then runs. */
function indices(width: number, values: number[]): Uint8Array {
  const out = new ByteBuffer()
  out.push(width)
  encodeHybridRuns(Uint32Array.from(values), width, out)
  return out.take()
}

const dictionary = (values: number[], crc?: number): HandmadePage => ({
  kind: 2,
  values: values.length,
  body: int32(...values),
  ...(crc !== undefined && { crc }),
})

interface Column {
  /** distinct values of the dictionary */
  distinct: number[]
  /** index of each value */
  at: number[]
  isList?: boolean
  dictionaryCrc?: number
  pageCrc?: number
  file?: HandmadeFile
}

/** A column of one dictionary and one data page; of lists, each row has two elements. */
function column({ distinct, at, isList = false, dictionaryCrc, pageCrc, file }: Column): Uint8Array {
  const rows = isList ? at.length / 2 : at.length
  const body = isList
    ? Buffer.concat([
        levels(
          1,
          at.map((_, i) => i % 2),
        ),
        levels(
          1,
          at.map(() => 1),
        ),
        indices(2, at),
      ])
    : indices(2, at)
  const page: HandmadePage = { values: at.length, encoding: 8, body, ...(pageCrc !== undefined && { crc: pageCrc }) }
  return handmade({
    rows,
    values: at.length,
    physical: PHYSICAL.INT32,
    repetition: isList ? 2 : 0,
    pages: [dictionary(distinct, dictionaryCrc), page],
    ...file,
  })
}

describe.each([
  ['a flat column', false, WAYS],
  ['a list column', true, LIST_WAYS],
] as const)('an index into the dictionary of %s', (_, isList, ways) => {
  const good = column({ distinct: [7, 8], at: [0, 1, 1, 0], isList })

  test.each(Object.entries(ways))('that is its last entry is read: %s', async (_way, options) => {
    const output = await merge([good, column({ distinct: [8, 9, 10], at: [0, 2, 2, 1], isList })], options)
    const [values] = await query(
      `select count(distinct v), max(v) from (select unnest([v]) as v from '${store(output)}')`,
    )
    if (!isList) expect(values).toEqual(['4', 10])
    else expect(await query(`select v from '${store(output)}'`)).toHaveLength(4)
  })

  test.each(Object.entries(ways))('that is its size is refused: %s', async (_way, options) => {
    const bad = column({ distinct: [8, 9, 10], at: [0, 2, 3, 1], isList })
    await expect(merge([good, bad], options)).rejects.toThrow(/^corrupt_data: bad: column v/)
  })
})

describe('a checksum', () => {
  const good = column({ distinct: [7, 8], at: [0, 1, 1, 0] })
  const [distinct, at] = [
    [8, 9],
    [0, 1, 0, 1],
  ]
  const dictionaryCrc = checksum(int32(...distinct))
  const pageCrc = checksum(indices(2, at))

  test.each(Object.entries(WAYS))('that is right is accepted: %s', async (_, options) => {
    const output = await merge([good, column({ distinct, at, dictionaryCrc, pageCrc })], options)
    expect(await query(`select count(distinct v) from '${store(output)}'`)).toEqual([['3']])
  })

  test.each(Object.entries(WAYS))('of a dictionary that is wrong is refused: %s', async (_, options) => {
    const bad = column({ distinct, at, dictionaryCrc: dictionaryCrc ^ 1, pageCrc })
    await expect(merge([good, bad], options)).rejects.toThrow(/^corrupt_data: bad: column v: .*checksum/)
  })

  test.each(Object.entries(WAYS))('of a data page that is wrong is refused: %s', async (_, options) => {
    const bad = column({ distinct, at, dictionaryCrc, pageCrc: pageCrc ^ 1 })
    await expect(merge([good, bad], options)).rejects.toThrow(/^corrupt_data: bad: column v: .*checksum/)
  })
})

describe('the number of values', () => {
  const good = column({ distinct: [7, 8], at: [0, 1, 1, 0] })
  const plain = (...values: number[]): HandmadePage => ({ values: values.length, body: int32(...values) })
  const ALL_WAYS: Record<string, MergeOptions> = { 'pages that pass as they are': { minPageBytes: 0 }, ...WAYS }

  test.each(Object.entries(ALL_WAYS))('in two pages is that of the chunk: %s', async (_, options) => {
    const output = await merge([good, handmade({ rows: 4, pages: [plain(1, 2), plain(3, 4)] })], options)
    expect(await query(`select count(distinct v) from '${store(output)}'`)).toEqual([['6']])
  })

  test.each(Object.entries(ALL_WAYS))('is one too many: %s', async (_, options) => {
    const bad = handmade({ rows: 3, pages: [plain(1, 2), plain(3, 4)] })
    await expect(merge([good, bad], options)).rejects.toThrow(
      /^corrupt_data: bad: column v: .*the pages hold more values than the footer says/,
    )
  })

  test.each(Object.entries(ALL_WAYS))('ends before a page that no reader reads: %s', async (_, options) => {
    const odd = handmade({ rows: 2, pages: [plain(1, 2), plain(3, 4)] })
    const values = async (...files: Uint8Array[]) =>
      query(`select v from read_parquet([${files.map((file) => `'${store(file)}'`)}]) order by v`)
    const expected = options.dedupeBy ? [[1], [2], [7], [8]] : await values(good, odd)
    expect(await values(await merge([good, odd], options))).toEqual(expected)
  })

  test.each(Object.entries(ALL_WAYS))('is one too few: %s', async (_, options) => {
    const bad = handmade({ rows: 5, pages: [plain(1, 2), plain(3, 4)] })
    await expect(merge([good, bad], options)).rejects.toThrow(/^(corrupt_data|bad_footer): bad: /)
  })
})

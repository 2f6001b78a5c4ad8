import { describe, expect, test } from 'vitest'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { checksum } from '../../src/format/checksum.ts'
import { ENCODING, PAGE, PHYSICAL, uint32At } from '../../src/format/format.ts'
import { bitWidth, decodeHybridRuns } from '../../src/format/hybrid-runs.ts'
import { readPageHeader } from '../../src/format/page-header.ts'
import type { PageValues, ValueTable } from '../../src/format/value-table.ts'
import { decodePlain, decodeValues } from '../../src/read/decode-values.ts'
import type { LevelBatch } from '../../src/read/row-stream.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import { ChunkWriter, type ChunkWriterLimits } from '../../src/write/chunk-writer.ts'
import type { FinishedChunk } from '../../src/write/finished-chunk.ts'

const leafOf = (more: Partial<LeafColumn> = {}): LeafColumn => ({
  name: 'v',
  path: [],
  encodedPath: new Uint8Array(),
  physical: PHYSICAL.INT32,
  width: 4,
  maxDefinition: 0,
  maxRepetition: 0,
  repeatedFrom: [],
  convertedType: undefined,
  logicalType: undefined,
  isUnsigned: false,
  ...more,
})
const TEXT = leafOf({ physical: PHYSICAL.BYTE_ARRAY, width: 0, logicalType: 1 })
const NOTHING = { isAny: false, bloomFilter: false, sizes: false }

interface Limits {
  pageBytes?: number
  pageLevels?: number
  dictionaryBytes?: number
}

function writerOf(leaf: LeafColumn, limits: Limits = {}, carried = NOTHING): ChunkWriter {
  const all: ChunkWriterLimits = {
    pageBytes: 1000,
    pageLevels: 10_000,
    dictionaryBytes: 1_000_000,
    scratch: new ByteBuffer(),
    compressed: new ByteBuffer(),
    ...limits,
  }
  return new ChunkWriter(leaf, 'none', {}, all, carried)
}

const int32s = (...values: number[]): ValueTable => ({
  count: values.length,
  bytes: new Uint8Array(Int32Array.from(values).buffer),
})
const texts = (...values: string[]): ValueTable => {
  const encoded = values.map((value) => new TextEncoder().encode(value))
  const lengths = Uint32Array.from(encoded, ({ length }) => length)
  const starts = Uint32Array.from(encoded, (_, i) => encoded.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  return { count: values.length, bytes: Uint8Array.from(encoded.flatMap((bytes) => [...bytes])), starts, lengths }
}

/** All values of a table, without levels unless they are given. */
function batch(table: ValueTable, more: Partial<LevelBatch> = {}, indices?: number[]): LevelBatch {
  const count = indices?.length ?? table.count
  const values: PageValues = { count, table, ...(indices && { indices: Uint32Array.from(indices) }) }
  return {
    definition: undefined,
    repetition: undefined,
    levelFrom: 0,
    levelTo: count,
    values,
    valueFrom: 0,
    valueTo: count,
    ...more,
  }
}

interface ReadPage {
  encoding: number
  levels: number
  repetition: number[]
  definition: number[]
  values: number[][]
}

/** The pages of a chunk as a reader has them. */
function readPages({ leaf, pages }: FinishedChunk): ReadPage[] {
  const bytes = Buffer.concat(pages)
  const found: ReadPage[] = []
  let dictionary: ValueTable | undefined
  for (let at = 0; at < bytes.length; ) {
    const header = readPageHeader(bytes, at)
    const body = bytes.subarray(at + header.headerBytes, at + header.headerBytes + header.compressedBytes)
    at += header.headerBytes + header.compressedBytes
    if (header.crc !== undefined) expect(header.crc).toBe(checksum(body))
    if (header.kind === PAGE.DICTIONARY) {
      dictionary = decodePlain(leaf, new Uint8Array(body), header.values)
      continue
    }
    let from = 0
    const levels = (max: number) => {
      if (max === 0) return []
      const out = new Uint8Array(header.values)
      const end = from + 4 + uint32At(body, from)
      decodeHybridRuns(body, from + 4, end, bitWidth(max), out)
      from = end
      return [...out]
    }
    const repetition = levels(leaf.maxRepetition)
    const definition = levels(leaf.maxDefinition)
    const count =
      leaf.maxDefinition > 0 ? definition.filter((level) => level === leaf.maxDefinition).length : header.values
    const { table, indices } = decodeValues(
      leaf,
      header.encoding,
      new Uint8Array(body.subarray(from)),
      count,
      dictionary,
      1e6,
    )
    const values = Array.from({ length: count }, (_, i) => {
      const index = indices ? indices[i]! : i
      const start = table.starts ? table.starts[index]! : index * leaf.width
      return [...table.bytes.subarray(start, start + (table.lengths ? table.lengths[index]! : leaf.width))]
    })
    found.push({ encoding: header.encoding, levels: header.values, repetition, definition, values })
  }
  return found
}

const numbersOf = (pages: ReadPage[]) =>
  pages.map(({ values }) => values.map((bytes) => new Int32Array(Uint8Array.from(bytes).buffer)[0]!))

describe('a column chunk', () => {
  test('has a dictionary of its distinct values, and pages of indices', async () => {
    const writer = writerOf(leafOf())
    writer.append(batch(int32s(7, 5, 7)))
    await writer.flushPage()
    writer.append(batch(int32s(5, 9)))
    const chunk = await writer.finish()
    const pages = readPages(chunk)
    expect(numbersOf(pages)).toEqual([
      [7, 5, 7],
      [5, 9],
    ])
    expect(pages.map(({ encoding }) => encoding)).toEqual([ENCODING.RLE_DICTIONARY, ENCODING.RLE_DICTIONARY])
    expect(chunk).toMatchObject({
      levels: 5,
      codec: 'none',
      pageKinds: [{ kind: PAGE.DATA, encoding: ENCODING.RLE_DICTIONARY, count: 2 }],
    })
    expect(chunk.bytes).toBe(Buffer.concat(chunk.pages).length)
    expect(chunk.uncompressedBytes).toBe(chunk.bytes)
    expect(chunk.dictionaryBytes).toBe(chunk.pages[0]!.length)
    expect(chunk.dictionary).toMatchObject({ count: 3, plain: int32s(7, 5, 9).bytes })
    expect(chunk.statistics).toMatchObject({
      nulls: 0,
      nans: -1,
      min: int32s(5).bytes,
      max: int32s(9).bytes,
      minIsExact: true,
      maxIsExact: true,
    })
    expect(
      chunk.dataPages!.map(({ levels, rows, nulls, min, max }) => [levels, rows, nulls, min![0], max![0]]),
    ).toEqual([
      [3, 3, 0, 5, 7],
      [2, 2, 0, 5, 9],
    ])
    expect(chunk.dataPages!.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(chunk.bytes - chunk.dictionaryBytes)
  })

  test('has no page for nothing', async () => {
    const writer = writerOf(leafOf())
    await writer.flushPage()
    const chunk = await writer.finish()
    expect(chunk).toMatchObject({ pages: [], bytes: 0, levels: 0, dictionaryBytes: 0, pageKinds: [], dataPages: [] })
  })

  test('takes the values of a range, and those that indices name', async () => {
    const writer = writerOf(leafOf())
    writer.append(batch(int32s(1, 2, 3, 4), { levelFrom: 1, levelTo: 3, valueFrom: 1, valueTo: 3 }))
    const table = int32s(10, 20, 30)
    writer.append(batch(table, {}, [2, 0, 2]))
    writer.append(batch(table, { levelFrom: 1, levelTo: 2, valueFrom: 1, valueTo: 2 }, [0, 1, 2]))
    writer.append(batch(int32s(30, 40), {}, [1, 0]))
    expect(numbersOf(readPages(await writer.finish()))).toEqual([[2, 3, 30, 10, 30, 20, 40, 30]])
  })

  test('keeps levels from the first null of a page on, and none where there is no null', async () => {
    const leaf = leafOf({ maxDefinition: 1 })
    const writer = writerOf(leaf)
    writer.append(batch(int32s(1, 2)))
    writer.append(batch(int32s(3), { definition: Uint8Array.of(0, 1, 0), levelTo: 3 }))
    writer.append(batch(int32s(4)))
    await writer.flushPage()
    writer.append(batch(int32s(5, 6)))
    const chunk = await writer.finish()
    const pages = readPages(chunk)
    expect(pages.map(({ definition }) => definition)).toEqual([
      [1, 1, 0, 1, 0, 1],
      [1, 1],
    ])
    expect(numbersOf(pages)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ])
    expect(chunk).toMatchObject({ levels: 8, statistics: { nulls: 2 } })
    expect(chunk.dataPages!.map(({ nulls, rows }) => [nulls, rows])).toEqual([
      [2, 6],
      [0, 2],
    ])
  })

  test('counts the rows of lists by where they begin', async () => {
    const leaf = leafOf({ maxDefinition: 2, maxRepetition: 1 })
    const writer = writerOf(leaf, {}, { ...NOTHING, sizes: true })
    writer.append(
      batch(int32s(1, 2, 3), {
        definition: Uint8Array.of(2, 2, 0, 2, 1),
        repetition: Uint8Array.of(0, 1, 0, 0, 1),
        levelTo: 5,
      }),
    )
    const chunk = await writer.finish()
    expect(readPages(chunk)[0]).toMatchObject({ repetition: [0, 1, 0, 0, 1], definition: [2, 2, 0, 2, 1], levels: 5 })
    expect(chunk.dataPages![0]).toMatchObject({ rows: 3, levels: 5, nulls: 2 })
    expect(chunk.sizes).toEqual({ unencodedBytes: undefined, repetition: [3, 2], definition: [1, 1, 3] })
  })

  test('counts sizes only where it is asked, of texts the bytes of every value', async () => {
    const write = async (sizes: boolean) => {
      const writer = writerOf({ ...TEXT, maxDefinition: 1 }, {}, { ...NOTHING, sizes })
      writer.append(batch(texts('ab', '', 'ab', 'xyz')))
      await writer.flushPage()
      writer.append(batch(texts('ab'), { definition: Uint8Array.of(0, 1), levelTo: 2 }))
      return writer.finish()
    }
    expect((await write(false)).sizes).toBeUndefined()
    const { sizes, dataPages } = await write(true)
    expect(sizes).toMatchObject({ unencodedBytes: 9 })
    expect(dataPages!.map(({ sizes }) => sizes!.unencodedBytes)).toEqual([7, 2])
  })

  test('has checksums from the page on for which they are asked', async () => {
    const writer = writerOf(leafOf())
    writer.append(batch(int32s(1)))
    await writer.flushPage()
    writer.addChecksums()
    writer.append(batch(int32s(2)))
    const chunk = await writer.finish()
    readPages(chunk)
    const crcs = chunk.pages.map((page) => readPageHeader(page, 0).crc !== undefined)
    expect(crcs).toEqual([true, false, true])
  })

  test('counts what is no number, and has no exact bounds of numbers with a fraction', async () => {
    const leaf = leafOf({ physical: PHYSICAL.DOUBLE, width: 8 })
    const writer = writerOf(leaf)
    writer.append(batch({ count: 3, bytes: new Uint8Array(Float64Array.of(1, Number.NaN, 2).buffer) }))
    const { statistics, dataPages } = await writer.finish()
    expect(statistics).toMatchObject({ nans: 1, minIsExact: undefined, maxIsExact: undefined })
    expect(dataPages![0]!.nans).toBe(1)
  })

  test('of booleans has no dictionary', async () => {
    const writer = writerOf(leafOf({ physical: PHYSICAL.BOOLEAN, width: 1 }))
    writer.append(batch({ count: 3, bytes: Uint8Array.of(1, 0, 1) }))
    const chunk = await writer.finish()
    expect(readPages(chunk)).toMatchObject([{ encoding: ENCODING.PLAIN, values: [[1], [0], [1]] }])
    expect([chunk.dictionaryBytes, chunk.dictionary]).toEqual([0, undefined])
  })
})

describe('a page is full', () => {
  test('at its number of levels', () => {
    const writer = writerOf(leafOf(), { pageLevels: 3 })
    writer.append(batch(int32s(1, 1)))
    expect(writer.isPageFull).toBe(false)
    writer.append(batch(int32s(1)))
    expect(writer.isPageFull).toBe(true)
  })

  test('at four times its bytes while it has a dictionary, counted as plain values', async () => {
    const writer = writerOf(leafOf(), { pageBytes: 10 })
    writer.append(batch(int32s(1, 2, 3, 4, 5, 6, 7, 8, 9)))
    expect(writer.isPageFull).toBe(false)
    writer.append(batch(int32s(1)))
    expect(writer.isPageFull).toBe(true)
    await writer.flushPage()
    expect(writer.isPageFull).toBe(false)
  })

  test('at its bytes while values are plain', () => {
    const writer = writerOf(leafOf({ physical: PHYSICAL.BOOLEAN, width: 1 }), { pageBytes: 5 })
    writer.append(batch({ count: 4, bytes: new Uint8Array(4) }))
    expect(writer.isPageFull).toBe(false)
    writer.append(batch({ count: 1, bytes: new Uint8Array(1) }))
    expect(writer.isPageFull).toBe(true)
  })

  test('by the length of texts, and of entries that are referred to as the longest of them', () => {
    const plain = writerOf(TEXT, { pageBytes: 10 })
    plain.append(batch(texts('x'.repeat(31))))
    expect(plain.isPageFull).toBe(false)
    plain.append(batch(texts('x')))
    expect(plain.isPageFull).toBe(true)
    const referred = writerOf(TEXT, { pageBytes: 10 })
    referred.append(batch(texts('a', 'x'.repeat(12)), {}, [0, 0]))
    expect(referred.isPageFull).toBe(false)
    referred.append(batch(texts('a', 'x'.repeat(12)), {}, [0]))
    expect(referred.isPageFull).toBe(true)
    const long = writerOf(TEXT, { pageBytes: 20 })
    long.append(batch(texts('a', 'x'.repeat(49)), {}, [0, 0, 0]))
    expect(long.isPageFull, 'long entries are counted one by one').toBe(false)
  })
})

describe('a dictionary is given up', () => {
  const range = (from: number, count: number) => int32s(...Array.from({ length: count }, (_, i) => from + i))
  const kindsOf = (chunk: FinishedChunk) => chunk.pageKinds.map(({ encoding, count }) => [encoding, count])

  test('after 4,096 values of which more than three in five are distinct', async () => {
    const write = async (distinct: number, count: number) => {
      const writer = writerOf(leafOf(), { pageBytes: 1e6, pageLevels: 1e6 })
      const values = Array.from({ length: count }, (_, i) => i % distinct)
      writer.append(batch(int32s(...values)))
      const chunk = await writer.finish()
      expect(numbersOf(readPages(chunk))).toEqual([values])
      return kindsOf(chunk)
    }
    expect(await write(4096, 4096)).toEqual([[ENCODING.RLE_DICTIONARY, 1]])
    expect(await write(4097, 4097)).toEqual([[ENCODING.PLAIN, 1]])
    expect(await write(3000, 5000)).toEqual([[ENCODING.RLE_DICTIONARY, 1]])
    expect(await write(3001, 5000)).toEqual([[ENCODING.PLAIN, 1]])
  })

  test('beyond its bytes, but not where the input has one that is nearly as large', async () => {
    const write = async (count: number, hasIndices: boolean) => {
      const writer = writerOf(leafOf(), { dictionaryBytes: 40 })
      const table = range(0, count)
      writer.append(batch(table, {}, hasIndices ? Array.from({ length: count }, (_, i) => i) : undefined))
      return kindsOf(await writer.finish())
    }
    expect(await write(10, false)).toEqual([[ENCODING.RLE_DICTIONARY, 1]])
    expect(await write(11, false)).toEqual([[ENCODING.PLAIN, 1]])
    expect(await write(11, true)).toEqual([[ENCODING.RLE_DICTIONARY, 1]])
    const joined = async (more: number) => {
      const writer = writerOf(leafOf(), { dictionaryBytes: 1 })
      const first = Array.from({ length: 20 }, (_, i) => i)
      writer.append(batch(range(0, 20), {}, first))
      writer.append(batch(range(100, 20), {}, first.slice(0, more)))
      return kindsOf(await writer.finish())
    }
    // 30 entries of 4 bytes are one and a half times the 80 bytes of the input's
    expect(await joined(10)).toEqual([[ENCODING.RLE_DICTIONARY, 1]])
    expect(await joined(11)).toEqual([[ENCODING.PLAIN, 1]])
  })

  test('once, for all pages behind it, and the page that is open is written plain', async () => {
    const writer = writerOf(leafOf({ maxDefinition: 1 }), { dictionaryBytes: 12 })
    writer.append(batch(int32s(1, 2, 1)))
    await writer.flushPage()
    writer.append(batch(int32s(3)))
    writer.append(batch(int32s(4), { definition: Uint8Array.of(1, 0), levelTo: 2 }))
    await writer.flushPage()
    writer.append(batch(int32s(1)))
    const chunk = await writer.finish()
    expect(kindsOf(chunk)).toEqual([
      [ENCODING.RLE_DICTIONARY, 1],
      [ENCODING.PLAIN, 2],
    ])
    expect(numbersOf(readPages(chunk))).toEqual([[1, 2, 1], [3, 4], [1]])
    expect(chunk.dataPages!.map(({ min, max, nulls }) => [min![0], max![0], nulls])).toEqual([
      [1, 2, 0],
      [3, 4, 1],
      [1, 1, 0],
    ])
    expect(chunk.statistics).toMatchObject({ nulls: 1, min: int32s(1).bytes, max: int32s(4).bytes })
    expect(chunk.dictionary, 'it has not all values').toBeUndefined()
  })

  test('with a filter of all values, those of the dictionary too', async () => {
    const write = async (dictionaryBytes: number) => {
      const writer = writerOf(leafOf(), { dictionaryBytes }, { ...NOTHING, bloomFilter: true })
      writer.append(batch(int32s(1, 2)))
      await writer.flushPage()
      writer.append(batch(int32s(3, 4)))
      return writer.finish()
    }
    const kept = await write(1000)
    expect([kept.dictionary?.count, kept.bloomFilter]).toEqual([4, undefined])
    const [late, early] = [await write(8), await write(1)]
    expect(late.pageKinds).toHaveLength(2)
    expect(early.pageKinds).toHaveLength(1)
    expect(late.bloomFilter).toBeDefined()
    expect(late.bloomFilter).toEqual(early.bloomFilter)
  })
})

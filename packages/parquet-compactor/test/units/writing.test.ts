import { readColumnIndex, readOffsetIndex, type SchemaElement } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { ENCODING, PAGE, PHYSICAL } from '../../src/format/format.ts'
import { readPageHeader } from '../../src/format/page-header.ts'
import { ParquetError } from '../../src/index.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import type { FinishedChunk, FinishedPage } from '../../src/write/finished-chunk.ts'
import { appendLevels, appendOneRun, appendPlainValues, countRows, histogram } from '../../src/write/page-body.ts'
import { PageIndexes } from '../../src/write/page-indexes.ts'
import { PartWriter } from '../../src/write/part-writer.ts'
import { dataPageHeader, dictionaryPageHeader } from '../../src/write/write-page-header.ts'

const bytesOf = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251)

/** A sink whose writes end when they are told to. */
function slowSink() {
  const parts: number[][] = []
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const write = (part: Uint8Array) => {
    parts.push([...part])
    return new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
  }
  return { sink: { write }, parts, ends }
}

describe('a file in parts', () => {
  const written = async (partBytes: number, ...lengths: number[]) => {
    const parts: number[][] = []
    const writer = new PartWriter({ write: async (part) => void parts.push([...part]) }, partBytes)
    let offset = 0
    for (const length of lengths) {
      await writer.write(bytesOf(length, offset))
      offset += length
      expect(writer.offset).toBe(offset)
    }
    await writer.end()
    expect(parts.flat()).toEqual([...bytesOf(offset)])
    return parts.map(({ length }) => length)
  }

  test.each([
    [10, [], []],
    [10, [0], []],
    [10, [3], [3]],
    [10, [10], [10]],
    [10, [9, 1, 1], [10, 1]],
    [10, [25], [10, 10, 5]],
    [10, [5, 25, 10], [10, 10, 10, 10]],
    [40_000, [16_384, 1, 30_000], [40_000, 6385]],
    [20_000, [16_000, 16_000, 16_000], [20_000, 20_000, 8000]],
    [1, [3], [1, 1, 1]],
  ])('of %i bytes: %j bytes are parts of %j', async (partBytes, lengths, expected) => {
    expect(await written(partBytes, ...lengths)).toEqual(expected)
  })

  test('goes on while the sink has one part, and waits before it gives it another', async () => {
    const { sink, parts, ends } = slowSink()
    const writer = new PartWriter(sink, 2)
    await writer.write(bytesOf(2))
    await writer.write(bytesOf(1, 2))
    let isDone = false
    const second = writer.write(bytesOf(1, 3)).then(() => {
      isDone = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([isDone, parts]).toEqual([false, [[0, 1]]])
    ends[0]!.resolve()
    await second
    expect(parts).toEqual([
      [0, 1],
      [2, 3],
    ])
    const end = writer.end()
    ends[1]!.resolve()
    await end
    expect(parts).toHaveLength(2)
  })

  test('fails with the part that failed, in the next write or in the end', async () => {
    const cause = new Error('full')
    for (const finish of ['write', 'end'] as const) {
      const { sink, ends } = slowSink()
      const writer = new PartWriter(sink, 2)
      await writer.write(bytesOf(2))
      ends[0]!.reject(cause)
      const work = finish === 'write' ? writer.write(bytesOf(2)) : writer.end()
      await expect(work).rejects.toMatchObject({ code: 'write_failed', cause, message: 'write_failed: full' })
      await expect(work).rejects.toBeInstanceOf(ParquetError)
      // giving up only sees that the sink is done
      await writer.abandon()
    }
  })
})

describe('the body of a page', () => {
  const appended = (append: (body: ByteBuffer) => void) => {
    const body = new ByteBuffer(4)
    body.push(9)
    append(body)
    body.push(8)
    return [...body.view()]
  }

  test('has levels behind their length', () => {
    expect(appended((body) => appendLevels(Uint8Array.of(1, 0, 1, 1), 1, body))).toEqual([9, 2, 0, 0, 0, 3, 0b1101, 8])
    expect(appended((body) => appendOneRun(200, 3, body))).toEqual([9, 3, 0, 0, 0, 0x90, 3, 3, 8])
  })

  test('has booleans eight to a byte, and other values as they are', () => {
    const values = new ByteBuffer()
    for (const bit of [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]) values.push(bit)
    const physical = (number: number) => ({ physical: number }) as LeafColumn
    expect(appended((body) => appendPlainValues(physical(PHYSICAL.BOOLEAN), values, body))).toEqual([
      9, 0b10000001, 0b10, 8,
    ])
    expect(appended((body) => appendPlainValues(physical(PHYSICAL.INT32), values, body))).toEqual([
      9,
      ...values.view(),
      8,
    ])
  })

  test('has rows where a level of repetition is 0, and levels that can be counted', () => {
    expect(countRows(Uint8Array.of(0, 0, 1, 2, 0, 1), 1, 5)).toBe(2)
    expect(histogram(Uint8Array.of(2, 0, 2, 2), 3)).toEqual([1, 0, 3, 0])
  })
})

test.each([undefined, 0, 0x7fffffff, 0xfedcba98])(
  'a page header is read as it was written, with the checksum %s',
  (crc) => {
    const lengths = { uncompressedBytes: 70_000, compressedBytes: 300, crc }
    const data = dataPageHeader(1000, ENCODING.RLE_DICTIONARY, lengths)
    expect(readPageHeader(data, 0)).toMatchObject({
      kind: PAGE.DATA,
      ...lengths,
      values: 1000,
      encoding: ENCODING.RLE_DICTIONARY,
      definitionEncoding: ENCODING.RLE,
      repetitionEncoding: ENCODING.RLE,
      headerBytes: data.length,
    })
    const dictionary = dictionaryPageHeader(77, lengths)
    expect(readPageHeader(dictionary, 0)).toMatchObject({
      kind: PAGE.DICTIONARY,
      ...lengths,
      values: 77,
      encoding: ENCODING.PLAIN,
      headerBytes: dictionary.length,
    })
  },
)

describe('page indexes', () => {
  const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer)
  const leafOf = (more: Partial<LeafColumn> = {}) =>
    ({ physical: PHYSICAL.INT32, width: 4, maxDefinition: 1, maxRepetition: 0, ...more }) as LeafColumn
  const page = (min: number, max: number, more: Partial<FinishedPage> = {}): FinishedPage => ({
    bytes: 100,
    levels: 10,
    rows: 10,
    nulls: 1,
    min: int32(min),
    max: int32(max),
    ...more,
  })
  const NULLS = { min: undefined, max: undefined, nulls: 10 }
  const ELEMENT = { name: 'v', type: 'INT32', repetition_type: 'OPTIONAL' } as SchemaElement

  function written(pages: FinishedPage[] | undefined, leaf = leafOf(), maxBytes = 10_000) {
    const indexes = new PageIndexes(maxBytes)
    const chunk = { leaf, dictionaryBytes: 50, ...(pages && { dataPages: pages }) } as FinishedChunk
    indexes.add(chunk, 1000)
    const reader = (buffer: ByteBuffer) => {
      const bytes = buffer.view().slice()
      return { view: new DataView(bytes.buffer), offset: 0 }
    }
    return {
      lengths: indexes.lengths,
      overflows: indexes.overflows,
      column: indexes.columnIndexes.length > 0 ? readColumnIndex(reader(indexes.columnIndexes), ELEMENT) : undefined,
      offset: indexes.offsetIndexes.length > 0 ? readOffsetIndex(reader(indexes.offsetIndexes)) : undefined,
      sizes: [indexes.columnIndexes.length, indexes.offsetIndexes.length],
    }
  }

  test('say where pages are, behind the dictionary, and with which row they begin', () => {
    const { offset, lengths, sizes } = written([page(0, 1), page(2, 3, { bytes: 70, rows: 5 }), page(4, 5)])
    expect(offset!.page_locations.map((place) => Object.values(place).map(Number))).toEqual([
      [1050, 100, 0],
      [1150, 70, 10],
      [1220, 100, 15],
    ])
    expect(lengths).toEqual(sizes)
  })

  test('have bounds of pages, or say that there is nothing but nulls', () => {
    const { column } = written([page(0, 1), page(0, 0, NULLS), page(1, 3, { nulls: 0 })])
    expect(column).toMatchObject({
      null_pages: [false, true, false],
      boundary_order: 'ASCENDING',
      null_counts: [1n, 10n, 0n],
    })
    expect([column!.min_values[0], column!.max_values[2]]).toEqual([0, 3])
  })

  test.each([
    [
      [
        [0, 1],
        [1, 2],
        [1, 2],
      ],
      'ASCENDING',
    ],
    [
      [
        [5, 6],
        [3, 4],
        [3, 4],
      ],
      'DESCENDING',
    ],
    [
      [
        [0, 5],
        [1, 4],
      ],
      'UNORDERED',
    ],
    [
      [
        [1, 4],
        [0, 5],
      ],
      'UNORDERED',
    ],
    [
      [
        [0, 1],
        [2, 3],
        [1, 2],
      ],
      'UNORDERED',
    ],
    [
      [
        [0, 1],
        [0, 2],
      ],
      'ASCENDING',
    ],
    [
      [
        [0, 2],
        [0, 1],
      ],
      'DESCENDING',
    ],
    [[[7, 7]], 'ASCENDING'],
  ] as [[number, number][], string][])('of bounds %j are %s', (bounds, order) => {
    expect(written(bounds.map(([min, max]) => page(min, max))).column?.boundary_order).toBe(order)
  })

  test('have no bounds where a page with values has none, or readers disagree on their order', () => {
    expect(written([page(0, 1), page(0, 0, { min: undefined, max: undefined })])).toMatchObject({
      column: undefined,
      lengths: [0, expect.any(Number)],
    })
    expect(written([page(0, 1), page(0, 0, { max: undefined })]).column).toBeUndefined()
    expect(written([page(0, 1)], leafOf({ physical: PHYSICAL.INT96, width: 12 })).column).toBeUndefined()
    expect(written([page(0, 1)], leafOf({ physical: PHYSICAL.INT96, width: 12 })).offset).toBeDefined()
  })

  test('do not count nulls where a page does not say', () => {
    expect(written([page(0, 1), page(2, 3, { nulls: -1 })]).column?.null_counts).toBeUndefined()
  })

  test('are left out where rows are not known, or a page has none, or there is no page', () => {
    for (const pages of [undefined, [], [page(0, 1), page(2, 3, { rows: -1 })], [page(0, 1, { rows: 0 })]]) {
      expect(written(pages)).toEqual({
        lengths: [0, 0],
        overflows: 0,
        column: undefined,
        offset: undefined,
        sizes: [0, 0],
      })
    }
  })

  test('are left out beyond their bound, to the byte, and of the chunk that exceeds it alone', () => {
    const pages = [page(0, 1), page(2, 3)]
    const total = written(pages).sizes.reduce((sum, size) => sum + size, 0)
    expect(written(pages, leafOf(), total)).toMatchObject({
      overflows: 0,
      lengths: [expect.any(Number), expect.any(Number)],
    })
    expect(written(pages, leafOf(), total - 1)).toMatchObject({ overflows: 1, lengths: [0, 0], sizes: [0, 0] })
    const indexes = new PageIndexes(total)
    const chunk = { leaf: leafOf(), dictionaryBytes: 50, dataPages: pages } as FinishedChunk
    for (let i = 0; i < 3; i++) indexes.add(chunk, 1000)
    expect([indexes.overflows, indexes.lengths.slice(2)]).toEqual([2, [0, 0, 0, 0]])
    expect(indexes.columnIndexes.length + indexes.offsetIndexes.length).toBe(total)
  })
})

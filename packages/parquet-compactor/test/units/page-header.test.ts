import { describe, expect, test } from 'vitest'
import { PAGE } from '../../src/format/format.ts'
import { atPage, type PageHeader, readPageHeader } from '../../src/format/page-header.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'
import { ParquetError } from '../../src/index.ts'

type Details = [id: number, value: number | boolean][]

/** A header whose struct `struct` has these details, between bytes of others. */
function read(
  kind: number,
  struct: number,
  details: Details,
  [uncompressed, compressed]: readonly [number, number] = [100, 50],
  crc?: number,
): PageHeader {
  const writer = new ThriftWriter()
  writer.out.append(Uint8Array.of(1, 2))
  writer.open()
  writer.i32(1, kind)
  writer.i32(2, uncompressed)
  writer.i32(3, compressed)
  if (crc !== undefined) writer.i32(4, crc | 0)
  if (struct > 0) {
    writer.open(struct)
    for (const [id, value] of details) {
      if (typeof value === 'boolean') writer.boolean(id, value)
      else writer.i32(id, value)
    }
    writer.close()
  }
  writer.i32(14, 77)
  writer.close()
  return readPageHeader(writer.out.take(), 2)
}

const DATA: Details = [
  [1, 10],
  [2, 8],
  [3, 4],
  [4, 5],
]
const V2: Details = [
  [1, 10],
  [2, 3],
  [3, 9],
  [4, 8],
  [5, 20],
  [6, 30],
  [7, false],
  [9, 1],
]
const DICTIONARY: Details = [
  [1, 10],
  [2, 2],
  [3, true],
]

describe('a header', () => {
  test('of a data page of version 1', () => {
    expect(read(PAGE.DATA, 5, DATA, [100, 50], 0xfedcba98)).toEqual({
      kind: 0,
      uncompressedBytes: 100,
      compressedBytes: 50,
      crc: 0xfedcba98,
      values: 10,
      encoding: 8,
      definitionEncoding: 4,
      repetitionEncoding: 5,
      nulls: 0,
      rows: 0,
      definitionBytes: 0,
      repetitionBytes: 0,
      isCompressed: true,
      headerBytes: 26,
    })
  })

  test('of a data page of version 2', () => {
    expect(read(PAGE.DATA_V2, 8, V2)).toMatchObject({
      crc: undefined,
      values: 10,
      nulls: 3,
      rows: 9,
      encoding: 8,
      definitionBytes: 20,
      repetitionBytes: 30,
      isCompressed: false,
      definitionEncoding: 3,
      repetitionEncoding: 3,
    })
    expect(read(PAGE.DATA_V2, 8, V2.slice(0, 6)).isCompressed).toBe(true)
  })

  test('of a dictionary, whose third field is no encoding of levels', () => {
    const header = read(PAGE.DICTIONARY, 7, DICTIONARY)
    expect(header).toMatchObject({ kind: 2, values: 10, encoding: 2, definitionEncoding: 3, repetitionEncoding: 3 })
  })

  test('of an index page, which has nothing to say', () => {
    expect(read(PAGE.INDEX, 0, [])).toMatchObject({ kind: 1, values: 0 })
  })
})

describe('a header is refused', () => {
  test.each([
    [PAGE.DATA, 7],
    [PAGE.DATA, 0],
    [PAGE.DICTIONARY, 5],
    [PAGE.DATA_V2, 5],
    [PAGE.DATA, 8],
    [4, 5],
    [-1, 0],
  ])('of kind %i with struct %i', (kind, struct) => {
    const work = () => read(kind, struct, struct === 8 ? V2 : struct === 0 ? [] : DATA.slice(0, 2))
    if (kind === -1) expect(work).not.toThrow()
    else expect(work).toThrow(`corrupt_data: page of kind ${kind} without its header`)
  })

  test('without sizes, or with negative ones', () => {
    expect(read(PAGE.DATA, 5, DATA, [0, 0])).toMatchObject({ uncompressedBytes: 0, compressedBytes: 0 })
    for (const sizes of [
      [-1, 0],
      [0, -1],
    ] as const) {
      expect(() => read(PAGE.DATA, 5, DATA, sizes)).toThrow('page header without sizes')
    }
  })

  test('with counts that cannot be', () => {
    const v2 = (values: number, nulls: number) =>
      read(PAGE.DATA_V2, 8, [
        [1, values],
        [2, nulls],
        [3, 1],
        [4, 0],
        [5, 0],
        [6, 0],
      ])
    expect(v2(3, 3)).toMatchObject({ values: 3, nulls: 3 })
    expect(v2(0, 0)).toMatchObject({ values: 0 })
    // the levels are what counts: some writers say -1 here
    expect(v2(3, -1)).toMatchObject({ nulls: -1 })
    expect(() => v2(-1, 0)).toThrow('page header with wrong counts')
    expect(() =>
      read(PAGE.DATA, 5, [
        [1, -1],
        [2, 0],
        [3, 3],
        [4, 3],
      ]),
    ).toThrow('page header with wrong counts')
  })

  test.each([
    [PAGE.DATA, 5, [1, 2, 3, 4]],
    [PAGE.DICTIONARY, 7, [1, 2]],
    [PAGE.DATA_V2, 8, [1, 2, 3, 4, 5, 6]],
  ] as const)('of kind %i without any one of the fields that the format requires', (kind, details, required) => {
    const withoutField = (left: number) =>
      read(
        kind,
        details,
        required.filter((id) => id !== left).map((id) => [id, 0]),
      )
    expect(withoutField(0)).toMatchObject({ kind, values: 0 })
    for (const id of required) expect(() => withoutField(id)).toThrow('without a field that it must have')
  })

  test('with levels of a negative length, or longer than the page before or after compression', () => {
    const v2 = (definition: number, repetition: number, sizes: [number, number]) =>
      read(
        PAGE.DATA_V2,
        8,
        [
          [1, 1],
          [2, 0],
          [3, 1],
          [4, 0],
          [5, definition],
          [6, repetition],
        ],
        sizes,
      )
    expect(v2(20, 30, [50, 50])).toMatchObject({ definitionBytes: 20, repetitionBytes: 30 })
    expect(() => v2(20, 30, [49, 50])).toThrow('levels longer than their page')
    expect(() => v2(20, 30, [50, 49])).toThrow('levels longer than their page')
    expect(() => v2(-1, 30, [50, 50])).toThrow('page header with negative lengths')
    expect(() => v2(20, -1, [50, 50])).toThrow('page header with negative lengths')
  })

  test('that ends early, with its place in the file', () => {
    expect(() => readPageHeader(Uint8Array.of(9, 0x15, 0), 1, 4000)).toThrow(
      'corrupt_data: page header: thrift at byte 4003: ends early',
    )
  })
})

test('the page that failed is named once, and only for faults of pages', () => {
  const fault = new ParquetError('corrupt_data', 'it is torn')
  const named = atPage(fault, 77) as ParquetError
  expect(named.message).toBe('corrupt_data: page at byte 77: it is torn')
  expect(named.cause).toBe(fault)
  expect(atPage(named, 5)).toBe(named)
  const other = new ParquetError('bad_footer', 'no tree')
  expect(atPage(other, 5)).toBe(other)
  expect(atPage(new ParquetError('page_too_large', 'x'), 5)).toMatchObject({ code: 'page_too_large' })
  const bug = new TypeError('x')
  expect(atPage(bug, 5)).toBe(bug)
})

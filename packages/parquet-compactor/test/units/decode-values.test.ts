import { describe, expect, test } from 'vitest'
import { ENCODING, PHYSICAL } from '../../src/format/format.ts'
import type { ValueTable } from '../../src/format/value-table.ts'
import { decodeValues } from '../../src/read/decode-values.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'

const WIDTHS = [1, 4, 8, 12, 4, 8, 0, 3]
const leafOf = (physical: number) => ({ physical, width: WIDTHS[physical] }) as LeafColumn
const ROOM = 1000

function decode(
  physical: number,
  encoding: number,
  bytes: number[],
  count: number,
  dictionary?: ValueTable,
  room = ROOM,
) {
  return decodeValues(leafOf(physical), encoding, Uint8Array.from(bytes), count, dictionary, room)
}

/** The bytes of each value, whatever form they have. */
function valuesOf(
  physical: number,
  encoding: number,
  bytes: number[],
  count: number,
  dictionary?: ValueTable,
  room?: number,
) {
  const { table, indices, ...rest } = decode(physical, encoding, bytes, count, dictionary, room)
  expect(rest).toEqual({ count })
  const width = WIDTHS[physical]!
  return Array.from({ length: count }, (_, i) => {
    const at = indices ? indices[i]! : i
    const start = table.starts ? table.starts[at]! : at * width
    return [...table.bytes.subarray(start, start + (table.lengths ? table.lengths[at]! : width))]
  })
}

/** One block of deltas of one width, for few values. */
const deltas = (...values: number[]) => {
  const zigzag = (value: number) => (value < 0 ? -value * 2 - 1 : value * 2)
  if (values.length < 2) return [8, 1, values.length, zigzag(values[0] ?? 0)]
  const steps = values.slice(1).map((value, i) => value - values[i]!)
  const least = Math.min(...steps)
  return [
    8,
    1,
    values.length,
    zigzag(values[0]!),
    zigzag(least),
    8,
    ...Array.from({ length: 8 }, (_, i) => (steps[i] ?? least) - least),
  ]
}

describe('plain values', () => {
  test.each([
    ['booleans, bit by bit', PHYSICAL.BOOLEAN, [0b10101001, 0b1], 9, [[1], [0], [0], [1], [0], [1], [0], [1], [1]]],
    [
      'numbers of four bytes',
      PHYSICAL.INT32,
      [1, 2, 3, 4, 5, 6, 7, 8],
      2,
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    ],
    [
      'bytes of a width',
      PHYSICAL.FIXED_LEN_BYTE_ARRAY,
      [1, 2, 3, 4, 5, 6],
      2,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      'byte arrays, each behind its length',
      PHYSICAL.BYTE_ARRAY,
      [1, 0, 0, 0, 9, 0, 0, 0, 0, 2, 0, 0, 0, 7, 8],
      3,
      [[9], [], [7, 8]],
    ],
  ] as [string, number, number[], number, number[][]][])('%s', (_, physical, bytes, count, values) => {
    expect(valuesOf(physical, ENCODING.PLAIN, bytes, count)).toEqual(values)
    expect(valuesOf(physical, ENCODING.PLAIN, [...bytes, 99], count), 'more bytes behind').toEqual(values)
    expect(() => decode(physical, ENCODING.PLAIN, bytes.slice(0, -1), count)).toThrow(/^corrupt_data: /)
    expect(() => decode(physical, ENCODING.PLAIN, bytes, count + 8)).toThrow(/^corrupt_data: /)
  })

  test('of a count that the bytes cannot hold are refused before room is made', () => {
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.PLAIN, [0, 0, 0, 0, 0, 0, 0], 2)).toThrow(
      'byte arrays exceed their page',
    )
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.PLAIN, [0, 0, 0, 0], 2 ** 30)).toThrow(
      'byte arrays exceed their page',
    )
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.PLAIN, [4, 0, 0, 0, 1, 1, 1, 1, 1], 2)).toThrow(
      'byte arrays exceed their page',
    )
  })
})

describe('indices', () => {
  const dictionary: ValueTable = { count: 3, bytes: Uint8Array.of(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3) }

  test.each([ENCODING.RLE_DICTIONARY, ENCODING.PLAIN_DICTIONARY])(
    'of encoding %i are those of the dictionary',
    (encoding) => {
      const values = valuesOf(PHYSICAL.INT32, encoding, [2, 3, 0b00100100, 0], 4, dictionary)
      expect(values).toEqual([
        [1, 1, 1, 1],
        [2, 2, 2, 2],
        [3, 3, 3, 3],
        [1, 1, 1, 1],
      ])
      expect(decode(PHYSICAL.INT32, encoding, [2, 8, 2], 4, dictionary).table).toBe(dictionary)
    },
  )

  test('stop before its size', () => {
    expect(valuesOf(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [2, 2, 2], 1, dictionary)).toEqual([[3, 3, 3, 3]])
    expect(() => decode(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [2, 2, 3], 1, dictionary)).toThrow(
      'dictionary index out of range',
    )
  })

  test('need a dictionary, a width and a width that can be', () => {
    expect(() => decode(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [2, 2, 2], 1)).toThrow(
      'dictionary indices without a dictionary',
    )
    expect(() => decode(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [], 1, dictionary)).toThrow('no dictionary indices')
    expect(valuesOf(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [32, 2, 1, 0, 0, 0], 1, dictionary)).toEqual([
      [2, 2, 2, 2],
    ])
    expect(() => decode(PHYSICAL.INT32, ENCODING.RLE_DICTIONARY, [33, 2, 1, 0, 0, 0, 0], 1, dictionary)).toThrow(
      'dictionary indices of 33 bits',
    )
  })
})

describe('booleans in runs', () => {
  test('stand behind their length, and end with it', () => {
    expect(valuesOf(PHYSICAL.BOOLEAN, ENCODING.RLE, [2, 0, 0, 0, 6, 1, 99], 3)).toEqual([[1], [1], [1]])
    expect(() => decode(PHYSICAL.BOOLEAN, ENCODING.RLE, [3, 0, 0, 0, 6, 1], 3)).toThrow('booleans exceed their page')
    expect(() => decode(PHYSICAL.BOOLEAN, ENCODING.RLE, [1, 0, 0, 0, 6, 1], 3)).toThrow('runs end early')
    expect(() => decode(PHYSICAL.BOOLEAN, ENCODING.RLE, [6, 0, 0], 3)).toThrow('booleans end early')
  })
})

describe('deltas', () => {
  test('of numbers', () => {
    expect(valuesOf(PHYSICAL.INT32, ENCODING.DELTA_BINARY_PACKED, deltas(1, 2, 258), 3)).toEqual(
      [
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        [2, 1, 0, 0],
      ]
        .map((value) => value)
        .slice(0, 3),
    )
    expect(valuesOf(PHYSICAL.INT64, ENCODING.DELTA_BINARY_PACKED, deltas(-1, 5), 2)).toEqual([
      [255, 255, 255, 255, 255, 255, 255, 255],
      [5, 0, 0, 0, 0, 0, 0, 0],
    ])
  })

  test('of lengths, behind which the byte arrays stand', () => {
    const bytes = [...deltas(1, 0, 2), 9, 7, 8]
    expect(valuesOf(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_LENGTH_BYTE_ARRAY, bytes, 3)).toEqual([[9], [], [7, 8]])
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_LENGTH_BYTE_ARRAY, bytes.slice(0, -1), 3)).toThrow(
      'byte arrays exceed their page',
    )
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_LENGTH_BYTE_ARRAY, [...deltas(-1, 1), 1], 2)).toThrow(
      'byte arrays exceed their page',
    )
  })

  const prefixed = (prefixes: number[], suffixes: number[], bytes: number[]) => [
    ...deltas(...prefixes),
    ...deltas(...suffixes),
    ...bytes,
  ]

  test('of prefixes that repeat', () => {
    const bytes = prefixed([0, 2, 3], [3, 1, 0], [1, 2, 3, 4])
    expect(valuesOf(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, bytes, 3)).toEqual([
      [1, 2, 3],
      [1, 2, 4],
      [1, 2, 4],
    ])
    expect(valuesOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, bytes, 3)).toEqual([
      [1, 2, 3],
      [1, 2, 4],
      [1, 2, 4],
    ])
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, bytes.slice(0, -1), 3)).toThrow(
      'byte arrays exceed their page',
    )
  })

  test('of prefixes are as long as the value before at the most, and the first has none', () => {
    expect(() =>
      decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, prefixed([0, 4], [3, 1], [1, 2, 3, 4]), 2),
    ).toThrow('prefix longer than the value before it')
    expect(() =>
      decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, prefixed([1, 0], [3, 1], [1, 2, 3, 4]), 2),
    ).toThrow('prefix longer than the value before it')
  })

  test('of a fixed width have it', () => {
    expect(() =>
      decode(PHYSICAL.FIXED_LEN_BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, prefixed([0, 2], [3, 2], [1, 2, 3, 4, 5]), 2),
    ).toThrow('a value of 4 bytes in a column of 3')
  })

  test('unfold to the bytes that there is room for', () => {
    const bytes = prefixed([0, 3], [3, 0], [1, 2, 3])
    expect(valuesOf(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, bytes, 2, undefined, 6)).toHaveLength(2)
    expect(() => decode(PHYSICAL.BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, bytes, 2, undefined, 5)).toThrow(
      'page_too_large: a page unfolds to more than 5 bytes',
    )
  })
})

describe('streams', () => {
  test('hold one byte of each value after the other', () => {
    const bytes = [1, 2, 3, 4, 5, 6, 7, 8]
    expect(valuesOf(PHYSICAL.FLOAT, ENCODING.BYTE_STREAM_SPLIT, bytes, 2)).toEqual([
      [1, 3, 5, 7],
      [2, 4, 6, 8],
    ])
    expect(valuesOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, ENCODING.BYTE_STREAM_SPLIT, bytes.slice(0, 6), 2)).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ])
    expect(() => decode(PHYSICAL.FLOAT, ENCODING.BYTE_STREAM_SPLIT, bytes.slice(0, -1), 2)).toThrow('streams end early')
    // where streams begin, some readers tell by the bytes and some by the values
    expect(() => decode(PHYSICAL.FLOAT, ENCODING.BYTE_STREAM_SPLIT, [...bytes, 9], 2)).toThrow('streams are longer')
  })
})

test('a page of nulls has no values, in any encoding that its type may have', () => {
  expect(decode(PHYSICAL.INT32, ENCODING.DELTA_BINARY_PACKED, [], 0)).toEqual({
    count: 0,
    table: { count: 0, bytes: new Uint8Array() },
  })
  const positions = { starts: new Uint32Array(), lengths: new Uint32Array() }
  expect(decode(PHYSICAL.BYTE_ARRAY, ENCODING.RLE_DICTIONARY, [], 0)).toEqual({
    count: 0,
    table: { count: 0, bytes: new Uint8Array(), ...positions },
  })
})

test.each([
  [
    PHYSICAL.INT32,
    [ENCODING.RLE, ENCODING.BIT_PACKED, ENCODING.DELTA_LENGTH_BYTE_ARRAY, ENCODING.DELTA_BYTE_ARRAY, 77],
  ],
  [PHYSICAL.BOOLEAN, [ENCODING.DELTA_BINARY_PACKED, ENCODING.BYTE_STREAM_SPLIT, ENCODING.DELTA_BYTE_ARRAY]],
  [PHYSICAL.BYTE_ARRAY, [ENCODING.RLE, ENCODING.DELTA_BINARY_PACKED, ENCODING.BYTE_STREAM_SPLIT]],
  [PHYSICAL.FLOAT, [ENCODING.DELTA_BINARY_PACKED]],
  [PHYSICAL.INT96, [ENCODING.BYTE_STREAM_SPLIT, ENCODING.DELTA_BINARY_PACKED]],
  [PHYSICAL.FIXED_LEN_BYTE_ARRAY, [ENCODING.DELTA_LENGTH_BYTE_ARRAY, ENCODING.RLE]],
])('values of physical type %i have none of the encodings %j', (physical, encodings) => {
  for (const encoding of encodings) {
    for (const count of [0, 1])
      expect(() => decode(physical, encoding, new Array(64).fill(0), count)).toThrow(
        `unsupported_column: encoding ${encoding} of physical type ${physical}`,
      )
  }
})

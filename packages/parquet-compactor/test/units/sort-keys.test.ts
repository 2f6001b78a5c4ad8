import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../fuzz/random.ts'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { CONVERTED, LOGICAL, PHYSICAL } from '../../src/format/format.ts'
import type { LeafColumn, Schema } from '../../src/schema/schema.ts'
import { resolveDedupeBy, resolveSortBy, type SortKey } from '../../src/sort/keys/key-order.ts'
import { appendDecimal, putWords } from '../../src/sort/keys/key-words.ts'
import { compareKeys } from '../../src/sort/keys/sort-range.ts'
import { planSort, printSortPlan } from '../../src/sort/rank/plan-sort.ts'
import { RadixSort } from '../../src/sort/rank/radix-sort.ts'

const view = (bytes: number, write: (view: DataView) => void) => {
  const data = new DataView(new ArrayBuffer(bytes))
  write(data)
  return [...new Uint8Array(data.buffer)]
}
const float16 = (bits: number) => view(2, (v) => v.setUint16(0, bits, true))
const double = (value: number) => view(8, (v) => v.setFloat64(0, value, true))
const float = (value: number) => view(4, (v) => v.setFloat32(0, value, true))
const int64 = (value: bigint) => view(8, (v) => v.setBigInt64(0, value, true))
const int96 = (day: number, nanoseconds: bigint) =>
  view(12, (v) => {
    v.setBigUint64(0, nanoseconds, true)
    v.setInt32(8, day, true)
  })
const DENORMAL = double(5e-324)

/** Values of each kind in their order; those of one list are equal. */
const ORDERED: [kind: SortKey['kind'], width: number, values: number[][][]][] = [
  ['boolean', 1, [[[0]], [[1]]]],
  ['int32', 4, [-(2 ** 31), -1, 0, 1, 256, 2 ** 31 - 1].map((value) => [view(4, (v) => v.setInt32(0, value, true))])],
  ['uint32', 4, [0, 1, 2 ** 31, 2 ** 32 - 1].map((value) => [view(4, (v) => v.setUint32(0, value, true))])],
  [
    'int64',
    8,
    [-(2n ** 63n), -(2n ** 32n) - 1n, -(2n ** 32n), -1n, 0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n].map((value) => [
      int64(value),
    ]),
  ],
  ['uint64', 8, [0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n), -1n].map((value) => [int64(value)])],
  // -Infinity, -65504, -1, the least below zero, zeros, the least above, 1, 65504, Infinity, NaN of both signs
  [
    'float16',
    2,
    [
      [0xfc00],
      [0xfbff],
      [0xbc00],
      [0x8001],
      [0x8000, 0x0000],
      [0x0001],
      [0x3c00],
      [0x7bff],
      [0x7c00],
      [0x7e00, 0xfe00, 0x7c01],
    ].map((equal) => equal.map(float16)),
  ],
  [
    'float',
    4,
    [[-Infinity], [-1.5], [-1], [-1e-45], [-0, 0], [1e-45], [1], [1.5], [3e38], [Infinity], [Number.NaN]].map((equal) =>
      equal.map(float),
    ),
  ],
  [
    'double',
    8,
    [
      [double(-Infinity)],
      [double(-1e300)],
      [double(-1 - Number.EPSILON)],
      [double(-1)],
      [double(-5e-324)],
      [double(-0), double(0)],
      [DENORMAL],
      [double(1)],
      [double(1 + Number.EPSILON)],
      [double(Infinity)],
      [
        double(Number.NaN),
        view(8, (v) => v.setBigUint64(0, 0xfff0000000000001n, true)),
        view(8, (v) => v.setBigUint64(0, 0x7ff0000000000001n, true)),
      ],
    ],
  ],
  [
    'int96',
    12,
    [
      int96(-5, 1n),
      int96(0, 0n),
      int96(0, 2n ** 32n - 1n),
      int96(0, 2n ** 32n),
      int96(1, 0n),
      int96(2_440_588, 7n),
    ].map((value) => [value]),
  ],
]

describe.each(ORDERED)('words of %s', (kind, width, values) => {
  const all = values.flatMap((equal, rank) => equal.map((bytes) => ({ bytes, rank })))
  const table = {
    count: all.length,
    bytes: Uint8Array.from([9, 9, 9, ...all.flatMap(({ bytes }) => bytes)]).subarray(3),
  }
  const key = { kind, leaf: { width } } as SortKey
  const wordsOf = (indices?: number[], from = 0, to = indices?.length ?? all.length, shift = 0) => {
    const words = [0, 1, 2].map(() => new Uint32Array(all.length + 4))
    putWords(key, table, indices && Uint32Array.from(indices), from, to, words, shift)
    return words
  }
  const compareWords = (words: Uint32Array[], a: number, b: number) => {
    for (const word of words) if (word[a] !== word[b]) return word[a]! - word[b]!
    return 0
  }

  test('are in the order of the values', () => {
    const words = wordsOf()
    for (const [i, a] of all.entries()) {
      for (const [j, b] of all.entries()) {
        expect(Math.sign(compareWords(words, i, j)), `${a.bytes} and ${b.bytes}`).toBe(Math.sign(a.rank - b.rank))
      }
    }
  })

  test('are those of a range, of indices too, in their places', () => {
    const words = wordsOf()
    const last = all.length - 1
    const indices = [last, 0, last]
    const shifted = wordsOf(indices, 1, 3, 2)
    for (const [word, own] of words.entries()) {
      expect([...shifted[word]!]).toEqual([
        ...new Array(3).fill(0),
        own[0],
        own[last],
        ...new Array(all.length - 1).fill(0),
      ])
    }
  })
})

describe('decimals of bytes', () => {
  const encode = (...bytes: number[]) => {
    const out = new ByteBuffer()
    appendDecimal(Uint8Array.from([7, ...bytes, 7]), 1, bytes.length, out)
    return out.take()
  }

  test('are in the order of their numbers, whatever their lengths', () => {
    const ordered = [
      [0x80, 0, 0],
      [0xff, 0x7f],
      [0x80],
      [0xfe],
      [0xff],
      [0],
      [1],
      [0x7f],
      [0, 0x80],
      [1, 0],
      [0x7f, 0xff],
      [0, 0x80, 0],
    ]
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries())
        expect(Math.sign(compareKeys(encode(...a), encode(...b))), `${a} ${b}`).toBe(Math.sign(i - j))
    }
  })

  test('are the same with bytes that only repeat the sign', () => {
    expect(encode(0, 0, 5)).toEqual(encode(5))
    expect(encode(255, 255, 0x85)).toEqual(encode(0x85))
    expect(encode(0, 0x85)).not.toEqual(encode(0x85))
    expect(encode(255, 0x05)).not.toEqual(encode(5))
    expect(encode(0, 0)).toEqual(encode(0))
    expect([...encode()]).toEqual([128])
  })

  test('have 127 bytes at the most', () => {
    expect(encode(...new Array(127).fill(1))).toHaveLength(128)
    expect(() => encode(...new Array(128).fill(1))).toThrow('corrupt_data: a decimal of 128 bytes')
    expect(encode(...new Array(200).fill(0), 1)).toHaveLength(2)
  })
})

describe('a radix sort', () => {
  const random = randomFrom(4, 4)
  const rowsOf = (count: number) => Uint32Array.from({ length: count }, (_, i) => i)

  test.each([
    ['one value', () => 7],
    ['two values', () => random(2)],
    ['13 bits', () => random(2 ** 13)],
    ['14 bits', () => 5000 + random(2 ** 14)],
    ['all bits', () => (random(2 ** 31) * 2 + random(2)) >>> 0],
    ['the ends', () => (random(2) === 0 ? 0 : 0xffffffff)],
  ])('by words of %s keeps the order of equal rows', (_, word) => {
    for (const count of [0, 1, 2, 500]) {
      const words = Uint32Array.from({ length: count }, word)
      const sort = new RadixSort(rowsOf(count))
      sort.byWord(words)
      const expected = [...rowsOf(count)].sort((a, b) => words[a]! - words[b]! || a - b)
      expect([...sort.order]).toEqual(expected)
    }
  })

  test('by two words sorts by as many bits as it says', () => {
    for (const spread of [1, 2 ** 5, 2 ** 12, 2 ** 22, 2 ** 31]) {
      const count = 700
      const high = Uint32Array.from({ length: count }, () => 100 + random(spread))
      const low = Uint32Array.from({ length: count }, () => (random(2 ** 31) * 2 + random(2)) >>> 0)
      const sort = new RadixSort(rowsOf(count))
      const bits = sort.byFirstBits(high, low, undefined)
      const part = (row: number) => (bits === 0 ? 0 : low[row]! >>> (32 - bits))
      const expected = [...rowsOf(count)].sort((a, b) => high[a]! - high[b]! || part(a) - part(b) || a - b)
      expect([...sort.order]).toEqual(expected)
      const needed = spread === 1 ? 0 : 32 - Math.clz32(spread - 1)
      if (needed < 22) expect(bits).toBeGreaterThan(0)
      if (needed > 22) expect(bits).toBe(0)
    }
    expect(new RadixSort(rowsOf(3)).byFirstBits(Uint32Array.of(3, 1, 2), undefined, undefined)).toBe(0)
  })

  test('looks for its range only among rows that have a word', () => {
    const high = Uint32Array.of(0xffffffff, 5, 4, 0)
    const skip = Uint8Array.of(1, 0, 0, 1)
    const sort = new RadixSort(rowsOf(4))
    expect(sort.byFirstBits(high, new Uint32Array(4), skip)).toBe(21)
    expect([...sort.order].indexOf(2)).toBeLessThan([...sort.order].indexOf(1))
    expect(new RadixSort(rowsOf(2)).byFirstBits(high, new Uint32Array(2), Uint8Array.of(1, 1))).toBe(22)
  })

  test('by a flag puts those that have it first or last, and keeps their order', () => {
    const flags = Uint8Array.of(0, 1, 0, 1)
    const by = (areLast: boolean) => {
      const sort = new RadixSort(rowsOf(4))
      sort.byFlag(flags, areLast)
      return [...sort.order]
    }
    expect([by(true), by(false)]).toEqual([
      [0, 2, 1, 3],
      [1, 3, 0, 2],
    ])
  })
})

describe('columns to sort by', () => {
  const leaf = (name: string, more: Partial<LeafColumn> = {}) =>
    ({ name, physical: PHYSICAL.INT32, width: 4, maxRepetition: 0, ...more }) as LeafColumn
  const interval = leaf('interval', {
    physical: PHYSICAL.FIXED_LEN_BYTE_ARRAY,
    width: 12,
    convertedType: CONVERTED.INTERVAL,
  })
  const schema = {
    leaves: [
      leaf('a'),
      leaf('s.b', { isUnsigned: true }),
      leaf('l', { maxRepetition: 1 }),
      leaf('twice'),
      leaf('twice'),
      interval,
      leaf('h', { physical: PHYSICAL.FIXED_LEN_BYTE_ARRAY, width: 2, logicalType: LOGICAL.FLOAT16 }),
    ],
  } as unknown as Schema

  test('are found by their names, with what is left out', () => {
    expect(resolveSortBy(schema, [{ column: 's.b', descending: true, nullsFirst: true }, { column: 'a' }])).toEqual([
      { column: 1, leaf: schema.leaves[1], kind: 'uint32', isDescending: true, areNullsFirst: true },
      { column: 0, leaf: schema.leaves[0], kind: 'int32', isDescending: false, areNullsFirst: false },
    ])
    expect(resolveSortBy(schema, [{ column: 'h' }])[0]!.kind).toBe('float16')
    expect(resolveDedupeBy(schema, ['a', 'interval']).map(({ column, kind }) => [column, kind])).toEqual([
      [0, 'int32'],
      [5, 'bytes'],
    ])
  })

  test.each([
    ['none', 'there is no column none'],
    ['b', 'there is no column b'],
    ['twice', 'several columns are named twice'],
    ['l', 'column l has any number of values in a row'],
  ])('%s is refused', (column, message) => {
    expect(() => resolveSortBy(schema, [{ column }])).toThrow(`bad_option: sortBy: ${message}`)
    expect(() => resolveDedupeBy(schema, [column])).toThrow(`bad_option: dedupeBy: ${message}`)
  })

  test('have an order', () => {
    expect(() => resolveSortBy(schema, [{ column: 'interval' }])).toThrow(
      'sortBy: values of column interval have no order',
    )
  })
})

describe('row groups that are sorted', () => {
  const plan = (...groups: [low: number, high: number, isInOrder?: boolean][]) =>
    planSort(
      groups.map(([low, high, isInOrder]) => ({
        rows: 10,
        range: { low: Uint8Array.of(low), high: Uint8Array.of(high) },
        isInOrder,
      })),
    ).map(({ members, isMerged, range }) => [members, isMerged, range.low[0], range.high[0]])

  test.each([
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [[0], false, 1, 2],
        [[1], false, 3, 4],
      ],
    ],
    [
      [
        [3, 4],
        [1, 2],
      ],
      [
        [[1], false, 1, 2],
        [[0], false, 3, 4],
      ],
    ],
    [
      [
        [1, 3],
        [3, 4],
      ],
      [
        [[0], false, 1, 3],
        [[1], false, 3, 4],
      ],
    ],
    // those of equal keys would have to stay in their order
    [
      [
        [3, 4],
        [1, 3],
      ],
      [[[0, 1], true, 1, 4]],
    ],
    [
      [
        [1, 3],
        [2, 4],
      ],
      [[[0, 1], true, 1, 4]],
    ],
    [
      [
        [1, 9],
        [2, 3],
        [4, 5],
      ],
      [[[0, 1, 2], true, 1, 9]],
    ],
    [[[1, 2, false]], [[[0], true, 1, 2]]],
    [[[1, 2, true]], [[[0], false, 1, 2]]],
    [
      [
        [5, 5],
        [5, 5],
      ],
      [
        [[0], false, 5, 5],
        [[1], false, 5, 5],
      ],
    ],
    [
      [
        [4, 6],
        [1, 4],
        [4, 4],
      ],
      [[[0, 1, 2], true, 1, 6]],
    ],
    [[], []],
  ] as [[number, number, boolean?][], unknown[]][])('of ranges %j are %j', (groups, expected) => {
    expect(plan(...groups)).toEqual(expected)
  })

  test('are told in a line each time', () => {
    const members = [10, 20, 30, 40].map((rows) => ({ rows }))
    const clusters = [
      { members: [0], isMerged: false },
      { members: [1], isMerged: false },
      { members: [2, 3], isMerged: true },
    ]
    expect(printSortPlan(clusters, members)).toBe(
      'in order: 2 row groups, 30 rows\nmerge values: 2 row groups, 70 rows',
    )
    expect(printSortPlan(clusters.slice(2).concat(clusters[0]!), members)).toBe(
      'merge values: 2 row groups, 70 rows\nin order: 1 row group, 10 rows',
    )
    expect(printSortPlan([], members)).toBe('')
  })

  test('compare by bytes, a prefix first', () => {
    const keys = [[], [0], [0, 0], [0, 1], [1], [255]].map((bytes) => Uint8Array.from(bytes))
    for (const [i, a] of keys.entries())
      for (const [j, b] of keys.entries()) expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(i - j))
  })
})

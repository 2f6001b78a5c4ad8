import { describe, expect, test } from 'vitest'
import { BoundOrder, type Bounds } from '../../src/footer/bound-order.ts'
import { HAS_BOUNDS, IN_TYPE_ORDER } from '../../src/footer/chunk-bounds.ts'
import type { Footer } from '../../src/footer/footer.ts'
import { shortBounds } from '../../src/footer/short-bounds.ts'
import { Statistics } from '../../src/footer/statistics.ts'
import { CONVERTED, LOGICAL, PHYSICAL } from '../../src/format/format.ts'
import type { ValueTable } from '../../src/format/value-table.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'

const WIDTHS = [1, 4, 8, 12, 4, 8, 0, 16]
const leafOf = (physical: number, more: Partial<LeafColumn> = {}): LeafColumn => ({
  name: 'v',
  path: [],
  encodedPath: new Uint8Array(),
  physical,
  width: WIDTHS[physical]!,
  maxDefinition: 0,
  maxRepetition: 0,
  repeatedFrom: [],
  convertedType: undefined,
  logicalType: undefined,
  isUnsigned: false,
  ...more,
})

type Value = number | bigint | string
interface Kind {
  leaf: LeafColumn
  encode(value: Value): Uint8Array
  /** ascending, with neighbours that only one half, byte or sign tells apart */
  values: Value[]
}

const view = (bytes: number, write: (view: DataView) => void) => {
  const buffer = new DataView(new ArrayBuffer(bytes))
  write(buffer)
  return new Uint8Array(buffer.buffer)
}
const int32 = (value: Value) => view(4, (v) => v.setInt32(0, Number(value), true))
const int64 = (value: Value) => view(8, (v) => v.setBigInt64(0, BigInt(value), true))
const text = (value: Value) => new TextEncoder().encode(String(value))

const KINDS: Record<string, Kind> = {
  boolean: { leaf: leafOf(PHYSICAL.BOOLEAN), encode: (value) => Uint8Array.of(Number(value)), values: [0, 1] },
  int32: {
    leaf: leafOf(PHYSICAL.INT32),
    encode: int32,
    values: [-(2 ** 31), -(2 ** 31) + 1, -256, -255, -1, 0, 1, 255, 256, 65_536, 2 ** 31 - 2, 2 ** 31 - 1],
  },
  uint32: {
    leaf: leafOf(PHYSICAL.INT32, { isUnsigned: true }),
    encode: int32,
    values: [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1],
  },
  int64: {
    leaf: leafOf(PHYSICAL.INT64),
    encode: int64,
    values: [
      -(2n ** 63n),
      -(2n ** 63n) + 1n,
      -(2n ** 32n) - 1n,
      -(2n ** 32n),
      -(2n ** 32n) + 1n,
      -(2n ** 31n),
      -1n,
      0n,
      1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 32n + 1n,
      3n * 2n ** 32n - 1n,
      3n * 2n ** 32n,
      2n ** 63n - 1n,
    ],
  },
  uint64: {
    leaf: leafOf(PHYSICAL.INT64, { isUnsigned: true }),
    encode: (value) => int64(BigInt.asIntN(64, BigInt(value))),
    values: [
      0n,
      1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 32n + 1n,
      2n ** 63n - 1n,
      2n ** 63n,
      2n ** 64n - 2n,
      2n ** 64n - 1n,
    ],
  },
  float: {
    leaf: leafOf(PHYSICAL.FLOAT),
    encode: (value) => view(4, (v) => v.setFloat32(0, Number(value), true)),
    values: [-Infinity, -2.5, -1, 1, 1.5, 2, Infinity],
  },
  double: {
    leaf: leafOf(PHYSICAL.DOUBLE),
    encode: (value) => view(8, (v) => v.setFloat64(0, Number(value), true)),
    values: [-Infinity, -1e300, -2.5, -1, -1e-300, 1e-300, 1, 1 + Number.EPSILON, 1e300, Infinity],
  },
  text: {
    leaf: leafOf(PHYSICAL.BYTE_ARRAY, { logicalType: LOGICAL.STRING, convertedType: CONVERTED.UTF8 }),
    encode: text,
    values: ['', 'a', 'aa', 'ab', 'b', 'ba', 'é', '😀'],
  },
  uuid: {
    leaf: leafOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, { logicalType: LOGICAL.UUID }),
    encode: (value) => view(16, (v) => v.setBigUint64(8, BigInt(value))),
    values: [0n, 1n, 255n, 256n, 2n ** 63n],
  },
}

function tableOf({ leaf, encode }: Kind, values: readonly Value[]): ValueTable {
  const encoded = values.map(encode)
  // other bytes before and behind, which belong to no value
  const pad = leaf.width === 0 ? 5 : 0
  const bytes = new Uint8Array(encoded.reduce((sum, value) => sum + value.length, pad * 2))
  bytes.fill(254)
  const starts = new Uint32Array(values.length)
  let at = pad
  for (const [i, value] of encoded.entries()) {
    starts[i] = at
    bytes.set(value, at)
    at += value.length
  }
  const lengths = Uint32Array.from(encoded, (value) => value.length)
  return { count: values.length, bytes, ...(leaf.width === 0 && { starts, lengths }) }
}

function boundsOfValues(kind: Kind, values: readonly Value[], split = values.length): Bounds | undefined {
  const table = tableOf(kind, values)
  const statistics = new Statistics(kind.leaf)
  statistics.add(table, 0, split)
  const rest = new Statistics(kind.leaf)
  rest.add(table, split, values.length)
  statistics.include(rest)
  return statistics.bounds()
}

describe.each(Object.entries(KINDS))('bounds of %s', (_, kind) => {
  const { values, encode } = kind
  const pairs = values.flatMap((low, i) => values.slice(i + 1).map((high) => [low, high] as const))

  test('are the least and the greatest of any two, in either order, in one page or in two', () => {
    expect(pairs.length).toBeGreaterThan(0)
    for (const [low, high] of pairs) {
      const expected = { min: encode(low), max: encode(high) }
      for (const order of [
        [low, high],
        [high, low],
        [low, high, low],
        [high, low, high],
      ]) {
        for (let split = 0; split <= order.length; split++) {
          expect(boundsOfValues(kind, order, split), `${order} in pages of ${split}`).toEqual(expected)
        }
      }
    }
  })

  test('of one value are that value, of none there are none', () => {
    for (const value of values)
      expect(boundsOfValues(kind, [value])).toEqual({ min: encode(value), max: encode(value) })
    expect(boundsOfValues(kind, [])).toBeUndefined()
  })

  test('leave out values outside of the range, and entries that no row refers to', () => {
    const [low, high] = [values[0]!, values.at(-1)!]
    const middle = values[1]!
    const table = tableOf(kind, [low, middle, high])
    const range = new Statistics(kind.leaf)
    range.add(table, 1, 2)
    expect(range.bounds()).toEqual({ min: encode(middle), max: encode(middle) })
    const referred = new Statistics(kind.leaf)
    referred.add(table, 0, 3, Uint32Array.of(0, 2, 0))
    expect(referred.bounds()).toEqual({ min: encode(middle), max: encode(middle) })
  })

  test('are compared as their values are', () => {
    const order = BoundOrder.of(kind.leaf)!
    for (const [low, high] of pairs) {
      expect(order.compare(encode(low), encode(high)), `${low} ${high}`).toBeLessThan(0)
      expect(order.compare(encode(high), encode(low)), `${high} ${low}`).toBeGreaterThan(0)
      expect(order.compare(encode(low), encode(low))).toBe(0)
      expect(order.usable(encode(low), encode(high), true)).toEqual({ min: encode(low), max: encode(high) })
      expect(order.usable(encode(high), encode(low), true)).toBeUndefined()
      expect(order.usable(encode(low), encode(low), true)).toBeDefined()
    }
    const signed = ['int32', 'int64', 'float', 'double'].includes(order.order)
    const [low, high] = [encode(values[0]!), encode(values.at(-1)!)]
    expect(order.usable(low, high, false) !== undefined, 'without a named order').toBe(signed)
    expect([order.usable(undefined, high, true), order.usable(low, undefined, true)]).toEqual([undefined, undefined])
    if (kind.leaf.width > 0) {
      expect(order.usable(low.subarray(1), high, true)).toBeUndefined()
      expect(order.usable(low, new Uint8Array(kind.leaf.width + 1), true)).toBeUndefined()
    }
  })

  test('lie within others or not, by both ends', () => {
    const order = BoundOrder.of(kind.leaf)!
    const footerOf = (min: Uint8Array, max: Uint8Array, state: number) =>
      ({
        boundsState: Uint8Array.of(state),
        boundsAt: Uint32Array.of(3, 3 + min.length, 3 + min.length + max.length),
        boundsBytes: Uint8Array.from([7, 7, 7, ...min, ...max, 7]),
      }) as unknown as Footer
    const state = HAS_BOUNDS | IN_TYPE_ORDER
    let inside = 0
    for (const [i, low] of values.entries()) {
      for (const [j, high] of values.entries()) {
        const footer = footerOf(encode(low), encode(high), state)
        for (const [from, to] of [
          [0, values.length - 1],
          [0, 0],
          [1, values.length - 1],
          [0, values.length - 2],
        ] as const) {
          const isWithin = from <= i && i <= j && j <= to
          const outer = { min: encode(values[from]!), max: encode(values[to]!) }
          expect(order.isWithin(footer, 0, outer), `${low} to ${high} in ${values[from]} to ${values[to]}`).toBe(
            isWithin,
          )
          if (isWithin) inside++
        }
      }
    }
    expect(inside).toBeGreaterThan(values.length)
    const [low, high] = [encode(values[0]!), encode(values.at(-1)!)]
    const outer = { min: low, max: high }
    expect(order.isWithin(footerOf(low, high, 0), 0, outer), 'no bounds').toBe(false)
    expect(order.isWithin(footerOf(low, high, state | 32), 0, outer), 'deprecated bounds').toBe(false)
    expect(order.isWithin(footerOf(low, high, state | 0b11110), 0, outer), 'exactness does not matter').toBe(true)
    const signed = ['int32', 'int64', 'float', 'double'].includes(order.order)
    expect(order.isWithin(footerOf(low, high, HAS_BOUNDS), 0, outer), 'no named order').toBe(signed)
    if (kind.leaf.width > 0) {
      expect(order.isWithin(footerOf(low.subarray(1), high, state), 0, outer)).toBe(false)
      expect(order.isWithin(footerOf(low, high.subarray(1), state), 0, outer)).toBe(false)
    }
  })
})

describe.each(['float', 'double'])('bounds of %s', (name) => {
  const kind = KINDS[name]!
  const { leaf, encode } = kind

  test('count what is no number, as often as it occurs', () => {
    const table = tableOf(kind, [Number.NaN, 2, Number.NaN, 1])
    const statistics = new Statistics(leaf)
    statistics.add(table, 0, 4, Uint32Array.of(3, 1, 0, 1))
    expect(statistics.nans).toBe(3)
    const other = new Statistics(leaf)
    other.add(tableOf(kind, [Number.NaN]), 0, 1)
    expect(other.bounds()).toBeUndefined()
    statistics.include(other)
    expect(statistics.nans).toBe(4)
    // readers do not agree on the place of a NaN
    expect(statistics.bounds()).toBeUndefined()
    const numbers = new Statistics(leaf)
    numbers.add(table, 0, 4, Uint32Array.of(0, 1, 0, 1))
    expect(numbers.bounds()).toEqual({ min: encode(1), max: encode(2) })
  })

  test('of a zero cover both zeros', () => {
    for (const values of [[0], [-0], [-0, 0]]) {
      expect(boundsOfValues(kind, values)).toEqual({ min: encode(-0), max: encode(0) })
    }
    expect(boundsOfValues(kind, [-1, -0])).toEqual({ min: encode(-1), max: encode(0) })
    expect(boundsOfValues(kind, [0, 1])).toEqual({ min: encode(-0), max: encode(1) })
    const order = BoundOrder.of(leaf)!
    expect(order.usable(encode(0), encode(-0), true)).toEqual({ min: encode(-0), max: encode(0) })
    expect(order.compare(encode(0), encode(-0))).toBe(0)
  })

  test('that are no number cannot be used', () => {
    const order = BoundOrder.of(leaf)!
    expect(order.usable(encode(Number.NaN), encode(1), true)).toBeUndefined()
    expect(order.usable(encode(1), encode(Number.NaN), true)).toBeUndefined()
  })
})

describe('bounds of byte arrays', () => {
  const kind = KINDS.text!

  test('are kept up to 256 bytes', () => {
    const long = 'x'.repeat(256)
    expect(boundsOfValues(kind, ['a', long])?.max).toHaveLength(256)
    expect(boundsOfValues(kind, ['a', `${long}x`])).toBeUndefined()
    expect(boundsOfValues(kind, [`${long}x`, 'y'])).toBeUndefined()
  })

  test('of a page are cut behind 64 bytes: the lower one cut, the upper one raised', () => {
    const bounds = (min: Uint8Array, max: Uint8Array) => shortBounds(kind.leaf, { min, max })
    const exact = text('m'.repeat(64))
    expect(bounds(exact, exact)).toEqual({ min: exact, max: exact })
    const long = text('m'.repeat(65))
    expect(bounds(long, long)).toEqual({ min: exact, max: text(`${'m'.repeat(63)}n`) })
    // characters of several bytes stay whole, and an upper bound is raised at a character of ASCII before them
    expect(bounds(text(`${'m'.repeat(63)}éx`), text(`${'m'.repeat(63)}éx`))).toEqual({
      min: text('m'.repeat(63)),
      max: text(`${'m'.repeat(62)}n`),
    })
    expect(bounds(text(`${'m'.repeat(62)}éx`), long).min).toEqual(text(`${'m'.repeat(62)}é`))
    // 0x7e may be raised to 0x7f, which is ASCII still; 0x7f may not
    expect(bounds(exact, text(`${'m'.repeat(63)}~x`)).max).toEqual(text(`${'m'.repeat(63)}\x7f`))
    expect(bounds(exact, text(`${'m'.repeat(62)}a\x7fx`)).max).toEqual(text(`${'m'.repeat(62)}b`))
    const greatest = text('é'.repeat(40))
    expect(bounds(exact, greatest).max).toEqual(greatest)
    const fixed = leafOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, { width: 65 })
    expect(shortBounds(fixed, { min: long, max: long })).toEqual({ min: long, max: long })
  })
})

test.each([
  ['decimals of bytes', leafOf(PHYSICAL.BYTE_ARRAY, { logicalType: LOGICAL.DECIMAL })],
  ['decimals by their converted type', leafOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, { convertedType: CONVERTED.DECIMAL })],
  ['halves', leafOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, { logicalType: LOGICAL.FLOAT16, width: 2 })],
  ['timestamps of 96 bits', leafOf(PHYSICAL.INT96)],
  ['intervals', leafOf(PHYSICAL.FIXED_LEN_BYTE_ARRAY, { convertedType: CONVERTED.INTERVAL, width: 12 })],
  ['columns of no type', leafOf(PHYSICAL.INT32, { logicalType: LOGICAL.UNKNOWN })],
])('%s have no bounds that all readers agree on', (_, leaf) => {
  expect(BoundOrder.of(leaf)).toBeUndefined()
  const statistics = new Statistics(leaf)
  statistics.add({ count: 1, bytes: new Uint8Array(leaf.width || 4) }, 0, 1)
  expect(statistics.bounds()).toBeUndefined()
})

test('bounds of booleans beyond 0 and 1 are none: readers take them for different values', () => {
  const order = BoundOrder.of(leafOf(PHYSICAL.BOOLEAN))!
  const [no, yes, two] = [0, 1, 2].map((byte) => Uint8Array.of(byte!))
  expect(order.usable(no, yes, true)).toEqual({ min: no, max: yes })
  expect(order.usable(no, two, true)).toBeUndefined()
  expect(order.usable(two, two, true)).toBeUndefined()
})

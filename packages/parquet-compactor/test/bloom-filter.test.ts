import { expect, test } from 'vitest'
import { BloomBuilder, bloomFilterOf } from '../src/footer/bloom-filter.ts'
import { PHYSICAL } from '../src/format/format.ts'
import { Kernel } from '../src/kernel/kernel.ts'
import type { LeafColumn } from '../src/schema/schema.ts'
import { Dictionary } from '../src/write/dictionary.ts'

/** texts of every length up to four stripes of the hash, and a long one */
const TEXTS = [...Array.from({ length: 129 }, (_, length) => length), 5000].map((length) =>
  Uint8Array.from({ length }, (_, i) => (i * i * 31 + length * 7) & 255),
)
const numbers = (width: number, count: number) =>
  Array.from({ length: count }, (_, i) => Uint8Array.from({ length: width }, (_, at) => (i >> (at * 8)) & 255))

test.each([
  ['byte arrays', 0, TEXTS],
  ['bytes of 1', 1, numbers(1, 256)],
  ['numbers of 4', 4, numbers(4, 20_000)],
  ['numbers of 8', 8, numbers(8, 1000)],
  ['timestamps of 12', 12, numbers(12, 3)],
  ['byte arrays of 37', 37, numbers(37, 500)],
  ['nothing', 4, []],
])('the kernel fills the filter of %s as it is filled value by value', (_, width, values) => {
  const leaf = { width } as LeafColumn
  const dictionary = new Dictionary(leaf)
  for (const value of values) dictionary.intern(value, 0, value.length)
  expect(dictionary.count).toBe(values.length)
  const builder = new BloomBuilder(leaf)
  builder.add(dictionary.table(), 0, dictionary.count)
  const kernel = Kernel.acquire(undefined)
  try {
    const distinct = dictionary.values()
    const filter = bloomFilterOf(distinct, leaf, (bytes) => kernel.fillFilter(distinct, width, bytes))
    expect(Buffer.compare(filter!, builder.build()!)).toBe(0)
  } finally {
    kernel.release()
  }
})

test.each([
  ['FLOAT', PHYSICAL.FLOAT, 4],
  ['DOUBLE', PHYSICAL.DOUBLE, 8],
])('a filter of %s that has one zero has the other, and none where there is no zero', (_, physical, width) => {
  const leaf = { physical, width } as LeafColumn
  const [zero, negative, one] = [0, 0x80, 0x3f].map((high) =>
    Uint8Array.from({ length: width }, (_, i) => (i === width - 1 ? high : 0)),
  )
  const filterOf = (...values: Uint8Array[]) => {
    const builder = new BloomBuilder(leaf)
    for (const bytes of values) builder.add({ bytes, count: 1 }, 0, 1)
    return builder.build()!
  }
  const both = filterOf(zero!, negative!, one!)
  expect(Buffer.compare(filterOf(zero!, one!), both)).toBe(0)
  expect(Buffer.compare(filterOf(negative!, one!), both)).toBe(0)
  expect(Buffer.compare(filterOf(one!), both)).not.toBe(0)
})

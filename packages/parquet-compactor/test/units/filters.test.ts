import { describe, expect, test } from 'vitest'
import { BloomBuilder, BloomUnion, bloomFilterOf, readBloomFilter } from '../../src/footer/bloom-filter.ts'
import { ThriftWriter } from '../../src/format/thrift-writer.ts'
import type { ValueTable } from '../../src/format/value-table.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import { Dictionary } from '../../src/write/dictionary.ts'

const FOUR = { width: 4 } as LeafColumn
const numbers = (from: number, count: number): ValueTable => ({
  count,
  bytes: new Uint8Array(Uint32Array.from({ length: count }, (_, i) => from + i).buffer),
})

/** The kinds of a header, each a struct with one empty member. */
function filterOf(bitsetBytes: number, { kinds = [2, 3, 4], member = 1, declared = bitsetBytes } = {}): Uint8Array {
  const writer = new ThriftWriter()
  writer.open()
  writer.i32(1, declared)
  for (const kind of kinds) {
    writer.open(kind)
    writer.open(kind === 3 ? member : 1)
    writer.close()
    writer.close()
  }
  writer.close()
  writer.out.fill(7, bitsetBytes)
  return writer.out.take()
}

describe('a filter', () => {
  test('is found in front of what follows it', () => {
    const filter = filterOf(64)
    const found = readBloomFilter(Uint8Array.from([...filter, 1, 2, 3]))!
    expect(found.bitset).toEqual(new Uint8Array(64).fill(7))
    expect(Buffer.compare(found.filter, filter)).toBe(0)
    expect(readBloomFilter(filterOf(32))?.bitset).toHaveLength(32)
  })

  test.each([
    ['of no whole block', filterOf(33)],
    ['of less than a block', filterOf(0)],
    ['that is not all there', filterOf(32).subarray(0, -1)],
    ['that declares more than follows', filterOf(32, { declared: 64 })],
    ['without its hash', filterOf(32, { kinds: [2, 4] })],
    ['of another hash', filterOf(32, { member: 2 })],
    ['whose header is cut off', filterOf(32).subarray(0, 4)],
    ['that is none', Uint8Array.of(255, 255, 255)],
  ])('%s is none', (_, bytes) => {
    expect(readBloomFilter(bytes)).toBeUndefined()
  })
})

describe('filters together', () => {
  const union = (...bitsets: Uint8Array[]) => {
    const all = new BloomUnion()
    const fits = bitsets.map((bitset) => all.add(bitset))
    const filter = all.finish()
    return { fits, bitset: filter && readBloomFilter(filter)!.bitset }
  }
  const bits = (bytes: number, byte: number) => new Uint8Array(bytes).fill(byte)

  test('let pass what any of them does', () => {
    const [one, two] = [bits(32, 0b0001), bits(32, 0b0100)]
    expect(union(one, two)).toEqual({ fits: [true, true], bitset: bits(32, 0b0101) })
    expect(one, 'the first is not changed').toEqual(bits(32, 0b0001))
  })

  test('are of one size', () => {
    expect(union(bits(64, 1), bits(32, 2)).fits).toEqual([true, false])
    expect(union().bitset).toBeUndefined()
  })

  test('are of no use once they let a tenth of all pass', () => {
    // (24 / 32) ^ 8 is 0.1001, (23.9 / 32) ^ 8 less than a tenth
    expect(union(bits(32, 0b00111111)).bitset).toBeUndefined()
    const fewer = bits(32, 0b00111111)
    fewer[0] = 0b00011111
    expect(union(fewer).bitset).toEqual(fewer)
    expect(union(bits(32, 255)).bitset).toBeUndefined()
    const half = bits(64, 255)
    half.fill(0, 6)
    expect(union(half).bitset).toEqual(half)
  })
})

describe('a filter that is built', () => {
  const built = (...tables: [ValueTable, number, number, Uint32Array?][]) => {
    const builder = new BloomBuilder(FOUR)
    for (const table of tables) builder.add(...table)
    return builder.build()
  }

  test('knows each value once, however often and in whatever order it came', () => {
    const table = numbers(0, 100)
    const once = built([table, 0, 100])
    expect(built([table, 50, 100], [table, 0, 50], [table, 0, 100])).toEqual(once)
    expect(built([table, 0, 99])).not.toEqual(once)
    expect(built([numbers(0, 200), 0, 200, Uint32Array.from({ length: 200 }, (_, i) => Number(i < 100))])).toEqual(once)
  })

  test('has a size that is a power of two, for a hundredth of wrong answers', () => {
    const size = (count: number) => readBloomFilter(built([numbers(0, count), 0, count])!)!.bitset.length
    // 9.68 bits a value
    expect([0, 1, 26, 27, 52, 53, 105, 106].map(size)).toEqual([32, 32, 32, 64, 64, 128, 128, 256])
  })

  test('answers wrongly for a hundredth of other values, and never for its own', () => {
    const count = 2000
    const { bitset } = readBloomFilter(built([numbers(0, count), 0, count])!)!
    const knows = (value: number) => {
      const alone = readBloomFilter(built([numbers(value, 1), 0, 1])!)!.bitset
      expect(alone).toHaveLength(32)
      return alone
    }
    // the bits of a value within its block do not depend on the size of the filter
    const blocks = bitset.length / 32
    const isIn = (value: number) => {
      const wanted = knows(value)
      return Array.from({ length: blocks }, (_, block) =>
        wanted.every((byte, i) => (bitset[block * 32 + i]! & byte) === byte),
      ).some(Boolean)
    }
    for (let value = 0; value < 200; value++) expect(isIn(value)).toBe(true)
  })

  test('ends at 128 KiB: beyond that many values there is none', () => {
    const most = Math.floor((128 * 1024 * 8) / 9.6825)
    expect(readBloomFilter(built([numbers(0, most - 500), 0, most - 500])!)!.bitset).toHaveLength(128 * 1024)
    expect(built([numbers(0, most + 500), 0, most + 500])).toBeUndefined()
    expect(built([numbers(0, 140_000), 0, 140_000], [numbers(0, 10), 0, 10])).toBeUndefined()
    // values that repeat are counted once
    expect(
      built(...Array.from({ length: 20 }, (): [ValueTable, number, number] => [numbers(0, 10_000), 0, 10_000])),
    ).toBeDefined()
    const fill = (bytes: number) => new Uint8Array(bytes)
    expect(bloomFilterOf({ plain: new Uint8Array(), count: most - 500 }, FOUR, fill)).toBeDefined()
    expect(bloomFilterOf({ plain: new Uint8Array(), count: most + 500 }, FOUR, fill)).toBeUndefined()
  })
})

describe('a dictionary', () => {
  test.each([0, 3])('numbers values of width %i in the order in which they come', (width) => {
    const dictionary = new Dictionary({ width })
    const value = (i: number) => Uint8Array.of(9, i & 255, i >> 8, i % 3, 9)
    const count = 1000
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < count; i++) expect(dictionary.intern(value(i), 1, 3)).toBe(i)
    }
    expect(dictionary.count).toBe(count)
    const { plain } = dictionary.values()
    expect(plain).toHaveLength(count * (width || 7))
    const table = dictionary.table()
    for (const i of [0, 1, 16, 17, 999]) {
      const start = table.starts ? table.starts[i]! : i * 3
      expect([...table.bytes.subarray(start, start + 3)]).toEqual([...value(i).subarray(1, 4)])
      if (table.lengths) expect(table.lengths[i]).toBe(3)
    }
    expect(table.starts !== undefined).toBe(width === 0)
  })

  test('tells values apart by their length alone', () => {
    const dictionary = new Dictionary({ width: 0 })
    const zeros = new Uint8Array(5)
    expect([0, 1, 2, 1, 0, 2].map((length) => dictionary.intern(zeros, 0, length))).toEqual([0, 1, 2, 1, 0, 2])
    expect([...dictionary.values().plain]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0])
  })

  test('says what it holds', () => {
    const dictionary = new Dictionary({ width: 4 })
    expect(dictionary.heldBytes).toBe(64 + 16 * 12 + 16 * 4)
    for (let i = 0; i < 17; i++) dictionary.intern(Uint8Array.of(i, 0, 0, 0), 0, 4)
    expect(dictionary.heldBytes).toBe(128 + 32 * 12 + 64 * 4)
  })
})

import { describe, expect, test } from 'vitest'
import { ByteBuffer } from '../../src/format/byte-buffer.ts'
import { PHYSICAL } from '../../src/format/format.ts'
import type { ValueTable } from '../../src/format/value-table.ts'
import type { LeafColumn } from '../../src/schema/schema.ts'
import { ChunkWriter } from '../../src/write/chunk-writer.ts'

const leafOf = (more: Partial<LeafColumn>) =>
  ({
    name: 'v',
    path: [],
    encodedPath: new Uint8Array(),
    maxDefinition: 0,
    maxRepetition: 0,
    repeatedFrom: [],
    isUnsigned: false,
    ...more,
  }) as unknown as LeafColumn
const NUMBER = leafOf({ physical: PHYSICAL.INT32, width: 4 })
const TEXT = leafOf({ physical: PHYSICAL.BYTE_ARRAY, width: 0, logicalType: 1 })

const ENTRIES = 1000
const numbers: ValueTable = {
  count: ENTRIES,
  bytes: new Uint8Array(Int32Array.from({ length: ENTRIES }, (_, i) => i).buffer),
}
const words = Array.from({ length: ENTRIES }, (_, i) => new TextEncoder().encode(`word ${'x'.repeat(i % 7)}${i}`))
const starts = Uint32Array.from(words, (_, i) => words.slice(0, i).reduce((sum, { length }) => sum + length, 0))
const texts: ValueTable = {
  count: ENTRIES,
  bytes: new Uint8Array(Buffer.concat(words)),
  starts,
  lengths: Uint32Array.from(words, ({ length }) => length),
}

/** The same values by their indices and as they are, in a column whose values do not repeat, so that they are written plain. */
async function writeBoth(leaf: LeafColumn, table: ValueTable, indices: number[]) {
  const write = async (append: (writer: ChunkWriter) => Promise<void>) => {
    const limits = {
      pageBytes: 1_000_000,
      pageLevels: 1_000_000,
      dictionaryBytes: 0,
      scratch: new ByteBuffer(),
      compressed: new ByteBuffer(),
    }
    const writer = new ChunkWriter(leaf, 'none', {}, limits, { isAny: false, bloomFilter: true, sizes: true })
    await append(writer)
    const { pages, statistics, sizes, dataPages } = await writer.finish()
    return { bytes: Buffer.concat(pages).toString('hex'), statistics, sizes, dataPages }
  }
  const levels = { definition: undefined, repetition: undefined, levelFrom: 0 }
  const append = (writer: ChunkWriter, values: { count: number; table: ValueTable; indices?: Uint32Array }) =>
    writer.append({ ...levels, levelTo: values.count, values, valueFrom: 0, valueTo: values.count })
  // the first values end the dictionary, in a page of their own
  const byIndex = await write(async (writer) => {
    append(writer, { count: ENTRIES, table })
    await writer.flushPage()
    append(writer, { count: indices.length, table, indices: Uint32Array.from(indices) })
  })
  const width = leaf.width
  const picked: ValueTable = table.lengths
    ? {
        ...table,
        count: indices.length,
        starts: Uint32Array.from(indices, (i) => starts[i]!),
        lengths: Uint32Array.from(indices, (i) => table.lengths![i]!),
      }
    : {
        count: indices.length,
        bytes: new Uint8Array(Buffer.concat(indices.map((i) => table.bytes.subarray(i * width, (i + 1) * width)))),
      }
  const asTheyAre = await write(async (writer) => {
    append(writer, { count: ENTRIES, table })
    await writer.flushPage()
    append(writer, { count: indices.length, table: picked })
  })
  return { byIndex, asTheyAre }
}

describe('values that are written plain by their indices', () => {
  test.each([
    ['numbers', NUMBER, numbers],
    ['texts', TEXT, texts],
  ] as const)('are the same as they are: %s, few of a large dictionary or many', async (_, leaf, table) => {
    const few = [7, 998, 70, 7, 500]
    const many = Array.from({ length: ENTRIES }, (_, i) => (i * 37) % ENTRIES)
    for (const indices of [few, [999], many, many.slice(0, ENTRIES / 4), many.slice(0, ENTRIES / 4 + 1)]) {
      const { byIndex, asTheyAre } = await writeBoth(leaf, table, indices)
      expect(byIndex).toEqual(asTheyAre)
    }
  })
})

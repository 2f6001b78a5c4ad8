import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { readWithHyparquet } from './engines.ts'
import { MemoryScratch } from './memory-scratch.ts'

/** `npm run test:long` takes more. */
const RUNS = process.env.FUSOU_TESTS === 'long' ? 120 : 40

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 4 })
const row = fc.record({
  int: optional(fc.integer({ min: -3, max: 3 })),
  long: optional(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 1n, -1n))),
  double: optional(fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, -1))),
  text: optional(fc.oneof(fc.constantFrom('', 'a', 'ab', 'ü', 'a\0', 'a\0b'), fc.string({ unit: 'grapheme' }))),
  flag: fc.boolean(),
  list: optional(fc.array(optional(fc.integer({ min: 0, max: 3 })), { maxLength: 4 })),
})
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never
const COLUMNS = ['int', 'long', 'double', 'text', 'flag'] as const
type Column = (typeof COLUMNS)[number]

const file = fc.record({
  rows: fc.array(row, { maxLength: 30 }),
  codec: fc.constantFrom('SNAPPY' as const, 'UNCOMPRESSED' as const),
  rowGroupSize: fc.integer({ min: 1, max: 40 }),
  /** sorted beforehand by the first key, as files that clients write often are */
  isSorted: fc.boolean(),
})

function write(rows: Row[], codec: 'SNAPPY' | 'UNCOMPRESSED', rowGroupSize: number, padBytes = 0): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      codec,
      rowGroupSize,
      schema: [
        { name: 'root', num_children: padBytes > 0 ? 8 : 7 },
        { name: 'int', type: 'INT32', repetition_type: 'OPTIONAL' },
        { name: 'long', type: 'INT64', repetition_type: 'OPTIONAL' },
        { name: 'double', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
        { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'flag', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
        { name: 'list', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'INT32', repetition_type: 'OPTIONAL' },
        { name: 'place', type: 'INT32', repetition_type: 'REQUIRED' },
        ...(padBytes > 0 ? [{ name: 'pad', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' } as const] : []),
      ],
      columnData: [
        ...([...COLUMNS, 'list'] as const).map((name) => ({ name, data: rows.map((values) => values[name]) })),
        { name: 'place', data: rows.map((_, i) => i) },
        ...(padBytes > 0 ? [{ name: 'pad', data: rows.map((_, i) => new Uint8Array(padBytes + i).fill(i)) }] : []),
      ],
    }),
  )
}

const utf8 = new TextEncoder()

/** What the documentation of `sortBy` says, in plain words. */
function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a < b ? -1 : a > b ? 1 : 0
  }
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(utf8.encode(a), utf8.encode(b))
  return (a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0
}

interface Key {
  column: Column
  descending: boolean
  nullsFirst: boolean
}

function compareRows(a: Record<string, unknown>, b: Record<string, unknown>, keys: Key[]): number {
  for (const { column, descending, nullsFirst } of keys) {
    const [left, right] = [a[column] ?? null, b[column] ?? null]
    if (left === null && right === null) continue
    if (left === null || right === null) return (left === null) === nullsFirst ? -1 : 1
    const order = compareValues(left, right)
    if (order !== 0) return descending ? -order : order
  }
  return 0
}

const keys = fc.uniqueArray(
  fc.record({ column: fc.constantFrom(...COLUMNS), descending: fc.boolean(), nullsFirst: fc.boolean() }),
  { maxLength: 3, selector: ({ column }) => column },
)

test('any files, any keys: exactly the wanted rows, sorted, equal ones as they came', {
  timeout: 120_000,
}, async () => {
  const given = fc.record({
    files: fc.array(file, { minLength: 1, maxLength: 6 }),
    sortBy: keys,
    dedupeBy: fc.uniqueArray(fc.constantFrom(...COLUMNS), { maxLength: 2 }),
    keep: fc.constantFrom('first' as const, 'last' as const),
    targetRowGroupBytes: fc.constantFrom(1, 300, 3000, 16 * 2 ** 20),
    smallFileBytes: fc.constantFrom(1, 2 ** 20),
    minPageBytes: fc.constantFrom(0, 4096),
  })
  await fc.assert(
    fc.asyncProperty(given, async ({ files, sortBy, dedupeBy, keep, ...options }) => {
      const bytes = files.map(({ rows, codec, rowGroupSize, isSorted }) => {
        const ordered = isSorted ? rows.toSorted((a, b) => compareRows(a, b, sortBy)) : rows
        return write(ordered, codec, rowGroupSize)
      })
      let expected: Record<string, unknown>[] = []
      for (const one of bytes) expected.push(...(await readWithHyparquet(one)))
      const rowsIn = expected.length
      if (dedupeBy.length > 0) {
        const equal = dedupeBy.map((column) => ({ column, descending: false, nullsFirst: false }))
        expected = expected.filter((own, i) => {
          const others = keep === 'first' ? expected.slice(0, i) : expected.slice(i + 1)
          return !others.some((other) => compareRows(own, other, equal) === 0)
        })
      }
      expected = expected.toSorted((a, b) => compareRows(a, b, sortBy))
      const sink = memorySink()
      const sources = bytes.map((one, i) => memorySource(`file-${i}`, one))
      const report = await mergeParquet(sources, sink, { ...options, sortBy, dedupeBy, keep })
      expect(await readWithHyparquet(sink.bytes())).toEqual(expected)
      expect(report).toMatchObject({ rowsIn, rowsOut: expected.length, duplicateRows: rowsIn - expected.length })
    }),
    { numRuns: RUNS },
  )
})

test('any files, any keys: rows so long that few are held are sorted in a scratch as they are without', {
  timeout: 120_000,
}, async () => {
  const given = fc.record({
    files: fc.array(fc.record({ rows: fc.array(row, { minLength: 5, maxLength: 30 }) }), {
      minLength: 4,
      maxLength: 12,
    }),
    sortBy: keys.filter(({ length }) => length > 0),
    dedupeBy: fc.uniqueArray(fc.constantFrom(...COLUMNS), { maxLength: 2 }),
    padBytes: fc.constantFrom(500, 2000),
  })
  let sorted = 0
  await fc.assert(
    fc.asyncProperty(given, async ({ files, padBytes, ...options }) => {
      const sources = files.map(({ rows }, i) => memorySource(`file-${i}`, write(rows, 'UNCOMPRESSED', 40, padBytes)))
      const merge = async (memoryBudgetBytes: number, scratch?: MemoryScratch) => {
        const sink = memorySink()
        await mergeParquet(sources, sink, { ...options, memoryBudgetBytes, ...(scratch && { scratch }) })
        return readWithHyparquet(sink.bytes())
      }
      const scratch = new MemoryScratch()
      expect(await merge(2 ** 20, scratch)).toEqual(await merge(2 ** 26))
      if (scratch.byteLength > 0) sorted++
    }),
    { numRuns: RUNS / 2 },
  )
  expect(sorted).toBeGreaterThan(10)
})

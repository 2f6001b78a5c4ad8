import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { memorySink, memorySource, mergeParquet } from '../src/index.ts'
import { readWithHyparquet } from './engines.ts'

/** `npm run test:long` takes more. */
const RUNS = process.env.FUSOU_TESTS === 'long' ? 150 : 50

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { freq: 4 })
const row = fc.record({
  int: optional(fc.integer()),
  long: optional(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  double: optional(fc.double()),
  text: optional(fc.oneof(fc.constantFrom('a', 'b', 'ü'), fc.string({ unit: 'grapheme' }))),
  bytes: optional(fc.uint8Array({ maxLength: 5 })),
  flag: fc.boolean(),
  list: optional(fc.array(optional(fc.integer({ min: 0, max: 3 })), { maxLength: 4 })),
})
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never

function write(rows: Row[], codec: 'SNAPPY' | 'UNCOMPRESSED', rowGroupSize: number): Uint8Array {
  const column = <Name extends keyof Row>(name: Name) => rows.map((values) => values[name])
  return new Uint8Array(
    parquetWriteBuffer({
      codec,
      rowGroupSize,
      schema: [
        { name: 'root', num_children: 7 },
        { name: 'int', type: 'INT32', repetition_type: 'OPTIONAL' },
        { name: 'long', type: 'INT64', repetition_type: 'OPTIONAL' },
        { name: 'double', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
        { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        { name: 'flag', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
        { name: 'list', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'INT32', repetition_type: 'OPTIONAL' },
      ],
      columnData: (['int', 'long', 'double', 'text', 'bytes', 'flag', 'list'] as const).map((name) => ({
        name,
        data: column(name),
      })),
    }),
  )
}

test('a table cut anywhere and merged is the table', { timeout: 60_000 }, async () => {
  const table = fc.record({
    files: fc.array(
      fc.record({
        rows: fc.array(row, { maxLength: 40 }),
        codec: fc.constantFrom('SNAPPY' as const, 'UNCOMPRESSED' as const),
        rowGroupSize: fc.integer({ min: 1, max: 50 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    targetRowGroupBytes: fc.constantFrom(1, 100, 2000, 16 * 2 ** 20),
    smallFileBytes: fc.constantFrom(1, 2 ** 20),
  })
  await fc.assert(
    fc.asyncProperty(table, async ({ files, targetRowGroupBytes, smallFileBytes }) => {
      const bytes = files.map(({ rows, codec, rowGroupSize }) => write(rows, codec, rowGroupSize))
      const sources = bytes.map((file, i) => memorySource(`file-${i}`, file))
      const sink = memorySink()
      const report = await mergeParquet(sources, sink, { targetRowGroupBytes, smallFileBytes })
      const expected: unknown[] = []
      for (const file of bytes) expected.push(...(await readWithHyparquet(file)))
      expect(report.rowsOut).toBe(files.reduce((sum, { rows }) => sum + rows.length, 0))
      expect(await readWithHyparquet(sink.bytes())).toEqual(expected)
    }),
    { numRuns: RUNS },
  )
})

test('merging twice is merging once', { timeout: 60_000 }, async () => {
  const tables = fc.array(fc.array(row, { maxLength: 20 }), { minLength: 2, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(tables, async (parts) => {
      const merge = async (files: Uint8Array[]) => {
        const sink = memorySink()
        await mergeParquet(
          files.map((file, i) => memorySource(`file-${i}`, file)),
          sink,
        )
        return sink.bytes()
      }
      const files = parts.map((rows) => write(rows, 'SNAPPY', 10))
      const [first, ...rest] = files
      const stepwise = await merge([await merge([first!, rest[0]!]), ...rest.slice(1)])
      expect(await readWithHyparquet(stepwise)).toEqual(await readWithHyparquet(await merge(files)))
    }),
    { numRuns: RUNS / 2 },
  )
})

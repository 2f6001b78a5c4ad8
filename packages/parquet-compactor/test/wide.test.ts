import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { inspectParquet, memorySink, memorySource, mergeParquet } from '../src/index.ts'

test('a footer that is written in pieces reads back, and its work is what the report says', async () => {
  const columnData = Array.from({ length: 2000 }, (_, i) => {
    return { name: `column_${i}`, data: [i, i + 1], type: 'INT32' as const }
  })
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED' }))
  const sink = memorySink()
  const { workBytes } = await mergeParquet([memorySource('a', bytes), memorySource('b', bytes)], sink)
  const output = sink.bytes()
  const summary = await inspectParquet(memorySource('output', output))
  expect(summary.footerBytes).toBeGreaterThan(3 * 64 * 1024)
  expect(summary.workBytes).toBe(workBytes)
  const rows = await parquetReadObjects({ file: new Uint8Array(output).buffer, columns: ['column_0', 'column_1999'] })
  expect(rows.map(({ column_0, column_1999 }) => [column_0, column_1999])).toEqual([
    [0, 1999],
    [1, 2000],
    [0, 1999],
    [1, 2000],
  ])
})

import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { expect, test } from 'vitest'
import * as library from '../src/index.ts'
import { writeWithDuckDB } from './engines.ts'

test('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const [, example] = /```ts\n(.*?)```/s.exec(readme)!
  const body = stripTypeScriptTypes(example!.replace(/^import .*$/m, ''))
  const file = await writeWithDuckDB('select i from range(10) t(i)')
  const sink = library.memorySink()
  const names = ['inspectParquet', 'mergeParquet', 'objects', 'readRange', 'upload']
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = new AsyncFunction(...names, `${body}; return { rowCount, schemaFingerprint, report }`)
  const objects = [1, 2].map((n) => ({ key: `key-${n}`, size: file.byteLength }))
  const readRange = async (_: string, offset: number, length: number) => file.subarray(offset, offset + length)
  const { rowCount, report, schemaFingerprint } = await run(
    library.inspectParquet,
    library.mergeParquet,
    objects,
    readRange,
    sink.write,
  )
  expect(rowCount).toBe(10)
  expect(report).toMatchObject({ files: 2, rowsOut: 20, schemaFingerprint })
  // the comment under the call lists the report
  expect(example!.match(/\/\/ \{ (.*) \}/)?.[1]?.split(', ')).toEqual(Object.keys(report))
})

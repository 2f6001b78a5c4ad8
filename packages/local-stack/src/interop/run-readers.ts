import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { PythonEnvironment } from './python-environment.ts'
import type { Answers } from './table-under-test.ts'

export const PYTHON_READERS = ['duckdb', 'polars', 'pandas', 'pyarrow', 'fastparquet', 'clickhouse'] as const

/** Opens the table, calls `between`, then reads it. */
export type Reader = (url: string, between: () => Promise<void>) => Promise<Answers>

export const pythonReader =
  ({ python, httpfs }: PythonEnvironment, engine: (typeof PYTHON_READERS)[number]): Reader =>
  (url, between) =>
    runPython(python, ['readers.py', engine, url, httpfs], between)

/** @param table as `share.schema.table` */
export const sharingReader =
  (python: string, profile: string, table: string, version: number | undefined): Reader =>
  (_, between) =>
    runPython(
      python,
      ['delta_sharing_reader.py', profile, table, ...(version === undefined ? [] : [`${version}`])],
      between,
    )

async function runPython(
  python: string,
  [script, ...inputs]: readonly [string, ...string[]],
  between: () => Promise<void>,
): Promise<Answers> {
  const child = spawn(python, [join(import.meta.dirname, script), ...inputs], { stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  const ended = once(child, 'close')
  let answer = ''
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'opened') {
      await between()
      child.stdin.write('\n')
    } else answer = line
  }
  const [code] = await ended
  if (code !== 0) throw new Error(errors.trim().split('\n').at(-1) ?? `it ended with ${code}`)
  return JSON.parse(answer) as Answers
}

/** The JavaScript reader, in Node. */
export const hyparquetReader: Reader = async (url, between) => {
  const file = await asyncBufferFromUrl({ url })
  const metadata = await parquetMetadataAsync(file)
  await between()
  const rows = await parquetReadObjects({ file, metadata, columns: ['id', 'code', 'delay'], compressors })
  return {
    count: Number(metadata.num_rows),
    sum: rows.reduce((sum, { delay }) => sum + (delay ?? 0), 0),
    filtered: rows.filter(({ id }) => id >= 40_000 && id <= 42_000).length,
    found: rows.filter(({ code }) => code === 'c777').length,
  }
}

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { CountingProxy } from '../interop/counting-proxy.ts'
import type { PythonEnvironment } from '../interop/python-environment.ts'
import type { ManyFiles } from './many-files.ts'

/** What one query asked for and got. */
export interface QueryFigures {
  readonly reader: string
  readonly query: 'count' | 'sum'
  readonly requests: number
  readonly bytes: number
  readonly milliseconds: number
}

/**
 * Count the rows and sum one column, each as a user does who opens the table for it.
 * @throws Error where an answer is wrong
 */
export async function measureQueries(
  url: string,
  proxy: CountingProxy,
  expected: ManyFiles,
  python: PythonEnvironment | undefined,
): Promise<QueryFigures[]> {
  const queries: [string, QueryFigures['query'], () => Promise<number>][] = [
    ['hyparquet', 'count', () => countByHyparquet(url)],
    ['hyparquet', 'sum', () => sumByHyparquet(url)],
  ]
  if (python) {
    const ask = (what: string) => queryDuckDb(python, `select ${what} from read_parquet('${url}')`)
    queries.push(['DuckDB', 'count', () => ask('count(*)')], ['DuckDB', 'sum', () => ask('sum(value)::bigint')])
  }
  const figures: QueryFigures[] = []
  for (const [reader, query, run] of queries) {
    proxy.take()
    const began = performance.now()
    const answer = await run()
    const milliseconds = performance.now() - began
    const right = query === 'count' ? expected.rows : expected.sum
    if (answer !== right) throw new Error(`${reader} answered ${answer} for the ${query}, not ${right}`)
    const exchanges = proxy.take()
    const bytes = exchanges.reduce((sum, exchange) => sum + exchange.bytes, 0)
    figures.push({ reader, query, requests: exchanges.length, bytes, milliseconds })
  }
  return figures
}

async function countByHyparquet(url: string): Promise<number> {
  const file = await asyncBufferFromUrl({ url })
  return Number((await parquetMetadataAsync(file)).num_rows)
}

async function sumByHyparquet(url: string): Promise<number> {
  const file = await asyncBufferFromUrl({ url })
  const rows = await parquetReadObjects({ file, columns: ['value'], compressors })
  return rows.reduce((sum, { value }) => sum + value, 0)
}

async function queryDuckDb({ python, httpfs }: PythonEnvironment, query: string): Promise<number> {
  const script = join(import.meta.dirname, '../interop/duckdb_query.py')
  return Number((await promisify(execFile)(python, [script, httpfs, query])).stdout)
}

/** Milliseconds until the first byte of each of so many requests, ascending. */
export async function measureFirstBytes(url: string, init: RequestInit, requests: number): Promise<number[]> {
  const durations: number[] = []
  for (let request = 0; request < requests; request++) {
    const began = performance.now()
    const response = await fetch(url, init)
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} answered ${response.status}: ${await response.text()}`)
    const reader = response.body?.getReader()
    await reader?.read()
    durations.push(performance.now() - began)
    while (reader && !(await reader.read()).done);
  }
  return durations.toSorted((a, b) => a - b)
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { FusouClient } from '../client/fusou-client.ts'

const ROWS = 2000
const CLIENTS = 8
export const DATASET = 'reading'
export const TABLE = 'measurements'

/** The table that is read: its rows, the sum of `value`, and the stored bytes of that column before any merge. */
export interface ManyFiles {
  readonly rows: number
  readonly sum: number
  readonly columnBytes: number
}

/** Uploads a table as so many files of eight columns, which stay as they are until somebody asks for a merge. */
export async function uploadManyFiles(
  { webUrl, token, folder }: { webUrl: string; token: string; folder: string },
  files: number,
): Promise<ManyFiles> {
  await keepFilesApart(webUrl, token)
  const client = new FusouClient(webUrl, token)
  const connection = await (await DuckDBInstance.create()).connect()
  const indices = Array.from({ length: files }, (_, index) => index).values()
  let columnBytes = 0
  const send = async () => {
    for (const index of indices) {
      const path = join(folder, `${index}.parquet`)
      await connection.run(`copy (select ${rowsOf(index)}) to '${path}' (format parquet, codec zstd)`)
      const stored = await connection.runAndReadAll(`select sum(total_compressed_size)::bigint
        from parquet_metadata('${path}') where path_in_schema = 'value'`)
      columnBytes += Number(stored.getRows()[0]![0])
      await client.upload({
        datasetId: DATASET,
        tableId: TABLE,
        periodTag: '2026',
        fileName: `${index}.parquet`,
        file: new Blob([readFileSync(path)]),
        way: 'raw',
      })
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, send))
  const counted = await connection.runAndReadAll(`select sum(value)::bigint from (
    select (hash(i) % 1000000)::integer as value from range(${files * ROWS}) t(i))`)
  return { rows: files * ROWS, sum: Number(counted.getRows()[0]![0]), columnBytes }
}

const rowsOf = (index: number) => `i::bigint as id, (hash(i) % 1000000)::integer as value,
  timestamp '2026-01-01' + to_seconds(i::bigint) as at, ('device-' || i % 50) as device, (i % 360)::double / 7 as heading,
  case when i % 5 > 0 then (hash(i + 1) % 100)::smallint end as quality, (i % 2 = 0) as valid, ('note ' || i) as note
  from range(${index * ROWS}, ${(index + 1) * ROWS}) t(i)`

async function keepFilesApart(webUrl: string, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const call = async (method: string, body: unknown) => {
    const response = await fetch(`${webUrl}/api/datasets/${DATASET}`, { method, headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${method} of the dataset answered ${response.status}: ${await response.text()}`)
  }
  await call('PUT', {})
  await call('PATCH', { mergeMinFiles: 1_000_000, mergeMinBytes: 2 ** 40, mergeMaxAgeSeconds: 7 * 86_400 })
}

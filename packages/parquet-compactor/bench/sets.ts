import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

export interface BenchSet {
  name: string
  files: number
  rowsOfFile: number
  codec: 'snappy' | 'zstd'
}

/** The sets of the measurements before: sizes of a file about 207 KiB, 5.7 KiB and 1.35 MiB. */
export const SETS: BenchSet[] = [
  { name: 'telemetry', files: 1000, rowsOfFile: 3000, codec: 'snappy' },
  { name: 'tiny', files: 5000, rowsOfFile: 22, codec: 'snappy' },
  { name: 'wide', files: 200, rowsOfFile: 24_000, codec: 'zstd' },
]

/** 22 columns as telemetry has them; `i` counts rows over all files, `f` the file. */
const COLUMNS = [
  'i as sequence',
  "timestamp '2025-01-01' + to_milliseconds(i * 250 + (hash(i) % 200)::bigint) as recorded_at",
  "'device-' || (hash(f) % 400) as device",
  "(['eu-west', 'us-east', 'ap-south', 'us-west'])[1 + (hash(f * 3) % 4)::int] as region",
  "'3.' || (f // 100) % 9 || '.1' as firmware",
  "(['idle', 'moving', 'charging', 'fault', 'updating'])[1 + (hash(i // 7) % 5)::int] as state",
  'round(20 + 5 * sin(i / 500.0) + (hash(i * 5) % 100) / 100.0, 2) as temperature',
  '(hash(i * 7) % 10000 / 100.0)::float as humidity',
  '(90000 + hash(i * 11) % 20000)::int as pressure',
  '48 + (hash(i * 13) % 1000000) / 1e6 as latitude',
  '11 + (hash(i * 17) % 1000000) / 1e6 as longitude',
  '(hash(i * 19) % 360)::smallint as heading',
  '(hash(i * 23) % 1200 / 10.0)::decimal(6, 1) as speed',
  '(100 - i % 1000 // 10)::tinyint as battery',
  'case when hash(i * 29) % 10 < 3 then null else (hash(i * 31) % 3000)::int end as voltage',
  'hash(i * 37) % 50 = 0 as alarm',
  "case when hash(i * 41) % 20 = 0 then 'E' || (hash(i * 43) % 90) end as error_code",
  'hash(i * 47)::ubigint as nonce',
  "'user-' || (hash(i // 50) % 5000) as operator",
  "date '2025-01-01' + (i // 345600)::int as day",
  '(hash(i * 53) % 256)::utinyint as flags',
  "'/v1/' || (['status', 'position', 'alerts'])[1 + (hash(i * 59) % 3)::int] || '/' || (hash(i * 61) % 200) as route",
]

/** Make the files of a set with DuckDB, unless they are there. @returns their paths, in order */
export async function makeSet(set: BenchSet, files: number, folder: string): Promise<string[]> {
  const place = join(folder, `${set.name}-${files}`)
  mkdirSync(place, { recursive: true })
  const names = Array.from({ length: files }, (_, f) => join(place, `${String(f).padStart(5, '0')}.parquet`))
  if (readdirSync(place).length >= files) return names
  const connection = await (await DuckDBInstance.create()).connect()
  for (let f = 0; f < files; f++) {
    const [from, to] = [f * set.rowsOfFile, (f + 1) * set.rowsOfFile]
    const select = `select ${COLUMNS} from (select i, ${f} as f from range(${from}, ${to}) t(i))`
    await connection.run(`copy (${select}) to '${names[f]}' (format parquet, compression ${set.codec})`)
  }
  connection.closeSync()
  return names
}

export function sizeOf(paths: string[]): number {
  return paths.reduce((sum, path) => sum + readFileSync(path).byteLength, 0)
}

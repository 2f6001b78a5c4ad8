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
  { name: 'telemetry', files: 1000, rowsOfFile: 2950, codec: 'snappy' },
  { name: 'tiny', files: 5000, rowsOfFile: 30, codec: 'snappy' },
  { name: 'wide', files: 200, rowsOfFile: 24_750, codec: 'zstd' },
]

const noise = (salt: number) => `(hash(i * ${salt})::double / 18446744073709551616.0)`

/**
 * 22 columns as telemetry has them: readings of sensors in full precision, which no dictionary makes smaller, and states,
 * names and codes of few distinct values, whose pages of indices are a twelfth of the bytes. `i` counts rows over all
 * files, `f` the file.
 */
const COLUMNS = [
  'i as sequence',
  "timestamp '2025-01-01' + to_milliseconds(i * 250 + (hash(i) % 200)::bigint) as recorded_at",
  "'device-' || (hash(f) % 400) as device",
  "(['eu-west', 'us-east', 'ap-south', 'us-west'])[1 + (hash(f * 3) % 4)::int] as region",
  "'3.' || (f // 100) % 9 || '.1' as firmware",
  "(['idle', 'moving', 'charging', 'fault', 'updating'])[1 + (hash(i // 7) % 5)::int] as state",
  `20 + 5 * sin(i / 500.0) + ${noise(5)} as temperature`,
  `(100 * ${noise(7)})::float as humidity`,
  `101325 + 800 * ${noise(11)} as pressure`,
  `48 + ${noise(13)} as latitude`,
  `11 + ${noise(17)} as longitude`,
  '(hash(i * 19) % 360)::smallint as heading',
  `(30 * ${noise(23)})::float as speed`,
  '(100 - i % 1000 // 10)::tinyint as battery',
  `case when hash(i * 29) % 10 < 3 then null else 3 + ${noise(31)} end as voltage`,
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

import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { makeSet, SETS } from './sets.ts'

/** Files to merge, and what is asked of the output. */
export interface BenchInput {
  name: string
  paths: string[]
  bytesIn: number
  codec: 'snappy' | 'zstd'
  /** its values overlap in all files */
  sortColumn: string
  queries: Record<'filtered aggregate' | '1 % range' | 'full scan', string>
}

export const INPUT_NAMES = [...SETS.map(({ name }) => name), 'flights']

/** Files of the whole set at scale 1. */
const FLIGHTS_FILES = 1000

/** FILE stands for the output. The full scan is a sum over rows in any order, so outputs of equal rows give equal sums. */
const FULL_SCAN = "select bit_xor(hash(t)) from 'FILE' t"

/** Make the files with DuckDB, unless they are there. @param scale part of the files of the set, of which two are made at least */
export async function makeInput(name: string, scale: number, folder: string): Promise<BenchInput> {
  mkdirSync(folder, { recursive: true })
  const set = SETS.find((other) => other.name === name)
  if (!set) return makeFlights(Math.max(2, Math.round(FLIGHTS_FILES * scale)), folder)
  const files = Math.max(2, Math.round(set.files * scale))
  const paths = await makeSet(set, files, folder)
  const rows = files * set.rowsOfFile
  return {
    name,
    paths,
    bytesIn: sizeOf(paths),
    codec: set.codec,
    sortColumn: 'temperature',
    queries: {
      'filtered aggregate':
        "select region, avg(temperature), count(*) from 'FILE' where state = 'fault' group by region",
      '1 % range': `select avg(temperature), max(nonce) from 'FILE' where sequence between ${Math.floor(rows * 0.6)} and ${Math.floor(rows * 0.61)}`,
      'full scan': FULL_SCAN,
    },
  }
}

/** Three million flights of 2001 (vega-datasets), cut into files of equal numbers of rows. */
async function makeFlights(files: number, folder: string): Promise<BenchInput> {
  const source = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/flights-3m.parquet')
  const place = join(folder, `flights-${files}`)
  mkdirSync(place, { recursive: true })
  const paths = Array.from({ length: files }, (_, f) => join(place, `${String(f).padStart(5, '0')}.parquet`))
  if (readdirSync(place).length < files) {
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(`create table flights as from '${source}'`)
    // the part of the table that the scale names, so that files keep their size
    const rows = 3_000_000 / FLIGHTS_FILES
    for (const [f, path] of paths.entries()) {
      await connection.run(
        `copy (from flights where rowid >= ${f * rows} and rowid < ${(f + 1) * rows}) to '${path}' (format parquet)`,
      )
    }
    connection.closeSync()
  }
  return {
    name: 'flights',
    paths,
    bytesIn: sizeOf(paths),
    codec: 'snappy',
    sortColumn: 'delay',
    queries: {
      'filtered aggregate': "select origin, avg(delay), count(*) from 'FILE' where destination = 'LAX' group by origin",
      '1 % range': "select avg(delay), max(distance) from 'FILE' where date between '2001-03-01' and '2001-03-02'",
      'full scan': FULL_SCAN,
    },
  }
}

export function sizeOf(paths: string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).size, 0)
}

/** For processes that get too many paths for their arguments. */
export function writeList(input: BenchInput, folder: string): string {
  const path = join(folder, `${input.name}-${input.paths.length}.json`)
  writeFileSync(path, JSON.stringify(input.paths))
  return path
}

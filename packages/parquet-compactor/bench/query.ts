/** What DuckDB finds in an output, with one thread: query FILE QUERIES [SORT_COLUMN], where queries are JSON by their names */
import { statSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'

export interface OutputFacts {
  bytes: number
  rowGroups: number
  /** medians */
  querySeconds: Record<string, number>
  /** of the rows in any order */
  checksum: string
  /** rows that come before their place by the sort column, if one is given */
  unsortedRows: number | null
}

/** a first run brings the file into the page cache and is not counted */
const RUNS = 5

const [file, text, sortColumn] = process.argv.slice(2) as [string, string, string | undefined]
const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
const ask = async (sql: string) => (await connection.runAndReadAll(sql.replaceAll('FILE', file))).getRowsJson()

const querySeconds: Record<string, number> = {}
let checksum = ''
for (const [name, sql] of Object.entries(JSON.parse(text) as Record<string, string>)) {
  const times: number[] = []
  for (let run = 0; run <= RUNS; run++) {
    const started = performance.now()
    const rows = await ask(sql)
    if (run > 0) times.push((performance.now() - started) / 1000)
    if (name === 'full scan') checksum = String(rows[0]![0])
  }
  querySeconds[name] = times.sort((a, b) => a - b)[times.length >> 1]!
}
const unsorted = sortColumn
  ? `select count(*) from (select ${sortColumn} < lag(${sortColumn}) over (order by file_row_number) as early
      from read_parquet('FILE', file_row_number = true)) where early`
  : undefined
const facts: OutputFacts = {
  bytes: statSync(file).size,
  rowGroups: Number((await ask("select count(distinct row_group_id) from parquet_metadata('FILE')"))[0]![0]),
  querySeconds,
  checksum,
  unsortedRows: unsorted ? Number((await ask(unsorted))[0]![0]) : null,
}
console.log(JSON.stringify(facts))

/** What DuckDB finds in outputs, with one thread: query FILES QUERIES [SORT_COLUMN], files and queries, by their names, as JSON */
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

/** Queries take milliseconds, and the machine changes its pace: outputs are asked in turn, many times. */
const RUNS = 15

const [fileList, queryList, sortColumn] = process.argv.slice(2) as [string, string, string | undefined]
const files: string[] = JSON.parse(fileList)
const queries = Object.entries(JSON.parse(queryList) as Record<string, string>)
const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
const ask = async (sql: string, file: string) =>
  (await connection.runAndReadAll(sql.replaceAll('FILE', file))).getRowsJson()

const secondsOf = new Map(files.map((file) => [file, {} as Record<string, number>]))
const checksums = new Map<string, string>()
for (const [name, sql] of queries) {
  const times = new Map(files.map((file) => [file, [] as number[]]))
  // a first run brings the files into the page cache and is not counted
  for (let run = 0; run <= RUNS; run++) {
    for (const file of files) {
      const started = performance.now()
      const rows = await ask(sql, file)
      if (run > 0) times.get(file)!.push((performance.now() - started) / 1000)
      if (name === 'full scan') checksums.set(file, String(rows[0]![0]))
    }
  }
  for (const [file, own] of times) secondsOf.get(file)![name] = own.sort((a, b) => a - b)[own.length >> 1]!
}

const unsorted = `select count(*) from (select ${sortColumn} < lag(${sortColumn}) over (order by file_row_number) as early
  from read_parquet('FILE', file_row_number = true)) where early`
const facts: OutputFacts[] = []
for (const file of files) {
  const rowGroups = await ask("select count(distinct row_group_id) from parquet_metadata('FILE')", file)
  facts.push({
    bytes: statSync(file).size,
    rowGroups: Number(rowGroups[0]![0]),
    querySeconds: secondsOf.get(file)!,
    checksum: checksums.get(file)!,
    unsortedRows: sortColumn ? Number((await ask(unsorted, file))[0]![0]) : null,
  })
}
console.log(JSON.stringify(facts))

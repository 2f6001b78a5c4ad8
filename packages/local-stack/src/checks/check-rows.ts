import { DuckDBInstance } from '@duckdb/node-api'
import type { ResultFile } from '../demo/download-result.ts'

/** The rows that an upload put somewhere, or may have. */
export interface Stored {
  /** the value that all its rows have in the column `upload` */
  upload: number
  rows: number
  datasetId: string
  table: string
  periodTag: string
  /** `whole`: it was answered; `whole or not`: it was sent, but no answer came */
  there: 'whole' | 'whole or not'
}

const partitionOf = ({ datasetId, table, periodTag }: Pick<Stored, 'datasetId' | 'table' | 'periodTag'>) =>
  `${datasetId}/${table}/${periodTag}`

/**
 * Read every live file, and hold its rows against what was uploaded.
 * @returns a sentence for each upload whose rows are not in its partition exactly once, and for each that nobody sent
 */
export async function checkRows(stored: readonly Stored[], files: readonly ResultFile[]): Promise<string[]> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  const faults: string[] = []
  const uploads = Map.groupBy(stored, partitionOf)
  const live = Map.groupBy(files, partitionOf)
  for (const partition of new Set([...uploads.keys(), ...live.keys()])) {
    const wanted = new Map((uploads.get(partition) ?? []).map((upload) => [upload.upload, upload]))
    const paths = (live.get(partition) ?? []).map(({ path }) => `'${path}'`)
    const found =
      paths.length === 0
        ? []
        : (
            await connection.runAndReadAll(`select upload, count(*), count(distinct row), min(row), max(row),
                count(*) filter (payload is distinct from md5(row::varchar))
              from read_parquet([${paths.join(', ')}]) group by upload order by upload`)
          ).getRows()
    for (const [upload, ...counts] of found.map((row) => row.map(Number)) as [number, ...number[]][]) {
      const [all, distinct, first, last, wrong] = counts
      const rows = wanted.get(upload)?.rows
      if (rows === undefined) faults.push(`${partition}: rows of upload ${upload}, which was not sent there`)
      else if (all !== rows || distinct !== rows || first !== 0 || last !== rows - 1)
        faults.push(`${partition}: upload ${upload} has ${all} rows, ${distinct} of them distinct, instead of ${rows}`)
      else if (wrong !== 0) faults.push(`${partition}: upload ${upload} has ${wrong} rows with another value`)
      wanted.delete(upload)
    }
    for (const { upload, there } of wanted.values())
      if (there === 'whole') faults.push(`${partition}: upload ${upload} was answered and is not there`)
  }
  connection.closeSync()
  instance.closeSync()
  return faults
}

import type { DuckDBConnection } from '@duckdb/node-api'
import type { ProgressLine } from '../support/progress-line.ts'
import { checksumTable, compareChecksums } from './checksum-table.ts'
import { COLUMNS } from './cut-source.ts'
import type { ResultFile } from './download-result.ts'
import type { Partition } from './plan-fragments.ts'

/**
 * Hold every partition of the result against the rows of the source it was cut from.
 * @returns a sentence for each difference, and for each partition that is not one file
 */
export async function compareWithSource(
  connection: DuckDBConnection,
  partitions: readonly Partition[],
  files: readonly ResultFile[],
  progress: ProgressLine,
): Promise<string[]> {
  const faults: string[] = []
  const left = Map.groupBy(files, nameOf)
  for (const [index, partition] of partitions.entries()) {
    progress.show(`comparing: ${index + 1} of ${partitions.length} partitions`)
    const name = nameOf(partition)
    const found = left.get(name) ?? []
    left.delete(name)
    if (found.length !== 1) faults.push(`${name}: ${found.length} files instead of one`)
    if (found.length === 0) continue
    const end = partition.firstRow + partition.rows
    const rows = `(from source where seq >= ${partition.firstRow} and seq < ${end})`
    const source = await checksumTable(connection, rows, COLUMNS)
    const result = await checksumTable(connection, `read_parquet([${pathList(found)}])`, COLUMNS)
    faults.push(...compareChecksums(source, result).map((difference) => `${name}: ${difference}`))
  }
  for (const name of left.keys()) faults.push(`${name}: nobody uploaded to it`)
  return faults
}

const nameOf = ({ datasetId, table, periodTag }: { datasetId: string; table: string; periodTag: string }) =>
  `${datasetId}/${table}/${periodTag}`

const pathList = (files: readonly ResultFile[]) => files.map(({ path }) => `'${path}'`).join(', ')

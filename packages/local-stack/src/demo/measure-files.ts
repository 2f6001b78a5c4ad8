import type { DuckDBConnection } from '@duckdb/node-api'

export interface MeasuredFile {
  datasetId: string
  table: string
  path: string
  bytes: number
  rowGroups: number
}

export async function countRowGroups(
  connection: DuckDBConnection,
  files: readonly Omit<MeasuredFile, 'rowGroups'>[],
): Promise<MeasuredFile[]> {
  const list = files.map(({ path }) => `'${path}'`).join(', ')
  const counted = await connection.runAndReadAll(
    `select file_name, num_row_groups from parquet_file_metadata([${list}])`,
  )
  const rowGroups = new Map(counted.getRows().map(([name, groups]) => [String(name), Number(groups)]))
  return files.map((file) => ({ ...file, rowGroups: rowGroups.get(file.path)! }))
}

/** Tables of one dataset with the same letters before `_` make one line: `airports_00` … `airports_32`. */
const lineOf = ({ datasetId, table }: MeasuredFile) =>
  `${datasetId} ${table.includes('_') ? `${table.split('_')[0]}_*` : table}`

/** A table of files, row groups and bytes before and after, with a line for each table and one for all. */
export function printSizes(before: readonly MeasuredFile[], after: readonly MeasuredFile[]): string {
  const lines = [...Map.groupBy(before, lineOf).keys()].sort()
  const rows = [...lines, 'all'].map((line) => {
    const of = (files: readonly MeasuredFile[]) => files.filter((file) => line === 'all' || lineOf(file) === line)
    return [
      line,
      ...cells(of(before), of(after), (files) => files.length),
      ...cells(of(before), of(after), (files) => total(files, 'rowGroups')),
      ...cells(of(before), of(after), (files) => total(files, 'bytes')),
    ]
  })
  const head = ['table', 'files', '→', 'row groups', '→', 'bytes', '→']
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)))
  return [head, ...rows]
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n')
}

const total = (files: readonly MeasuredFile[], what: 'rowGroups' | 'bytes') =>
  files.reduce((sum, file) => sum + file[what], 0)

const cells = <T>(before: T, after: T, measure: (files: T) => number) =>
  [before, after].map((files) => measure(files).toLocaleString('en'))

import type { DuckDBConnection } from '@duckdb/node-api'

/** Checksum of a set of rows, whatever their order: equal rows give equal values. */
export interface TableChecksum {
  rows: bigint
  /** by column name: SQL type, and sum and xor of the hashes of all values */
  columns: Record<string, { type: string; sum: string; xor: string }>
  /** sum of the hashes of whole rows: catches values that changed places between rows */
  wholeRows: string
}

/**
 * @param relation anything that may follow FROM
 * @param columns  names that hold data; the others of the relation are left out
 */
export async function checksumTable(
  connection: DuckDBConnection,
  relation: string,
  columns: readonly string[],
): Promise<TableChecksum> {
  const names = columns.map((name) => `"${name}"`)
  const perColumn = names.flatMap((name) => [
    `coalesce(any_value(typeof(${name})), '') `,
    `coalesce(sum(hash(${name})), 0)::varchar`,
    `coalesce(bit_xor(hash(${name})), 0)::varchar`,
  ])
  const wholeRows = `coalesce(sum(hash(${names.join(', ')})), 0)::varchar`
  const result = await connection.runAndReadAll(
    `select count(*), ${wholeRows}, ${perColumn.join(', ')} from ${relation}`,
  )
  const [rows, whole, ...values] = result.getRows()[0] as [bigint, string, ...string[]]
  return {
    rows,
    wholeRows: whole,
    columns: Object.fromEntries(
      columns.map((name, i) => [name, { type: values[i * 3]!, sum: values[i * 3 + 1]!, xor: values[i * 3 + 2]! }]),
    ),
  }
}

/** @returns a sentence for each difference, none when the rows are the same */
export function compareChecksums(source: TableChecksum, result: TableChecksum): string[] {
  const differences: string[] = []
  if (source.rows !== result.rows) differences.push(`${result.rows} rows instead of ${source.rows}`)
  const names = new Set([...Object.keys(source.columns), ...Object.keys(result.columns)])
  for (const name of names) {
    const [a, b] = [source.columns[name], result.columns[name]]
    if (!a || !b) differences.push(`column ${name} is only in the ${a ? 'source' : 'result'}`)
    else if (a.type !== b.type) differences.push(`column ${name} is ${b.type || 'without values'} instead of ${a.type}`)
    else if (a.sum !== b.sum || a.xor !== b.xor) differences.push(`column ${name} has other values`)
  }
  if (differences.length === 0 && source.wholeRows !== result.wholeRows)
    differences.push('the columns have the same values, but in other rows')
  return differences
}

import type { DuckDBConnection } from '@duckdb/node-api'

const RUNS = 5

/** @returns a line that names the query, and its median time on the fragments and on the result */
export async function timeQueries(
  connection: DuckDBConnection,
  fragmentPaths: readonly string[],
  resultPaths: readonly string[],
): Promise<string> {
  const before = await medianMs(connection, fragmentPaths)
  const after = await medianMs(connection, resultPaths)
  return (
    `${aggregate('…')}\n  on ${fragmentPaths.length} fragments ${before.toFixed(0)} ms, on ${resultPaths.length} ` +
    `${resultPaths.length === 1 ? 'file' : 'files'} of the result ${after.toFixed(0)} ms: ${(before / after).toFixed(1)} times as fast (DuckDB, median of ${RUNS} runs)`
  )
}

const aggregate = (from: string) =>
  `select origin, count(*), avg(delay), max(distance) from read_parquet([${from}]) group by origin`

async function medianMs(connection: DuckDBConnection, paths: readonly string[]): Promise<number> {
  const query = aggregate(paths.map((path) => `'${path}'`).join(', '))
  const times: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const from = performance.now()
    await connection.runAndReadAll(query)
    times.push(performance.now() - from)
  }
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!
}

import { AsyncDuckDB, createWorker, VoidLogger } from '@duckdb/duckdb-wasm'
import { type Reader, sqlOf } from '../open-table.ts'

/** Where the page's own origin serves DuckDB-Wasm. */
export const DUCKDB_WORKER = '/duckdb-browser-eh.worker.js'
export const DUCKDB_MODULE = '/duckdb-eh.wasm'

/** DuckDB-Wasm, in a worker of the page. */
export const openByDuckDb: Reader = async (url) => {
  const own = (path: string) => new URL(path, location.href).href
  const worker = await createWorker(own(DUCKDB_WORKER))
  const database = new AsyncDuckDB(new VoidLogger(), worker)
  await database.instantiate(own(DUCKDB_MODULE))
  const connection = await database.connect()
  await connection.query(`create view t as select * from read_parquet('${url}')`)
  const queries = sqlOf('t')
  return {
    ask: async (query) => Number((await connection.query(queries[query])).getChildAt(0)?.get(0)),
    close: () => database.terminate(),
  }
}

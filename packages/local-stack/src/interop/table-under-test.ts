import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { FusouClient } from '../client/fusou-client.ts'
import { type Answers, QUERIES, sqlOf } from './open-table.ts'

const FRAGMENTS = 60
const ROWS = 1000
/** Merged before the others come. */
const FIRST_FRAGMENTS = 40
/** A multiple of the vectors of DuckDB. */
const PLAIN_ROW_GROUP_ROWS = 10_240
const CODECS = ['zstd', 'snappy', 'gzip', 'uncompressed'] as const
const POLL_MS = 200
export const DATASET = 'interop'
export const TABLE = 'flights'

/** A table of merged files and fragments, of four codecs, with nested and null values, and the same rows in DuckDB. */
export class TableUnderTest {
  readonly #client: FusouClient
  readonly #connection: DuckDBConnection
  readonly #folder: string
  #extra = 0

  private constructor(client: FusouClient, connection: DuckDBConnection, folder: string) {
    this.#client = client
    this.#connection = connection
    this.#folder = folder
  }

  static async make(client: FusouClient, folder: string): Promise<TableUnderTest> {
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run(`create table source as select
        i::integer as id, ('c' || i % 1000) as code, case when i % 7 > 0 then (hash(i) % 300)::integer - 50 end as delay,
        md5((i // 20)::varchar) as booking,
        (date '2026-01-01' + (i // 5000)::integer) as date, case when i % 11 > 0 then i / 3 end as distance,
        [i, i + 1]::integer[] as legs, {'row': (i % 30)::integer, 'seat': chr((65 + i % 6)::integer)} as place
      from range(${FRAGMENTS * ROWS}) t(i)`)
    const table = new TableUnderTest(client, connection, folder)
    await table.#upload(0, FIRST_FRAGMENTS)
    await table.merge()
    await table.#upload(FIRST_FRAGMENTS, FRAGMENTS)
    return table
  }

  /** What every reader must find. */
  async answers(): Promise<Answers> {
    const queries = sqlOf('source')
    const found: Partial<Record<keyof Answers, number>> = {}
    for (const query of QUERIES) {
      const result = await this.#connection.runAndReadAll(queries[query])
      found[query] = Number(result.getRows()[0]![0])
    }
    return found as Answers
  }

  /** The same rows in one file, as DuckDB writes them, of six row groups. @returns its path */
  async writePlainFile(): Promise<string> {
    const path = join(this.#folder, 'plain.parquet')
    await this.#connection.run(`copy (select * from source order by id) to '${path}'
      (format parquet, codec 'zstd', row_group_size ${PLAIN_ROW_GROUP_ROWS})`)
    return path
  }

  /** Merges all that is small, and two more fragments without rows, so that there is always something to merge. */
  async change(): Promise<void> {
    for (let empty = 0; empty < 2; empty++) {
      this.#extra += 1
      // the name in its metadata makes a file of its own of each
      await this.#uploadFile('select * from source limit 0', CODECS[empty]!, `empty-${this.#extra}`)
    }
    await this.merge()
  }

  async merge(): Promise<void> {
    const jobId = await this.#client.askForMerge(DATASET)
    for (;;) {
      const job = (await this.#client.jobs(DATASET)).find(({ id }) => id === jobId)
      if (job?.state === 'succeeded') return
      if (job?.state === 'dead' || job?.state === 'cancelled') throw new Error(`the merge is ${job.state}`)
      await wait(POLL_MS)
    }
  }

  async #upload(from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      const rows = `select * from source where id >= ${index * ROWS} and id < ${(index + 1) * ROWS} order by id`
      await this.#uploadFile(rows, CODECS[index % CODECS.length]!, `fragment-${index}`)
    }
  }

  async #uploadFile(query: string, codec: (typeof CODECS)[number], name: string): Promise<void> {
    const path = join(this.#folder, `${name}.parquet`)
    await this.#connection.run(
      `copy (${query}) to '${path}' (format parquet, codec '${codec}', kv_metadata {name: '${name}'})`,
    )
    await this.#client.upload({
      datasetId: DATASET,
      tableId: TABLE,
      periodTag: '2026',
      fileName: `${name}.parquet`,
      file: new Blob([readFileSync(path)]),
      way: 'raw',
    })
  }
}

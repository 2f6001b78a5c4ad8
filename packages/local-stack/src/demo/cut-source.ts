import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { SeededRandom } from '../support/seeded-random.ts'
import { FLIGHTS } from './flights-file.ts'
import { type Fragment, type Partition, type PlannedUpload, planBundles, planSingleUploads } from './plan-fragments.ts'

const SEED = 20_010_101
const BUNDLES_OF_A_USER = 22
/** the columns of flights-3m.parquet */
export const COLUMNS = ['date', 'delay', 'distance', 'origin', 'destination'] as const

/** A fragment on disk. */
export interface CutFragment extends Fragment {
  path: string
  bytes: number
  sha256: string
}

export interface Upload extends PlannedUpload {
  fragments: CutFragment[]
}

export interface CutSource {
  connection: DuckDBConnection
  partitions: Partition[]
  uploads: Upload[]
}

/**
 * Spread the source over two users, each with a dataset of single files (a table for each range of distance, a period
 * tag for each month) and one of bundles (a tenth of the rows, up to 33 tables), then cut it into files.
 * @param onCut gets the number of files cut so far and of all
 */
export async function cutSource(folder: string, onCut: (done: number, all: number) => void): Promise<CutSource> {
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`create table source as
    select *, row_number() over (order by dataset_id, table_name, period_tag, rn) - 1 as seq
    from (
      select ${COLUMNS.join(', ')}, file_row_number as rn, rn % 10 = 0 as bundled,
        case when origin < 'LAX' then 'ada' else 'bob' end as owner,
        owner || case when bundled then '-bundles' else '-flights' end as dataset_id,
        case when bundled then printf('airports_%02d', (hash(origin) % 33)::integer)
             when distance < 500 then 'short' when distance < 1200 then 'medium' else 'long' end as table_name,
        case when bundled then '0' else strftime(date, '%Y-%m') end as period_tag
      from read_parquet('${FLIGHTS}', file_row_number = true)
    )
    order by seq`)
  const partitions = (
    await connection.runAndReadAll(`select dataset_id, table_name, period_tag, min(seq), count(*)
      from source group by all order by 4`)
  )
    .getRows()
    .map(
      ([datasetId, table, periodTag, firstRow, rows]) =>
        ({ datasetId, table, periodTag, firstRow: Number(firstRow), rows: Number(rows) }) as Partition,
    )
  const planned = planUploads(partitions)
  const all = planned.reduce((count, { fragments }) => count + fragments.length, 0)
  mkdirSync(folder, { recursive: true })
  let done = 0
  const cut = async (fragment: Fragment, writer: DuckDBConnection): Promise<CutFragment> => {
    const path = join(folder, `${String(done++).padStart(5, '0')}.parquet`)
    await writer.run(`copy (
      select ${COLUMNS.join(', ')} from source
      where seq >= ${fragment.firstRow} and seq < ${fragment.firstRow + fragment.rows} order by seq
    ) to '${path}' (format parquet, compression ${fragment.compression}, row_group_size ${fragment.rowGroupRows})`)
    onCut(done, all)
    const bytes = readFileSync(path)
    return { ...fragment, path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  }
  const uploads: Upload[] = []
  const queue = planned.entries()
  const work = async () => {
    const writer = await instance.connect()
    for (const [index, upload] of queue) {
      const fragments: CutFragment[] = []
      for (const fragment of upload.fragments) fragments.push(await cut(fragment, writer))
      uploads[index] = { ...upload, fragments }
    }
    writer.closeSync()
  }
  await connection.run('set threads = 2')
  await Promise.all([work(), work()])
  return { connection, partitions, uploads }
}

function planUploads(partitions: Partition[]): PlannedUpload[] {
  const random = new SeededRandom(SEED)
  const ofDataset = Map.groupBy(partitions, ({ datasetId }) => datasetId)
  return [...ofDataset].flatMap(([datasetId, parts]) =>
    datasetId.endsWith('-bundles') ? planBundles(parts, BUNDLES_OF_A_USER, random) : planSingleUploads(parts, random),
  )
}

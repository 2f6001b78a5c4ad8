import { asyncBufferFromUrl, type ParquetQueryFilter, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { BOOKING, CODE, ID_FROM, ID_TO, type Query, type Reader } from './open-table.ts'

/** The JavaScript reader, in Node as in a page. */
export const openByHyparquet: Reader = async (url) => {
  const file = await asyncBufferFromUrl({ url })
  const metadata = await parquetMetadataAsync(file)
  const rowsWhere = async (column: string, filter: ParquetQueryFilter) =>
    (await parquetReadObjects({ file, metadata, columns: [column], filter, useBloomFilters: true, compressors })).length
  const answers: Record<Query, () => Promise<number>> = {
    count: async () => Number(metadata.num_rows),
    async sum() {
      const rows = await parquetReadObjects({ file, metadata, columns: ['delay'], compressors })
      return rows.reduce((sum, { delay }) => sum + (delay ?? 0), 0)
    },
    filtered: () => rowsWhere('id', { id: { $gte: ID_FROM, $lte: ID_TO } }),
    found: () => rowsWhere('code', { code: { $eq: CODE } }),
    point: () => rowsWhere('booking', { booking: { $eq: BOOKING } }),
  }
  return { ask: (query) => answers[query](), close: async () => {} }
}

import { PeriodTag } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { linkSigner } from '../../auth/link-signer.ts'
import { filled, integer } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { openTable } from '../../tables/open-table.ts'
import { ENGINES, ENGINES_OF_PINNED, SNIPPETS } from '../../tables/snippets.ts'
import { TableAddress } from '../datasets/shared-inputs.ts'
import { LINK_SECONDS, tableFilePath } from './table-links.ts'

export const tableSnippet = route(
  {
    method: 'get',
    path: '/api/datasets/:id/tables/:table/query',
    summary: 'Lines that read the table in an engine, with a link in them that works for a day',
    access: 'reader',
    scope: 'read',
    params: TableAddress,
    query: z.object({
      for: z.enum(ENGINES),
      period: filled(PeriodTag.optional()),
      version: filled(integer(z.int().nonnegative()).optional()),
    }),
    answers: { 200: { description: 'To be pasted as it is', mediaType: 'text/plain' } },
    errors: [
      'unknown_dataset',
      'unknown_table',
      'table_refused',
      'object_missing',
      'storage_unavailable',
      'overloaded',
    ],
  },
  async (c, { params: { id, table }, query: { for: engine, period, version } }) => {
    const pin = async () => {
      if (version !== undefined || !ENGINES_OF_PINNED.includes(engine)) return version
      const services = { catalog: c.var.services.catalog, bucket: c.env.BUCKET }
      const scope = { datasetId: id, table, periodTag: period }
      return (await openTable(services, scope, requesterOf(c), { pinned: true })).version
    }
    const signer = await linkSigner(c, id, new Date(Date.now() + LINK_SECONDS * 1000))
    const url = await signer.sign(tableFilePath({ datasetId: id, table, version: await pin(), period }))
    return c.text(SNIPPETS[engine](url))
  },
)

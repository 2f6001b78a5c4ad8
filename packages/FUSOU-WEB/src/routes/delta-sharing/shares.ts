import { DatasetId, TableName } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { checkSchema, noShare, SCHEMA, SchemaAddress, ShareAddress, toShared } from '../../delta-sharing/names.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'

const SharesToken = cursor(z.strictObject({ id: DatasetId }))
const TablesToken = cursor(z.strictObject({ table: TableName }))

const pageQuery = <Token extends z.ZodType>(token: Token) =>
  z.object({ maxResults: pageSize(500, 1000), pageToken: filled(token.optional()) })

/** Left out on the last page. */
const NextPageToken = z.string().optional()
const Share = z.object({ name: z.string(), id: DatasetId }).meta({ id: 'DeltaShare' })
const SharedTable = z
  .object({ name: z.string(), schema: z.literal(SCHEMA), share: z.string(), shareId: DatasetId, id: z.string() })
  .meta({ id: 'DeltaSharedTable' })
const SharedTables = z
  .object({ items: z.array(SharedTable), nextPageToken: NextPageToken })
  .meta({ id: 'DeltaSharedTables' })

export const listShares = route(
  {
    method: 'get',
    path: '/api/delta-sharing/shares',
    summary: 'Delta Sharing: datasets that you own or that were shared with you; each is a share',
    access: 'reader',
    scope: 'read',
    query: pageQuery(SharesToken.schema),
    answers: {
      200: {
        description: 'One page',
        schema: z.object({ items: z.array(Share), nextPageToken: NextPageToken }).meta({ id: 'DeltaShares' }),
      },
    },
  },
  async (c, { query: { maxResults, pageToken } }) => {
    const query = { scope: 'all', after: pageToken?.id, limit: maxResults + 1 } as const
    const datasets = await c.var.services.catalog.listDatasets(requesterOf(c), query)
    const shown = datasets.slice(0, maxResults)
    const last = datasets.length > maxResults ? shown.at(-1) : undefined
    return c.json({
      items: shown.map(({ id }) => ({ name: toShared(id), id })),
      ...(last && { nextPageToken: SharesToken.encode({ id: last.id }) }),
    })
  },
)

export const getShare = route(
  {
    method: 'get',
    path: '/api/delta-sharing/shares/:share',
    summary: 'Delta Sharing: one share',
    access: 'reader',
    scope: 'read',
    params: ShareAddress,
    answers: { 200: { description: 'The share', schema: z.object({ share: Share }).meta({ id: 'DeltaShareAnswer' }) } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { share } }) => {
    await checkShare(c, share)
    return c.json({ share: { name: toShared(share), id: share } })
  },
)

export const listSchemas = route(
  {
    method: 'get',
    path: '/api/delta-sharing/shares/:share/schemas',
    summary: `Delta Sharing: the schemas of a share, which are one, ${SCHEMA}`,
    access: 'reader',
    scope: 'read',
    params: ShareAddress,
    query: pageQuery(z.never()),
    answers: {
      200: {
        description: 'All of them',
        schema: z
          .object({ items: z.array(z.object({ name: z.literal(SCHEMA), share: z.string() })) })
          .meta({ id: 'DeltaSchemas' }),
      },
    },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { share } }) => {
    await checkShare(c, share)
    return c.json({ items: [{ name: SCHEMA, share: toShared(share) }] })
  },
)

export const listSharedTables = route(
  {
    method: 'get',
    path: '/api/delta-sharing/shares/:share/schemas/:schema/tables',
    summary: 'Delta Sharing: the tables of a schema',
    access: 'reader',
    scope: 'read',
    params: SchemaAddress,
    query: pageQuery(TablesToken.schema),
    answers: { 200: { description: 'One page', schema: SharedTables } },
    errors: ['unknown_dataset', 'unknown_table'],
  },
  async (c, { params: { share, schema }, query }) => {
    const answer = await tablesOf(c, share, query)
    checkSchema(schema)
    return c.json(answer)
  },
)

export const listAllSharedTables = route(
  {
    method: 'get',
    path: '/api/delta-sharing/shares/:share/all-tables',
    summary: 'Delta Sharing: the tables of a share',
    access: 'reader',
    scope: 'read',
    params: ShareAddress,
    query: pageQuery(TablesToken.schema),
    answers: { 200: { description: 'One page', schema: SharedTables } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { share }, query }) => c.json(await tablesOf(c, share, query)),
)

async function tablesOf(
  c: Context<AppEnv>,
  datasetId: string,
  { maxResults, pageToken }: { maxResults: number; pageToken?: { table: string } | undefined },
): Promise<z.infer<typeof SharedTables>> {
  const page = { after: pageToken?.table, limit: maxResults + 1 }
  const listed = await c.var.services.catalog.listTables(datasetId, requesterOf(c), page)
  if (listed.outcome === 'unknown_dataset') throw noShare(datasetId)
  const shown = listed.tables.slice(0, maxResults)
  const last = listed.tables.length > maxResults ? shown.at(-1) : undefined
  const share = toShared(datasetId)
  return {
    items: shown.map(({ table }) => ({
      name: toShared(table),
      schema: SCHEMA,
      share,
      shareId: datasetId,
      id: `${datasetId}/${table}`,
    })),
    ...(last && { nextPageToken: TablesToken.encode({ table: last.table }) }),
  }
}

async function checkShare(c: Context<AppEnv>, datasetId: string): Promise<void> {
  const { outcome } = await c.var.services.catalog.versionAt(datasetId, requesterOf(c), {})
  if (outcome !== 'ok') throw noShare(datasetId)
}

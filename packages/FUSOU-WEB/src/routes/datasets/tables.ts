import {
  DatasetId,
  DescribedTable,
  FusouError,
  ListedTable,
  TableName,
  TableSettings,
  TableSettingsChanges,
} from '@fusou/catalog'
import type { DescribedColumn } from '@fusou/parquet-compactor'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { DeletionAnswer } from './datasets.ts'
import { DatasetAddress, noDataset, PeriodAddress, TableAddress, withDefaults } from './shared-inputs.ts'
import { readColumns } from './table-columns.ts'

/** Schemas of which an answer has the columns; of the others it has the fingerprints. */
const MAX_SHOWN_SCHEMAS = 5
const MAX_SHOWN_COLUMNS = 1000

const noTable = (id: string, table: string) =>
  new FusouError('unknown_table', `no table ${table} in ${id}; GET /api/datasets/${id}/tables lists them`)

const TablesCursor = cursor(z.strictObject({ table: TableName }))
const TablesPage = z
  .object({ datasetId: DatasetId, version: z.int(), tables: z.array(ListedTable), nextCursor: z.string().nullable() })
  .meta({ id: 'TablesPage' })

export const listTables = route(
  {
    method: 'get',
    path: '/api/datasets/:id/tables',
    summary: 'The tables of a dataset that have data, in order of name',
    access: 'reader',
    scope: 'read',
    params: DatasetAddress,
    query: z.object({ cursor: filled(TablesCursor.schema.optional()), limit: pageSize(100, 1000) }),
    answers: { 200: { description: 'One page', schema: TablesPage } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id }, query: { cursor: after, limit } }) => {
    const page = { after: after?.table, limit: limit + 1 }
    const listed = await c.var.services.catalog.listTables(id, requesterOf(c), page)
    if (listed.outcome === 'unknown_dataset') throw noDataset(id)
    const tables = listed.tables.slice(0, limit)
    const last = listed.tables.length > limit ? tables.at(-1) : undefined
    const answer: z.infer<typeof TablesPage> = {
      datasetId: id,
      version: listed.version,
      tables,
      nextCursor: last ? TablesCursor.encode({ table: last.table }) : null,
    }
    return c.json(answer)
  },
)

const Column = z
  .object({
    name: z.string().meta({ description: 'as sortBy and dedupeBy take it' }),
    type: z.string().meta({ description: 'logical and physical type' }),
    nullable: z.boolean(),
    repeated: z.boolean(),
    sortable: z.boolean(),
  })
  .meta({ id: 'Column' })
const DescribedSchema = DescribedTable.shape.schemas.element.omit({ sample: true }).extend({
  columns: z
    .array(Column)
    .nullable()
    .meta({ description: `of the first ${MAX_SHOWN_SCHEMAS} schemas that a live file has; null: not read` }),
  columnsOmitted: z.int(),
})
const TableAnswer = DescribedTable.omit({ settings: true, schemas: true })
  .extend({
    datasetId: DatasetId,
    table: TableName,
    settings: TableSettings,
    changed: z.array(z.string()).meta({ description: 'settings that differ from the defaults' }),
    schemas: z.array(DescribedSchema),
  })
  .meta({ id: 'Table' })

export const getTable = route(
  {
    method: 'get',
    path: '/api/datasets/:id/tables/:table',
    summary: 'A table: its schemas, files by tier, settings, and why small files are not merged yet',
    access: 'reader',
    scope: 'read',
    params: TableAddress,
    answers: { 200: { description: 'The table as it is now', schema: TableAnswer } },
    errors: ['unknown_dataset', 'unknown_table', 'storage_unavailable', 'overloaded'],
  },
  async (c, { params: { id, table } }) => {
    const { outcome: _, settings, schemas, ...described } = await describe(c, id, table)
    const answer: z.infer<typeof TableAnswer> = {
      datasetId: id,
      table,
      ...described,
      ...withDefaults(TableSettings, settings),
      schemas: (await describeSchemas(c.env.BUCKET, schemas)).map(({ sample: __, columns, ...schema }) => ({
        ...schema,
        columns:
          columns?.slice(0, MAX_SHOWN_COLUMNS).map(({ name, type, isNullable, isRepeated, isSortable }) => ({
            name,
            type,
            nullable: isNullable,
            repeated: isRepeated,
            sortable: isSortable,
          })) ?? null,
        columnsOmitted: Math.max(0, (columns?.length ?? 0) - MAX_SHOWN_COLUMNS),
      })),
    }
    return c.json(answer)
  },
)

async function describe(c: Context<AppEnv>, id: string, table: string) {
  const described = await c.var.services.catalog.describeTable(id, table, requesterOf(c))
  if (described.outcome === 'ok') return described
  throw described.outcome === 'unknown_table' ? noTable(id, table) : noDataset(id)
}

type Schema = z.infer<typeof DescribedTable>['schemas'][number]

async function describeSchemas(
  bucket: R2Bucket,
  schemas: readonly Schema[],
): Promise<(Schema & { columns: DescribedColumn[] | undefined })[]> {
  const described = []
  let read = 0
  for (const schema of schemas) {
    const isRead = schema.sample !== null && read < MAX_SHOWN_SCHEMAS
    if (isRead) read++
    described.push({ ...schema, columns: isRead ? await readColumns(bucket, schema.sample!) : undefined })
  }
  return described
}

const ConfigureTableAnswer = z
  .object({
    datasetId: DatasetId,
    table: TableName,
    settings: TableSettings.meta({ description: 'all of them, with their defaults' }),
    changed: z.array(z.string()).meta({ description: 'those that differ from the defaults' }),
  })
  .meta({ id: 'ConfigureTableAnswer' })

export const configureTable = route(
  {
    method: 'patch',
    path: '/api/datasets/:id/tables/:table',
    summary: 'Change how merges write a table: what is left out stays, null goes back to the default',
    access: 'reader',
    scope: 'manage',
    params: TableAddress,
    body: TableSettingsChanges,
    answers: {
      200: {
        description:
          'The settings as they are now. Later merges apply them; POST /api/compaction/sanitize-state with rewrite applies them to what is merged already',
        schema: ConfigureTableAnswer,
      },
    },
    errors: ['unknown_dataset', 'storage_unavailable', 'overloaded'],
  },
  async (c, { params: { id, table }, body: changes }) => {
    const { catalog } = c.var.services
    const requester = requesterOf(c)
    if (changes.sortBy || changes.dedupeBy) {
      const described = await catalog.describeTable(id, table, requester)
      if (described.outcome === 'ok') checkColumns(changes, await describeSchemas(c.env.BUCKET, described.schemas))
    }
    const configured = await catalog.configureTable(id, table, requester, changes)
    if (configured.outcome === 'unknown_dataset') throw noDataset(id)
    const answer: z.infer<typeof ConfigureTableAnswer> = {
      datasetId: id,
      table,
      ...withDefaults(TableSettings, configured.settings),
    }
    return c.json(answer)
  },
)

/** A column must be in one of the schemas that live files have, and be fit for its use in each that has it. */
function checkColumns(
  { sortBy, dedupeBy }: z.infer<typeof TableSettingsChanges>,
  schemas: readonly { columns: DescribedColumn[] | undefined }[],
): void {
  const known = schemas.flatMap(({ columns }) => (columns === undefined ? [] : [columns]))
  if (known.length === 0) return
  const faults: string[] = []
  const find = (setting: string, name: string) => {
    const found = known.flatMap((columns) => columns.filter((column) => column.name === name))
    if (found.length === 0) faults.push(`${setting}: no file of the table has a column ${name}`)
    return found
  }
  for (const { column } of sortBy ?? []) {
    if (find('sortBy', column).some(({ isSortable }) => !isSortable))
      faults.push(`sortBy: the values of column ${column} have no order`)
  }
  for (const column of dedupeBy ?? []) {
    if (find('dedupeBy', column).some(({ isRepeated }) => isRepeated))
      faults.push(`dedupeBy: column ${column} has any number of values in a row`)
  }
  if (faults.length > 0) throw new FusouError('invalid_request', `in the body: ${faults.join('; ')}`)
}

export const deleteTable = route(
  {
    method: 'delete',
    path: '/api/datasets/:id/tables/:table',
    summary: 'Delete all data of a table; it can be restored until the retention of the dataset is over',
    access: 'reader',
    scope: 'manage',
    params: TableAddress,
    answers: { 200: { description: 'No later version has it', schema: DeletionAnswer } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id, table } }) => deleteScope(c, id, { table }),
)

export const deletePeriod = route(
  {
    method: 'delete',
    path: '/api/datasets/:id/tables/:table/periods/:period',
    summary: 'Delete the data of one period of a table; it can be restored until the retention of the dataset is over',
    access: 'reader',
    scope: 'manage',
    params: PeriodAddress,
    answers: { 200: { description: 'No later version has it', schema: DeletionAnswer } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id, table, period } }) => deleteScope(c, id, { table, periodTag: period }),
)

async function deleteScope(c: Context<AppEnv>, id: string, scope: { table: string; periodTag?: string }) {
  const deleted = await c.var.services.catalog.deleteData(id, requesterOf(c), scope)
  if (deleted.outcome === 'unknown_dataset') throw noDataset(id)
  return c.json({ success: true, datasetId: id, deletion: deleted.deletion })
}

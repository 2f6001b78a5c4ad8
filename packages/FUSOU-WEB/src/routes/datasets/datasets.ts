import {
  DatasetId,
  DatasetScope,
  DatasetSettings,
  DatasetSettingsChanges,
  Deletion,
  DescribedDataset,
  ListedDataset,
} from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { DatasetAddress, noDataset, withDefaults } from './shared-inputs.ts'

const DatasetsCursor = cursor(z.strictObject({ id: DatasetId }))
const DatasetsPage = z
  .object({ datasets: z.array(ListedDataset), nextCursor: z.string().nullable() })
  .meta({ id: 'DatasetsPage' })

export const listDatasets = route(
  {
    method: 'get',
    path: '/api/datasets',
    summary: 'Datasets that you own or that were shared with you, in order of id; for an operator all',
    access: 'reader',
    scope: 'read',
    query: z.object({
      scope: filled(
        DatasetScope.default('all').meta({
          description: 'all: own and shared; public: of anybody; deleted: own that can still be restored',
        }),
      ),
      prefix: filled(DatasetId.optional()).meta({ description: 'the beginning of ids' }),
      cursor: filled(DatasetsCursor.schema.optional()),
      limit: pageSize(100, 1000),
    }),
    answers: { 200: { description: 'One page', schema: DatasetsPage } },
  },
  async (c, { query: { scope, prefix, cursor: after, limit } }) => {
    const query = { scope, prefix, after: after?.id, limit: limit + 1 }
    const datasets = await c.var.services.catalog.listDatasets(requesterOf(c), query)
    const shown = datasets.slice(0, limit)
    const last = datasets.length > limit ? shown.at(-1) : undefined
    const answer: z.infer<typeof DatasetsPage> = {
      datasets: shown,
      nextCursor: last ? DatasetsCursor.encode({ id: last.id }) : null,
    }
    return c.json(answer)
  },
)

const SettingsAnswer = z.object({
  settings: DatasetSettings.meta({ description: 'all of them, with their defaults' }),
  changed: z.array(z.string()).meta({ description: 'those that differ from the defaults' }),
})
const DatasetAnswer = DescribedDataset.omit({ settings: true }).extend(SettingsAnswer.shape).meta({ id: 'Dataset' })

export const getDataset = route(
  {
    method: 'get',
    path: '/api/datasets/:id',
    summary: 'A dataset: its sizes, versions and settings',
    access: 'reader',
    scope: 'read',
    params: DatasetAddress,
    answers: { 200: { description: 'The dataset as it is now', schema: DatasetAnswer } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id } }) => {
    const described = await c.var.services.catalog.describeDataset(id, requesterOf(c))
    if (described.outcome === 'unknown_dataset') throw noDataset(id)
    const { settings, ...dataset } = described.dataset
    const answer: z.infer<typeof DatasetAnswer> = { ...dataset, ...withDefaults(DatasetSettings, settings) }
    return c.json(answer)
  },
)

const ConfigureRequest = DatasetSettingsChanges.extend({
  public: z.boolean().optional().meta({ description: 'whether anybody who is signed in may read it' }),
}).meta({ id: 'ConfigureDatasetRequest' })
const ConfigureAnswer = SettingsAnswer.extend({ datasetId: DatasetId, public: z.boolean() }).meta({
  id: 'ConfigureDatasetAnswer',
})

export const configureDataset = route(
  {
    method: 'patch',
    path: '/api/datasets/:id',
    summary: 'Change settings of a dataset: what is left out stays, null goes back to the default',
    access: 'reader',
    scope: 'manage',
    params: DatasetAddress,
    body: ConfigureRequest,
    answers: {
      200: { description: 'The settings as they are now; they apply from the next plan on', schema: ConfigureAnswer },
    },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id }, body: { public: isPublic, ...changes } }) => {
    const configured = await c.var.services.catalog.configureDataset(id, requesterOf(c), changes, isPublic)
    if (configured.outcome === 'unknown_dataset') throw noDataset(id)
    const answer: z.infer<typeof ConfigureAnswer> = {
      datasetId: id,
      public: configured.public,
      ...withDefaults(DatasetSettings, configured.settings),
    }
    return c.json(answer)
  },
)

/** Answer of every call that deletes data. */
export const DeletionAnswer = z
  .object({
    success: z.literal(true),
    datasetId: DatasetId,
    deletion: Deletion.nullable().meta({ description: 'null: there was no data' }),
  })
  .meta({ id: 'DeletionAnswer' })

export const deleteDataset = route(
  {
    method: 'delete',
    path: '/api/datasets/:id',
    summary: 'Delete a dataset with all its data; it can be restored until its retention is over',
    access: 'reader',
    scope: 'manage',
    params: DatasetAddress,
    answers: {
      200: { description: 'It is empty and in no list; repeating the call changes nothing', schema: DeletionAnswer },
    },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id } }) => {
    const deleted = await c.var.services.catalog.deleteData(id, requesterOf(c))
    if (deleted.outcome === 'unknown_dataset') throw noDataset(id)
    return c.json({ success: true, datasetId: id, deletion: deleted.deletion })
  },
)

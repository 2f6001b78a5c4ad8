import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import {
  Deletion,
  DescribedDataset,
  DescribedTable,
  ListedDataset,
  ListedTable,
  ListedVersion,
  Receipt,
} from '../records/description.ts'
import type { DatasetSettingsChanges, TableSettingsChanges } from '../records/settings.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome, outcomes } from './outcomes.ts'

const UnknownDataset = outcome('unknown_dataset')
const Settings = z.record(z.string(), z.unknown())

/** Which datasets a list shows. */
export const DatasetScope = z.enum(['own', 'shared', 'public', 'all', 'deleted'])
export type DatasetScope = z.infer<typeof DatasetScope>

/** Calls of the database about datasets: lists, descriptions, settings, deletion. */
export const datasetsCalls = (database: Database) => ({
  /** In order of id; `after` is the last id of the page before. */
  listDatasets(
    requester: Requester,
    query: { scope: DatasetScope; prefix?: string | undefined; after?: string | undefined; limit: number },
  ) {
    return database.call(
      'list_datasets',
      {
        p_caller: callerJson(requester),
        p_scope: query.scope,
        p_prefix: query.prefix ?? null,
        p_after: query.after ?? null,
        p_limit: query.limit,
      },
      readableRows('datasets', ListedDataset),
    )
  },

  describeDataset(datasetId: string, requester: Requester) {
    return database.call(
      'describe_dataset',
      { p_dataset_id: datasetId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), dataset: DescribedDataset }),
        UnknownDataset,
      ]),
    )
  },

  /** In order of name; `after` is the last table of the page before. */
  listTables(datasetId: string, requester: Requester, page: { after?: string | undefined; limit: number }) {
    return database.call(
      'list_tables',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_after: page.after ?? null,
        p_limit: page.limit,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), version: z.int(), tables: readableRows('tables', ListedTable) }),
        UnknownDataset,
      ]),
    )
  },

  describeTable(datasetId: string, table: string, requester: Requester) {
    return database.call(
      'describe_table',
      { p_dataset_id: datasetId, p_table: table, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        DescribedTable.extend({ outcome: z.literal('ok') }),
        outcomes('unknown_dataset', 'unknown_table'),
      ]),
    )
  },

  /** Newest first; `before` is the last version of the page before. */
  listVersions(datasetId: string, requester: Requester, page: { before?: number | undefined; limit: number }) {
    return database.call(
      'list_versions',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_before: page.before ?? null,
        p_limit: page.limit,
      },
      z.discriminatedUnion('outcome', [
        z.object({
          outcome: z.literal('ok'),
          version: z.int(),
          oldestVersion: z.int(),
          versions: readableRows('versions', ListedVersion),
        }),
        UnknownDataset,
      ]),
    )
  },

  getReceipt(fileId: string, requester: Requester) {
    return database.call(
      'get_receipt',
      { p_file_id: fileId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), receipt: Receipt }),
        outcomes('unknown_file', 'no_receipt'),
      ]),
    )
  },

  /** @param changes what is left out stays, null goes back to the default */
  configureDataset(
    datasetId: string,
    requester: Requester,
    changes: z.infer<typeof DatasetSettingsChanges>,
    isPublic?: boolean,
  ) {
    return database.call(
      'configure_dataset',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_settings: changes,
        p_public: isPublic ?? null,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('configured'), settings: Settings, public: z.boolean() }),
        UnknownDataset,
      ]),
    )
  },

  /** @param changes what is left out stays, null goes back to the default */
  configureTable(
    datasetId: string,
    table: string,
    requester: Requester,
    changes: z.infer<typeof TableSettingsChanges>,
  ) {
    return database.call(
      'configure_table',
      { p_dataset_id: datasetId, p_table: table, p_caller: callerJson(requester), p_settings: changes },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('configured'), settings: Settings }),
        UnknownDataset,
      ]),
    )
  },

  /** A table, a period of it, or with neither the whole dataset. */
  deleteData(datasetId: string, requester: Requester, scope: { table?: string; periodTag?: string } = {}) {
    return database.call(
      'delete_data',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_table: scope.table ?? null,
        p_period_tag: scope.periodTag ?? null,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('deleted'), deletion: Deletion.nullable() }),
        UnknownDataset,
      ]),
    )
  },

  restoreDeletion(datasetId: string, requester: Requester, deletionId: number) {
    return database.call(
      'restore_deletion',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_deletion_id: deletionId },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('restored'), deletion: Deletion }),
        outcomes('unknown_dataset', 'unknown_deletion', 'deletion_gone', 'uploaded_again'),
      ]),
    )
  },

  /** Newest first; `before` is the last deletion of the page before. */
  listDeletions(datasetId: string, requester: Requester, page: { before?: number | undefined; limit: number }) {
    return database.call(
      'list_deletions',
      {
        p_dataset_id: datasetId,
        p_caller: callerJson(requester),
        p_before: page.before ?? null,
        p_limit: page.limit,
      },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), deletions: readableRows('deletions', Deletion) }),
        UnknownDataset,
      ]),
    )
  },

  /**
   * Deletes what is older than `deleteAfterDays` of its dataset.
   * @param limit datasets at the most
   */
  deleteExpiredData(limit: number) {
    return database.call('delete_expired_data', { p_limit: limit }, z.object({ datasets: z.int(), files: z.int() }))
  },

  /** @param limit datasets at the most; call again while `more` */
  deleteUserData(requester: Requester, userId: string, limit: number) {
    return database.call(
      'delete_user_data',
      { p_caller: callerJson(requester), p_user_id: userId, p_limit: limit },
      z.object({ datasets: z.int(), more: z.boolean() }),
    )
  },
})

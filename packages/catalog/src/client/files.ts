import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { UnreadableRows, withListedRows } from '../database/listed-rows.ts'
import { ListedFile, type QuarantineFilter, StoredFile } from '../records/file.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcomes } from './outcomes.ts'

const FilesPage = withListedRows(
  { name: 'files', field: 'files', row: ListedFile, keys: ['id', 'table', 'periodTag'] },
  z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('ok'),
      version: z.int(),
      files: z.array(ListedFile),
      unreadable: UnreadableRows,
    }),
    outcomes('unknown_dataset', 'unknown_version', 'version_gone'),
  ]),
)

/** Calls of the database about files. */
export const filesCalls = (database: Database) => ({
  /** In order of table, period tag and id; `after` is the last file of the page before. */
  listFiles(query: {
    datasetId: string
    requester: Requester
    table?: string | undefined
    periodTag?: string | undefined
    version?: number | undefined
    after?: { table: string; periodTag: string; id: string } | undefined
    quarantined?: QuarantineFilter
    limit: number
  }) {
    return database.call(
      'list_files',
      {
        p_dataset_id: query.datasetId,
        p_caller: callerJson(query.requester),
        p_table: query.table ?? null,
        p_period_tag: query.periodTag ?? null,
        p_version: query.version ?? null,
        p_after_table: query.after?.table ?? null,
        p_after_period: query.after?.periodTag ?? null,
        p_after_id: query.after?.id ?? null,
        p_limit: query.limit,
        p_quarantined: query.quarantined ?? 'include',
      },
      FilesPage,
    )
  },

  /** Takes a live file out of the dataset; repeating the call gives the same answer. */
  discardFile(fileId: string, requester: Requester) {
    return database.call(
      'discard_file',
      { p_file_id: fileId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({
          outcome: z.literal('discarded'),
          datasetId: z.string(),
          table: z.string(),
          periodTag: z.string(),
          rows: z.int(),
          version: z.int(),
        }),
        outcomes('file_superseded', 'unknown_file'),
      ]),
    )
  },

  /** Lets merges take a file again that is in quarantine. */
  releaseFile(fileId: string, requester: Requester) {
    return database.call(
      'release_file',
      { p_file_id: fileId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('released'), datasetId: z.string(), code: z.string() }),
        outcomes('not_quarantined', 'unknown_file'),
      ]),
    )
  },

  /**
   * The alert of files set aside no longer counts those that are in quarantine now.
   * @returns how many were news
   */
  acknowledgeFiles(requester: Requester, filter: { datasetId?: string | undefined; code?: string | undefined }) {
    return database.call(
      'acknowledge_files',
      { p_caller: callerJson(requester), p_dataset_id: filter.datasetId ?? null, p_code: filter.code ?? null },
      z.int(),
    )
  },

  getFile(fileId: string, requester: Requester) {
    return database.call('get_file', { p_file_id: fileId, p_caller: callerJson(requester) }, StoredFile.nullable())
  },
})

import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { IncompleteUploadPage, RefusedPage, SupersededPage } from '../records/vacuum.ts'

/** Calls of the database about vacuum. */
export const vacuumCalls = (database: Database) => ({
  /**
   * Keys of objects that nothing names and vacuum may delete; the answer repeats them until completeGarbage().
   * @param stamp of checkInstallation() in the same run; null asks for the noted state of the installation alone
   */
  claimGarbage(limit: number, stamp: number | null = null) {
    return database.call('claim_garbage', { p_limit: limit, p_stamp: stamp }, readableRows('garbage', z.string()))
  },

  completeGarbage(keys: readonly string[]) {
    return database.call('complete_garbage', { p_keys: keys }, z.int())
  },

  /** Keys of objects that the caller has just stored and then refused. */
  markKeysForDeletion(keys: readonly string[]) {
    return database.call('mark_keys_for_deletion', { p_keys: keys }, z.int())
  },

  /** Those of these keys, of objects older than a day, that no row names. */
  listOrphans(keys: readonly string[]) {
    return database.call('list_orphans', { p_keys: keys }, readableRows('orphans', z.string()))
  },

  /** A dry run of vacuum; `after` is `next` of the page before, `limit` how many rows are looked at. */
  previewSuperseded(after: Record<string, string> | null, limit: number) {
    return database.call('preview_vacuum', { p_reason: 'superseded', p_after: after, p_limit: limit }, SupersededPage)
  },

  previewRefused(after: Record<string, string> | null, limit: number) {
    return database.call('preview_vacuum', { p_reason: 'refused', p_after: after, p_limit: limit }, RefusedPage)
  },

  previewIncompleteUploads(after: Record<string, string> | null, limit: number) {
    return database.call(
      'preview_vacuum',
      { p_reason: 'incomplete_upload', p_after: after, p_limit: limit },
      IncompleteUploadPage,
    )
  },
})

import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { MERGE_REACHES } from '../policy/merge-policy.ts'
import { type InputFault, MergeableFile, type MergedFile, MergeInput } from '../records/file.ts'
import { StoredTableSettings } from '../records/settings.ts'
import { AbandonedUpload } from '../records/vacuum.ts'
import type { Attempt, StepEntry } from './call-inputs.ts'
import { FenceRefused, outcomes } from './outcomes.ts'

const Mergeable = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    targetFileBytes: z.int(),
    reach: z.enum(MERGE_REACHES),
    more: z.boolean(),
    files: readableRows('mergeable files', MergeableFile),
    mixedPartitions: readableRows(
      'mixed partitions',
      z.object({ table: z.string(), periodTag: z.string(), schemas: z.int() }),
    ),
  }),
  FenceRefused,
])
const OpenedMerge = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    datasetId: z.string(),
    ownerId: z.uuid(),
    table: z.string(),
    periodTag: z.string(),
    /** null: the schemas of the inputs are united */
    fingerprint: z.string().nullable(),
    /** those that differ from the defaults */
    settings: StoredTableSettings,
    inputs: z.array(MergeInput),
  }),
  outcomes('committed', 'nothing_left', 'stale_attempt', 'cancelled', 'unknown_job', 'unknown_merge'),
])
const SetAside = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['ok', 'nothing_left', 'committed']), setAside: z.int() }),
  outcomes('stale_attempt', 'cancelled', 'unknown_job', 'unknown_merge'),
])
const CommittedMerge = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('committed'), version: z.int() }),
  outcomes(
    'superseded',
    'conflict',
    'row_count_mismatch',
    'stale_attempt',
    'cancelled',
    'unknown_job',
    'unknown_merge',
  ),
])

/** Calls of the database about merges. */
export const mergesCalls = (database: Database) => ({
  listMergeableFiles({ jobId, attempt }: Attempt, maxFiles: number) {
    return database.call(
      'list_mergeable_files',
      { p_job_id: jobId, p_attempt: attempt, p_max_files: maxFiles },
      Mergeable,
    )
  },

  /** @param merges ids of the inputs of each merge, in the order their rows shall have */
  savePlan({ jobId, attempt }: Attempt, merges: readonly (readonly string[])[]) {
    return database.call(
      'save_plan',
      { p_job_id: jobId, p_attempt: attempt, p_merges: merges },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), merges: z.int() }),
        outcomes('conflict', 'stale_attempt', 'cancelled', 'unknown_job'),
      ]),
    )
  },

  /** @param index from 1 */
  openMerge({ jobId, attempt }: Attempt, index: number, { leaseSeconds, finished = {} }: StepEntry) {
    return database.call(
      'open_merge',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_lease_seconds: leaseSeconds, p_finished: finished },
      OpenedMerge,
    )
  },

  commitMerge({ jobId, attempt }: Attempt, index: number, output: MergedFile, leaseSeconds: number) {
    return database.call(
      'commit_merge',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_output: output, p_lease_seconds: leaseSeconds },
      CommittedMerge,
    )
  },

  /**
   * Puts inputs into quarantine and takes them, and what is not live any more, out of the merge.
   * @param faults all that were found; an input that no longer lies in the object that was read stays
   */
  setAsideInputs({ jobId, attempt }: Attempt, index: number, faults: readonly InputFault[]) {
    return database.call(
      'set_aside_inputs',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_faults: faults },
      SetAside,
    )
  },

  /** Files of schemas that cannot be united with the others stay apart from now on; the merge goes on without them. */
  setSchemasApart(
    { jobId, attempt }: Attempt,
    index: number,
    schemas: readonly { fingerprint: string; reason: string }[],
  ) {
    return database.call(
      'set_schemas_apart',
      { p_job_id: jobId, p_attempt: attempt, p_index: index, p_schemas: schemas },
      outcomes('ok', 'unknown_merge', 'stale_attempt', 'cancelled', 'unknown_job'),
    )
  },

  /** Notes an upload in parts before its first part, so that vacuum can abort it should nobody complete it. */
  openMultipart({ jobId, attempt }: Attempt, upload: { r2Key: string; uploadId: string }) {
    return database.call(
      'open_multipart',
      { p_job_id: jobId, p_attempt: attempt, p_r2_key: upload.r2Key, p_upload_id: upload.uploadId },
      outcomes('ok', 'stale_attempt', 'cancelled', 'unknown_job'),
    )
  },

  /** The answer repeats them until closeMultiparts(); `stamp` as for claimGarbage(). */
  listAbandonedUploads(limit: number, stamp: number | null = null) {
    return database.call(
      'list_abandoned_uploads',
      { p_limit: limit, p_stamp: stamp },
      readableRows('abandoned uploads', AbandonedUpload),
    )
  },

  closeMultiparts(keys: readonly string[]) {
    return database.call('close_multiparts', { p_keys: keys }, z.int())
  },
})

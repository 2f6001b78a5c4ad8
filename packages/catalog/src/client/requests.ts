import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import type { MergePolicy } from '../policy/merge-policy.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { Outbox, outcome, outcomes, Requested } from './outcomes.ts'

/** Calls of the database about requests. */
export const requestsCalls = (database: Database) => ({
  requestCompaction(request: {
    datasetId: string
    requester: Requester
    table?: string | undefined
    periodTag?: string | undefined
    sender: string
  }) {
    return database.call(
      'request_compaction',
      {
        p_dataset_id: request.datasetId,
        p_caller: callerJson(request.requester),
        p_table: request.table ?? null,
        p_period_tag: request.periodTag ?? null,
        p_sender: request.sender,
      },
      z.discriminatedUnion('outcome', [Requested, outcome('unknown_dataset')]),
    )
  },

  /** @param limit datasets at the most, 1 to 100 */
  triggerScheduled(limit: number, sender: string) {
    return database.call(
      'trigger_scheduled',
      { p_limit: limit, p_sender: sender },
      z.object({
        datasets: readableRows('triggered datasets', z.object({ datasetId: z.string(), jobId: z.uuid() })),
        remaining: z.int(),
        outbox: Outbox,
      }),
    )
  },

  /** @param settings targetFileBytes (bytes, default 128 MiB), retentionSeconds (default 7 days), the merge policy */
  configureDataset(
    datasetId: string,
    requester: Requester,
    settings: { targetFileBytes?: number; retentionSeconds?: number } & Partial<MergePolicy>,
  ) {
    return database.call(
      'configure_dataset',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_settings: settings },
      outcomes('configured', 'unknown_dataset'),
    )
  },

  /**
   * Jobs for small files that have waited as long as their policy allows.
   * @param limit datasets at the most
   * @returns how many
   */
  requestDueMerges(limit: number) {
    return database.call('request_due_merges', { p_limit: limit }, z.int())
  },
})

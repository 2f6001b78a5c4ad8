import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { Outbox, outcome, Requested } from './outcomes.ts'

/** Calls of the database about requests. */
export const requestsCalls = (database: Database) => ({
  requestCompaction(request: {
    datasetId: string
    requester: Requester
    table?: string | undefined
    periodTag?: string | undefined
    /** also what is merged already, if it was written with other settings than those of now */
    rewrite?: boolean | undefined
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
        p_rewrite: request.rewrite ?? false,
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

  /**
   * Jobs for small files that have waited as long as their policy allows.
   * @param limit datasets at the most
   * @returns how many
   */
  requestDueMerges(limit: number) {
    return database.call('request_due_merges', { p_limit: limit }, z.int())
  },
})

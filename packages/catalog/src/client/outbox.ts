import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { Outbox } from './outcomes.ts'

/** Calls of the database about outbox. */
export const outboxCalls = (database: Database) => ({
  claimOutbox(claim: {
    maxBatch: number
    lockSeconds: number
    workerId: string
    includeTypePrefix?: string
    excludeTypePrefix?: string
  }) {
    return database.call(
      'claim_outbox',
      {
        max_batch: claim.maxBatch,
        lock_seconds: claim.lockSeconds,
        worker_id: claim.workerId,
        include_type_prefix: claim.includeTypePrefix ?? null,
        exclude_type_prefix: claim.excludeTypePrefix ?? null,
      },
      Outbox,
    )
  },

  /** @returns how many of the rows were still locked by this sender */
  completeOutbox(ids: readonly number[], sender: string) {
    return database.call('complete_outbox', { p_ids: ids, p_worker_id: sender }, z.int())
  },

  /**
   * @param refusal.retryAfterSeconds when the receiver wants to be asked again, up to an hour
   * @param refusal.permanent         no retry can help: the messages are dead
   */
  releaseOutbox(
    ids: readonly number[],
    sender: string,
    error: string,
    { retryAfterSeconds = 0, permanent = false }: { retryAfterSeconds?: number; permanent?: boolean } = {},
  ) {
    return database.call(
      'release_outbox',
      {
        p_ids: ids,
        p_worker_id: sender,
        p_error: error,
        p_retry_after_seconds: retryAfterSeconds,
        p_permanent: permanent,
      },
      z.int(),
    )
  },
})

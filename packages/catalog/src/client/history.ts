import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { callerJson, type Requester } from './call-inputs.ts'

/** How long history is kept, in seconds; see public.retention for what each is of. */
const Retention = z.object({
  jobsSeconds: z.int(),
  lettersSeconds: z.int(),
  unsettledSeconds: z.int(),
  outboxSeconds: z.int(),
  auditSeconds: z.int(),
})
type Retention = z.infer<typeof Retention>

/** Calls of the database about history. */
export const historyCalls = (database: Database) => ({
  /** @param settings seconds, at least a day; what is left out stays as it is */
  configureRetention(requester: Requester, settings: Partial<Retention>) {
    return database.call('configure_retention', { p_caller: callerJson(requester), p_settings: settings }, Retention)
  },

  /**
   * Removes history whose retention is over.
   * @param limit rows of each kind at the most
   * @returns how many rows of each kind went
   */
  trimHistory(limit: number) {
    return database.call(
      'trim_history',
      { p_limit: limit },
      z.object({ jobs: z.int(), letters: z.int(), messages: z.int(), streams: z.int(), auditEntries: z.int() }),
    )
  },

  trimOutbox(limit: number) {
    return database.call('trim_outbox', { p_limit: limit }, z.int())
  },
})

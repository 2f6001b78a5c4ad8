import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { Retention } from '../records/settings.ts'
import { callerJson, type Requester } from './call-inputs.ts'

/** Calls of the database about history. */
export const historyCalls = (database: Database) => ({
  readRetention(requester: Requester) {
    return database.call('read_retention', { p_caller: callerJson(requester) }, Retention)
  },

  /** @param settings what is left out stays as it is */
  configureRetention(requester: Requester, settings: { readonly [Name in keyof Retention]?: number | undefined }) {
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

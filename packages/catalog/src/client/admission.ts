import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { Admission } from '../records/settings.ts'
import { callerJson, type Requester } from './call-inputs.ts'

/** Calls of the database about admission. */
export const admissionCalls = (database: Database) => ({
  redispatchStaleJobs(olderSeconds: number, limit: number) {
    return database.call('redispatch_stale_jobs', { p_older_seconds: olderSeconds, p_limit: limit }, z.int())
  },

  /**
   * Gives free slots to the jobs that wait for one.
   * @returns how many
   */
  admitJobs() {
    return database.call('admit_jobs', {}, z.int())
  },

  readAdmission(requester: Requester) {
    return database.call('read_admission', { p_caller: callerJson(requester) }, Admission)
  },

  /** @param settings what is left out stays as it is */
  configureAdmission(requester: Requester, settings: { readonly [Name in keyof Admission]?: number | undefined }) {
    return database.call('configure_admission', { p_caller: callerJson(requester), p_settings: settings }, Admission)
  },
})

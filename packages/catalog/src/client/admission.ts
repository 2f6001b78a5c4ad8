import { z } from 'zod'
import type { Database } from '../database/database.ts'

/** How many jobs may run at once, and how many seconds of waiting make up for one rank of priority. */
const Admission = z.object({ maxRunningJobs: z.int(), maxRunningJobsOfOwner: z.int(), ageingSeconds: z.int() })
type Admission = z.infer<typeof Admission>

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

  /** @param settings what is left out stays as it is */
  configureAdmission(settings: Partial<Admission> = {}) {
    return database.call('configure_admission', { p_settings: settings }, Admission)
  },
})

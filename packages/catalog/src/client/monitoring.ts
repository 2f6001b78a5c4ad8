import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { CronRun, ReadJobStatus } from '../records/job.ts'
import { Metrics } from '../records/metrics.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome } from './outcomes.ts'

/** Calls of the database about monitoring. */
export const monitoringCalls = (database: Database) => ({
  ping() {
    return database.call('ping', {}, z.object({ now: z.string(), cron: CronRun }))
  },

  /** The cron has run to its end, whatever became of its chores. */
  recordCronRun() {
    return database.call('record_cron_run', {}, outcome('recorded'))
  },

  jobStatus(requester: Requester) {
    return database.call('job_status', { p_caller: callerJson(requester) }, ReadJobStatus)
  },

  /** Adds ended jobs to the totals that the figures are read from; @returns how many */
  tallyJobs(limit: number) {
    return database.call('tally_jobs', { p_limit: limit }, z.int())
  },

  metrics() {
    return database.call('metrics', {}, Metrics)
  },
})

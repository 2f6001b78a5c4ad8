import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { Job, type JobKind, JobState, ListedJobs } from '../records/job.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { Outbox, outcome, outcomes, Requested } from './outcomes.ts'

interface JobsQuery {
  readonly requester: Requester
  readonly state?: JobState | undefined
  readonly kind?: z.infer<typeof JobKind> | undefined
  readonly datasetId?: string | undefined
  readonly before?: { createdAt: string; id: string } | undefined
  readonly limit: number
}

/** Calls of the database about jobs. */
export const jobsCalls = (database: Database) => ({
  cancelJob(jobId: string, requester: Requester) {
    return database.call(
      'cancel_job',
      { p_job_id: jobId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ended'), state: JobState }),
        outcomes('cancelled', 'cancelling', 'unknown_job'),
      ]),
    )
  },

  retryJob(jobId: string, requester: Requester, sender: string) {
    return database.call(
      'retry_job',
      { p_job_id: jobId, p_caller: callerJson(requester), p_sender: sender },
      z.discriminatedUnion('outcome', [
        Requested,
        z.object({ outcome: z.literal('not_dead'), state: JobState }),
        outcome('unknown_job'),
      ]),
    )
  },

  /**
   * Dead jobs, by ids or by what they have in common; a filter that is left out matches all.
   * @param redrive.limit jobs at the most, 1 to 100
   */
  redrive(redrive: {
    requester: Requester
    jobIds?: readonly string[] | undefined
    datasetId?: string | undefined
    code?: string | undefined
    dryRun: boolean
    limit: number
    sender: string
  }) {
    return database.call(
      'redrive',
      {
        p_caller: callerJson(redrive.requester),
        p_job_ids: redrive.jobIds ?? null,
        p_dataset_id: redrive.datasetId ?? null,
        p_code: redrive.code ?? null,
        p_dry_run: redrive.dryRun,
        p_limit: redrive.limit,
        p_sender: redrive.sender,
      },
      z.object({
        jobs: readableRows(
          'redriven jobs',
          z.object({ jobId: z.uuid(), datasetId: z.string(), newJobId: z.uuid().optional() }),
        ),
        outbox: Outbox,
      }),
    )
  },

  getJob(jobId: string, requester: Requester) {
    return database.call('get_job', { p_job_id: jobId, p_caller: callerJson(requester) }, Job.nullable())
  },

  /** Newest first, without jobs that cannot be read; see pageJobs(). */
  async listJobs(query: JobsQuery): Promise<Job[]> {
    return (await this.pageJobs(query)).jobs
  },

  /** Newest first; `before` is the last job of the page before. */
  async pageJobs(query: JobsQuery): Promise<z.infer<typeof ListedJobs>> {
    const jobs = await database.call(
      'list_jobs',
      {
        p_caller: callerJson(query.requester),
        p_state: query.state ?? null,
        p_kind: query.kind ?? null,
        p_dataset_id: query.datasetId ?? null,
        p_before_created: query.before?.createdAt ?? null,
        p_before_id: query.before?.id ?? null,
        p_limit: query.limit,
      },
      z.array(z.unknown()),
    )
    return ListedJobs.parse({ jobs })
  },
})

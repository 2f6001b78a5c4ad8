import { z } from 'zod'
import { UnreadableRows, withListedRows } from '../database/listed-rows.ts'
import { MERGE_REACHES } from '../policy/merge-policy.ts'
import { RaisedAlert } from './alert.ts'
import { InstallationStatus } from './installation.ts'
import { Priority } from './queue-message.ts'

export const JobState = z.enum(['queued', 'running', 'succeeded', 'dead', 'cancelled'])
export type JobState = z.infer<typeof JobState>
export const JobKind = z.enum(['compaction'])

/** A job as people see it; times are ISO 8601, durations are seconds. */
export const Job = z.object({
  id: z.uuid(),
  kind: JobKind,
  state: JobState,
  priority: Priority,
  datasetId: z.string(),
  table: z.string().nullable(),
  periodTag: z.string().nullable(),
  metricId: z.string().nullable(),
  reach: z
    .enum(MERGE_REACHES)
    .meta({ description: 'which files it merges: what is due, what the tiers let merge, all' }),
  triggers: z.int(),
  attempt: z.int(),
  maxAttempts: z.int(),
  cancelRequested: z.boolean(),
  progress: z.object({
    step: z.string().nullable(),
    mergesPlanned: z.int(),
    mergesCommitted: z.int(),
    mergesLeftOut: z.int().meta({ description: 'merges whose inputs were set aside until too few were left' }),
    stepsDone: z.int().meta({ description: 'of the attempt that runs, or ran last' }),
    stepsPlanned: z.int().nullable().meta({ description: 'null until the attempt has its plan' }),
    filesIn: z.int(),
    filesOut: z.int(),
    filesPlanned: z.int().meta({ description: 'filesIn when all is done; so with rows and bytes' }),
    rowsIn: z.int(),
    rowsOut: z.int(),
    rowsPlanned: z.int(),
    bytesIn: z.int(),
    bytesOut: z.int(),
    bytesPlanned: z.int(),
  }),
  steps: z.record(z.string(), z.number()).meta({ description: 'seconds that each step took when it was last done' }),
  error: z.object({ code: z.string(), step: z.string().nullable(), message: z.string().nullable() }).nullable(),
  failures: z
    .array(
      z.object({
        attempt: z.int(),
        code: z.string(),
        step: z.string().nullable(),
        message: z.string().nullable(),
        at: z.string(),
      }),
    )
    .meta({ description: 'what ended each attempt that failed' }),
  partial: z.boolean().meta({ description: 'succeeded, and some of its files could not be merged: see setAside' }),
  setAside: z
    .object({
      count: z.int(),
      files: z.array(
        z.object({
          fileId: z.uuid(),
          table: z.string(),
          periodTag: z.string(),
          code: z.string(),
          message: z.string(),
        }),
      ),
    })
    .meta({ description: 'files that it put into quarantine; the first 20 by name, all by the listing of files' }),
  result: z.json().nullable(),
  retriedAs: z.uuid().nullable().meta({ description: 'the job that does its work since somebody asked again' }),
  createdAt: z.string(),
  admittedAt: z.string().nullable().meta({ description: 'since when it has a slot; null as long as it waits for one' }),
  dispatchedAt: z.string().nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  leaseUntil: z.string().nullable(),
})
export type Job = z.infer<typeof Job>
export const ListedJobs = withListedRows(
  { name: 'jobs', field: 'jobs', row: Job, keys: ['id', 'createdAt'] },
  z.object({ jobs: z.array(Job), unreadable: UnreadableRows }),
)

/** The last run of the cron to its end, also one of which chores failed; the installation if there was none yet. */
export const CronRun = z.object({ lastRunAt: z.string(), ageSeconds: z.number() })

/** Counts and ages; what only operators may see is null for an owner. */
export const JobStatus = z.object({
  jobs: z.record(JobState, z.int()),
  // a kind that a later version brought counts too
  jobsByKind: z.record(z.string(), z.record(JobState, z.int())),
  oldestQueuedSeconds: z.number().nullable(),
  oldestWaitingSeconds: z
    .number()
    .nullable()
    .meta({ description: 'of jobs that wait for a slot or the queue, and not for another job of their dataset' }),
  slots: z
    .object({ taken: z.int(), all: z.int() })
    .nullable()
    .meta({ description: 'for running jobs; taken also by jobs whose message is under way' }),
  expiredLeases: z.int(),
  datasetsWaiting: z.int(),
  quarantinedFiles: z.int(),
  installation: InstallationStatus.nullable(),
  outbox: z
    .object({
      open: z.int(),
      dead: z.int(),
      deadAlerts: z.int().meta({ description: 'of the dead ones, alerts that a channel did not take' }),
      oldestSeconds: z.number().nullable(),
      oldestDueSeconds: z.number().nullable(),
    })
    .nullable(),
  deadLetters: z
    .object({
      open: z.int().meta({ description: 'letters whose work nobody has asked for again' }),
      oldestSeconds: z.number().nullable(),
    })
    .nullable(),
  alerts: z.array(RaisedAlert).nullable().meta({ description: 'those that stand' }),
  cron: CronRun.nullable().meta({
    description: 'the last run of the cron to its end, also one of which chores failed',
  }),
  unreadable: UnreadableRows.meta({ description: 'alerts that could not be read' }),
})
export type JobStatus = z.infer<typeof JobStatus>
export const ReadJobStatus = withListedRows(
  { name: 'alerts', field: 'alerts', row: RaisedAlert, keys: ['kind'] },
  JobStatus,
)

import { z } from 'zod'
import { JobState } from './job.ts'

/** Figures for a monitor, of all owners together. Durations and ages are seconds. */
export const Metrics = z.object({
  /** every kind in every state, also those without a job */
  jobs: z.array(z.object({ kind: z.string(), state: JobState, count: z.int() })),
  /** sums over all jobs there ever were */
  work: z.array(
    z.object({
      kind: z.string(),
      retries: z.number(),
      filesIn: z.number(),
      filesOut: z.number(),
      rowsIn: z.number(),
      rowsOut: z.number(),
      bytesIn: z.number(),
      bytesOut: z.number(),
    }),
  ),
  /** steps of tallied ended jobs, so a minute late; each bucket counts the steps that took `le` seconds or less */
  steps: z.array(
    z.object({
      kind: z.string(),
      step: z.string(),
      count: z.int(),
      seconds: z.number(),
      buckets: z.array(z.object({ le: z.number(), count: z.int() })),
    }),
  ),
  /** 0 when none is queued */
  oldestQueuedSeconds: z.number(),
  /** longest wait among jobs that are first of their dataset; 0 if there is none */
  oldestWaitingSeconds: z.number(),
  /** for running jobs; taken also by jobs whose message is under way */
  slots: z.object({ taken: z.int(), all: z.int() }),
  expiredLeases: z.int(),
  /** the age is that of the oldest message not sent yet, 0 when all are */
  outbox: z.object({ pending: z.int(), inProgress: z.int(), dead: z.int(), oldestSeconds: z.number() }),
  /** those whose work nobody has asked for again */
  deadLetters: z.object({ open: z.int(), oldestSeconds: z.number() }),
  quarantinedFiles: z.int(),
  datasetsWaiting: z.int(),
  alerts: z.array(z.object({ kind: z.string(), raised: z.boolean(), incidents: z.int() })),
  dailyTriggerSeconds: z.number(),
  /** seconds since 1970 of the end of the last run of the cron, or of the installation */
  cronRanAt: z.number(),
  vacuum: z.object({
    garbage: z.int(),
    oldestGarbageSeconds: z.number(),
    openUploads: z.int(),
    objectsDeleted: z.int(),
    uploadsAborted: z.int(),
  }),
})
export type Metrics = z.infer<typeof Metrics>

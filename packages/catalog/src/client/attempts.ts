import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { JobState } from '../records/job.ts'
import type { CompactionMessage } from '../records/queue-message.ts'
import type { Attempt, StepEntry } from './call-inputs.ts'
import { Outbox, outcomes } from './outcomes.ts'

const Accepted = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['claimed', 'running']), jobId: z.uuid(), attempt: z.int() }),
  z.object({ outcome: z.literal('waiting'), jobId: z.uuid() }),
  z.object({ outcome: z.literal('ended'), jobId: z.uuid(), state: JobState }),
  outcomes('unknown_dataset', 'unknown_job'),
])
const FailedAttempt = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('retrying'), attempt: z.int(), delaySeconds: z.number(), outbox: Outbox }),
  z.object({ outcome: z.enum(['dead', 'stale_attempt', 'cancelled', 'unknown_job']), outbox: Outbox }),
])

/** Calls of the database about attempts. */
export const attemptsCalls = (database: Database) => ({
  acceptMessage(messageId: string, message: CompactionMessage, leaseSeconds: number) {
    return database.call(
      'accept_message',
      {
        p_message_id: messageId,
        p_dataset_id: message.datasetId,
        p_job_id: message.jobId ?? null,
        p_priority: message.priority,
        p_table: message.table ?? null,
        p_period_tag: message.periodTag ?? null,
        p_metric_id: message.metricId ?? null,
        p_lease_seconds: leaseSeconds,
      },
      Accepted,
    )
  },

  enterStep({ jobId, attempt }: Attempt, step: string, { leaseSeconds, finished = {} }: StepEntry) {
    return database.call(
      'enter_step',
      { p_job_id: jobId, p_attempt: attempt, p_step: step, p_lease_seconds: leaseSeconds, p_finished: finished },
      outcomes('ok', 'stale_attempt', 'cancelled', 'unknown_job'),
    )
  },

  /** @returns how many leases in a row ran out since the attempt last gave a sign of its own */
  renewLease({ jobId, attempt }: Attempt, leaseSeconds: number) {
    return database.call(
      'enter_step',
      { p_job_id: jobId, p_attempt: attempt, p_step: null, p_lease_seconds: leaseSeconds },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), silentLeases: z.int() }),
        outcomes('stale_attempt', 'cancelled', 'unknown_job'),
      ]),
    )
  },

  finishJob(
    { jobId, attempt }: Attempt,
    end: {
      result: Record<string, unknown>
      more: boolean
      finished?: Readonly<Record<string, number>>
      sender: string
    },
  ) {
    return database.call(
      'finish_job',
      {
        p_job_id: jobId,
        p_attempt: attempt,
        p_result: end.result,
        p_more: end.more,
        p_finished: end.finished ?? {},
        p_sender: end.sender,
      },
      z.object({
        outcome: z.enum(['succeeded', 'dead', 'stale_attempt', 'cancelled', 'unknown_job']),
        outbox: Outbox,
      }),
    )
  },

  /** @param failure.counted false if the platform ended the attempt: the job gets one more, a bounded number of times */
  failAttempt(
    { jobId, attempt }: Attempt,
    failure: { code: string; step: string; message: string; transient: boolean; counted?: boolean },
    leaseSeconds: number,
    sender: string | null,
  ) {
    return database.call(
      'fail_attempt',
      {
        p_job_id: jobId,
        p_attempt: attempt,
        p_code: failure.code,
        p_step: failure.step,
        p_message: failure.message,
        p_transient: failure.transient,
        p_lease_seconds: leaseSeconds,
        p_sender: sender,
        p_counted: failure.counted ?? true,
      },
      FailedAttempt,
    )
  },

  listExpiredLeases(limit: number) {
    return database.call(
      'list_expired_leases',
      { p_limit: limit },
      readableRows('expired leases', z.object({ jobId: z.uuid(), attempt: z.int() })),
    )
  },
})

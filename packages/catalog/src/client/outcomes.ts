import { z } from 'zod'
import { readableRows } from '../database/readable-rows.ts'
import { OutboxMessage } from '../records/queue-message.ts'

export const outcome = <const Name extends string>(name: Name) => z.object({ outcome: z.literal(name) })
export const outcomes = <const Names extends readonly [string, ...string[]]>(...names: Names) =>
  z.object({ outcome: z.enum(names) })
export const FenceRefused = outcomes('stale_attempt', 'cancelled', 'unknown_job')
export const Outbox = readableRows('outbox', OutboxMessage)

/** A job that was asked for: a new one, or the queued one that it joined. */
export const Requested = z.object({
  outcome: z.literal('requested'),
  jobId: z.uuid(),
  joined: z.boolean(),
  outbox: OutboxMessage.nullable(),
})

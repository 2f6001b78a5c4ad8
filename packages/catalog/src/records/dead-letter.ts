import { z } from 'zod'
import { UnreadableRows, withListedRows } from '../database/listed-rows.ts'

/** Why nobody needs to look at a letter any more. */
export const ClosedHow = z.enum(['retried', 'succeeded', 'acknowledged'])

/** Where a page of dead jobs and letters goes on; a list without an entry is at its end. */
export const DeadLetterPosition = z.strictObject({
  jobs: z.strictObject({ at: z.iso.datetime({ offset: true }), id: z.uuid() }).optional(),
  letters: z.strictObject({ at: z.iso.datetime({ offset: true }), id: z.int() }).optional(),
})
export type DeadLetterPosition = z.infer<typeof DeadLetterPosition>

const DeadJob = z.object({
  jobId: z.uuid(),
  datasetId: z.string(),
  attempt: z.int(),
  code: z.string(),
  step: z.string().nullable(),
  message: z.string().nullable(),
  finishedAt: z.string(),
  retriedAs: z.uuid().nullable(),
})

const DeadLetter = z.object({
  id: z.int(),
  queue: z.string(),
  messageId: z.string(),
  datasetId: z.string().nullable(),
  jobId: z.uuid().nullable(),
  code: z.string(),
  message: z.string(),
  attempts: z.int(),
  body: z.json(),
  receivedAt: z.string(),
  closedAt: z.string().nullable(),
  closedHow: ClosedHow.nullable(),
})

/** One page of dead jobs and one of letters, newest first; the counts are of all that match. */
export const DeadLetterStatus = z.object({
  workflowFailures: withListedRows(
    { name: 'dead jobs', field: 'records', row: DeadJob, keys: ['jobId'] },
    z.object({ count: z.int(), records: z.array(DeadJob), unreadable: UnreadableRows }),
  ),
  dlqFailures: withListedRows(
    { name: 'dead letters', field: 'records', row: DeadLetter, keys: ['id', 'messageId'] },
    z.object({ count: z.int(), records: z.array(DeadLetter), unreadable: UnreadableRows }),
  ),
  next: DeadLetterPosition.nullable(),
})
export type DeadLetterStatus = z.infer<typeof DeadLetterStatus>

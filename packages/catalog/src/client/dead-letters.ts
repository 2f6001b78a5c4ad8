import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { toStorableJson } from '../database/storable.ts'
import { ClosedHow, type DeadLetterPosition, DeadLetterStatus } from '../records/dead-letter.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome, outcomes } from './outcomes.ts'

/** Calls of the database about dead letters. */
export const deadLettersCalls = (database: Database) => ({
  /** Queues the message about each dead job again whose dead letter never arrived. */
  repeatDeathNotices(olderSeconds: number, limit: number) {
    return database.call('repeat_death_notices', { p_older_seconds: olderSeconds, p_limit: limit }, z.int())
  },

  recordDeadLetter(letter: {
    queue: string
    messageId: string
    body: unknown
    code: string
    message: string
    attempts: number
    datasetId: string | null
    jobId: string | null
  }) {
    const bounded = { ...letter, body: toStorableJson(letter.body) }
    return database.call('record_dead_letter', { p_letter: bounded }, outcomes('recorded', 'duplicate'))
  },

  /** Newest first; a filter that is left out matches all, `after` is `next` of the page before. */
  deadLetterStatus(
    requester: Requester,
    limit: number,
    query: {
      code?: string | undefined
      datasetId?: string | undefined
      open?: boolean | undefined
      after?: DeadLetterPosition | undefined
    } = {},
  ) {
    return database.call(
      'dead_letter_status',
      {
        p_caller: callerJson(requester),
        p_limit: limit,
        p_code: query.code ?? null,
        p_dataset_id: query.datasetId ?? null,
        p_open: query.open ?? null,
        p_after: query.after ?? null,
      },
      DeadLetterStatus,
    )
  },

  /** Closes a letter that nobody needs to look at any more; one that is closed already stays as it is. */
  acknowledgeLetter(letterId: number, requester: Requester) {
    return database.call(
      'acknowledge_letter',
      { p_letter_id: letterId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('closed'), closedAt: z.string(), closedHow: ClosedHow }),
        outcome('unknown_letter'),
      ]),
    )
  },
})

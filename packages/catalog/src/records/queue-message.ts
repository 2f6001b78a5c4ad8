import { z } from 'zod'
import type { StorableJson } from '../database/storable.ts'
import { DatasetId, JobId, PeriodTag, TableName } from './names.ts'

/** Bounds of an id in an index of the database, and of a number of attempts. */
const MAX_ID_CHARACTERS = 256
const MAX_INTEGER = 2 ** 31 - 1

export const Priority = z.enum(['realtime', 'manual', 'scheduled'])
export type Priority = z.infer<typeof Priority>

/** Work for the consumer. An operator may send one by hand with nothing but `datasetId`. */
export const CompactionMessage = z.object({
  datasetId: DatasetId,
  triggeredAt: z.iso.datetime({ offset: true }).optional(),
  priority: Priority.default('manual'),
  jobId: JobId.optional(),
  table: TableName.optional(),
  periodTag: PeriodTag.optional(),
  metricId: z.string().max(128).optional(),
})
export type CompactionMessage = z.infer<typeof CompactionMessage>

/** Message of the dead-letter queue about a job whose attempts are spent. */
export const DeadJobMessage = z.object({
  datasetId: DatasetId,
  jobId: JobId,
  attempt: z.int().nonnegative().max(MAX_INTEGER),
  code: z.string().max(MAX_ID_CHARACTERS),
  step: z.string().nullable(),
  message: z.string().nullable(),
})
export type DeadJobMessage = z.infer<typeof DeadJobMessage>

/** Message that the consumer itself sends to the dead-letter queue, since no retry can help. */
export const RefusedMessage = z.object({
  refused: z.object({
    queue: z.string().max(MAX_ID_CHARACTERS),
    messageId: z.string().max(MAX_ID_CHARACTERS),
    code: z.string().max(MAX_ID_CHARACTERS),
    message: z.string(),
  }),
  // whatever was sent: a schema that descends into it would overflow the stack before it refused
  body: z.unknown(),
})
export interface RefusedMessage extends z.infer<typeof RefusedMessage> {
  readonly body: StorableJson
}

const UNREADABLE: Record<string, z.core.util.JSONType> = Object.freeze({})

/**
 * A row of the outbox, claimed by the caller. Any type and payload pass: a row that this release cannot send, because a
 * newer database wrote it or somebody edited it, is released by itself and holds up none of the others.
 */
export const OutboxMessage = z.object({
  id: z.int(),
  type: z.string(),
  payload: z.record(z.string(), z.json()).catch(() => UNREADABLE),
})
export type OutboxMessage = z.infer<typeof OutboxMessage>

/** Whether the row holds something else than an object as its payload; such a message cannot be sent. */
export const isUnreadable = ({ payload }: OutboxMessage): boolean => payload === UNREADABLE

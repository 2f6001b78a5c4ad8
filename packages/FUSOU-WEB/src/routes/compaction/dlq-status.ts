import {
  ClosedHow,
  DatasetId,
  DeadLetterPosition,
  type DeadLetterStatus,
  FusouError,
  UnreadableRows,
} from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { cursor } from '../../http/cursor.ts'
import { filled, pageSize } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'

const WorkflowFailure = z.object({
  job_id: z.uuid(),
  dataset_id: z.string(),
  attempt: z.int(),
  code: z.string(),
  step: z.string().nullable(),
  message: z.string().nullable(),
  finished_at: z.string(),
  retried_as: z.uuid().nullable().meta({ description: 'the job that does its work since somebody asked again' }),
})
const DlqFailure = z.object({
  id: z.int(),
  queue: z.string(),
  message_id: z.string(),
  dataset_id: z.string().nullable(),
  job_id: z.uuid().nullable(),
  code: z.string(),
  message: z.string(),
  attempts: z.int(),
  body: z.json(),
  received_at: z.string(),
  closed_at: z.string().nullable().meta({ description: 'null while somebody should look at it' }),
  closed_how: ClosedHow.nullable(),
})
const DlqStatus = z
  .object({
    success: z.literal(true),
    total: z.int(),
    workflow_failures: z.object({ count: z.int(), records: z.array(WorkflowFailure), unreadable: UnreadableRows }),
    dlq_failures: z.object({ count: z.int(), records: z.array(DlqFailure), unreadable: UnreadableRows }),
    next_cursor: z.string().nullable().meta({ description: 'of both lists; null when both are at their end' }),
  })
  .meta({ id: 'DlqStatus' })

const DlqCursor = cursor(DeadLetterPosition)
const DlqQuery = z.object({
  code: filled(z.string().max(100).optional()),
  datasetId: filled(DatasetId.optional()),
  open: filled(z.enum(['true', 'false']).optional()).meta({
    description: 'true: what nobody has retried, acknowledged or seen succeed; false: the others',
  }),
  cursor: filled(DlqCursor.schema.optional()),
  limit: pageSize(50, 200),
})

export const dlqStatus = route(
  {
    method: 'get',
    path: '/api/compaction/dlq-status',
    summary: 'Dead jobs, and what the dead-letter queue brought, newest first; the counts are of all that match',
    access: 'reader',
    scope: 'read',
    query: DlqQuery,
    answers: { 200: { description: 'What failed for good', schema: DlqStatus } },
  },
  async (c, { query: { limit, code, datasetId, open, cursor: after } }) => {
    const filter = { code, datasetId, open: open === undefined ? undefined : open === 'true', after }
    return c.json(inSnakeCase(await c.var.services.catalog.deadLetterStatus(requesterOf(c), limit, filter)))
  },
)

function inSnakeCase({ workflowFailures, dlqFailures, next }: DeadLetterStatus): z.infer<typeof DlqStatus> {
  return {
    success: true,
    total: workflowFailures.count + dlqFailures.count,
    workflow_failures: {
      ...workflowFailures,
      records: workflowFailures.records.map(({ jobId, datasetId, finishedAt, retriedAs, ...record }) => ({
        job_id: jobId,
        dataset_id: datasetId,
        ...record,
        finished_at: finishedAt,
        retried_as: retriedAs,
      })),
    },
    dlq_failures: {
      ...dlqFailures,
      records: dlqFailures.records.map(
        ({ messageId, datasetId, jobId, receivedAt, closedAt, closedHow, ...record }) => ({
          ...record,
          message_id: messageId,
          dataset_id: datasetId,
          job_id: jobId,
          received_at: receivedAt,
          closed_at: closedAt,
          closed_how: closedHow,
        }),
      ),
    },
    next_cursor: next === null ? null : DlqCursor.encode(next),
  }
}

const MAX_LETTER_ID = Number.MAX_SAFE_INTEGER

const AcknowledgeAnswer = z
  .object({ success: z.literal(true), id: z.int(), closed_at: z.string(), closed_how: ClosedHow })
  .meta({ id: 'AcknowledgeAnswer' })

export const acknowledgeLetter = route(
  {
    method: 'post',
    path: '/api/compaction/dlq/:id/acknowledge',
    summary: 'Close a dead letter that nobody needs to look at any more; one that is closed stays as it is',
    access: 'reader',
    scope: 'manage',
    params: z.object({
      id: z
        .string()
        .regex(/^[1-9]\d{0,15}$/, 'the id of a record of dlq_failures')
        .transform(Number)
        .pipe(z.int().max(MAX_LETTER_ID)),
    }),
    answers: { 200: { description: 'It is closed', schema: AcknowledgeAnswer } },
    errors: ['unknown_letter'],
  },
  async (c, { params: { id } }) => {
    const closed = await c.var.services.catalog.acknowledgeLetter(id, requesterOf(c))
    if (closed.outcome === 'unknown_letter')
      throw new FusouError('unknown_letter', `no dead letter ${id} that you may see`)
    const answer: z.infer<typeof AcknowledgeAnswer> = {
      success: true,
      id,
      closed_at: closed.closedAt,
      closed_how: closed.closedHow,
    }
    return c.json(answer)
  },
)

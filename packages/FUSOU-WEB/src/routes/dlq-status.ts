import { type DeadLetterStatus, UnreadableRows } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../auth/caller.ts'
import { pageSize } from '../http/inputs.ts'
import { route } from '../http/operation.ts'

const WorkflowFailure = z.object({
  job_id: z.uuid(),
  dataset_id: z.string(),
  attempt: z.int(),
  code: z.string(),
  step: z.string().nullable(),
  message: z.string().nullable(),
  finished_at: z.string(),
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
})
const DlqStatus = z
  .object({
    success: z.literal(true),
    total: z.int(),
    workflow_failures: z.object({ count: z.int(), records: z.array(WorkflowFailure), unreadable: UnreadableRows }),
    dlq_failures: z.object({ count: z.int(), records: z.array(DlqFailure), unreadable: UnreadableRows }),
  })
  .meta({ id: 'DlqStatus' })

export const dlqStatus = route(
  {
    method: 'get',
    path: '/api/compaction/dlq-status',
    summary: 'Dead jobs, and what the dead-letter queue brought, newest first; the counts are of all',
    access: 'reader',
    query: z.object({ limit: pageSize(50, 200) }),
    answers: { 200: { description: 'What failed for good', schema: DlqStatus } },
  },
  async (c, { query: { limit } }) =>
    c.json(inSnakeCase(await c.var.services.catalog.deadLetterStatus(requesterOf(c.var.caller), limit))),
)

function inSnakeCase({ workflowFailures, dlqFailures }: DeadLetterStatus): z.infer<typeof DlqStatus> {
  return {
    success: true,
    total: workflowFailures.count + dlqFailures.count,
    workflow_failures: {
      ...workflowFailures,
      records: workflowFailures.records.map(({ jobId, datasetId, finishedAt, ...record }) => ({
        job_id: jobId,
        dataset_id: datasetId,
        ...record,
        finished_at: finishedAt,
      })),
    },
    dlq_failures: {
      ...dlqFailures,
      records: dlqFailures.records.map(({ messageId, datasetId, jobId, receivedAt, ...record }) => ({
        ...record,
        message_id: messageId,
        dataset_id: datasetId,
        job_id: jobId,
        received_at: receivedAt,
      })),
    },
  }
}

import { DatasetId, FusouError, JobId, TableName } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { PeriodTagInput } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'

const SanitizeRequest = z
  .object({
    datasetId: DatasetId,
    table: TableName.optional(),
    periodTag: PeriodTagInput.optional(),
    rewrite: z.boolean().optional().meta({
      description: 'also files that are merged already, if they were written with other settings than those of now',
    }),
  })
  .refine(({ table, periodTag }) => periodTag === undefined || table !== undefined, {
    path: ['table'],
    message: 'is needed beside periodTag',
  })
  .meta({ id: 'SanitizeRequest' })
const SanitizeAnswer = z
  .object({ success: z.literal(true), datasetId: z.string(), jobId: JobId, message: z.string() })
  .meta({ id: 'SanitizeAnswer' })

export const sanitizeState = route(
  {
    method: 'post',
    path: '/api/compaction/sanitize-state',
    summary: 'Compact a dataset now, or one table or period of it',
    access: 'reader',
    scope: 'manage',
    body: SanitizeRequest,
    answers: { 202: { description: 'A job is queued, or was already', schema: SanitizeAnswer } },
    errors: ['unknown_dataset', 'rate_limited'],
  },
  async (c, { body: { datasetId, table, periodTag, rewrite } }) => {
    const requester = requesterOf(c)
    const sender = senderOf(c)
    const asked = { datasetId, requester, table, periodTag, rewrite, sender }
    const requested = await c.var.services.catalog.requestCompaction(asked)
    if (requested.outcome !== 'requested')
      throw new FusouError(requested.outcome, `no dataset ${datasetId} that you may see`)
    publishAfterAnswer(c, [requested.outbox])
    const message = requested.joined ? 'joined the job that is queued' : 'a job is queued'
    const answer: z.infer<typeof SanitizeAnswer> = { success: true, datasetId, jobId: requested.jobId, message }
    return c.json(answer, 202)
  },
)

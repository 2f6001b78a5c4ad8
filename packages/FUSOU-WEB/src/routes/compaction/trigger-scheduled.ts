import { DatasetId, JobId } from '@fusou/catalog'
import { z } from 'zod'
import { integer } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'

const TriggerRequest = z
  .object({ limit: integer(z.int().min(1).max(100).meta({ description: 'datasets at the most' }).default(10)) })
  .default({ limit: 10 })
  .meta({ id: 'TriggerRequest' })
const TriggerAnswer = z
  .object({
    success: z.literal(true),
    enqueued: z.int(),
    datasets: z.array(z.object({ datasetId: DatasetId, jobId: JobId })),
    remaining: z.int().meta({ description: 'datasets that still wait; call again while it is not 0' }),
  })
  .meta({ id: 'TriggerAnswer' })

export const triggerScheduled = route(
  {
    method: 'post',
    path: '/api/compaction/trigger-scheduled',
    summary: 'Queue jobs for datasets that need compaction, the one whose last attempt is oldest first',
    access: 'scheduler',
    body: TriggerRequest,
    answers: { 202: { description: 'What was queued', schema: TriggerAnswer } },
  },
  async (c, { body: { limit } }) => {
    const { datasets, remaining, outbox } = await c.var.services.catalog.triggerScheduled(limit, senderOf(c))
    publishAfterAnswer(c, outbox)
    const answer: z.infer<typeof TriggerAnswer> = { success: true, enqueued: datasets.length, datasets, remaining }
    return c.json(answer, 202)
  },
)

import { z } from 'zod'

/** An event that a webhook is told of: a new version of the dataset, or a job that has ended, however it ended. */
export const WebhookEvent = z.enum(['dataset.changed', 'job.ended'])
export type WebhookEvent = z.infer<typeof WebhookEvent>

export const WebhookId = z.uuid('the id of a webhook is a UUID')
export const Webhook = z
  .object({
    id: WebhookId,
    url: z.string(),
    events: z.array(WebhookEvent),
    createdAt: z.string(),
    lastDeliveredAt: z.string().nullable(),
    failingSince: z.string().nullable(),
    lastError: z.string().nullable(),
    disabledAt: z
      .string()
      .nullable()
      .meta({ description: 'nothing is sent since then: it answered 410, or failed for three days' }),
    waiting: z.int().meta({ description: 'messages that are not delivered yet' }),
  })
  .meta({ id: 'Webhook' })

/** A message that the caller has claimed, with the address and the secret of its webhook. */
export const WebhookMessage = z.object({
  id: z.int(),
  attempt: z.int(),
  event: z.string(),
  data: z.record(z.string(), z.json()),
  createdAt: z.string(),
  url: z.string(),
  secret: z.string(),
})
export type WebhookMessage = z.infer<typeof WebhookMessage>

import { DatasetId, FusouError, Webhook, WebhookEvent, WebhookId } from '@fusou/catalog'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import { route } from '../../http/operation.ts'
import { PublicUrl } from '../../http/public-url.ts'
import { DatasetAddress, noDataset } from './shared-inputs.ts'

/** 256 bits, as Standard Webhooks recommends 192 to 512. */
const SECRET_BYTES = 32

const WebhookRequest = z
  .object({
    url: PublicUrl.meta({ description: 'https, on the internet' }),
    events: z
      .array(WebhookEvent)
      .min(1)
      .max(2)
      .refine((events) => new Set(events).size === events.length, 'names an event twice')
      .default(['dataset.changed']),
  })
  .meta({ id: 'WebhookRequest' })
const NewWebhook = Webhook.extend({
  secret: z.string().meta({ description: 'with which each message is signed; it is shown only now' }),
}).meta({ id: 'NewWebhook' })

export const createWebhook = route(
  {
    method: 'post',
    path: '/api/datasets/:id/webhooks',
    summary: 'Have an address called when a dataset has a new version, or a job of it has ended',
    access: 'reader',
    scope: 'manage',
    params: DatasetAddress,
    body: WebhookRequest,
    answers: { 201: { description: 'The webhook with its secret', schema: NewWebhook } },
    errors: ['unknown_dataset', 'quota_exceeded'],
  },
  async (c, { params: { id }, body: { url, events } }) => {
    const secret = `whsec_${crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64()}`
    const webhook = { id: crypto.randomUUID(), url, events, secret }
    const created = await c.var.services.catalog.createWebhook(id, requesterOf(c), webhook)
    if (created.outcome === 'unknown_dataset') throw noDataset(id)
    if (created.outcome === 'too_many_webhooks')
      throw new FusouError('quota_exceeded', `${id} has ${created.max} webhooks; delete some`)
    c.header('Cache-Control', 'no-store')
    return c.json({ ...created.webhook, secret }, 201)
  },
)

const WebhookList = z.object({ datasetId: DatasetId, webhooks: z.array(Webhook) }).meta({ id: 'WebhookList' })

export const listWebhooks = route(
  {
    method: 'get',
    path: '/api/datasets/:id/webhooks',
    summary: 'The webhooks of a dataset, and whether they work',
    access: 'reader',
    scope: 'manage',
    params: DatasetAddress,
    answers: { 200: { description: 'At most ten', schema: WebhookList } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id } }) => {
    const listed = await c.var.services.catalog.listWebhooks(id, requesterOf(c))
    if (listed.outcome === 'unknown_dataset') throw noDataset(id)
    return c.json({ datasetId: id, webhooks: listed.webhooks })
  },
)

const DeleteWebhookAnswer = z
  .object({ success: z.literal(true), datasetId: DatasetId, webhookId: WebhookId })
  .meta({ id: 'DeleteWebhookAnswer' })

export const deleteWebhook = route(
  {
    method: 'delete',
    path: '/api/datasets/:id/webhooks/:webhook',
    summary: 'End a webhook; what was not delivered yet is not sent any more',
    access: 'reader',
    scope: 'manage',
    params: z.object({ id: DatasetId, webhook: WebhookId }),
    answers: { 200: { description: 'There is no such webhook any more', schema: DeleteWebhookAnswer } },
    errors: ['unknown_dataset'],
  },
  async (c, { params: { id, webhook } }) => {
    const { outcome } = await c.var.services.catalog.deleteWebhook(id, requesterOf(c), webhook)
    if (outcome === 'unknown_dataset') throw noDataset(id)
    return c.json({ success: true, datasetId: id, webhookId: webhook })
  },
)

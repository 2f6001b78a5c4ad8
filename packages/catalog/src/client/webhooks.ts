import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import { Webhook, type WebhookEvent, WebhookMessage } from '../records/webhook.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome, outcomes } from './outcomes.ts'

/** Calls of the database about webhooks. */
export const webhooksCalls = (database: Database) => ({
  /** @param webhook.id chosen by the caller, so that a repeated call makes one */
  createWebhook(
    datasetId: string,
    requester: Requester,
    webhook: { id: string; url: string; events: readonly WebhookEvent[]; secret: string },
  ) {
    return database.call(
      'create_webhook',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_webhook: webhook },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('created'), webhook: Webhook }),
        z.object({ outcome: z.literal('too_many_webhooks'), max: z.int() }),
        outcome('unknown_dataset'),
      ]),
    )
  },

  listWebhooks(datasetId: string, requester: Requester) {
    return database.call(
      'list_webhooks',
      { p_dataset_id: datasetId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), webhooks: readableRows('webhooks', Webhook) }),
        outcome('unknown_dataset'),
      ]),
    )
  },

  deleteWebhook(datasetId: string, requester: Requester, webhookId: string) {
    return database.call(
      'delete_webhook',
      { p_dataset_id: datasetId, p_caller: callerJson(requester), p_webhook_id: webhookId },
      outcomes('deleted', 'unknown_dataset'),
    )
  },

  /** Messages that are due; each is the caller's for `lockSeconds`. */
  claimWebhooks(limit: number, lockSeconds: number) {
    return database.call(
      'claim_webhooks',
      { p_limit: limit, p_lock_seconds: lockSeconds },
      readableRows('webhook messages', WebhookMessage),
    )
  },

  /** A message that somebody else has claimed since is left alone. */
  settleWebhook(
    { id, attempt }: Pick<WebhookMessage, 'id' | 'attempt'>,
    result: { outcome: 'delivered' | 'failed' | 'gone'; error?: string },
  ) {
    return database.call(
      'settle_webhook',
      { p_message_id: id, p_attempt: attempt, p_outcome: result.outcome, p_error: result.error ?? null },
      outcomes('settled', 'stale'),
    )
  },
})

import { AlertChannel, AlertNotice, type Catalog, log, type OutboxMessage } from '@fusou/catalog'
import type { AlertChannels } from './alert-channels.ts'
import { type Posted, postAlert } from './post-alert.ts'

export const ALERT_TYPE_PREFIX = 'alert.'

/**
 * Tell the channels what `sender` holds the lock of, each by itself, and settle it in the outbox. Dying in between means
 * telling again, under the same key.
 * @returns how many were delivered
 */
export async function deliverAlerts(
  catalog: Catalog,
  sender: string,
  messages: readonly OutboxMessage[],
  channels: AlertChannels,
): Promise<number> {
  const delivered = await Promise.all(messages.map((message) => deliver(catalog, sender, message, channels)))
  return delivered.filter(Boolean).length
}

async function deliver(
  catalog: Catalog,
  sender: string,
  message: OutboxMessage,
  channels: AlertChannels,
): Promise<boolean> {
  const posted = await post(message, channels)
  const { id, type } = message
  if (posted.outcome === 'delivered') {
    await catalog.completeOutbox([id], sender)
    log('info', 'alert_delivered', { id, type })
    return true
  }
  const { error, permanent, retryAfterSeconds } = posted
  await catalog.releaseOutbox([id], sender, error, { permanent, retryAfterSeconds })
  log('error', 'alert_not_delivered', { id, type, error, permanent })
  return false
}

async function post({ type, payload }: OutboxMessage, channels: AlertChannels): Promise<Posted> {
  const channel = channels.get(AlertChannel.parse(type.slice(ALERT_TYPE_PREFIX.length)))
  if (channel === undefined) {
    return {
      outcome: 'refused',
      error: 'the channel is not configured any more',
      permanent: true,
      retryAfterSeconds: 0,
    }
  }
  return postAlert(channel.url, channel.body(AlertNotice.parse(payload)), channel.timeoutMs)
}

import {
  AlertChannel,
  AlertNotice,
  type Catalog,
  describe,
  isUnreadable,
  log,
  type OutboxMessage,
} from '@fusou/catalog'
import { z } from 'zod'
import type { AlertChannels } from './alert-channels.ts'
import { type Posted, postAlert } from './post-alert.ts'

export const ALERT_TYPE_PREFIX = 'alert.'

/**
 * Tell the channels what `sender` holds the lock of, each by itself, and settle it in the outbox. Dying in between means
 * telling again, under the same key. A message that cannot be read or settled holds up none of the others.
 * @returns how many were delivered
 */
export async function deliverAlerts(
  catalog: Catalog,
  sender: string,
  messages: readonly OutboxMessage[],
  channels: AlertChannels,
): Promise<number> {
  const delivered = await Promise.all(
    messages.map(async (message) => {
      try {
        return await deliver(catalog, sender, message, channels)
      } catch (error) {
        // Its lock runs out, and the cron tells it again.
        log('error', 'alert_not_settled', { id: message.id, type: message.type, ...describe(error) })
        return false
      }
    }),
  )
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

const refused = (error: string, permanent: boolean): Posted => ({
  outcome: 'refused',
  error,
  permanent,
  retryAfterSeconds: 0,
})

async function post(message: OutboxMessage, channels: AlertChannels): Promise<Posted> {
  const name = AlertChannel.safeParse(message.type.slice(ALERT_TYPE_PREFIX.length))
  // A newer database may write what only the next release of this Worker can tell: not refused for good.
  if (!name.success) return refused(`this release knows no channel for ${message.type}`, false)
  const channel = channels.get(name.data)
  if (channel === undefined) return refused('the channel is not configured any more', true)
  const notice = AlertNotice.safeParse(message.payload)
  if (isUnreadable(message) || !notice.success)
    return refused(
      `this release cannot read the notice: ${notice.error ? z.prettifyError(notice.error) : 'no object'}`,
      false,
    )
  return postAlert(channel.url, channel.body(notice.data), channel.timeoutMs)
}

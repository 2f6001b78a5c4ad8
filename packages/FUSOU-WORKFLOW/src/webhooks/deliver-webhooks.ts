import { type Catalog, describe, log, type WebhookMessage } from '@fusou/catalog'
import { signWebhook } from './sign-webhook.ts'

const BATCH_MESSAGES = 50
/** Longer than every message of a batch together takes. */
const LOCK_SECONDS = 120
/** Connections at the same time, of the six that a Worker may hold. */
const CONCURRENCY = 4
/** A receiver that takes longer is asked again later. */
const TIMEOUT_MS = 10_000
const GONE = 410

/** Post what is due, each message by itself: a receiver that hangs or refuses holds up none of the others. */
export async function deliverWebhooks(catalog: Catalog): Promise<{ delivered: number; failed: number }> {
  const due = await catalog.claimWebhooks(BATCH_MESSAGES, LOCK_SECONDS)
  const counts = { delivered: 0, failed: 0 }
  let next = 0
  const deliverSome = async (): Promise<void> => {
    while (next < due.length) {
      const message = due[next++]!
      const result = await post(message)
      counts[result.outcome === 'delivered' ? 'delivered' : 'failed'] += 1
      if (result.outcome !== 'delivered')
        log('info', 'webhook_not_delivered', { id: message.id, attempt: message.attempt, error: result.error })
      await catalog.settleWebhook(message, result).catch((error: unknown) => {
        // its lock runs out, and it is sent again
        log('error', 'webhook_not_settled', { id: message.id, ...describe(error) })
      })
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, deliverSome))
  return counts
}

type Result = { outcome: 'delivered' } | { outcome: 'failed' | 'gone'; error: string }

/**
 * The error names nothing but the status: the answer of a receiver is not ours to repeat. Redirects are not followed, or the
 * receiver could have us call any address.
 */
async function post({ id, event, data, createdAt, url, secret }: WebhookMessage): Promise<Result> {
  const body = JSON.stringify({ type: event, timestamp: createdAt, data })
  try {
    const signed = { id: `msg_${id}`, timestampSeconds: Math.floor(Date.now() / 1000), body }
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...signWebhook(secret, signed) },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await response.body?.cancel()
    if (response.ok) return { outcome: 'delivered' }
    const error = `the receiver answered ${response.status}`
    return { outcome: response.status === GONE ? 'gone' : 'failed', error }
  } catch (thrown) {
    const timedOut = thrown instanceof Error && thrown.name === 'TimeoutError'
    const error = timedOut ? `no answer within ${TIMEOUT_MS} ms` : 'the receiver could not be reached'
    return { outcome: 'failed', error }
  }
}

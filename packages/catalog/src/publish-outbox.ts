import type { Catalog } from './catalog.ts'
import { log } from './log.ts'
import type { OutboxMessage } from './queue-message.ts'

/**
 * Send messages that `sender` holds the lock of, and tell the outbox. Never throws: what could not be sent, or not be
 * marked, goes out again by the relay once its lock has run out.
 * @returns how many were sent
 */
export async function publishOutbox(
  catalog: Catalog,
  sender: string,
  messages: readonly OutboxMessage[],
  send: (message: OutboxMessage) => Promise<unknown>,
): Promise<number> {
  const sent: number[] = []
  const failed: number[] = []
  let failure = ''
  for (const message of messages) {
    try {
      await send(message)
      sent.push(message.id)
    } catch (error) {
      failed.push(message.id)
      failure = String(error)
    }
  }
  try {
    if (sent.length > 0) await catalog.completeOutbox(sent, sender)
    if (failed.length > 0) await catalog.releaseOutbox(failed, sender, failure)
  } catch (error) {
    failure ||= String(error)
  }
  if (failure !== '') {
    log('error', 'outbox_not_settled', { sender, sent: sent.length, failed: failed.length, failure })
  }
  return sent.length
}

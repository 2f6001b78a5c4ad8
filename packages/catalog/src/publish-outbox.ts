import type { Catalog } from './client/catalog.ts'
import { log } from './log.ts'
import { isUnreadable, type OutboxMessage } from './records/queue-message.ts'

/** How many reasons one log line names. */
const MAX_LOGGED_FAILURES = 5

/**
 * Send messages that `sender` holds the lock of, and tell the outbox. Never throws: what could not be sent, or not be
 * marked, goes out again by the relay once its lock has run out. Each message that fails is released by itself, with its
 * own reason.
 * @returns how many were sent
 */
export async function publishOutbox(
  catalog: Catalog,
  sender: string,
  messages: readonly OutboxMessage[],
  send: (message: OutboxMessage) => Promise<unknown>,
): Promise<number> {
  const sent: number[] = []
  const failures: { id: number; failure: string }[] = []
  for (const message of messages) {
    try {
      if (isUnreadable(message)) throw new Error(`the payload of message ${message.id} is not an object`)
      await send(message)
      sent.push(message.id)
    } catch (error) {
      failures.push({ id: message.id, failure: String(error) })
    }
  }
  const faults = failures.map(({ failure }) => failure)
  const settle = async (call: () => Promise<unknown>) => {
    try {
      await call()
    } catch (error) {
      faults.push(String(error))
    }
  }
  if (sent.length > 0) await settle(() => catalog.completeOutbox(sent, sender))
  for (const [failure, ids] of idsByFailure(failures)) await settle(() => catalog.releaseOutbox(ids, sender, failure))
  if (faults.length > 0) {
    const shown = faults.slice(0, MAX_LOGGED_FAILURES)
    log('error', 'outbox_not_settled', { sender, sent: sent.length, failed: failures.length, failures: shown })
  }
  return sent.length
}

/** A queue that is away gives all messages one reason: they are released in one call. */
function idsByFailure(failures: readonly { id: number; failure: string }[]): Map<string, number[]> {
  const groups = Map.groupBy(failures, ({ failure }) => failure)
  return new Map([...groups].map(([failure, group]) => [failure, group.map(({ id }) => id)]))
}

import {
  type Catalog,
  CompactionMessage,
  DeadJobMessage,
  describe,
  log,
  RefusedMessage,
  toStorableJson,
} from '@fusou/catalog'
import { z } from 'zod'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import { raiseAlerts } from '../alerts/raise-alerts.ts'
import type { Env } from '../env.ts'
import { MAX_SENT_BODY_BYTES } from '../send-message.ts'
import { readBody } from './read-body.ts'

type DeadLetter = Parameters<Catalog['recordDeadLetter']>[0]

const RETRY_SECONDS = 60
/** How long a letter waits that could not be persisted in either of its deliveries. */
const RESEND_SECONDS = 300

/**
 * Log, persist, and only then ack. The queue gives a letter two deliveries and would drop it after the second, so one
 * that still can't be persisted is sent again under its own identity. One look for alerts follows for all of them.
 */
export async function consumeDeadLetters(
  batch: MessageBatch,
  env: Env,
  catalog: Catalog,
  channels: AlertChannels,
): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const letter = readAnyDeadLetter(message, batch.queue)
      const { body: _body, ...logged } = letter
      log('error', 'dead_letter', logged)
      try {
        await catalog.recordDeadLetter(letter)
        message.ack()
      } catch (error) {
        log('error', 'dead_letter_not_recorded', { messageId: letter.messageId, ...describe(error) })
        if (message.attempts < 2) message.retry({ delaySeconds: RETRY_SECONDS })
        else await resend(letter, message, env)
      }
    }),
  )
  try {
    await raiseAlerts(catalog, channels)
  } catch (error) {
    // The letters are settled all the same; the cron looks again within a minute.
    log('error', 'alerts_not_raised', describe(error))
  }
}

async function resend(letter: DeadLetter, message: Message, env: Env): Promise<void> {
  const { queue, messageId, code, message: reason, body } = letter
  const envelope: RefusedMessage = {
    refused: { queue, messageId, code, message: reason },
    body: toStorableJson(body, MAX_SENT_BODY_BYTES),
  }
  await env.COMPACTION_DLQ.send(envelope, { contentType: 'json', delaySeconds: RESEND_SECONDS })
  message.ack()
}

/** A letter that nobody foresaw is recorded by its id: it must not take the others of its batch with it. */
function readAnyDeadLetter(message: Message, queue: string): DeadLetter {
  try {
    return readDeadLetter(message, queue)
  } catch (error) {
    return {
      queue,
      messageId: message.id,
      body: '[unreadable]',
      code: 'invalid_message',
      message: `the body could not be read: ${String(error)}`,
      attempts: message.attempts,
      datasetId: null,
      jobId: null,
    }
  }
}

/** Reads a message of the dead-letter queue, with the identity under which it is recorded once. */
export function readDeadLetter(message: Pick<Message, 'id' | 'body' | 'attempts'>, queue: string): DeadLetter {
  const { value: body } = readBody(message.body)
  const deadJob = DeadJobMessage.safeParse(body)
  if (deadJob.success) {
    const { jobId, attempt, datasetId, code, message: reason } = deadJob.data
    return {
      queue,
      messageId: `${jobId}-${attempt}`,
      body,
      code,
      message: reason ?? '',
      attempts: attempt,
      datasetId,
      jobId,
    }
  }
  const refused = RefusedMessage.safeParse(body)
  if (refused.success) {
    const original = CompactionMessage.safeParse(readBody(refused.data.body).value)
    return {
      ...refused.data.refused,
      body: refused.data.body,
      attempts: message.attempts,
      datasetId: original.data?.datasetId ?? null,
      jobId: original.data?.jobId ?? null,
    }
  }
  const undelivered = CompactionMessage.safeParse(body)
  return {
    queue,
    messageId: message.id,
    body,
    code: undelivered.success ? 'delivery_failed' : 'invalid_message',
    message: undelivered.success
      ? 'the consumer failed each delivery; see its log'
      : z.prettifyError(undelivered.error),
    attempts: message.attempts,
    datasetId: undelivered.data?.datasetId ?? null,
    jobId: undelivered.data?.jobId ?? null,
  }
}

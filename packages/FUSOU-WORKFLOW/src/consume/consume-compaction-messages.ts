import {
  type Catalog,
  CompactionMessage,
  describe,
  FusouError,
  findUnknownFields,
  log,
  type RefusedMessage,
  toStorableJson,
} from '@fusou/catalog'
import { z } from 'zod'
import type { Env } from '../env.ts'
import { FIRST_LEASE_SECONDS } from '../leases.ts'
import { MAX_SENT_BODY_BYTES } from '../send-message.ts'
import { startAttempt } from '../workflow/start-attempt.ts'
import { readBody } from './read-body.ts'
import { retryDelaySeconds } from './retry-delay.ts'

/** Settle each message by itself: one that fails holds up none of the others. */
export async function consumeCompactionMessages(batch: MessageBatch, env: Env, catalog: Catalog): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      try {
        await consume(message, batch.queue, env, catalog)
        message.ack()
      } catch (error) {
        const delaySeconds = retryDelaySeconds(message.attempts)
        log('error', 'message_retried', {
          messageId: message.id,
          attempts: message.attempts,
          delaySeconds,
          ...describe(error),
        })
        message.retry({ delaySeconds })
      }
    }),
  )
}

async function consume(message: Message, queue: string, env: Env, catalog: Catalog): Promise<void> {
  const { value, repeated } = readBody(message.body)
  const parsed = CompactionMessage.safeParse(value)
  if (!parsed.success) {
    return refuse(message, queue, env, new FusouError('invalid_message', z.prettifyError(parsed.error)))
  }
  // A message of the outbox names its job, and a later version of the catalog may tell more in it. One sent by hand is
  // refused for a field that would be ignored: `tableId` for `table` would merge every table.
  const ignored = [...repeated, ...(parsed.data.jobId === undefined ? findUnknownFields(CompactionMessage, value) : [])]
  if (ignored.length > 0) {
    const faults = ignored.map(({ path, message }) => `${z.core.toDotPath([...path])}: ${message}`).join('\n')
    return refuse(message, queue, env, new FusouError('invalid_message', faults))
  }
  const { datasetId } = parsed.data
  const accepted = await catalog.acceptMessage(message.id, parsed.data, FIRST_LEASE_SECONDS)
  switch (accepted.outcome) {
    case 'claimed':
    case 'running':
      await startAttempt(env, { jobId: accepted.jobId, attempt: accepted.attempt })
      break
    case 'unknown_dataset':
      return refuse(message, queue, env, new FusouError('unknown_dataset', `no dataset ${datasetId}`))
    case 'unknown_job':
      return refuse(message, queue, env, new FusouError('unknown_job', `no job ${parsed.data.jobId} in ${datasetId}`))
  }
  log('info', 'message_accepted', { messageId: message.id, datasetId, ...accepted })
}

/** No retry can help this message: straight to the dead-letter queue, with the reason. */
async function refuse(message: Message, queue: string, env: Env, { code, detail }: FusouError): Promise<void> {
  log('error', 'message_refused', { messageId: message.id, code, detail })
  const letter: RefusedMessage = {
    refused: { queue, messageId: message.id, code, message: detail },
    body: toStorableJson(message.body, MAX_SENT_BODY_BYTES),
  }
  await env.COMPACTION_DLQ.send(letter, { contentType: 'json' })
}

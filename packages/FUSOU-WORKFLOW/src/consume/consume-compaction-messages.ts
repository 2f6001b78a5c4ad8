import { type Catalog, CompactionMessage, describe, FusouError, log, type RefusedMessage } from '@fusou/catalog'
import { z } from 'zod'
import type { Env } from '../env.ts'
import { FIRST_LEASE_SECONDS } from '../leases.ts'
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
  const parsed = CompactionMessage.safeParse(readBody(message.body))
  if (!parsed.success) {
    return refuse(message, queue, env, new FusouError('invalid_message', z.prettifyError(parsed.error)))
  }
  const { datasetId } = parsed.data
  const accepted = await catalog.acceptMessage(message.id, parsed.data, FIRST_LEASE_SECONDS)
  switch (accepted.outcome) {
    case 'claimed':
    case 'running':
      await startAttempt(env, { jobId: accepted.jobId, attempt: accepted.attempt })
      break
    case 'unknown_dataset':
      return refuse(message, queue, env, new FusouError('unknown_dataset', `no data set ${datasetId}`))
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
    body: toJson(message.body),
  }
  await env.COMPACTION_DLQ.send(letter, { contentType: 'json' })
}

/** A body as JSON can hold it: bytes and the like as their text. */
function toJson(body: unknown): RefusedMessage['body'] {
  const json = z.json().safeParse(body)
  if (json.success) return json.data
  return body instanceof ArrayBuffer ? new TextDecoder().decode(body) : String(body)
}

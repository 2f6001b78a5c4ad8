import { FusouError, type OutboxMessage } from '@fusou/catalog'
import type { Env } from './env.ts'

const QUEUES = {
  'compaction.requested': 'COMPACTION_QUEUE',
  'job.dead': 'COMPACTION_DLQ',
} as const satisfies Record<string, keyof Env>

/** Send an outbox message to the queue of its type. */
export async function sendMessage(env: Env, message: OutboxMessage): Promise<void> {
  const { type } = message
  if (!isQueued(type)) throw new FusouError('internal', `no queue takes ${type}`)
  await env[QUEUES[type]].send(message.payload, { contentType: 'json' })
}

const isQueued = (type: string): type is keyof typeof QUEUES => Object.hasOwn(QUEUES, type)

/** A message has 128,000 bytes at the most; what goes around a body has less than 8,000. */
export const MAX_SENT_BODY_BYTES = 120_000

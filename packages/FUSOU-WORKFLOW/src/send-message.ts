import { FusouError, type OutboxMessage } from '@fusou/catalog'
import type { Env } from './env.ts'

const QUEUES = {
  'compaction.requested': 'COMPACTION_QUEUE',
  'job.dead': 'COMPACTION_DLQ',
} as const satisfies Record<string, keyof Env>

/** Send an outbox message to the queue of its type. */
export async function sendMessage(env: Env, message: OutboxMessage): Promise<void> {
  const { type } = message
  if (!isQueued(type)) throw new FusouError('internal', `no queue of this release takes ${type}`)
  await env[QUEUES[type]].send(message.payload, { contentType: 'json' })
}

const isQueued = (type: string): type is keyof typeof QUEUES => Object.hasOwn(QUEUES, type)

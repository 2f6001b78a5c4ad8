import type { OutboxMessage } from '@fusou/catalog'
import type { Env } from './env.ts'

const QUEUES = {
  'compaction.requested': 'COMPACTION_QUEUE',
  'job.dead': 'COMPACTION_DLQ',
} as const satisfies Record<OutboxMessage['type'], keyof Env>

/** Send an outbox message to the queue of its type. */
export async function sendMessage(env: Env, message: OutboxMessage): Promise<void> {
  await env[QUEUES[message.type]].send(message.payload, { contentType: 'json' })
}

import { FusouError, type OutboxMessage, publishOutbox } from '@fusou/catalog'
import type { Context } from 'hono'
import type { AppEnv } from './bindings.ts'
import { senderOf } from './services.ts'

/** Send the messages of a change after the answer; what fails here the relay sends later. */
export function publishAfterAnswer(c: Context<AppEnv>, messages: readonly (OutboxMessage | null)[]): void {
  const mine = messages.filter((message) => message !== null)
  if (mine.length === 0) return
  c.executionCtx.waitUntil(
    publishOutbox(c.var.services.catalog, senderOf(c), mine, async ({ type, payload }) => {
      if (type !== 'compaction.requested') throw new FusouError('internal', `no queue here takes ${type}`)
      await c.env.COMPACTION_QUEUE.send(payload, { contentType: 'json' })
    }),
  )
}

import { consumeCompactionMessages } from './consume/consume-compaction-messages.ts'
import { consumeDeadLetters } from './consume/consume-dead-letters.ts'
import type { Env } from './env.ts'
import { maintain } from './maintenance/maintain.ts'
import { openCatalog } from './open-catalog.ts'
import { COMPACTION_DLQ_NAME } from './queue-names.ts'

export { RateLimiter } from './rate-limiter.ts'
export { DataCompactionWorkflow } from './workflow/data-compaction-workflow.ts'

export default {
  async queue(batch, env) {
    const consume = batch.queue === COMPACTION_DLQ_NAME ? consumeDeadLetters : consumeCompactionMessages
    await consume(batch, env, openCatalog(env))
  },

  async scheduled(_controller, env) {
    await maintain(env, openCatalog(env))
  },
} satisfies ExportedHandler<Env>

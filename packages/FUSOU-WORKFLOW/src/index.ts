import { consumeCompactionMessages } from './consume/consume-compaction-messages.ts'
import { consumeDeadLetters } from './consume/consume-dead-letters.ts'
import { type Env, withBoundedBucket } from './env.ts'
import { maintain } from './maintenance/maintain.ts'
import { heartbeatUrl, openAlertChannels } from './open-alert-channels.ts'
import { openCatalog } from './open-catalog.ts'

export { RateLimiter } from './rate-limiter.ts'
export { CronWatch } from './watch/cron-watch.ts'
export { DataCompactionWorkflow } from './workflow/data-compaction-workflow.ts'

export default {
  async queue(batch, env) {
    const catalog = openCatalog(env)
    if (batch.queue === env.DEAD_LETTER_QUEUE) await consumeDeadLetters(batch, env, catalog, openAlertChannels(env))
    else await consumeCompactionMessages(batch, env, catalog)
  },

  async scheduled(_controller, env) {
    await maintain(withBoundedBucket(env), openCatalog(env), openAlertChannels(env), heartbeatUrl(env))
  },
} satisfies ExportedHandler<Env>

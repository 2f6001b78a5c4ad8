import { type Catalog, publishOutbox } from '@fusou/catalog'
import { ALERT_TYPE_PREFIX } from '../alerts/deliver-alerts.ts'
import type { Env } from '../env.ts'
import { sendMessage } from '../send-message.ts'

const BATCH_MESSAGES = 50
/** Messages of one run at the most; the next minute goes on. */
const MAX_MESSAGES = 500
const LOCK_SECONDS = 60

/** Send what nobody has sent: messages whose sender died, whose queue refused, or whose time has come. */
export async function relayOutbox(env: Env, catalog: Catalog): Promise<{ sent: number }> {
  const workerId = `relay:${crypto.randomUUID()}`
  let sent = 0
  for (let claimed = 0; claimed < MAX_MESSAGES; ) {
    const messages = await catalog.claimOutbox({
      maxBatch: BATCH_MESSAGES,
      lockSeconds: LOCK_SECONDS,
      workerId,
      // a receiver of alerts that hangs must not hold up the queue
      excludeTypePrefix: ALERT_TYPE_PREFIX,
    })
    sent += await publishOutbox(catalog, workerId, messages, (message) => sendMessage(env, message))
    claimed += messages.length
    if (messages.length < BATCH_MESSAGES) break
  }
  await catalog.trimOutbox(1000)
  return { sent }
}

import type { Catalog } from '@fusou/catalog'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import { ALERT_TYPE_PREFIX, deliverAlerts } from '../alerts/deliver-alerts.ts'
import { raiseAlerts } from '../alerts/raise-alerts.ts'
import type { Env } from '../env.ts'

/** One notice a channel and kind is due at a time; more than all of them together at once. */
const BATCH_MESSAGES = 20
const LOCK_SECONDS = 60

/** Raise and resolve alerts, then tell again what channels did not take before. */
export async function tellAlerts(
  _env: Env,
  catalog: Catalog,
  channels: AlertChannels,
): Promise<{ changed: number; delivered: number }> {
  const { changed, delivered } = await raiseAlerts(catalog, channels)
  return { changed, delivered: delivered + (await deliverDueAlerts(catalog, channels)) }
}

export async function deliverDueAlerts(catalog: Catalog, channels: AlertChannels): Promise<number> {
  const workerId = `alerts:${crypto.randomUUID()}`
  const due = await catalog.claimOutbox({
    maxBatch: BATCH_MESSAGES,
    lockSeconds: LOCK_SECONDS,
    workerId,
    includeTypePrefix: ALERT_TYPE_PREFIX,
  })
  return deliverAlerts(catalog, workerId, due, channels)
}

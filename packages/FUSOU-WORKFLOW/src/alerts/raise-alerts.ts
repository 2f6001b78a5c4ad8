import { type AlertRules, type Catalog, log } from '@fusou/catalog'
import type { AlertChannels } from './alert-channels.ts'
import { ALERT_RULES } from './alert-rules.ts'
import { deliverAlerts } from './deliver-alerts.ts'

/** Look for trouble, settle the alerts, and tell the channels of what is new. What they do not take the cron tells later. */
export async function raiseAlerts(
  catalog: Catalog,
  channels: AlertChannels,
  rules: AlertRules = ALERT_RULES,
): Promise<{ changed: number; delivered: number }> {
  const sender = `alerts:${crypto.randomUUID()}`
  const { changes, outbox } = await catalog.raiseAlerts(rules, [...channels.keys()], sender)
  for (const { change, ...alert } of changes) {
    log(change === 'resolved' ? 'info' : 'error', `alert_${change}`, { ...alert, channels: [...channels.keys()] })
  }
  return { changed: changes.length, delivered: await deliverAlerts(catalog, sender, outbox, channels) }
}

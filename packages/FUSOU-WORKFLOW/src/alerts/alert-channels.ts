import type { AlertChannel, AlertNotice, Environment } from '@fusou/catalog'
import { pagerDutyEvent } from './pagerduty-event.ts'
import { ALERT_TIMEOUT_MS } from './post-alert.ts'
import { slackMessage } from './slack-message.ts'

/** Where one channel is reached, and how it wants to be told. The address and the body hold secrets. */
interface Receiver {
  readonly url: string
  readonly timeoutMs: number
  body(notice: AlertNotice): object
}

/** The channels that are configured. */
export type AlertChannels = ReadonlyMap<AlertChannel, Receiver>

export function alertChannels(environment: Environment, timeoutMs = ALERT_TIMEOUT_MS): AlertChannels {
  const { ALERT_SOURCE: source, SLACK_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY, PAGERDUTY_EVENTS_URL } = environment
  const channels = new Map<AlertChannel, Receiver>()
  if (SLACK_WEBHOOK_URL !== undefined) {
    channels.set('slack', { url: SLACK_WEBHOOK_URL, timeoutMs, body: (notice) => slackMessage(notice, source) })
  }
  if (PAGERDUTY_ROUTING_KEY !== undefined) {
    channels.set('pagerduty', {
      url: new URL('/v2/enqueue', PAGERDUTY_EVENTS_URL).href,
      timeoutMs,
      body: (notice) => pagerDutyEvent(notice, source, PAGERDUTY_ROUTING_KEY),
    })
  }
  return channels
}

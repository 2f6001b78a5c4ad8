import type { AlertNotice } from '@fusou/catalog'

/** PagerDuty cuts a summary off here. */
const MAX_SUMMARY_CHARACTERS = 1024

/**
 * An event of the Events API v2. All notices of one incident have one `dedup_key`, so that a delivery that comes twice
 * changes nothing, and the last one resolves what the first one triggered.
 * https://developer.pagerduty.com/docs/send-alert-event
 */
export function pagerDutyEvent(notice: AlertNotice, source: string, routingKey: string) {
  const { kind, action, incident, severity, summary, found, details, raisedAt, at } = notice
  return {
    routing_key: routingKey,
    event_action: action,
    dedup_key: `${source}:${kind}:${incident}`,
    payload: {
      summary: summary.slice(0, MAX_SUMMARY_CHARACTERS),
      source,
      severity,
      timestamp: at,
      custom_details: { kind, found, raised_at: raisedAt, ...details },
    },
  }
}

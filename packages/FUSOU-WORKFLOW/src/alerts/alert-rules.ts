import type { AlertRules } from '@fusou/catalog'

const MINUTE_SECONDS = 60
const HOUR_SECONDS = 3600

/** docs/alerts.md says what each means to an operator. */
export const ALERT_RULES: AlertRules = {
  deadLettersWindowSeconds: HOUR_SECONDS,
  failureWindowSeconds: HOUR_SECONDS,
  failureRatio: 0.2,
  failureMinJobs: 10,
  waitingBoundSeconds: 30 * MINUTE_SECONDS,
  // GitHub starts a schedule late when it is busy, or skips it once
  triggerBoundSeconds: 26 * HOUR_SECONDS,
  newCausesSeconds: 15 * MINUTE_SECONDS,
  silenceSeconds: 4 * HOUR_SECONDS,
  quietSeconds: 5 * MINUTE_SECONDS,
}

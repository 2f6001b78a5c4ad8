import { z } from 'zod'

export const AlertKind = z.enum([
  'dead_letters',
  'failure_rate',
  'oldest_waiting',
  'missed_daily_trigger',
  'installation_mismatch',
  'catalog_restored',
  'orphans_stopped',
  'files_set_aside',
])
export type AlertKind = z.infer<typeof AlertKind>

export const AlertSeverity = z.enum(['critical', 'error', 'warning'])

/** Where alerts are told; each has outbox messages of its own. */
export const AlertChannel = z.enum(['slack', 'pagerduty'])
export type AlertChannel = z.infer<typeof AlertChannel>

/** When an alert is raised, told again and resolved; see `raise_alerts`. */
export interface AlertRules {
  /** letters older than this do not count */
  readonly deadLettersWindowSeconds: number
  readonly failureWindowSeconds: number
  /** dead jobs of those that ended in the window, from 0 to 1 */
  readonly failureRatio: number
  /** fewer ended jobs than this prove nothing */
  readonly failureMinJobs: number
  /** how long a job may wait that nothing stands in front of */
  readonly waitingBoundSeconds: number
  /** how long the daily trigger may stay away */
  readonly triggerBoundSeconds: number
  /** an alert that stands tells of causes that are new to it, such as another dataset, this often at the most */
  readonly newCausesSeconds: number
  /** a raised alert is told again after this */
  readonly silenceSeconds: number
  /** how long the trouble must be away before the alert is resolved */
  readonly quietSeconds: number
}

const Example = z.object({
  fileId: z.string().nullish(),
  jobId: z.string().nullish(),
  datasetId: z.string().nullish(),
  code: z.string().nullish(),
  step: z.string().nullish(),
  message: z.string().nullish(),
  priority: z.string().nullish(),
  waitsFor: z.string().nullish(),
  waitingSince: z.string().nullish(),
})

/** Notice of one alert for one channel: the payload of an outbox message `alert.<channel>`. */
export const AlertNotice = z.object({
  /** an `AlertKind`, or one that a newer database raises: it is told all the same */
  kind: z.string(),
  action: z.enum(['trigger', 'resolve']),
  /** with the kind, what tells incidents apart */
  incident: z.int(),
  severity: AlertSeverity,
  summary: z.string(),
  found: z.int(),
  details: z.object({
    codes: z.record(z.string(), z.int()).optional(),
    /** causes that this incident had not been told of before, ten at the most, and how many there are */
    newCauses: z.array(z.string()).optional(),
    newCauseCount: z.int().optional(),
    ended: z.int().optional(),
    lastTriggerAt: z.string().optional(),
    /** last run of the cron, as the watch outside of the database knows it */
    lastRunAt: z.string().optional(),
    examples: z.array(Example).optional(),
  }),
  raisedAt: z.string(),
  at: z.string(),
})
export type AlertNotice = z.infer<typeof AlertNotice>

export const AlertChange = z.object({
  kind: z.string(),
  change: z.enum(['raised', 'grown', 'resolved']),
  summary: z.string(),
})

/** An alert that stands, as the status shows it. */
export const RaisedAlert = z.object({
  kind: z.string(),
  severity: AlertSeverity,
  summary: z.string(),
  raisedAt: z.string(),
  told: z.array(z.string()).meta({ description: 'channels that were told, or are about to be' }),
})

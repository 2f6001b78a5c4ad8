import type { AlertChannel, AlertNotice } from '@fusou/catalog'

// The state of the watch over the cron, and its transitions: plain data in, plain data out. It lives outside of the
// database, since it tells of a database that is away.

/** The one object of the class `CronWatch`. */
export const WATCH_NAME = 'cron'

/** A chore that failed in this many runs in a row, so for as many minutes, is told. */
export const FAILING_RUNS = 5
/** The alert is resolved after this many runs in a row in which no chore failed. */
export const GOOD_RUNS = 3
/** The cron runs each minute; when it has not for this long, it is told. */
export const SILENT_MS = 5 * 60_000
/** An alert that stands is told again after this. */
export const REPEAT_MS = 4 * 3600_000
/** Chores are few; this bounds what is kept and told should they not be. */
const MAX_CHORES = 50
const MAX_EXAMPLES = 5
const MAX_ERROR_CHARACTERS = 300

export type WatchKind = 'chores_failing' | 'cron_silent'

/** The last word that a channel was given. */
interface Told {
  readonly at: number
  readonly causes: readonly string[]
}

/** An alert that stands, or that is over and not yet told to be; times are milliseconds since 1970. */
export interface WatchAlert {
  /** with the kind, what tells incidents apart for receivers */
  readonly incident: number
  readonly raisedAt: number
  readonly causes: readonly string[]
  readonly summary: string
  readonly over: boolean
  readonly told: Readonly<Partial<Record<AlertChannel, Told>>>
}

interface FailingChore {
  readonly runs: number
  readonly since: number
  readonly error: string
}

export interface WatchState {
  readonly lastRunAt: number | null
  /** since the last failure of any chore */
  readonly goodRuns: number
  readonly chores: Readonly<Record<string, FailingChore>>
  readonly alerts: Readonly<Partial<Record<WatchKind, WatchAlert>>>
}

export const NOTHING_SEEN: WatchState = { lastRunAt: null, goodRuns: 0, chores: {}, alerts: {} }

/** A run of the cron has ended. @param failures the error of each chore that failed */
export function noteRun(state: WatchState, failures: Readonly<Record<string, string>>, now: number): WatchState {
  const failed = Object.entries(failures).slice(0, MAX_CHORES)
  const chores = Object.fromEntries(
    failed.map(([chore, error]): [string, FailingChore] => {
      const before = state.chores[chore]
      const shown = error.slice(0, MAX_ERROR_CHARACTERS)
      return [chore, { runs: (before?.runs ?? 0) + 1, since: before?.since ?? now, error: shown }]
    }),
  )
  const goodRuns = failed.length === 0 ? state.goodRuns + 1 : 0
  const late = Object.entries(chores).filter(([, { runs }]) => runs >= FAILING_RUNS)
  const causes = late.map(([chore]) => chore)
  const standing = state.alerts.chores_failing
  const alerts = { ...state.alerts }
  if (late.length > 0) {
    const [chore, { since, error }] = late.toSorted(([, a], [, b]) => a.since - b.since)[0]!
    const minutes = Math.round((now - since) / 60_000)
    const more = late.length > 1 ? ` and ${late.length - 1} more` : ''
    alerts.chores_failing = raise(
      standing,
      causes,
      `the cron has failed at ${chore}${more} for ${minutes} min: ${error}`,
      now,
    )
  } else if (standing && goodRuns >= GOOD_RUNS) alerts.chores_failing = { ...standing, over: true }
  if (alerts.cron_silent) alerts.cron_silent = { ...alerts.cron_silent, over: true }
  return { lastRunAt: now, goodRuns, chores, alerts }
}

/** Nobody has told of a run for a while. */
export function noteSilence(state: WatchState, now: number): WatchState {
  const { lastRunAt } = state
  if (lastRunAt === null || now - lastRunAt < SILENT_MS) return state
  const minutes = Math.round((now - lastRunAt) / 60_000)
  const alert = raise(state.alerts.cron_silent, ['cron'], `the cron has not run for ${minutes} min`, now)
  return { ...state, alerts: { ...state.alerts, cron_silent: alert } }
}

function raise(standing: WatchAlert | undefined, causes: readonly string[], summary: string, now: number): WatchAlert {
  if (standing === undefined || standing.over) {
    return { incident: Math.floor(now / 1000), raisedAt: now, causes, summary, over: false, told: {} }
  }
  return { ...standing, causes, summary }
}

/** A notice that a channel is to be given now. */
export interface DueNotice {
  readonly kind: WatchKind
  readonly channel: AlertChannel
  readonly notice: AlertNotice
}

/**
 * What each channel is yet to be told: that an alert is raised, that it has new causes, that it still stands after
 * `REPEAT_MS`, and to those that were told, that it is over.
 */
export function dueNotices(state: WatchState, channels: readonly AlertChannel[], now: number): DueNotice[] {
  return alertsOf(state).flatMap(([kind, alert]) =>
    channels
      .filter((channel) => isDue(alert, channel, now))
      .map((channel) => ({ kind, channel, notice: noticeOf(state, kind, alert, now) })),
  )
}

function isDue({ over, causes, told }: WatchAlert, channel: AlertChannel, now: number): boolean {
  const last = told[channel]
  if (over) return last !== undefined
  return last === undefined || now - last.at >= REPEAT_MS || causes.some((cause) => !last.causes.includes(cause))
}

/** A channel was told, or has refused for good. */
export function noteTold(state: WatchState, kind: WatchKind, channel: AlertChannel, now: number): WatchState {
  const alert = state.alerts[kind]
  if (alert === undefined) return state
  const { [channel]: last, ...others } = alert.told
  const causes = [...new Set([...(last?.causes ?? []), ...alert.causes])].slice(-MAX_CHORES)
  const told = alert.over ? others : { ...others, [channel]: { at: now, causes } }
  return { ...state, alerts: { ...state.alerts, [kind]: { ...alert, told } } }
}

/** Forgets the alerts that are over and of which no channel is left to be told. */
export function forgetOver(state: WatchState, channels: readonly AlertChannel[]): WatchState {
  const kept = alertsOf(state).filter(
    ([, { over, told }]) => !over || channels.some((channel) => told[channel] !== undefined),
  )
  return { ...state, alerts: Object.fromEntries(kept) }
}

export const alertsOf = (state: WatchState) => Object.entries(state.alerts) as [WatchKind, WatchAlert][]

function noticeOf({ chores, lastRunAt }: WatchState, kind: WatchKind, alert: WatchAlert, now: number): AlertNotice {
  const examples = Object.entries(chores)
    .slice(0, MAX_EXAMPLES)
    .map(([step, { error }]) => ({ step, message: error }))
  return {
    kind,
    action: alert.over ? 'resolve' : 'trigger',
    incident: alert.incident,
    severity: 'critical',
    summary: alert.summary,
    found: alert.causes.length,
    details: {
      ...(lastRunAt !== null && { lastRunAt: new Date(lastRunAt).toISOString() }),
      ...(kind === 'chores_failing' && { examples }),
    },
    raisedAt: new Date(alert.raisedAt).toISOString(),
    at: new Date(now).toISOString(),
  }
}

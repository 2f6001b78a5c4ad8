import { type Catalog, describe, log, withinDeadline } from '@fusou/catalog'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import type { Env } from '../env.ts'
import { reportRun } from '../watch/report-run.ts'
import { sendHeartbeat } from '../watch/send-heartbeat.ts'
import { deliverWebhooks } from '../webhooks/deliver-webhooks.ts'
import { deleteExpiredData } from './delete-expired-data.ts'
import { dropUploads } from './drop-uploads.ts'
import { relayOutbox } from './relay-outbox.ts'
import { rescueJobs } from './rescue-jobs.ts'
import { startJobs } from './start-jobs.ts'
import { sweepOrphans } from './sweep-orphans.ts'
import { tallyJobs } from './tally-jobs.ts'
import { tellAlerts } from './tell-alerts.ts'
import { trimHistory } from './trim-history.ts'
import { vacuum } from './vacuum.ts'

/** Counts what it did. */
type Chore = (env: Env, catalog: Catalog, channels: AlertChannels) => Promise<Readonly<Record<string, number>>>

/** The time of the run, for health, status and metrics; last, so that it tells of a run that came to its end. */
const recordRun: Chore = async (_env, catalog) => {
  await catalog.recordCronRun()
  return {}
}

export const CHORES: Readonly<Record<string, Chore>> = {
  rescueJobs: (env, catalog) => rescueJobs(env, catalog),
  startJobs,
  relayOutbox,
  tellAlerts,
  tallyJobs,
  trimHistory,
  deleteExpiredData,
  deliverWebhooks: (_env, catalog) => deliverWebhooks(catalog),
  // before vacuum: an upload that was complete is garbage afterwards
  dropUploads,
  vacuum,
  sweepOrphans: (env, catalog) => sweepOrphans(env, catalog),
  recordRun,
}

/** Longer than any chore takes whose calls all meet their deadlines but one; one that hangs holds up none behind it. */
export const CHORE_TIMEOUT_MS = 120_000

/**
 * What the cron does each minute. A chore that fails or hangs holds up none of the others; the run fails with it. How it
 * went is told to the watch, and to the dead man's switch if all went well.
 */
export async function maintain(
  env: Env,
  catalog: Catalog,
  channels: AlertChannels,
  heartbeatUrl?: string,
  choreTimeoutMs = CHORE_TIMEOUT_MS,
): Promise<void> {
  const failures = new Map<string, unknown>()
  for (const [chore, run] of Object.entries(CHORES)) {
    try {
      const done = await withinDeadline(chore, choreTimeoutMs, run(env, catalog, channels), 'internal')
      if (Object.values(done).some((count) => count > 0)) log('info', 'chore_done', { chore, ...done })
    } catch (error) {
      log('error', 'chore_failed', { chore, ...describe(error) })
      failures.set(chore, error)
    }
  }
  await reportRun(env, channels, failures)
  if (failures.size === 0) return sendHeartbeat(heartbeatUrl)
  throw new AggregateError(failures.values(), `${failures.size} chores failed`)
}

import { type Catalog, describe, log } from '@fusou/catalog'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import type { Env } from '../env.ts'
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

const CHORES: Record<string, Chore> = {
  rescueJobs,
  startJobs,
  relayOutbox,
  tellAlerts,
  tallyJobs,
  trimHistory,
  vacuum,
  sweepOrphans,
}

/** What the cron does each minute. A chore that fails holds up none of the others; the run fails with it. */
export async function maintain(env: Env, catalog: Catalog, channels: AlertChannels): Promise<void> {
  const failures: unknown[] = []
  for (const [chore, run] of Object.entries(CHORES)) {
    try {
      const done = await run(env, catalog, channels)
      if (Object.values(done).some((count) => count > 0)) log('info', 'chore_done', { chore, ...done })
    } catch (error) {
      log('error', 'chore_failed', { chore, ...describe(error) })
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} chores failed`)
}

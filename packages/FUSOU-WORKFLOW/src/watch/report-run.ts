import { describe, FusouError, log, withinDeadline } from '@fusou/catalog'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import type { Env } from '../env.ts'
import { tellWatch, type WatchStore } from './tell-watch.ts'
import { NOTHING_SEEN, noteRun, WATCH_NAME } from './watch-state.ts'

/** Longer than it takes to tell both channels, one of which hangs. */
const REPORT_TIMEOUT_MS = 25_000

/** State that the isolate keeps itself while the watch is away and the isolate lives. */
let remembered = NOTHING_SEEN
const memory: WatchStore = {
  load: async () => remembered,
  save: async (state) => {
    remembered = state
  },
}

/**
 * Tell the watch how a run of the cron went. Never throws. While the watch itself is away the isolate keeps count in its
 * place: its own absence is then one of the failures, and is told if it lasts.
 */
export async function reportRun(
  env: Pick<Env, 'CRON_WATCH'>,
  channels: AlertChannels,
  failures: ReadonlyMap<string, unknown>,
): Promise<void> {
  const errors = Object.fromEntries([...failures].map(([chore, error]) => [chore, errorOf(error)]))
  try {
    const watch = env.CRON_WATCH.getByName(WATCH_NAME)
    await withinDeadline('report', REPORT_TIMEOUT_MS, Promise.resolve(watch.report(errors)), 'internal')
    remembered = NOTHING_SEEN
  } catch (error) {
    log('error', 'watch_unavailable', describe(error))
    const now = Date.now()
    const all = { ...errors, watch: errorOf(error) }
    await tellWatch(memory, channels, (state) => noteRun(state, all, now), now).catch((thrown: unknown) =>
      log('error', 'watch_not_told', describe(thrown)),
    )
  }
}

/** Details of our own errors are safe to show; of others, which may quote anything, only the name is told. */
function errorOf(error: unknown): string {
  if (error instanceof FusouError) return error.message
  return error instanceof Error ? error.name : 'an error'
}

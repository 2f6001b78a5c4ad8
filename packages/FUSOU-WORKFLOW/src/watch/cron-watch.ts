import { DurableObject } from 'cloudflare:workers'
import type { Env } from '../env.ts'
import { openAlertChannels } from '../open-alert-channels.ts'
import { tellWatch, type WatchStore } from './tell-watch.ts'
import { NOTHING_SEEN, noteRun, noteSilence, SILENT_MS, type WatchState } from './watch-state.ts'

const STATE_KEY = 'watch'
/** How often a silent cron is looked at again, so that a channel that was away is told after all. */
const LOOK_AGAIN_MS = 60_000

/**
 * Watches the cron from outside of the database and the bucket, which the cron looks after: its state has to be where
 * neither is. Each run reports here and moves the alarm on; an alarm that goes off means that no run came. There is one
 * object of the class, under the name `WATCH_NAME`.
 */
export class CronWatch extends DurableObject<Env> {
  readonly #store: WatchStore = {
    load: async () => (await this.ctx.storage.get<WatchState>(STATE_KEY)) ?? NOTHING_SEEN,
    save: (state) => this.ctx.storage.put(STATE_KEY, state),
  }

  /**
   * A run of the cron has ended.
   * @param failures the error of each chore that failed
   * @returns how many notices were delivered
   */
  async report(failures: Readonly<Record<string, string>>, now = Date.now()): Promise<number> {
    await this.ctx.storage.setAlarm(now + SILENT_MS)
    return tellWatch(this.#store, openAlertChannels(this.env), (state) => noteRun(state, failures, now), now)
  }

  override async alarm(): Promise<void> {
    await this.lookForSilence()
  }

  /** @returns how many notices were delivered */
  async lookForSilence(now = Date.now()): Promise<number> {
    await this.ctx.storage.setAlarm(now + LOOK_AGAIN_MS)
    return tellWatch(this.#store, openAlertChannels(this.env), (state) => noteSilence(state, now), now)
  }

  /** The stored state. */
  state(): Promise<WatchState> {
    return this.#store.load()
  }
}

import { type AlertChannel, log } from '@fusou/catalog'
import type { AlertChannels } from '../alerts/alert-channels.ts'
import { postAlert } from '../alerts/post-alert.ts'
import { alertsOf, dueNotices, forgetOver, noteTold, type WatchState } from './watch-state.ts'

/** Where the state of the watch is kept between runs. */
export interface WatchStore {
  load(): Promise<WatchState>
  save(state: WatchState): Promise<void>
}

/**
 * Take the state one step further and tell the channels what follows from it. What a channel does not take is told with
 * the next run. Dying in between means telling again, under the same key.
 * @returns how many notices were delivered
 */
export async function tellWatch(
  store: WatchStore,
  channels: AlertChannels,
  step: (state: WatchState) => WatchState,
  now: number,
): Promise<number> {
  const before = await store.load()
  let state = step(before)
  logChanges(before, state)
  await store.save(state)
  const names: AlertChannel[] = [...channels.keys()]
  const posts = await Promise.all(
    dueNotices(state, names, now).map(async (due) => {
      const { url, timeoutMs, body } = channels.get(due.channel)!
      return { ...due, posted: await postAlert(url, body(due.notice), timeoutMs) }
    }),
  )
  for (const { kind, channel, posted } of posts) {
    if (posted.outcome === 'delivered') log('info', 'watch_told', { kind, channel })
    else log('error', 'watch_not_told', { kind, channel, error: posted.error, permanent: posted.permanent })
    // One that refused for good is asked again when the alert is due to be told again, not each minute.
    if (posted.outcome === 'delivered' || posted.permanent) state = noteTold(state, kind, channel, now)
  }
  await store.save(forgetOver(state, names))
  return posts.filter(({ posted }) => posted.outcome === 'delivered').length
}

function logChanges(before: WatchState, after: WatchState): void {
  for (const [kind, { incident, summary, over }] of alertsOf(after)) {
    const known = before.alerts[kind]
    if (!over && (known === undefined || known.incident !== incident)) log('error', 'watch_raised', { kind, summary })
    if (over && known && !known.over) log('info', 'watch_resolved', { kind, summary })
  }
}

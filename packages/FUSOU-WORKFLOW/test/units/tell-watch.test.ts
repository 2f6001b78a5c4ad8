import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AlertChannels } from '../../src/alerts/alert-channels.ts'
import { tellWatch } from '../../src/watch/tell-watch.ts'
import { noteSilence, type WatchState } from '../../src/watch/watch-state.ts'
import { logOf } from './fakes.ts'

const NOW = 1_800_000_000_000
const AN_HOUR_AGO = { lastRunAt: NOW - 3_600_000, goodRuns: 0, chores: {}, alerts: {} } as WatchState

let answers: () => Promise<Response>
let posted: string[]
beforeEach(() => {
  posted = []
  answers = async () => new Response('ok')
  vi.stubGlobal('fetch', async (url: string) => {
    posted.push(url)
    return answers()
  })
})
afterEach(() => vi.unstubAllGlobals())

const channels = new Map([
  ['slack', { url: 'https://hooks.example/a', timeoutMs: 1000, body: (notice: object) => notice }],
]) as AlertChannels

/** Steps of a watch that was told of its last run an hour ago. */
function watch() {
  const saved: WatchState[] = []
  const store = {
    load: async () => saved.at(-1) ?? AN_HOUR_AGO,
    save: async (state: WatchState) => void saved.push(structuredClone(state)),
  }
  const step = async (now = NOW) => {
    let told = 0
    const log = await logOf(async () => {
      told = await tellWatch(store, channels, (state) => noteSilence(state, now), now)
    })
    return { told, events: log.map(([level, { event }]) => [level, event]) }
  }
  return { step, saved }
}

test('silence is saved before it is told, told once, and saved as told', async () => {
  const { step, saved } = watch()
  answers = async () => {
    expect(saved).toHaveLength(1)
    return new Response('ok')
  }
  expect(await step()).toEqual({
    told: 1,
    events: [
      ['error', 'watch_raised'],
      ['info', 'watch_told'],
    ],
  })
  const [before, after] = saved.map(({ alerts }) => alerts.cron_silent!)
  expect(before).toMatchObject({ causes: ['cron'], summary: 'the cron has not run for 60 min', over: false, told: {} })
  expect(after!.told).not.toEqual({})
  expect(await step(NOW + 60_000)).toEqual({ told: 0, events: [] })
  expect(posted).toHaveLength(1)
})

test('what a channel does not take is told again with the next step, unless it refuses for good', async () => {
  const { step } = watch()
  answers = async () => new Response('', { status: 500 })
  expect(await step()).toEqual({
    told: 0,
    events: [
      ['error', 'watch_raised'],
      ['error', 'watch_not_told'],
    ],
  })
  expect((await step(NOW + 60_000)).events).toEqual([['error', 'watch_not_told']])
  answers = async () => new Response('', { status: 404 })
  expect((await step(NOW + 120_000)).events).toEqual([['error', 'watch_not_told']])
  expect((await step(NOW + 180_000)).events).toEqual([])
  expect(posted).toHaveLength(3)
})

import type { AlertChannel } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import {
  dueNotices,
  FAILING_RUNS,
  forgetOver,
  GOOD_RUNS,
  NOTHING_SEEN,
  noteRun,
  noteSilence,
  noteTold,
  REPEAT_MS,
  SILENT_MS,
  type WatchState,
} from '../../src/watch/watch-state.ts'

const MINUTE_MS = 60_000
const BOTH: AlertChannel[] = ['slack', 'pagerduty']
const DOWN = { vacuum: 'database_unavailable: no connection' }

/** A watch whose runs are a minute apart, and whose channels take what they are told. */
function watch(channels = BOTH) {
  let state: WatchState = NOTHING_SEEN
  let now = Date.parse('2026-11-22T08:00:00Z')
  const tell = () => {
    const due = dueNotices(state, channels, now)
    for (const { kind, channel } of due) state = noteTold(state, kind, channel, now)
    state = forgetOver(state, channels)
    return due.map(({ channel, notice: { kind, action, incident } }) => ({ channel, kind, action, incident }))
  }
  return {
    state: () => state,
    pass: (ms: number) => {
      now += ms
    },
    run: (failures: Record<string, string> = {}) => {
      now += MINUTE_MS
      state = noteRun(state, failures, now)
      return tell()
    },
    look: () => {
      state = noteSilence(state, now)
      return tell()
    },
    due: () => dueNotices(state, channels, now),
    note: (failures: Record<string, string>) => {
      now += MINUTE_MS
      state = noteRun(state, failures, now)
    },
  }
}

describe('a chore that fails', () => {
  test(`is told to each channel in its run number ${FAILING_RUNS} in a row, and not before`, () => {
    const { run } = watch()
    for (let count = 1; count < FAILING_RUNS; count++) expect(run(DOWN)).toEqual([])
    expect(run(DOWN)).toMatchObject(BOTH.map((channel) => ({ channel, kind: 'chores_failing', action: 'trigger' })))
  })

  test('begins to count again after a run in which it was well', () => {
    const { run } = watch()
    for (let count = 1; count < FAILING_RUNS; count++) run(DOWN)
    run()
    for (let count = 1; count < FAILING_RUNS; count++) expect(run(DOWN)).toEqual([])
    expect(run(DOWN)).toHaveLength(2)
  })

  test('is told once, and again after the silence', () => {
    const { run, pass } = watch()
    for (let count = 0; count < FAILING_RUNS; count++) run(DOWN)
    for (let count = 0; count < 30; count++) expect(run(DOWN)).toEqual([])
    pass(REPEAT_MS - 32 * MINUTE_MS)
    expect(run(DOWN)).toEqual([])
    expect(run(DOWN)).toHaveLength(2)
    expect(run(DOWN)).toEqual([])
  })

  test('is told again at once when another joins it, under the same incident', () => {
    const { run } = watch(['slack'])
    for (let count = 1; count < FAILING_RUNS; count++) run(DOWN)
    const [first] = run(DOWN)
    for (let count = 1; count < FAILING_RUNS; count++) expect(run({ ...DOWN, sweepOrphans: 'no' })).toEqual([])
    expect(run({ ...DOWN, sweepOrphans: 'no' })).toEqual([first])
    // one that is known does not speak again when it comes back
    run(DOWN)
    for (let count = 0; count < 2 * FAILING_RUNS; count++) expect(run({ ...DOWN, sweepOrphans: 'no' })).toEqual([])
  })

  test('is named with its error, since when, and how many others there are', () => {
    const { note, due } = watch(['slack'])
    for (let count = 0; count < FAILING_RUNS; count++) note({ ...DOWN, relayOutbox: 'x'.repeat(10_000) })
    const { notice } = due()[0]!
    expect(notice.summary).toBe(
      'the cron has failed at vacuum and 1 more for 4 min: database_unavailable: no connection',
    )
    expect(notice).toMatchObject({ severity: 'critical', found: 2, raisedAt: '2026-11-22T08:05:00.000Z' })
    expect(notice.details).toMatchObject({
      lastRunAt: '2026-11-22T08:05:00.000Z',
      examples: [{ step: 'vacuum' }, { step: 'relayOutbox', message: 'x'.repeat(300) }],
    })
  })

  test(`is over after ${GOOD_RUNS} good runs in a row, which is told to those that were told`, () => {
    const { run, state } = watch()
    for (let count = 0; count < FAILING_RUNS; count++) run(DOWN)
    const raised = state().alerts.chores_failing!.incident
    for (let count = 1; count < GOOD_RUNS; count++) expect(run()).toEqual([])
    run(DOWN)
    for (let count = 1; count < GOOD_RUNS; count++) expect(run()).toEqual([])
    expect(run()).toMatchObject(BOTH.map((channel) => ({ channel, action: 'resolve', incident: raised })))
    expect(run()).toEqual([])
    expect(state().alerts).toEqual({})
  })

  test('that comes back is another incident', () => {
    const { run } = watch(['slack'])
    const raise = () => Array.from({ length: FAILING_RUNS }, () => run(DOWN)).at(-1)![0]!
    const first = raise()
    for (let count = 0; count < GOOD_RUNS; count++) run()
    expect(raise().incident).toBeGreaterThan(first.incident)
  })

  test('without a channel stands all the same, and is told to one that is set up later', () => {
    const { run, state, due } = watch([])
    for (let count = 0; count < FAILING_RUNS; count++) expect(run(DOWN)).toEqual([])
    expect(due()).toEqual([])
    expect(dueNotices(state(), ['slack'], Date.now())).toHaveLength(1)
  })

  test('keeps its state small, however many there are and however long their errors', () => {
    const { run, state } = watch()
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`chore-${index}`, 'x'.repeat(1000)]))
    for (let count = 0; count < 2 * FAILING_RUNS; count++) run(many)
    expect(JSON.stringify(state()).length).toBeLessThan(30_000)
  })
})

describe('a cron that does not run', () => {
  test('is told when it has been silent for a while, and never while it runs', () => {
    const { run, look, pass } = watch(['slack'])
    expect(look()).toEqual([])
    run()
    pass(SILENT_MS - 1)
    expect(look()).toEqual([])
    pass(1)
    expect(look()).toMatchObject([{ kind: 'cron_silent', action: 'trigger' }])
    pass(MINUTE_MS)
    expect(look()).toEqual([])
    pass(REPEAT_MS)
    expect(look()).toMatchObject([{ kind: 'cron_silent', action: 'trigger' }])
  })

  test('is told to be back with its next run, also one that fails', () => {
    const { run, look, pass } = watch(['slack'])
    run()
    pass(SILENT_MS)
    const [silent] = look()
    expect(run(DOWN)).toEqual([{ ...silent, action: 'resolve' }])
    expect(run(DOWN)).toEqual([])
  })

  test('in a notice is said how long it has been away, and when it ran last', () => {
    const { run, look, pass, due } = watch([])
    run()
    pass(7 * MINUTE_MS)
    look()
    expect(due()).toEqual([])
    const { look: lookAgain, run: runAgain, pass: passAgain, state } = watch([])
    runAgain()
    passAgain(7 * MINUTE_MS)
    lookAgain()
    expect(state().alerts.cron_silent).toMatchObject({ summary: 'the cron has not run for 7 min' })
  })
})

test('what a channel did not take is due again, and to the others it is not', () => {
  const { note, state } = watch()
  for (let count = 0; count < FAILING_RUNS; count++) note(DOWN)
  const now = state().lastRunAt!
  const told = noteTold(state(), 'chores_failing', 'pagerduty', now)
  expect(dueNotices(told, BOTH, now + MINUTE_MS).map(({ channel }) => channel)).toEqual(['slack'])
})

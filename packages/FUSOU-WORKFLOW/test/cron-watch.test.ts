import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'
import type { CronWatch } from '../src/watch/cron-watch.ts'
import { FAILING_RUNS, GOOD_RUNS, SILENT_MS } from '../src/watch/watch-state.ts'
import { env } from './test-env.ts'

const newWatch = () => env.CRON_WATCH.getByName(crypto.randomUUID()) as DurableObjectStub<CronWatch>
const DOWN = { vacuum: 'database_unavailable: no connection' }

test('the watch remembers failing chores between runs, outside of the database and the bucket', async () => {
  const watch = newWatch()
  for (let run = 0; run < FAILING_RUNS; run++) await watch.report(DOWN)
  expect((await watch.state()).alerts).toMatchObject({ chores_failing: { causes: ['vacuum'], over: false } })
  for (let run = 0; run < GOOD_RUNS; run++) await watch.report({})
  expect((await watch.state()).alerts).toEqual({})
})

test('the watch has its alarm moved on by each run, and one that goes off finds the cron silent', async () => {
  const watch = newWatch()
  const now = Date.now()
  const alarm = () => runInDurableObject(watch, (_, { storage }) => storage.getAlarm())
  await watch.report({}, now)
  expect(await alarm()).toBe(now + SILENT_MS)
  await watch.report({}, now + 60_000)
  expect(await alarm()).toBe(now + 60_000 + SILENT_MS)
  expect(await runDurableObjectAlarm(watch)).toBe(true)
  // not yet silent for long enough by the clock of this test; it looks again
  expect((await watch.state()).alerts).toEqual({})
  expect(await alarm()).toBeGreaterThan(now)
  await watch.lookForSilence(now + 60_000 + SILENT_MS)
  expect((await watch.state()).alerts).toMatchObject({ cron_silent: { summary: 'the cron has not run for 5 min' } })
  await watch.report({}, now + 120_000 + SILENT_MS)
  expect((await watch.state()).alerts).toEqual({})
})

import type { Catalog } from '@fusou/catalog'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AlertChannels } from '../../src/alerts/alert-channels.ts'
import type { Env } from '../../src/env.ts'
import { CHORES, maintain } from '../../src/maintenance/maintain.ts'
import { FAILING_RUNS } from '../../src/watch/watch-state.ts'
import { fakeCatalog, logOf } from './fakes.ts'

type Answers = Parameters<typeof fakeCatalog>[0]

const IDLE: Answers = {
  checkInstallation: () => ({ outcome: 'paired', write: false, stamp: 1 }),
  markOrphans: () => 0,
  listExpiredLeases: () => [],
  redispatchStaleJobs: () => 0,
  repeatDeathNotices: () => 0,
  requestDueMerges: () => 0,
  admitJobs: () => 0,
  claimOutbox: () => [],
  trimOutbox: () => 0,
  raiseAlerts: () => ({ changes: [], outbox: [] }),
  tallyJobs: () => 0,
  trimHistory: () => ({ jobs: 0, letters: 0, messages: 0, streams: 0, auditEntries: 0 }),
  claimWebhooks: () => [],
  deleteExpiredData: () => ({ datasets: 0, files: 0 }),
  expireUploads: () => [],
  listAbandonedUploads: () => [],
  claimGarbage: () => [],
  beginSweep: () => ({ due: false, cursor: null }),
  recordCronRun: () => ({ outcome: 'recorded' }),
}
const NO_CHANNELS: AlertChannels = new Map()
const HEARTBEAT_URL = 'https://switch.test/secret'

const EMPTY_BUCKET = { get: async () => null, list: async () => ({ objects: [], truncated: false }) }

/** A watch that keeps what it is told, or that is away. */
function fakeWatch(answer: () => Promise<number> = async () => 0) {
  const reports: Record<string, string>[] = []
  const report = (failures: Record<string, string>) => {
    reports.push(failures)
    return answer()
  }
  const env = { CRON_WATCH: { getByName: () => ({ report }) }, BUCKET: EMPTY_BUCKET }
  return { env: env as unknown as Env, reports }
}

let posted: { url: string; body: unknown }[] = []
let answers: () => Promise<Response>
beforeEach(() => {
  posted = []
  answers = async () => new Response('ok')
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    posted.push({ url: String(url), body: init?.body === undefined ? undefined : JSON.parse(String(init.body)) })
    return answers()
  })
})
afterEach(() => vi.restoreAllMocks())

const run = async (env: Env, catalog: Catalog, channels = NO_CHANNELS, choreTimeoutMs?: number) => {
  let rejected: unknown
  const log = await logOf(() =>
    maintain(env, catalog, channels, HEARTBEAT_URL, choreTimeoutMs).catch((error: unknown) => {
      rejected = error
    }),
  )
  return { rejected, events: log.map(([, line]) => line) }
}

describe('a run of the cron', () => {
  test('in which all went well is told to the watch and to the dead man’s switch', async () => {
    const { env, reports } = fakeWatch()
    const { catalog, calls } = fakeCatalog(IDLE)
    expect((await run(env, catalog)).rejected).toBeUndefined()
    expect(reports).toEqual([{}])
    expect(posted).toEqual([{ url: HEARTBEAT_URL, body: undefined }])
    expect(calls.at(-1)).toEqual(['recordCronRun'])
  })

  const failing: [string, Answers][] = [
    ['startJobs', { admitJobs: () => Promise.reject(new Error('no')) }],
    ['tellAlerts', { raiseAlerts: () => Promise.reject(new Error('no')) }],
    ['vacuum', { claimGarbage: () => Promise.reject(new Error('no')) }],
    ['rescueJobs', { listExpiredLeases: () => Promise.reject(new Error('no')) }],
    ['recordRun', { recordCronRun: () => Promise.reject(new Error('no')) }],
    ['tallyJobs', { tallyJobs: () => new Promise(() => {}) }],
  ]
  test.each(failing)('whose %s fails or hangs does all the others, and fails', async (chore, answers) => {
    const { env, reports } = fakeWatch()
    const { catalog, calls } = fakeCatalog({ ...IDLE, ...answers })
    const { rejected, events } = await run(env, catalog, NO_CHANNELS, 50)
    expect(rejected).toBeInstanceOf(AggregateError)
    expect(events.filter(({ event }) => event === 'chore_failed')).toMatchObject([{ chore }])
    expect(reports.map((report) => Object.keys(report))).toEqual([[chore]])
    expect(posted).toEqual([])
    const called = new Set(calls.map(([method]) => method))
    for (const method of ['repeatDeathNotices', 'admitJobs', 'trimOutbox', 'raiseAlerts', 'tallyJobs', 'claimGarbage'])
      expect(called).toContain(method)
    expect(calls.at(-1)).toEqual(['recordCronRun'])
  })

  test('has its time recorded by its last chore', () => {
    expect(Object.keys(CHORES).at(-1)).toBe('recordRun')
  })

  test('tells the watch details of our own errors, and of others, which may quote anything, the name alone', async () => {
    const { env, reports } = fakeWatch()
    const { catalog } = fakeCatalog({ ...IDLE, tallyJobs: () => Promise.reject(new TypeError('a secret')) })
    await run(env, catalog)
    expect(reports).toEqual([{ tallyJobs: 'TypeError' }])
  })
})

describe('a dead man’s switch that does not take its call', () => {
  test.each<[string, () => Promise<Response>]>([
    ['refuses', async () => new Response(null, { status: 404 })],
    ['cannot be reached', () => Promise.reject(new TypeError(`fetch failed: ${HEARTBEAT_URL}`))],
  ])('since it %s fails no run, and its address is in no log', async (_how, answer) => {
    answers = answer
    const { env } = fakeWatch()
    const { rejected, events } = await run(env, fakeCatalog(IDLE).catalog)
    expect(rejected).toBeUndefined()
    expect(events).toHaveLength(1)
    expect(JSON.stringify(events)).toContain('heartbeat')
    expect(JSON.stringify(events)).not.toContain('secret')
  })
})

describe('while the watch is away', () => {
  const SLACK_URL = 'https://hooks.test/secret'
  const channels: AlertChannels = new Map([
    ['slack', { url: SLACK_URL, timeoutMs: 1000, body: (notice) => ({ notice }) }],
  ])

  test('the isolate counts in its place, and tells what fails and that the watch is away', async () => {
    const away = fakeWatch(() => Promise.reject(new Error('the object is away')))
    const { catalog } = fakeCatalog({ ...IDLE, claimGarbage: () => Promise.reject(new Error('no')) })
    for (let count = 1; count < FAILING_RUNS; count++) await run(away.env, catalog, channels)
    expect(posted).toEqual([])
    await run(away.env, catalog, channels)
    expect(posted).toMatchObject([
      { url: SLACK_URL, body: { notice: { kind: 'chores_failing', action: 'trigger', found: 2 } } },
    ])
    await run(away.env, catalog, channels)
    expect(posted).toHaveLength(1)
    // it is back, and forgotten
    await run(fakeWatch().env, fakeCatalog(IDLE).catalog, channels)
    posted = []
    for (let count = 1; count < FAILING_RUNS; count++) await run(away.env, catalog, channels)
    expect(posted).toEqual([])
  })
})

import { type AlertNotice, FusouError } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AlertChannels } from '../../src/alerts/alert-channels.ts'
import { raiseAlerts } from '../../src/alerts/raise-alerts.ts'
import { consumeDeadLetters } from '../../src/consume/consume-dead-letters.ts'
import type { Env } from '../../src/env.ts'
import { CHORES, maintain } from '../../src/maintenance/maintain.ts'
import { rescueJobs } from '../../src/maintenance/rescue-jobs.ts'
import { reportRun } from '../../src/watch/report-run.ts'
import { tellWatch } from '../../src/watch/tell-watch.ts'
import { NOTHING_SEEN, noteRun, noteSilence, type WatchState } from '../../src/watch/watch-state.ts'
import { fakeCatalog, logOf } from './fakes.ts'

// An operator has these lines and nothing else to see what happened: each says which job, message or channel it is about.

afterEach(() => vi.restoreAllMocks())

const away = () => Promise.reject(new FusouError('storage_unavailable', 'away'))
const body = (notice: AlertNotice) => notice
const channels: AlertChannels = new Map([['slack', { url: 'https://hooks.test/secret', timeoutMs: 1000, body }]])
const answerWith = (status: number) =>
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('', { status }))

describe('the rescuer says of a job', () => {
  async function rescue(status: () => Promise<unknown>, answers: Parameters<typeof fakeCatalog>[0] = {}) {
    const { catalog, calls } = fakeCatalog({
      listExpiredLeases: () => [{ jobId: 'j', attempt: 3 }],
      renewLease: () => ({ outcome: 'ok', silentLeases: 9 }),
      failAttempt: () => ({ outcome: 'dead', outbox: [] }),
      redispatchStaleJobs: () => 4,
      repeatDeathNotices: () => 5,
      ...answers,
    })
    const createBatch = async () => new Promise<void>(() => {})
    const env = { DATA_COMPACTION_WORKFLOW: { get: async () => ({ status }), createBatch } } as unknown as Env
    let result: unknown
    const log = await logOf(async () => {
      result = await rescueJobs(env, catalog, 20).catch((error: unknown) => error)
    })
    return { result, log, calls, failed: calls.filter(([method]) => method === 'failAttempt') }
  }
  const job = { jobId: 'j', attempt: 3 }
  const failure = (message: string) => [
    'failAttempt',
    job,
    { code: 'workflow_ended', step: 'rescue', message, transient: true },
    120,
    null,
  ]

  test('what became of its instance, and why its attempt ends', async () => {
    const error = { name: 'RangeError', message: 'x' }
    const { log, failed, result, calls } = await rescue(async () => ({ status: 'errored', error }))
    expect(log).toEqual([['info', { event: 'lease_expired', ...job, instance: 'errored', error: 'RangeError: x' }]])
    expect(failed).toEqual([failure('the instance is errored, the job was still running')])
    expect(result).toEqual({ rescued: 1, redispatched: 4, retold: 5 })
    expect(calls[0]).toEqual(['listExpiredLeases', 50])
    expect(calls.slice(-2)).toEqual([
      ['redispatchStaleJobs', 180, 50],
      ['repeatDeathNotices', 180, 50],
    ])
  })

  test.each(['terminated', 'complete'])('that its instance is %s', async (status) => {
    const { log, failed } = await rescue(async () => ({ status }))
    expect(log).toEqual([['info', { event: 'lease_expired', ...job, instance: status }]])
    expect(failed).toEqual([failure(`the instance is ${status}, the job was still running`)])
  })

  test('that its instance runs without a sign', async () => {
    const running = async () => ({ status: 'running' })
    const gaveNoSign = failure('the instance says that it is running, but gave no sign for 2 leases')
    expect((await rescue(running)).failed).toEqual([gaveNoSign])
    const silentFor = (silentLeases: number) => ({ renewLease: () => ({ outcome: 'ok', silentLeases }) })
    expect((await rescue(running, silentFor(2))).failed).toEqual([gaveNoSign])
    expect((await rescue(running, silentFor(1))).failed).toEqual([])
  })

  test.each(['queued', 'paused', 'waiting', 'waitingForPause'])(
    'that it %s, and waits with it: its lease is renewed',
    async (status) => {
      const { failed, calls } = await rescue(async () => ({ status }))
      expect(failed).toEqual([])
      expect(calls[1]).toEqual(['renewLease', job, 900])
    },
  )

  test.each([
    ['running', 900],
    ['missing', 60],
    ['unanswered', 300],
  ])('of which the instance is %s how long it may take now', async (status, leaseSeconds) => {
    const { calls } = await rescue(async () => {
      if (status === 'missing') throw new Error('instance.not_found')
      if (status === 'unanswered') throw new Error('internal')
      return { status }
    })
    expect(calls[1]).toEqual(['renewLease', job, leaseSeconds])
  })

  test('that somebody else has taken over nothing more', async () => {
    const taken = { renewLease: () => ({ outcome: 'stale_attempt' }) }
    const { failed, result } = await rescue(async () => ({ status: 'running' }), taken)
    expect([failed, result]).toEqual([[], { rescued: 1, redispatched: 4, retold: 5 }])
  })

  test.each([
    ['hangs', () => new Promise(() => {}), 'workflow_unavailable: status: no answer within 20 ms; try again'],
    ['fails', () => Promise.reject(new Error('x')), 'x'],
    ['fails oddly', () => Promise.reject('y'), 'y'],
  ])('whose instance %s that nothing is known, and why', async (_, status, error) => {
    const { log, failed } = await rescue(status)
    expect(log).toEqual([
      [
        'error',
        expect.objectContaining({ event: 'instance_status_failed', ...job, error: expect.stringContaining(error) }),
      ],
      ['info', { event: 'lease_expired', ...job, instance: 'unanswered', error }],
    ])
    expect(failed).toEqual([failure(`the Workflow does not say what became of the instance: ${error}`)])
  })

  test('whose instance cannot be started that its rescue failed, and fails with that', async () => {
    const { log, result } = await rescue(() => Promise.reject(new Error('instance.not_found')))
    const error = 'workflow_unavailable: createBatch: no answer within 20 ms; try again'
    expect(log).toEqual([
      ['info', { event: 'lease_expired', ...job, instance: 'missing' }],
      ['error', expect.objectContaining({ event: 'rescue_failed', ...job, error })],
    ])
    expect(result).toMatchObject({ code: 'workflow_unavailable' })
  })

  test('and of failures that are more than one how many there are', async () => {
    const running = async () => ({ status: 'running' })
    const one = await rescue(running, { redispatchStaleJobs: away })
    expect(one.result).toMatchObject({ code: 'storage_unavailable' })
    const { result } = await rescue(running, { redispatchStaleJobs: away, repeatDeathNotices: away })
    expect(result).toMatchObject({ message: '2 rescues failed', errors: [{ code: 'storage_unavailable' }, {}] })
  })
})

describe('a dead letter', () => {
  const letter = async (message: Partial<Message>, answers: Parameters<typeof fakeCatalog>[0]) => {
    const { catalog } = fakeCatalog({ raiseAlerts: () => ({ changes: [], outbox: [] }), ...answers })
    const given = { id: 'm', attempts: 1, ack: () => {}, retry: () => {}, ...message } as Message
    const batch = { queue: 'q', messages: [given] } as unknown as MessageBatch
    return logOf(() => consumeDeadLetters(batch, {} as Env, catalog, new Map()))
  }
  const odd = {
    id: 'm',
    attempts: 1,
    ack: () => {},
    get body() {
      throw new RangeError('torn')
    },
  }

  test('whose body cannot even be looked at is recorded by its id', async () => {
    const { catalog, calls } = fakeCatalog({
      raiseAlerts: () => ({ changes: [], outbox: [] }),
      recordDeadLetter: () => ({ outcome: 'recorded' }),
    })
    const batch = { queue: 'q', messages: [odd] } as unknown as MessageBatch
    await logOf(() => consumeDeadLetters(batch, {} as Env, catalog, new Map()))
    expect(calls[0]).toEqual([
      'recordDeadLetter',
      {
        queue: 'q',
        messageId: 'm',
        body: '[unreadable]',
        code: 'invalid_message',
        message: 'the body could not be read: RangeError: torn',
        attempts: 1,
        datasetId: null,
        jobId: null,
      },
    ])
  })

  test('is logged without its body, and with why it was not recorded', async () => {
    const log = await letter({ body: { datasetId: 'd', secret: 1 } }, { recordDeadLetter: away })
    const known = { queue: 'q', messageId: 'm', code: 'delivery_failed', attempts: 1, datasetId: 'd', jobId: null }
    const message = 'the consumer failed each delivery; see its log'
    expect(log).toEqual([
      ['error', { event: 'dead_letter', ...known, message }],
      [
        'error',
        expect.objectContaining({
          event: 'dead_letter_not_recorded',
          messageId: 'm',
          error: expect.stringContaining('away'),
        }),
      ],
    ])
  })

  test('after which alerts could not be raised says so', async () => {
    const log = await letter({ body: 1 }, { recordDeadLetter: () => ({}), raiseAlerts: away })
    expect(log.at(-1)).toEqual([
      'error',
      expect.objectContaining({ event: 'alerts_not_raised', error: expect.stringContaining('away') }),
    ])
  })
})

test('a change of an alert is logged with the channels that are told, trouble as an error', async () => {
  const changes = [
    { change: 'raised', kind: 'a', summary: 's' },
    { change: 'resolved', kind: 'b', summary: 't' },
    { change: 'repeated', kind: 'c', summary: 'u' },
  ]
  const { catalog, calls } = fakeCatalog({ raiseAlerts: () => ({ changes, outbox: [] }) })
  const log = await logOf(async () =>
    expect(await raiseAlerts(catalog, channels, {} as never)).toEqual({ changed: 3, delivered: 0 }),
  )
  const told = { channels: ['slack'] }
  expect(log).toEqual([
    ['error', { event: 'alert_raised', kind: 'a', summary: 's', ...told }],
    ['info', { event: 'alert_resolved', kind: 'b', summary: 't', ...told }],
    ['error', { event: 'alert_repeated', kind: 'c', summary: 'u', ...told }],
  ])
  expect(calls).toEqual([['raiseAlerts', {}, ['slack'], expect.stringMatching(/^alerts:[0-9a-f-]{36}$/)]])
})

describe('the watch says', () => {
  const NOW = 1_800_000_000_000
  const step = async (before: WatchState, next: (state: WatchState) => WatchState, now = NOW) => {
    let state = before
    const save = async (saved: WatchState) => {
      state = saved
    }
    const store = { load: async () => state, save }
    const log = await logOf(() => tellWatch(store, channels, next, now))
    return { state, log }
  }
  const silent = { kind: 'cron_silent', summary: 'the cron has not run for 60 min' }
  const anHourAgo = { ...NOTHING_SEEN, lastRunAt: NOW - 3_600_000 }

  test('what it raises, and which channel has been told', async () => {
    answerWith(200)
    const { state, log } = await step(anHourAgo, (before) => noteSilence(before, NOW))
    expect(log).toEqual([
      ['error', { event: 'watch_raised', ...silent }],
      ['info', { event: 'watch_told', kind: 'cron_silent', channel: 'slack' }],
    ])
    const over = await step(state, (before) => noteRun(before, {}, NOW + 1000), NOW + 1000)
    expect(over.log).toEqual([
      ['info', { event: 'watch_resolved', ...silent }],
      ['info', { event: 'watch_told', kind: 'cron_silent', channel: 'slack' }],
    ])
    expect((await step(over.state, (before) => before, NOW + 2000)).log).toEqual([])
  })

  test.each([
    [404, true],
    [500, false],
  ])('why a channel was not told: it answered %i, which is for good: %s', async (status, permanent) => {
    answerWith(status)
    const { log } = await step(anHourAgo, (before) => noteSilence(before, NOW))
    const error = `the receiver answered ${status}`
    expect(log[1]).toEqual([
      'error',
      { event: 'watch_not_told', kind: 'cron_silent', channel: 'slack', error, permanent },
    ])
  })
})

describe('the report of a run', () => {
  const report = (answer: () => unknown, failures = new Map<string, unknown>(), told = channels) =>
    logOf(() => {
      const env = { CRON_WATCH: { getByName: () => ({ report: answer }) } } as unknown as Env
      return reportRun(env, told, failures)
    })

  test('that the watch does not take says why', async () => {
    expect(await report(away)).toEqual([
      ['error', expect.objectContaining({ event: 'watch_unavailable', error: 'storage_unavailable: away' })],
    ])
  })

  test('that cannot even be kept says why', async () => {
    const broken = { keys: () => [][Symbol.iterator](), get: () => undefined } as unknown as AlertChannels
    Object.assign(broken, {
      keys: () => {
        throw new RangeError('broken')
      },
    })
    const log = await report(away, new Map(), broken)
    expect(log.at(-1)).toEqual(['error', expect.objectContaining({ event: 'watch_not_told', error: 'broken' })])
  })

  test('has 25 seconds', async () => {
    vi.useFakeTimers()
    try {
      const lines = report(() => new Promise(() => {}))
      await vi.advanceTimersByTimeAsync(24_999)
      let ended = false
      void lines.then(() => {
        ended = true
      })
      await Promise.resolve()
      expect(ended).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      const error = 'internal: report: no answer within 25000 ms; try again'
      expect(await lines).toEqual([['error', expect.objectContaining({ event: 'watch_unavailable', error })]])
    } finally {
      vi.useRealTimers()
    }
  })
})

test('a chore is logged with its counts if it did anything, and with its error if it failed', async () => {
  answerWith(200)
  const nothing = Object.fromEntries(Object.keys(CHORES).map((chore) => [chore, async () => ({})]))
  const chores = {
    ...nothing,
    rescueJobs: async () => ({ rescued: 0, redispatched: 2 }),
    startJobs: async () => ({ due: 0, admitted: 0 }),
    vacuum: away,
  }
  for (const [name, run] of Object.entries(chores)) vi.spyOn(CHORES, name as never).mockImplementation(run as never)
  const env = { CRON_WATCH: { getByName: () => ({ report: async () => 0 }) } } as unknown as Env
  const log = await logOf(() =>
    expect(maintain(env, fakeCatalog({}).catalog, new Map())).rejects.toMatchObject({ message: '1 chores failed' }),
  )
  expect(log).toEqual([
    ['info', { event: 'chore_done', chore: 'rescueJobs', rescued: 0, redispatched: 2 }],
    ['error', expect.objectContaining({ event: 'chore_failed', chore: 'vacuum', error: 'storage_unavailable: away' })],
  ])
})

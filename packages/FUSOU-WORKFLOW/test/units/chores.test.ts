import { describe, expect, test } from 'vitest'
import type { Env } from '../../src/env.ts'
import { relayOutbox } from '../../src/maintenance/relay-outbox.ts'
import { startJobs } from '../../src/maintenance/start-jobs.ts'
import { tallyJobs } from '../../src/maintenance/tally-jobs.ts'
import { deliverDueAlerts } from '../../src/maintenance/tell-alerts.ts'
import { sendMessage } from '../../src/send-message.ts'
import { fakeCatalog } from './fakes.ts'

const NO_ENV = {} as Env

/** Queues that keep what is sent to them. */
function fakeQueues() {
  const sent: unknown[][] = []
  const queue = (name: string) => ({ send: async (...message: unknown[]) => void sent.push([name, ...message]) })
  const env = { COMPACTION_QUEUE: queue('compaction'), COMPACTION_DLQ: queue('dead letters') } as unknown as Env
  return { env, sent }
}

describe('the tally', () => {
  const tally = async (jobsOf: (batch: number) => number) => {
    let batch = 0
    const { catalog, calls } = fakeCatalog({ tallyJobs: () => jobsOf(batch++) })
    return { ...(await tallyJobs(NO_ENV, catalog)), calls }
  }

  test('goes on while batches are full', async () => {
    expect(await tally((batch) => [1000, 1000, 999][batch]!)).toEqual({
      tallied: 2999,
      calls: [
        ['tallyJobs', 1000],
        ['tallyJobs', 1000],
        ['tallyJobs', 1000],
      ],
    })
    expect((await tally(() => 0)).calls).toHaveLength(1)
  })

  test('leaves the rest to the next minute after twenty', async () => {
    const { tallied, calls } = await tally(() => 1000)
    expect([tallied, calls.length]).toEqual([20_000, 20])
  })
})

test('jobs are asked for where they are due, and then get their slots', async () => {
  const { catalog, calls } = fakeCatalog({ requestDueMerges: () => 3, admitJobs: () => 2 })
  expect(await startJobs(NO_ENV, catalog)).toEqual({ due: 3, admitted: 2 })
  expect(calls).toEqual([['requestDueMerges', 100], ['admitJobs']])
})

describe('the relay', () => {
  const message = (id: number) => ({ id, type: 'compaction.requested' as const, payload: { datasetId: `d${id}` } })
  const batchOf = (count: number) => Array.from({ length: count }, (_, i) => message(i))
  const relay = async (sizes: (batch: number) => number) => {
    let batch = 0
    const { catalog, calls } = fakeCatalog({
      claimOutbox: () => batchOf(sizes(batch++)),
      completeOutbox: () => undefined,
      trimOutbox: () => 0,
    })
    const { env, sent } = fakeQueues()
    return { result: await relayOutbox(env, catalog), sent, calls }
  }

  test('sends what it claims but alerts, and goes on while batches are full', async () => {
    const { result, sent, calls } = await relay((batch) => [50, 2][batch]!)
    expect(result).toEqual({ sent: 52 })
    expect(sent).toHaveLength(52)
    expect(sent[51]).toEqual(['compaction', { datasetId: 'd1' }, { contentType: 'json' }])
    expect(calls.map(([method]) => method)).toEqual([
      'claimOutbox',
      'completeOutbox',
      'claimOutbox',
      'completeOutbox',
      'trimOutbox',
    ])
    const [[, claim], [, ids, sender], [, next]] = calls as [[string, { workerId: string }], unknown[], unknown[]]
    const { workerId } = claim
    expect(workerId).toMatch(/^relay:[0-9a-f-]{36}$/)
    expect(claim).toEqual({ maxBatch: 50, lockSeconds: 60, workerId, excludeTypePrefix: 'alert.' })
    expect(next).toEqual(claim)
    expect([ids, sender]).toEqual([batchOf(50).map(({ id }) => id), workerId])
    expect(calls.at(-1)).toEqual(['trimOutbox', 1000])
  })

  test('leaves the rest to the next minute after five hundred, and tidies up all the same', async () => {
    const { result, calls } = await relay(() => 50)
    expect(result).toEqual({ sent: 500 })
    expect(calls.filter(([method]) => method === 'claimOutbox')).toHaveLength(10)
    expect(calls.at(-1)).toEqual(['trimOutbox', 1000])
    expect((await relay(() => 0)).calls.map(([method]) => method)).toEqual(['claimOutbox', 'trimOutbox'])
  })
})

test('alerts that are due are claimed by themselves', async () => {
  const { catalog, calls } = fakeCatalog({ claimOutbox: () => [] })
  expect(await deliverDueAlerts(catalog, new Map())).toBe(0)
  const workerId = expect.stringMatching(/^alerts:[0-9a-f-]{36}$/)
  expect(calls).toEqual([['claimOutbox', { maxBatch: 20, lockSeconds: 60, workerId, includeTypePrefix: 'alert.' }]])
})

describe('a message of the outbox', () => {
  test.each([
    ['compaction.requested', 'compaction'],
    ['job.dead', 'dead letters'],
  ] as const)('of type %s goes to the queue of %s', async (type, queue) => {
    const { env, sent } = fakeQueues()
    await sendMessage(env, { id: 1, type, payload: { a: 1 } })
    expect(sent).toEqual([[queue, { a: 1 }, { contentType: 'json' }]])
  })

  test('is not sent where its queue refuses it', async () => {
    const refuses = { send: () => Promise.reject(new Error('full')) }
    const env = { COMPACTION_QUEUE: refuses } as unknown as Env
    await expect(sendMessage(env, { id: 1, type: 'compaction.requested', payload: {} })).rejects.toThrow('full')
  })

  test.each(['alert.slack', 'alert.pagerduty'] as const)('of type %s goes to none', async (type) => {
    const { env, sent } = fakeQueues()
    await expect(sendMessage(env, { id: 1, type, payload: {} })).rejects.toThrow(`no queue takes ${type}`)
    expect(sent).toEqual([])
  })
})

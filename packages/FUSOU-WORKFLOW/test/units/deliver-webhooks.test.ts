import type { WebhookMessage } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { deliverWebhooks } from '../../src/webhooks/deliver-webhooks.ts'
import { signWebhook } from '../../src/webhooks/sign-webhook.ts'
import { fakeCatalog, logOf } from './fakes.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const message = (id: number): WebhookMessage => ({
  id,
  attempt: id + 100,
  event: 'dataset.changed',
  data: { version: id },
  createdAt: '2026-11-22T08:00:00Z',
  url: `https://receiver.test/${id}`,
  secret: SECRET,
})

/** Delivers messages to a receiver that answers as it is told, and says what became of each. */
async function deliver(count: number, answer: (id: number) => Promise<Response>, settle: () => unknown = () => 1) {
  const posted = vi
    .spyOn(globalThis, 'fetch')
    .mockImplementation((url) => answer(Number(String(url).split('/').at(-1))))
  const { catalog, calls } = fakeCatalog({
    claimWebhooks: () => Array.from({ length: count }, (_, i) => message(i)),
    settleWebhook: settle,
  })
  let counts: unknown
  const log = await logOf(async () => {
    counts = await deliverWebhooks(catalog)
  })
  const [claim, ...settled] = calls
  return {
    counts,
    log,
    claim,
    settled: settled.map(([, settledMessage, result]): [number, unknown] => [
      (settledMessage as WebhookMessage).id,
      result,
    ]),
    posted: posted.mock.calls,
  }
}

test('a message is posted signed, as JSON, with a deadline and without following redirects', async () => {
  vi.useFakeTimers({ now: 1_764_000_001_900, toFake: ['Date'] })
  const timeout = vi.spyOn(AbortSignal, 'timeout')
  const { posted, counts, claim, settled, log } = await deliver(1, async () => new Response('x'))
  const body = '{"type":"dataset.changed","timestamp":"2026-11-22T08:00:00Z","data":{"version":0}}'
  expect(posted).toEqual([
    [
      'https://receiver.test/0',
      {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          ...signWebhook(SECRET, { id: 'msg_0', timestampSeconds: 1_764_000_001, body }),
        },
        body,
        redirect: 'manual',
        signal: timeout.mock.results[0]!.value,
      },
    ],
  ])
  expect(timeout).toHaveBeenCalledWith(10_000)
  expect(claim).toEqual(['claimWebhooks', 50, 120])
  expect([counts, settled, log]).toEqual([{ delivered: 1, failed: 0 }, [[0, { outcome: 'delivered' }]], []])
})

test('each message is settled by what its receiver answered', async () => {
  const timedOut = Object.assign(new Error('secret'), { name: 'TimeoutError' })
  const answers: (() => Promise<Response>)[] = [
    async () => new Response('x', { status: 299 }),
    async () => new Response('x', { status: 409 }),
    async () => new Response('x', { status: 410 }),
    async () => new Response('x', { status: 411 }),
    () => Promise.reject(timedOut),
    () => Promise.reject(new Error('secret')),
    () => Promise.reject('TimeoutError'),
    async () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error('gone')) })),
  ]
  const { counts, settled, log } = await deliver(answers.length, (id) => answers[id]!())
  const failed = (error: string) => ({ outcome: 'failed', error })
  const unreached = failed('the receiver could not be reached')
  const results = [
    { outcome: 'delivered' },
    failed('the receiver answered 409'),
    { outcome: 'gone', error: 'the receiver answered 410' },
    failed('the receiver answered 411'),
    failed('no answer within 10000 ms'),
    unreached,
    unreached,
    unreached,
  ]
  expect(settled.sort(([a], [b]) => a - b)).toEqual(results.map((result, id) => [id, result]))
  expect(counts).toEqual({ delivered: 1, failed: 7 })
  const told = results.slice(1).map((result, i) => {
    return [
      'info',
      { event: 'webhook_not_delivered', id: i + 1, attempt: i + 101, error: (result as { error: string }).error },
    ]
  })
  expect(log.sort(([, a], [, b]) => Number(a.id) - Number(b.id))).toEqual(told)
})

describe('a batch', () => {
  test('keeps four connections at a time, and sends each message once', async () => {
    let open = 0
    let most = 0
    const { settled } = await deliver(10, async () => {
      most = Math.max(most, ++open)
      await new Promise((resolve) => setTimeout(resolve, 1))
      open--
      return new Response()
    })
    expect(most).toBe(4)
    expect(settled.map(([id]) => id).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('of which one cannot be settled settles the others, and ends after all of them', async () => {
    let calls = 0
    let ended = 0
    const settle = async () => {
      if (++calls === 2) throw new Error('gone')
      await new Promise((resolve) => setTimeout(resolve, 1))
      ended++
    }
    const { counts, settled, log } = await deliver(6, async () => new Response(), settle)
    expect([settled.length, ended, counts]).toEqual([6, 5, { delivered: 6, failed: 0 }])
    expect(log).toEqual([['error', expect.objectContaining({ event: 'webhook_not_settled', id: settled[1]![0] })]])
    expect(log[0]![1].error).toContain('gone')
  })

  test('may be empty', async () => {
    expect(await deliver(0, async () => new Response())).toMatchObject({
      counts: { delivered: 0, failed: 0 },
      posted: [],
    })
  })
})

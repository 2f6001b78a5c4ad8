import { OutboxMessage } from '@fusou/catalog'
import { afterEach, expect, test, vi } from 'vitest'
import type { AlertChannels } from '../../src/alerts/alert-channels.ts'
import { deliverAlerts } from '../../src/alerts/deliver-alerts.ts'
import { fakeCatalog, logOf } from './fakes.ts'

afterEach(() => vi.restoreAllMocks())

const channels: AlertChannels = new Map([
  ['slack', { url: 'https://hooks.test/x', timeoutMs: 1000, body: (notice) => notice }],
])
const notice = {
  kind: 'of_tomorrow',
  action: 'trigger',
  incident: 1,
  severity: 'error',
  summary: 's',
  found: 1,
  details: {},
  raisedAt: '2026-11-22T08:00:00Z',
  at: '2026-11-22T08:00:00Z',
}
const message = (id: number, type: string, payload: unknown) => OutboxMessage.parse({ id, type, payload })

test('each notice is settled by itself: odd ones are released with their reason and hold up none of the others', async () => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('ok'))
  const { catalog, calls } = fakeCatalog({
    completeOutbox: ((ids: number[]) => (ids[0] === 6 ? Promise.reject(new Error('gone')) : 1)) as never,
    releaseOutbox: () => 1,
  })
  const messages = [
    message(1, 'alert.pigeon', notice),
    message(2, 'alert.slack', { kind: 7 }),
    message(3, 'alert.slack', [notice]),
    message(4, 'alert.pagerduty', notice),
    // a kind that a newer database raises is told all the same
    message(5, 'alert.slack', notice),
    message(6, 'alert.slack', notice),
    message(7, 'alert.slack', notice),
  ]
  const log = await logOf(async () => expect(await deliverAlerts(catalog, 'me', messages, channels)).toBe(2))
  const released = calls.filter(([method]) => method === 'releaseOutbox')
  expect(released.map(([, ids, , error, how]) => [ids, error, (how as { permanent: boolean }).permanent])).toEqual([
    [[1], 'this release knows no channel for alert.pigeon', false],
    [[2], expect.stringContaining('this release cannot read the notice'), false],
    [[3], expect.stringContaining('this release cannot read the notice'), false],
    [[4], 'the channel is not configured any more', true],
  ])
  const completed = calls.filter(([method]) => method === 'completeOutbox').map(([, ids]) => ids)
  expect(completed).toEqual([[5], [6], [7]])
  expect(log.map(([, line]) => line)).toContainEqual(expect.objectContaining({ event: 'alert_not_settled', id: 6 }))
})

test.each([
  [200, ['info', { event: 'alert_delivered', id: 7, type: 'alert.slack' }]],
  [
    404,
    [
      'error',
      { event: 'alert_not_delivered', id: 7, type: 'alert.slack', error: 'the receiver answered 404', permanent: true },
    ],
  ],
  [
    503,
    [
      'error',
      {
        event: 'alert_not_delivered',
        id: 7,
        type: 'alert.slack',
        error: 'the receiver answered 503',
        permanent: false,
      },
    ],
  ],
])('a receiver that answers %i is told of in the log, and in the outbox', async (status, line) => {
  const headers = { 'retry-after': '12' }
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('', { status, headers }))
  const { catalog, calls } = fakeCatalog({ completeOutbox: () => 1, releaseOutbox: () => 1 })
  const log = await logOf(() => deliverAlerts(catalog, 'me', [message(7, 'alert.slack', notice)], channels))
  expect(log).toEqual([line])
  const permanent = status === 404
  const error = `the receiver answered ${status}`
  expect(calls).toEqual([
    status === 200
      ? ['completeOutbox', [7], 'me']
      : ['releaseOutbox', [7], 'me', error, { permanent, retryAfterSeconds: 12 }],
  ])
})

test('a notice that cannot be settled is logged with its reason', async () => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('ok'))
  const { catalog } = fakeCatalog({ completeOutbox: () => Promise.reject(new Error('gone')) })
  const log = await logOf(() => deliverAlerts(catalog, 'me', [message(7, 'alert.slack', notice)], channels))
  const line = { event: 'alert_not_settled', id: 7, type: 'alert.slack', error: 'gone' }
  expect(log).toEqual([['error', expect.objectContaining(line)]])
})

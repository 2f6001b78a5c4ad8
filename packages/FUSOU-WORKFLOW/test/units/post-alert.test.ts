import { afterEach, describe, expect, test, vi } from 'vitest'
import { ALERT_TIMEOUT_MS, postAlert, retryAfterSeconds } from '../../src/alerts/post-alert.ts'

afterEach(() => vi.unstubAllGlobals())

test('an alert is posted as JSON, with a deadline and without following redirects', async () => {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response('x'))
  vi.stubGlobal('fetch', fetched)
  const timeout = vi.spyOn(AbortSignal, 'timeout')
  expect(await postAlert('https://hooks.example/a', { text: 'b' }, 1234)).toEqual({ outcome: 'delivered' })
  expect(fetched).toHaveBeenCalledOnce()
  const [url, init] = fetched.mock.calls[0]!
  expect(url).toBe('https://hooks.example/a')
  expect(init).toEqual({
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"text":"b"}',
    redirect: 'manual',
    signal: timeout.mock.results[0]!.value,
  })
  expect(timeout).toHaveBeenCalledWith(1234)
  expect(ALERT_TIMEOUT_MS).toBe(10_000)
})

test.each([
  [399, true],
  [400, true],
  [407, true],
  [408, false],
  [409, true],
  [428, true],
  [429, false],
  [430, true],
  [499, true],
  [500, false],
  [599, false],
])('the status %i: another try is in vain: %s', async (status, permanent) => {
  const answer = new Response(null, { status, headers: { 'retry-after': '12' } })
  vi.stubGlobal('fetch', async () => answer)
  expect(await postAlert('https://hooks.example/a', {}, 1000)).toEqual({
    outcome: 'refused',
    error: `the receiver answered ${status}`,
    permanent,
    retryAfterSeconds: 12,
  })
})

test.each([
  [Object.assign(new Error('secret'), { name: 'TimeoutError' }), 'no answer within 1000 ms'],
  [new Error('secret'), 'the receiver could not be reached'],
  ['TimeoutError', 'the receiver could not be reached'],
])('an error of the connection, %s, is told without its text, and passes', async (thrown, error) => {
  vi.stubGlobal('fetch', async () => {
    throw thrown
  })
  const refused = { outcome: 'refused', error, permanent: false, retryAfterSeconds: 0 }
  expect(await postAlert('https://hooks.example/a', {}, 1000)).toEqual(refused)
})

test('an answer whose body cannot be let go of is one that did not come', async () => {
  const cancel = () => Promise.reject(new Error('gone'))
  vi.stubGlobal('fetch', async () => new Response(new ReadableStream({ cancel }), { status: 200 }))
  expect(await postAlert('https://hooks.example/a', {}, 1000)).toMatchObject({ outcome: 'refused', permanent: false })
})

describe('Retry-After', () => {
  const NOW = Date.parse('2026-11-22T09:00:00Z')
  test.each([
    [null, 0],
    ['0', 0],
    ['1', 1],
    ['999999999', 999_999_999],
    ['', 0],
    ['Sun, 22 Nov 2026 09:00:01 GMT', 1],
    ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
    ['Sun, 22 Nov 2026 08:59:59 GMT', 0],
    ['in a while', 0],
    ['1.5x', 0],
  ])('%j is %i seconds', (header, seconds) => {
    expect(retryAfterSeconds(header, NOW)).toBe(seconds)
  })

  test('of a date counts from now', () => {
    const header = new Date(Date.now() + 60_000).toUTCString()
    expect(retryAfterSeconds(header)).toBeGreaterThan(55)
    expect(retryAfterSeconds(header)).toBeLessThanOrEqual(60)
  })
})

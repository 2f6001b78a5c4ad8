import { expect, test } from 'vitest'
import { retryingFetch } from '../src/retrying-fetch.ts'

const QUICK = { tries: 4, firstPauseMs: 1 }

/** A server that gives these answers one after the other; null is none. */
function serverOf(...answers: (number | null)[]) {
  const bodies: string[] = []
  const fetch = async (request: Request) => {
    bodies.push(await request.text())
    const status = answers[bodies.length - 1] ?? null
    if (status === null) throw new TypeError('fetch failed')
    return new Response(null, { status })
  }
  return { fetch, bodies }
}
const post = () => new Request('http://fusou.test', { method: 'POST', body: 'the bytes' })

test.each([
  [[200], 200, 1],
  [[503, 200], 200, 2],
  [[null, 429, 500, 202], 202, 4],
  [[408, 502, 504, 503], 503, 4],
  [[503, 404], 404, 2],
  [[400], 400, 1],
  [[403], 403, 1],
  [[409], 409, 1],
] as [(number | null)[], number, number][])(
  'answers %j come to %i after %i calls, each with the whole body',
  async (answers, status, calls) => {
    const { fetch, bodies } = serverOf(...answers)
    expect((await retryingFetch(fetch, QUICK)(post())).status).toBe(status)
    expect(bodies).toEqual(Array(calls).fill('the bytes'))
  },
)

test('a call that never gets an answer fails after the last try', async () => {
  const { fetch, bodies } = serverOf()
  await expect(retryingFetch(fetch, QUICK)(post())).rejects.toThrow('fetch failed')
  expect(bodies).toHaveLength(4)
})

test('waits as long as the API asks, but no longer than the longest pause', async () => {
  let calls = 0
  const fetch = async () =>
    new Response(null, { status: ++calls === 1 ? 429 : 200, headers: { 'retry-after': '3600' } })
  const started = performance.now()
  await retryingFetch(fetch, { firstPauseMs: 1, maxPauseMs: 40 })(post())
  expect(calls).toBe(2)
  expect(performance.now() - started).toBeGreaterThanOrEqual(19)
})

test('a call that is given up is not repeated', async () => {
  const { fetch, bodies } = serverOf(503, 200)
  const abort = new AbortController()
  const request = new Request('http://fusou.test', { signal: abort.signal })
  const called = retryingFetch(fetch, { firstPauseMs: 60_000 })(request)
  setTimeout(() => abort.abort(new Error('enough')), 5)
  await expect(called).rejects.toThrow('enough')
  expect(bodies).toHaveLength(1)
})

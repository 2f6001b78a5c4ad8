import { Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import type { AppEnv, Bindings } from '../src/bindings.ts'
import { boundBucket } from '../src/http/bound-bucket.ts'
import { serve } from '../src/http/serve.ts'
import { health } from '../src/routes/health.ts'
import type { Services } from '../src/services.ts'
import { bindings, call, catalog } from './support/api.ts'

test('a deployment that can work says so, and when its cron ran last', async () => {
  await catalog.recordCronRun()
  const response = await call('/api/health')
  expect(await response.json()).toMatchObject({
    status: 'ok',
    checks: { configuration: 'ok', database: 'ok', storage: 'ok', cron: 'ok' },
    cron: { ageSeconds: expect.any(Number), lastRunAt: expect.any(String) },
  })
  expect(response.status).toBe(200)
})

const CHECK_TIMEOUT_MS = 100
const cron = { lastRunAt: new Date().toISOString(), ageSeconds: 10 }
const never = () => new Promise<never>(() => {})

interface Parts {
  ping?: () => Promise<unknown>
  put?: () => Promise<unknown>
  cacheMs?: number
}

/** A deployment with these parts in place of the real ones. */
function deployment({ ping = async () => ({ now: '', cron }), put = async () => null, cacheMs = 0 }: Parts) {
  const app = new Hono<AppEnv>()
  const open = () => ({ catalog: { ping } }) as unknown as Services
  app.use(boundBucket)
  serve(app, [health(open, { cacheMs, checkTimeoutMs: CHECK_TIMEOUT_MS })], open)
  const env = { ...bindings, BUCKET: { put } } as unknown as Bindings
  return async () => {
    const response = await app.request('/api/health', {}, env)
    return { http: response.status, ...(await response.json<Record<string, unknown>>()) }
  }
}

test.each<[string, Parts, object]>([
  ['a bucket that cannot be written', { put: () => Promise.reject(new Error('disk full')) }, { storage: 'failed' }],
  ['a bucket that hangs', { put: never }, { storage: 'failed', database: 'ok' }],
  ['a database that refuses', { ping: () => Promise.reject(new Error('no')) }, { database: 'failed', storage: 'ok' }],
  ['a database that hangs', { ping: never }, { database: 'failed', storage: 'ok' }],
])('a deployment with %s says that it cannot work, within its bound', async (_name, parts, checks) => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const answer = await deployment(parts)()
  expect(answer).toMatchObject({ http: 503, status: 'unavailable', checks })
  vi.restoreAllMocks()
})

test('a bucket that is written too often at once takes writes', async () => {
  const put = () => Promise.reject(new Error('put: Reduce your concurrent request rate for the same object. (10058)'))
  expect(await deployment({ put })()).toMatchObject({ http: 200, checks: { storage: 'ok' } })
})

test.each([
  [300, 'ok', 'ok'],
  [301, 'late', 'degraded'],
])('a cron that ran %i s ago is %s', async (ageSeconds, check, status) => {
  const answer = await deployment({ ping: async () => ({ now: '', cron: { ...cron, ageSeconds } }) })()
  expect(answer).toMatchObject({ http: 200, status, checks: { cron: check } })
})

test('an answer is kept for some seconds, so that asking often costs nothing, and no longer', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const put = vi.fn(async () => null)
    const ask = deployment({ put, cacheMs: 5000 })
    const first = await ask()
    expect(await ask()).toEqual(first)
    expect(put).toHaveBeenCalledTimes(1)
    vi.setSystemTime(Date.now() + 5000)
    await ask()
    expect(put).toHaveBeenCalledTimes(2)
  } finally {
    vi.useRealTimers()
  }
})

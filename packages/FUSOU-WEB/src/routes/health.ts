import { type Catalog, CronRun, describe, HEALTH_KEY, log, withinDeadline } from '@fusou/catalog'
import { z } from 'zod'
import { route } from '../http/operation.ts'
import type { serviceOpener } from '../services.ts'

const Check = z.enum(['ok', 'failed'])
const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'unavailable']).meta({
      description: 'degraded: requests are answered, but nothing is merged, since the cron does not run',
    }),
    checks: z.object({
      configuration: Check,
      database: Check.optional(),
      storage: Check.optional(),
      cron: z.enum(['ok', 'late']).optional(),
    }),
    cron: CronRun.optional(),
    checkedAt: z.iso.datetime().meta({ description: 'an answer is kept for some seconds' }),
  })
  .meta({ id: 'Health' })
type Health = z.infer<typeof Health>

/** A monitor that asks once a minute gets a fresh answer; whoever asks each second costs no more than one who does not. */
const CACHE_MS = 5_000
/** The answer is there within three seconds, whatever hangs. */
const CHECK_TIMEOUT_MS = 2_500
/** The cron runs each minute; a run with a hanging database takes a few. */
const CRON_LATE_SECONDS = 300

export interface HealthSettings {
  readonly cacheMs?: number
  readonly checkTimeoutMs?: number
}

export const health = (open: ReturnType<typeof serviceOpener>, settings: HealthSettings = {}) => {
  const { cacheMs = CACHE_MS, checkTimeoutMs = CHECK_TIMEOUT_MS } = settings
  const cached = new WeakMap<object, { until: number; answer: Health }>()
  return route(
    {
      method: 'get',
      path: '/api/health',
      summary: 'Whether this deployment can work: its variables, its database, and writing to its bucket',
      access: 'open',
      answers: {
        200: { description: 'It can', schema: Health },
        503: { description: 'It cannot; see which check failed', schema: Health },
      },
    },
    async (c) => {
      const kept = cached.get(c.env)
      const answer = kept && kept.until > Date.now() ? kept.answer : await checkAll()
      if (answer !== kept?.answer) cached.set(c.env, { until: Date.now() + cacheMs, answer })
      return c.json(answer, answer.status === 'unavailable' ? 503 : 200)

      async function attempt<T>(check: string, call: () => T | Promise<T>): Promise<T | undefined> {
        try {
          return await withinDeadline(check, checkTimeoutMs, (async () => call())(), 'internal')
        } catch (error) {
          log('error', 'health_check_failed', { requestId: c.var.requestId, check, ...describe(error) })
          return undefined
        }
      }

      async function checkAll(): Promise<Health> {
        const checkedAt = new Date().toISOString()
        const catalog: Catalog | undefined = await attempt('configuration', () => open(c.env).catalog)
        if (catalog === undefined) return { status: 'unavailable', checks: { configuration: 'failed' }, checkedAt }
        const [ping, stored] = await Promise.all([
          attempt('database', () => catalog.ping()),
          attempt('storage', () => probe(c.env.BUCKET)),
        ])
        const late = ping && ping.cron.ageSeconds > CRON_LATE_SECONDS
        return {
          status: ping && stored ? (late ? 'degraded' : 'ok') : 'unavailable',
          checks: {
            configuration: 'ok',
            database: ping ? 'ok' : 'failed',
            storage: stored ? 'ok' : 'failed',
            ...(ping && { cron: late ? ('late' as const) : ('ok' as const) }),
          },
          ...(ping && { cron: ping.cron }),
          checkedAt,
        }
      }
    },
  )
}

/** Reading works on a full disk and with a key that may only read: uploads need a bucket that takes bytes. */
async function probe(bucket: R2Bucket): Promise<true> {
  try {
    await bucket.put(HEALTH_KEY, new Date().toISOString())
  } catch (error) {
    // Refused because another isolate has just written it: then the bucket takes writes.
    if (!(error instanceof Error && /\(10058\)/.test(error.message))) throw error
  }
  return true
}

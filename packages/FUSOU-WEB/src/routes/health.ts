import { describe, log } from '@fusou/catalog'
import { z } from 'zod'
import { route } from '../http/operation.ts'
import type { serviceOpener } from '../services.ts'

const Check = z.enum(['ok', 'failed'])
const Health = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.object({ configuration: Check, database: Check.optional(), storage: Check.optional() }),
  })
  .meta({ id: 'Health' })
type Health = z.infer<typeof Health>

/** Reading the head of an object that is not there is the cheapest call that reaches the bucket. */
const NO_OBJECT = 'health'

export const health = (open: ReturnType<typeof serviceOpener>) =>
  route(
    {
      method: 'get',
      path: '/api/health',
      summary: 'Whether this deployment can work',
      access: 'open',
      answers: {
        200: { description: 'It can', schema: Health },
        503: { description: 'It cannot; see which check failed', schema: Health },
      },
    },
    async (c) => {
      const attempt = async (check: string, call: () => unknown): Promise<'ok' | 'failed'> => {
        try {
          await call()
          return 'ok'
        } catch (error) {
          log('error', 'health_check_failed', { requestId: c.var.requestId, check, ...describe(error) })
          return 'failed'
        }
      }
      const checks: Health['checks'] = { configuration: await attempt('configuration', () => open(c.env)) }
      if (checks.configuration === 'ok') {
        ;[checks.database, checks.storage] = await Promise.all([
          attempt('database', () => open(c.env).catalog.ping()),
          attempt('storage', () => c.env.BUCKET.head(NO_OBJECT)),
        ])
      }
      const ok = Object.values(checks).every((check) => check === 'ok')
      const answer: Health = { status: ok ? 'ok' : 'unavailable', checks }
      return c.json(answer, ok ? 200 : 503)
    },
  )

import { log } from '@fusou/catalog'
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../bindings.ts'

/** Gives each request an id, which its answer, its problem and its log lines carry; one log line a request. */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  const requestId = crypto.randomUUID()
  const startedAt = Date.now()
  c.set('requestId', requestId)
  await next()
  c.header('X-Request-Id', requestId)
  log('info', 'request', {
    requestId,
    ray: c.req.header('cf-ray'),
    method: c.req.method,
    route: c.var.route,
    status: c.res.status,
    code: c.var.errorCode,
    // Clocks stand still while a request computes: this is the time it waited.
    ms: Date.now() - startedAt,
  })
}

import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../bindings.ts'

/** No answer is sniffed, framed or run as a page, and only what says so itself is stored by caches. */
export const responseHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
}

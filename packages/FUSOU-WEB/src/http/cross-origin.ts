import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { AppEnv, Bindings } from '../bindings.ts'
import type { Services } from '../services.ts'

/** Headers of a request that engines in a browser send. */
const REQUEST_HEADERS = ['Authorization', 'Range', 'If-Range', 'If-Match', 'If-None-Match']
/** Headers of an answer that they need, beside those that every page may read. */
const ANSWER_HEADERS = [
  'Accept-Ranges',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'ETag',
  'X-Fusou-Version',
  'X-Fusou-Rows',
  'X-Fusou-Left-Out',
]
const PREFLIGHT_SECONDS = 86_400

/** Lets pages of the configured origins read. No cookie counts here, so any origin may be let in: `*` is the default. */
export const crossOrigin = (open: (env: Bindings) => Services): MiddlewareHandler<AppEnv> =>
  cors({
    origin: (origin, c) => {
      const { readerOrigins } = open(c.env as Bindings)
      if (readerOrigins.includes('*')) return '*'
      return readerOrigins.includes(origin) ? origin : null
    },
    allowMethods: ['GET', 'HEAD'],
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  })

import { boundedBucket } from '@fusou/catalog'
import type { MiddlewareHandler } from 'hono'
import type { AppEnv, Bindings } from '../bindings.ts'

const bounded = new WeakMap<Bindings, Bindings>()

/** No call of the bucket waits without end: every handler sees one with deadlines. */
export const boundBucket: MiddlewareHandler<AppEnv> = (c, next) => {
  const { env } = c
  // a deployment without the binding is told so by whoever opens its services
  if (env.BUCKET === undefined) return next()
  const known = bounded.get(env) ?? { ...env, BUCKET: boundedBucket(env.BUCKET) }
  bounded.set(env, known)
  c.env = known
  return next()
}

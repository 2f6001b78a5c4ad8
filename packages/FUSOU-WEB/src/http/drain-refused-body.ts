import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../bindings.ts'
import { readChunks } from './read-chunks.ts'

/** More than any fragment has. */
const MAX_DRAINED_BYTES = 16 * 1024 * 1024

/**
 * Reads what is left of a body that was refused. A client that writes all of it before it reads the answer would else
 * see a broken connection and not the reason.
 */
export const drainRefusedBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  const { body } = c.req.raw
  if (c.res.status < 400 || body === null || body.locked) return
  let drained = 0
  try {
    for await (const chunk of readChunks(body)) {
      drained += chunk.byteLength
      if (drained > MAX_DRAINED_BYTES) return
    }
  } catch {
    // The client has gone, or the body was broken: that is why it was refused.
  }
}

import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../bindings.ts'
import { type Deadline, readChunks, TIMER } from './read-chunks.ts'

/** More than any fragment has. */
export const MAX_DRAINED_BYTES = 16 * 1024 * 1024
/** Anybody can send a body that is refused, without a token too: it is read for so long, and then not any more. */
export const MAX_DRAIN_MS = 5000

/**
 * Reads what is left of a body that was refused. A client that writes all of it before it reads the answer would else
 * see a broken connection and not the reason. A body that is longer or slower than the bounds is cancelled.
 */
export const drainRefusedBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next()
  const { body } = c.req.raw
  if (c.res.status < 400 || body === null || body.locked) return
  if ((await drainBody(body)) === 'cancelled') c.header('Connection', 'close')
}

/** @returns `cancelled` when the bounds were reached before the end of the body */
export async function drainBody(
  body: ReadableStream<Uint8Array>,
  deadline: Deadline = TIMER,
): Promise<'drained' | 'cancelled'> {
  const whole = deadline.start(MAX_DRAIN_MS)
  const shared: Deadline = { start: () => ({ reached: whole.reached, stop: () => undefined }) }
  let drained = 0
  try {
    for await (const chunk of readChunks(body, { deadline: shared })) {
      drained += chunk.byteLength
      if (drained > MAX_DRAINED_BYTES) break
    }
    if (drained <= MAX_DRAINED_BYTES) return 'drained'
  } catch {
    // The client has gone, is too slow, or the body was broken: that is why it was refused.
  } finally {
    whole.stop()
  }
  // A body that is locked by a late read is cancelled already.
  if (!body.locked) body.cancel().catch(() => undefined)
  return 'cancelled'
}

import { describe, FusouError, JobId, log } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { eventStream } from '../../events/event-stream.ts'
import { clockUntil, followJob, hasSeenEnd, LIFETIME_MS } from '../../events/follow-job.ts'
import { route } from '../../http/operation.ts'

/** A little longer than a stream lives, so that one whose isolate died gives its place back. */
const LEASE_SECONDS = LIFETIME_MS / 1000 + 30

export const jobEvents = route(
  {
    method: 'get',
    path: '/api/jobs/:id/events',
    summary:
      'Follow a job by Server-Sent Events: `progress` with the job whenever it changed, `end` when it has ended. ' +
      'The connection ends after five minutes at the most; clients come back with Last-Event-ID and go on.',
    access: 'reader',
    scope: 'read',
    params: z.object({ id: JobId }),
    documentedHeaders: z.object({
      'Last-Event-ID': z.string().optional().meta({ description: 'id of the last event seen; another is ignored' }),
    }),
    answers: {
      200: { description: 'The events', mediaType: 'text/event-stream' },
      204: { description: 'The client has seen the end, and need not come back' },
    },
    errors: ['unknown_job', 'rate_limited'],
  },
  async (c, { params: { id } }) => {
    const read = () => c.var.services.catalog.getJob(id, requesterOf(c))
    const job = await read()
    if (!job) throw new FusouError('unknown_job', `no job ${id} that you may see`)
    const lastEventId = c.req.header('last-event-id')
    if (job.finishedAt !== null && hasSeenEnd(lastEventId)) return c.body(null, 204)
    const gone = new AbortController()
    c.req.raw.signal.addEventListener('abort', () => gone.abort(), { once: true })
    const events = followJob(job, read, clockUntil(gone.signal), { lastEventId, signal: gone.signal })
    return c.body(eventStream(events, gone, await takePlace(c)), 200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
    })
  },
)

/**
 * Takes one of the places that a user has for streams; operators need none.
 * @returns gives it back
 * @throws FusouError `rate_limited` when all are taken
 */
async function takePlace(c: Context<AppEnv>): Promise<() => void> {
  const { caller, services, requestId } = c.var
  const user = caller.kind === 'key' ? caller.user : caller.kind === 'user' ? caller.id : undefined
  if (user === undefined) return () => undefined
  await services.catalog.openEventStream(user, requestId, LEASE_SECONDS)
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const giveBack = async () => {
    await ended
    try {
      await services.catalog.closeEventStream(requestId)
    } catch (error) {
      // The lease runs out by itself.
      log('error', 'event_stream_not_closed', { requestId, ...describe(error) })
    }
  }
  c.executionCtx.waitUntil(giveBack())
  return resolve
}

import { describe, FusouError, type Job, log } from '@fusou/catalog'
import { type ServerSentEvent, STILL_HERE } from './server-sent-event.ts'

/** Pause between two looks at the job: short after a change, longer while nothing happens. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 5000
const PAUSE_GROWTH = 1.5
/** Proxies close a connection that is silent for longer. */
const HEARTBEAT_MS = 15_000
/** One request makes a bounded number of calls; the client comes back by itself, and its token is checked again. */
export const LIFETIME_MS = 5 * 60_000
/** How long a client waits before it comes back. */
const RECONNECT_MS = 2000

export interface Clock {
  now(): number
  /** ends early when the client has gone */
  wait(milliseconds: number): Promise<void>
}

export const clockUntil = (gone: AbortSignal): Clock => ({
  now: () => Date.now(),
  wait: (milliseconds) => scheduler.wait(milliseconds, { signal: gone }).catch(() => undefined),
})

const ENDED = 'end'
const TOKEN = /^(\d{1,15})-([0-9a-f]{16}|end)$/

/** Parses a Last-Event-ID: how many events this client was sent, and the digest of the last state it saw. */
function readToken(lastEventId: string | undefined): { count: number; seen: string | undefined } {
  const [, count = '0', seen] = TOKEN.exec(lastEventId ?? '') ?? []
  return { count: Number(count), seen }
}

/** Whether the client that comes back has seen the end. */
export const hasSeenEnd = (lastEventId: string | undefined): boolean => readToken(lastEventId).seen === ENDED

/**
 * The events of one job: `progress` with the job whenever it is not as the client saw it last, and `end` after the last
 * one. Ids are `<count>-<digest of the job>`: the count grows over reconnections too.
 * @param first the job as it is now
 * @param read  looks again; null when the job is not there any more. A fault that passes is only a longer pause.
 */
export async function* followJob(
  first: Job,
  read: () => Promise<Job | null>,
  clock: Clock,
  { lastEventId, signal }: { lastEventId?: string | undefined; signal: AbortSignal },
): AsyncGenerator<ServerSentEvent> {
  const startedAt = clock.now()
  let { count, seen } = readToken(lastEventId)
  let pause = FIRST_PAUSE_MS
  let spokeAt = startedAt
  let job: Job | null = first
  yield { retry: RECONNECT_MS }
  while (!signal.aborted) {
    if (job !== null) {
      const data = JSON.stringify(job)
      const state = await digest(data)
      if (state !== seen) {
        yield { event: 'progress', id: `${++count}-${state}`, data }
        seen = state
        spokeAt = clock.now()
        pause = FIRST_PAUSE_MS
      }
      if (job.finishedAt !== null) {
        yield { event: 'end', id: `${++count}-${ENDED}`, data: JSON.stringify({ id: job.id, state: job.state }) }
        return
      }
    }
    if (clock.now() - spokeAt >= HEARTBEAT_MS) {
      yield STILL_HERE
      spokeAt = clock.now()
    }
    if (clock.now() + pause - startedAt > LIFETIME_MS) return
    await clock.wait(pause)
    if (signal.aborted) return
    pause = Math.min(LONGEST_PAUSE_MS, pause * PAUSE_GROWTH)
    job = await readAgain(read, first.id)
  }
}

/** @returns null when the database does not answer now */
async function readAgain(read: () => Promise<Job | null>, jobId: string): Promise<Job | null> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof FusouError && error.transient)) throw error
    log('error', 'job_not_read', { jobId, ...describe(error) })
    return null
  }
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return new Uint8Array(bytes, 0, 8).toHex()
}

import { FusouError, type Job } from '@fusou/catalog'
import { describe, expect, test, vi } from 'vitest'
import { eventStream } from '../../src/events/event-stream.ts'
import { type Clock, followJob, hasSeenEnd, LIFETIME_MS } from '../../src/events/follow-job.ts'
import { inEventStream, type ServerSentEvent, STILL_HERE } from '../../src/events/server-sent-event.ts'

const job = (more: Partial<Job> = {}) => ({ id: 'j', state: 'running', finishedAt: null, ...more }) as Job
const ended = job({ state: 'succeeded', finishedAt: '2026-11-22T09:00:00Z' })

/** A clock that goes on by what is waited for, and keeps the pauses. */
function fakeClock(): Clock & { pauses: number[] } {
  let now = 1_000_000
  const pauses: number[] = []
  return {
    pauses,
    now: () => now,
    wait: async (milliseconds) => {
      pauses.push(milliseconds)
      now += milliseconds
    },
  }
}

interface Following {
  first?: Job
  /** what each look gives; after the last, the same again */
  looks?: (Job | null | Error)[]
  lastEventId?: string
}

async function follow({ first = job(), looks = [], lastEventId }: Following, limit = 1000) {
  const clock = fakeClock()
  const gone = new AbortController()
  let look = 0
  const read = async () => {
    const found = looks.length === 0 ? first : looks[Math.min(look++, looks.length - 1)]!
    if (found instanceof Error) throw found
    return found
  }
  const events: ServerSentEvent[] = []
  const following = followJob(first, read, clock, { lastEventId, signal: gone.signal })
  let error: unknown
  try {
    for await (const event of following) {
      events.push(event)
      if (events.length === limit) gone.abort()
    }
  } catch (thrown) {
    error = thrown
  }
  return { events, pauses: clock.pauses, error }
}

const ids = (events: ServerSentEvent[]) => events.flatMap(({ id }) => (id === undefined ? [] : [id]))

describe('a job that is followed', () => {
  test('is told when it changes, and that it has ended', async () => {
    const claimed = job({ attempt: 2 })
    const { events } = await follow({ looks: [job(), claimed, claimed, ended] })
    expect(events.map(({ event, data, retry }) => [event, data, retry])).toEqual([
      [undefined, undefined, 2000],
      ['progress', JSON.stringify(job()), undefined],
      ['progress', JSON.stringify(claimed), undefined],
      ['progress', JSON.stringify(ended), undefined],
      ['end', '{"id":"j","state":"succeeded"}', undefined],
    ])
    expect(ids(events).map((id) => id.split('-')[0])).toEqual(['1', '2', '3', '4'])
    expect(ids(events)[0]).toMatch(/^1-[0-9a-f]{16}$/)
    expect(ids(events)[3]).toBe('4-end')
    expect(new Set(ids(events).map((id) => id.split('-')[1])).size).toBe(4)
  })

  test('is not told again to a client that comes back and has seen it', async () => {
    const { events } = await follow({ first: ended })
    const [seen] = ids(events)
    const again = await follow({ first: ended, lastEventId: `7-${seen!.split('-')[1]}` })
    expect(again.events.map(({ event, id }) => [event, id])).toEqual([
      [undefined, undefined],
      ['end', '8-end'],
    ])
    const other = await follow({ first: ended, lastEventId: '7-0123456789abcdef' })
    expect(ids(other.events)[0]).toMatch(/^8-/)
    for (const unknown of ['x', '7-0123', '7-0123456789ABCDEF', '1234567890123456-end', ' 7-end']) {
      expect(ids((await follow({ first: ended, lastEventId: unknown })).events)[0]).toMatch(/^1-/)
    }
  })

  test('is looked at less and less often while nothing changes, and again soon after a change', async () => {
    const quiet = await follow({})
    expect(quiet.pauses.slice(0, 7)).toEqual([1000, 1500, 2250, 3375, 5000, 5000, 5000])
    const changing = await follow({ looks: [job(), job(), job({ attempt: 3 })] })
    expect(changing.pauses.slice(0, 6)).toEqual([1000, 1500, 2250, 1000, 1500, 2250])
  })

  test('is silent for fifteen seconds at the most', async () => {
    const { events, pauses } = await follow({})
    expect(events.slice(2)).toEqual(events.slice(2).map(() => STILL_HERE))
    // 13,125 ms after five pauses, 18,125 after six
    const { events: few } = await follow({}, 3)
    expect(few[2]).toBe(STILL_HERE)
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThanOrEqual(LIFETIME_MS)
    // the first after 18,125 ms, then each 15,000 ms
    expect(events.length - 2).toBe(19)
  })

  test('is followed for five minutes, not a pause longer', async () => {
    const { events, pauses } = await follow({})
    const total = pauses.reduce((sum, pause) => sum + pause, 0)
    expect(LIFETIME_MS).toBe(300_000)
    expect(total).toBeGreaterThan(LIFETIME_MS - 5000)
    expect(events.at(-1)?.event).toBeUndefined()
  })

  test('is looked for again where the database does not answer; other faults end it', async () => {
    const away = await follow({ looks: [new FusouError('database_unavailable', 'away'), ended] })
    expect(away.events.map(({ event }) => event)).toEqual([undefined, 'progress', 'progress', 'end'])
    expect(away.error).toBeUndefined()
    const refused = await follow({ looks: [new FusouError('database_refused', 'no')] })
    expect(refused.error).toMatchObject({ code: 'database_refused' })
    const bug = await follow({ looks: [new TypeError('x')] })
    expect(bug.error).toBeInstanceOf(TypeError)
  })

  test('that is gone for a moment is not told of', async () => {
    const { events } = await follow({ looks: [null, ended] })
    expect(events.map(({ event }) => event)).toEqual([undefined, 'progress', 'progress', 'end'])
  })

  test('is not looked at for a client that has gone', async () => {
    const clock = fakeClock()
    const gone = new AbortController()
    const read = vi.fn(async () => job())
    const waiting: Clock = {
      ...clock,
      wait: async () => gone.abort(),
    }
    const events = []
    for await (const event of followJob(job(), read, waiting, { signal: gone.signal })) events.push(event)
    expect(events).toHaveLength(2)
    expect(read).not.toHaveBeenCalled()
  })
})

test('a client has seen the end only if its last event says so', () => {
  expect(['4-end', '4-0123456789abcdef', '-end', undefined, 'end'].map(hasSeenEnd)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})

test('events are lines that an empty one ends', () => {
  expect(inEventStream({ retry: 0 })).toBe('retry: 0\n\n')
  expect(inEventStream({ data: 'd', id: 'i', event: 'e', retry: 5 })).toBe('event: e\nid: i\nretry: 5\ndata: d\n\n')
  expect(inEventStream({ comment: 'c', data: 'd' })).toBe(': c\ndata: d\n\n')
  expect(inEventStream(STILL_HERE)).toBe(': still here\n\n')
})

describe('a stream of events', () => {
  const open = (events: AsyncGenerator<ServerSentEvent>) => {
    const gone = new AbortController()
    return { reader: eventStream(events, gone).getReader(), gone }
  }
  const read = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
    const { value, done } = await reader.read()
    return done ? 'done' : new TextDecoder().decode(value)
  }

  test('has one event after the other, each asked for when the one before is taken, and an end', async () => {
    let asked = 0
    async function* two() {
      for (const data of ['a', 'b']) {
        asked++
        yield { data }
      }
    }
    const { reader } = open(two())
    expect(asked).toBe(0)
    expect(await read(reader)).toBe('data: a\n\n')
    expect(asked).toBe(1)
    expect([await read(reader), await read(reader)]).toEqual(['data: b\n\n', 'done'])
  })

  test('ends where the events break off, and says why in the log alone', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    // biome-ignore lint/correctness/useYield: it breaks off before its first event
    async function* broken(): AsyncGenerator<ServerSentEvent> {
      throw new Error('torn')
    }
    expect(await read(open(broken()).reader)).toBe('done')
    expect(error.mock.calls.map(([line]) => JSON.parse(line))).toEqual([{ event: 'events_broke_off', error: 'torn' }])
    error.mockRestore()
  })

  test('gives no event to a client that left while it was awaited', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    let arrive = (_: ServerSentEvent) => {}
    async function* late() {
      yield await new Promise<ServerSentEvent>((resolve) => {
        arrive = resolve
      })
    }
    const { reader } = open(late())
    const pending = read(reader)
    await Promise.resolve()
    await reader.cancel()
    arrive({ data: 'x' })
    expect(await pending).toBe('done')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(error).not.toHaveBeenCalled()
    error.mockRestore()
  })

  test('tells the events that the client has gone', async () => {
    async function* endless() {
      for (;;) yield { data: 'x' }
    }
    const { reader, gone } = open(endless())
    await read(reader)
    expect(gone.signal.aborted).toBe(false)
    await reader.cancel()
    expect(gone.signal.aborted).toBe(true)
  })
})

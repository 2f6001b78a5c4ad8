import { AN_OPERATOR, FusouError, type Job } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { eventStream } from '../src/events/event-stream.ts'
import { type Clock, clockUntil, followJob, LIFETIME_MS } from '../src/events/follow-job.ts'
import type { ServerSentEvent } from '../src/events/server-sent-event.ts'
import { call, catalog, expectProblem, newJobOf, OPERATOR } from './support/api.ts'
import { newUser } from './support/tokens.ts'

const owner = await newUser()

async function newJob(): Promise<{ datasetId: string; jobId: string; path: string }> {
  const { datasetId, jobId } = await newJobOf(owner)
  return { datasetId, jobId, path: `/api/jobs/${jobId}/events` }
}

const start = ({ datasetId, jobId }: { datasetId: string; jobId: string }) =>
  catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
const finish = (jobId: string) => catalog.finishJob({ jobId, attempt: 1 }, { result: {}, more: false, sender: 'test' })

interface Block {
  event?: string
  id?: string
  retry?: string
  data?: string
}

/** The blocks of an event stream, one at a time, as they come. */
async function* blocksOf(response: Response): AsyncGenerator<Block> {
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const lines = block.split('\n').filter((line) => !line.startsWith(':'))
      yield Object.fromEntries(lines.map((line) => /^(\w+): (.*)$/.exec(line)!.slice(1)))
    }
  }
  expect(text).toBe('')
}

async function open(path: string, lastEventId?: string): Promise<AsyncGenerator<Block>> {
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const response = await call(path, { ...owner, headers })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
  const blocks = blocksOf(response)
  expect((await blocks.next()).value).toEqual({ retry: '2000' })
  return blocks
}

/** The next block that is an event. */
async function next(blocks: AsyncGenerator<Block>): Promise<{ event: string; id: string; job: Partial<Job> }> {
  for (;;) {
    const { value, done } = await blocks.next()
    if (done) throw new Error('the stream has ended')
    if (value.event !== undefined) return { event: value.event, id: value.id!, job: JSON.parse(value.data!) }
  }
}

describe('the events of a job', () => {
  test('tell each change until its end, and go on where a client left off', async () => {
    const made = await newJob()
    const { jobId, path } = made
    const blocks = await open(path)
    const queued = await next(blocks)
    expect(queued).toMatchObject({ event: 'progress', job: { id: jobId, state: 'queued' } })
    await start(made)
    expect(await next(blocks)).toMatchObject({ event: 'progress', job: { state: 'running', attempt: 1 } })
    await catalog.enterStep({ jobId, attempt: 1 }, 'get-metadata', { leaseSeconds: 60 })
    const planning = await next(blocks)
    expect(planning).toMatchObject({ event: 'progress', job: { progress: { step: 'get-metadata' } } })
    await blocks.return(undefined)

    const again = await open(path, planning.id)
    await finish(jobId)
    const succeeded = await next(again)
    expect(succeeded).toMatchObject({ event: 'progress', job: { state: 'succeeded' } })
    const end = await next(again)
    expect(end).toEqual({ event: 'end', id: expect.any(String), job: { id: jobId, state: 'succeeded' } })
    expect(await again.next()).toMatchObject({ done: true })
    expect([queued, planning, succeeded, end].map(({ id }) => id.split('-')[0])).toEqual(['1', '3', '4', '5'])

    const late = await open(path, succeeded.id)
    expect(await next(late)).toMatchObject({ event: 'end' })
    expect(await late.next()).toMatchObject({ done: true })
    expect((await call(path, { ...owner, headers: { 'last-event-id': end.id } })).status).toBe(204)
  })

  test('start again for an id that is none of ours', async () => {
    const { jobId, path } = await newJob()
    await catalog.cancelJob(jobId, AN_OPERATOR)
    for (const id of ['', 'x', '1', '-1-end', '9'.repeat(400)]) {
      const blocks = await open(path, id)
      expect(await next(blocks)).toMatchObject({ event: 'progress', job: { state: 'cancelled' } })
      expect(await next(blocks)).toMatchObject({ event: 'end' })
    }
  })

  test('are for those who may see the job', async () => {
    const { jobId, path } = await newJob()
    await expectProblem(call(path), 'unauthenticated')
    await expectProblem(call(path, await newUser()), 'unknown_job')
    await expectProblem(call(`/api/jobs/${crypto.randomUUID()}/events`, owner), 'unknown_job')
    await expectProblem(call('/api/jobs/abc/events', owner), 'invalid_request')
    await catalog.cancelJob(jobId, AN_OPERATOR)
    expect(await (await call(path, OPERATOR)).text()).toMatch(
      /^retry: 2000\n\nevent: progress\nid: 1-\w+\ndata: \{.*\}\n\n/,
    )
    expect(await (await call(path, { ...owner, method: 'HEAD' })).text()).toBe('')
  })
})

describe('following a job', async () => {
  const { jobId } = await newJob()
  const job = (await catalog.getJob(jobId, AN_OPERATOR))!
  const signal = new AbortController().signal

  /** A clock that is ahead at once, and notes how long it was asked to wait. */
  function quickClock(): Clock & { waits: number[] } {
    let time = 0
    const waits: number[] = []
    return {
      waits,
      now: () => time,
      wait: async (milliseconds) => {
        waits.push(milliseconds)
        time += milliseconds
      },
    }
  }

  test('looks less and less often while nothing happens, says that it is there, and stops in time', async () => {
    const clock = quickClock()
    const events: ServerSentEvent[] = []
    for await (const event of followJob(job, async () => job, clock, { signal })) events.push(event)
    expect(events.filter(({ event }) => event === 'progress')).toHaveLength(1)
    expect(events.some(({ event }) => event === 'end')).toBe(false)
    expect(clock.waits.slice(0, 6)).toEqual([1000, 1500, 2250, 3375, 5000, 5000])
    expect(Math.max(...clock.waits)).toBe(5000)
    expect(clock.now()).toBeLessThanOrEqual(LIFETIME_MS)
    expect(clock.now()).toBeGreaterThan(LIFETIME_MS - 5001)
    const heartbeats = events.filter(({ comment }) => comment !== undefined).length
    expect(heartbeats).toBeGreaterThanOrEqual(LIFETIME_MS / 20_000 - 1)
  })

  test('looks often again after a change', async () => {
    const clock = quickClock()
    let looks = 0
    const read = async () => ({
      ...job,
      triggers: ++looks < 5 ? job.triggers : 7,
      finishedAt: looks < 6 ? null : 'now',
    })
    const events: ServerSentEvent[] = []
    for await (const event of followJob(job, read, clock, { signal })) events.push(event)
    expect(events.map(({ event }) => event).filter(Boolean)).toEqual(['progress', 'progress', 'progress', 'end'])
    expect(clock.waits).toEqual([1000, 1500, 2250, 3375, 5000, 1000])
  })

  test('outlasts a database that does not answer', async () => {
    const answers = [new FusouError('database_unavailable', 'no answer'), { ...job, finishedAt: 'now' }]
    const read = async () => {
      const answer = answers.shift()!
      if (answer instanceof Error) throw answer
      return answer
    }
    const events: ServerSentEvent[] = []
    for await (const event of followJob(job, read, quickClock(), { signal })) events.push(event)
    expect(events.map(({ event }) => event).filter(Boolean)).toEqual(['progress', 'progress', 'end'])
  })

  test('stops at once when the client goes away, in the middle of a pause', async () => {
    const gone = new AbortController()
    const clock = clockUntil(gone.signal)
    const pausing = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    const anHour: Clock = {
      now: clock.now,
      wait: async () => {
        pausing.resolve()
        await clock.wait(3_600_000)
        stopped.resolve()
      },
    }
    let looks = 0
    const read = async () => {
      looks++
      return job
    }
    const reader = eventStream(followJob(job, read, anHour, { signal: gone.signal }), gone).getReader()
    await reader.read()
    await reader.read()
    const rest = reader.read()
    await pausing.promise
    await reader.cancel()
    await stopped.promise
    expect(await rest).toEqual({ value: undefined, done: true })
    expect(looks).toBe(0)
  })
})

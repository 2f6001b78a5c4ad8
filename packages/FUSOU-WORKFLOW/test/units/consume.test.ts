import type { Catalog } from '@fusou/catalog'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { consumeCompactionMessages } from '../../src/consume/consume-compaction-messages.ts'
import { consumeDeadLetters, readDeadLetter } from '../../src/consume/consume-dead-letters.ts'
import { readBody } from '../../src/consume/read-body.ts'
import type { Env } from '../../src/env.ts'
import { fakeCatalog, logOf } from './fakes.ts'

const QUEUE = 'dev-kc-compaction-queue'
const DLQ = 'dev-kc-compaction-dlq'
const JOB = '6f0c7c64-8a7a-4f0e-9d3a-2b0d7ad8d6a1'

/** A message that keeps how it was settled. */
function messageOf(body: unknown, attempts = 1) {
  const settled: unknown[] = []
  const message = {
    id: `m-${JSON.stringify(body)?.length}`,
    body,
    attempts,
    ack: () => settled.push('ack'),
    retry: (options: unknown) => settled.push(['retry', options]),
  }
  return { message: message as unknown as Message, settled }
}

const batchOf = (queue: string, ...messages: Message[]) => ({ queue, messages }) as unknown as MessageBatch

/** Bindings that keep what is sent and started. */
function fakeEnv(send: (...sent: unknown[]) => unknown = () => undefined) {
  const done: unknown[][] = []
  const env = {
    COMPACTION_DLQ: {
      send: async (...sent: unknown[]) => {
        done.push(['dead letter', ...sent])
        await send(...sent)
      },
    },
    DATA_COMPACTION_WORKFLOW: { createBatch: async (batch: unknown) => void done.push(['instance', batch]) },
  }
  return { env: env as unknown as Env, done }
}

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
})
afterEach(() => vi.restoreAllMocks())

async function consume(body: unknown, accepted: unknown, attempts = 1) {
  const { message, settled } = messageOf(body, attempts)
  const { env, done } = fakeEnv()
  const { catalog, calls } = fakeCatalog({
    acceptMessage: () => {
      if (accepted instanceof Error) throw accepted
      return accepted
    },
  })
  const log = await logOf(() => consumeCompactionMessages(batchOf(QUEUE, message), env, catalog))
  return { id: message.id, settled, done, calls, log }
}

describe('a message', () => {
  test.each(['claimed', 'running'])(
    'that is %s has its instance started: a redelivery may find that there is none',
    async (outcome) => {
      const { id, settled, done, calls, log } = await consume({ datasetId: 'd' }, { outcome, jobId: JOB, attempt: 3 })
      expect(done).toEqual([['instance', [{ id: `${JOB}-3`, params: { jobId: JOB, attempt: 3 } }]]])
      expect(settled).toEqual(['ack'])
      expect(calls).toEqual([['acceptMessage', id, { datasetId: 'd', priority: 'manual' }, expect.any(Number)]])
      expect(log).toMatchObject([['info', { event: 'message_accepted', messageId: id, datasetId: 'd', outcome }]])
    },
  )

  test('that waits for a slot, or joins what is queued, starts nothing', async () => {
    const { settled, done } = await consume({ datasetId: 'd' }, { outcome: 'waiting', jobId: JOB })
    expect([settled, done]).toEqual([['ack'], []])
  })

  test.each([
    ['unknown_dataset', { datasetId: 'd' }, 'no dataset d'],
    ['unknown_job', { datasetId: 'd', jobId: JOB }, `no job ${JOB} in d`],
  ])('of an %s goes to the dead letters with its reason', async (code, body, reason) => {
    const { id, settled, done, log } = await consume(body, { outcome: code })
    const letter = { refused: { queue: QUEUE, messageId: id, code, message: reason }, body }
    expect(done).toEqual([['dead letter', letter, { contentType: 'json' }]])
    expect(settled).toEqual(['ack'])
    expect(log).toEqual([['error', { event: 'message_refused', messageId: id, code, detail: reason }]])
  })

  test.each([
    [{ datasetId: 'd', tableId: 't' }, /^tableId: is unknown/],
    ['{"datasetId":"d","datasetId":"e"}', /^datasetId: is given more than once/],
    [{ datasetId: '' }, /datasetId/],
    ['no json', /expected object/],
  ])('%j is refused, and the database is not asked', async (body, reason) => {
    const { settled, done, calls } = await consume(body, {})
    expect(calls).toEqual([])
    expect(settled).toEqual(['ack'])
    expect(done).toMatchObject([
      ['dead letter', { refused: { code: 'invalid_message', message: expect.stringMatching(reason) } }, {}],
    ])
  })

  test('of the outbox may say more than this version knows', async () => {
    const { done } = await consume(
      { datasetId: 'd', jobId: JOB, later: 1 },
      { outcome: 'claimed', jobId: JOB, attempt: 1 },
    )
    expect(done).toMatchObject([['instance', {}]])
  })

  test('is delivered again after a pause where the database is away', async () => {
    const { id, settled, log } = await consume({ datasetId: 'd' }, new Error('away'), 3)
    expect(settled).toEqual([['retry', { delaySeconds: 20 }]])
    expect(log).toEqual([
      ['error', { event: 'message_retried', messageId: id, attempts: 3, delaySeconds: 20, error: 'away' }],
    ])
  })

  test('that fails holds up none of the others', async () => {
    const [bad, good] = [messageOf({ datasetId: 'bad' }), messageOf({ datasetId: 'good one' })]
    const second = messageOf({ datasetId: 'good' })
    const { env } = fakeEnv()
    const { catalog } = fakeCatalog({
      acceptMessage: (_: string, { datasetId }: { datasetId: string }) => {
        if (datasetId === 'bad') throw new Error('no')
        return { outcome: 'waiting', jobId: JOB }
      },
    })
    await logOf(() =>
      consumeCompactionMessages(batchOf(QUEUE, bad.message, good.message, second.message), env, catalog),
    )
    expect([bad.settled, good.settled, second.settled]).toMatchObject([[['retry', {}]], ['ack'], ['ack']])
  })
})

describe('a body', () => {
  const value = (body: unknown) => readBody(body).value
  test('may be JSON, its text or its bytes; what is none stays what it is', () => {
    expect(value({ a: 1 })).toEqual({ a: 1 })
    expect(value('{"a":1}')).toEqual({ a: 1 })
    expect(value(new TextEncoder().encode('{"a":1}').buffer)).toEqual({ a: 1 })
    expect([value('a'), value(7), value(null)]).toEqual(['a', 7, null])
    expect(value(new TextEncoder().encode('a').buffer)).toBe('a')
  })
})

describe('a dead letter', () => {
  const read = (body: unknown) => readDeadLetter({ id: 'm', body, attempts: 2 }, DLQ)
  const deadJob = { datasetId: 'd', jobId: JOB, attempt: 4, code: 'c', step: 's', message: 'x' }
  const refused = { queue: 'q', messageId: 'n', code: 'invalid_message', message: 'r' }

  test('of a job is known by its attempt', () => {
    expect(read(deadJob)).toEqual({
      queue: DLQ,
      messageId: `${JOB}-4`,
      body: deadJob,
      code: 'c',
      message: 'x',
      attempts: 4,
      datasetId: 'd',
      jobId: JOB,
    })
    expect(read({ ...deadJob, message: null })).toMatchObject({ message: '' })
  })

  test('of the consumer is known by the message that it refused', () => {
    const body = { datasetId: 'd', jobId: JOB }
    const letter = { ...refused, body, attempts: 2, datasetId: 'd', jobId: JOB }
    expect(read({ refused, body })).toEqual(letter)
    expect(read({ refused, body: JSON.stringify(body) })).toEqual({ ...letter, body: JSON.stringify(body) })
    expect(read({ refused, body: 7 })).toEqual({ ...refused, body: 7, attempts: 2, datasetId: null, jobId: null })
  })

  test('of the queue is a message that every delivery failed, or one that is none', () => {
    const body = { datasetId: 'd', jobId: JOB }
    expect(read(body)).toEqual({
      queue: DLQ,
      messageId: 'm',
      body,
      code: 'delivery_failed',
      message: 'the consumer failed each delivery; see its log',
      attempts: 2,
      datasetId: 'd',
      jobId: JOB,
    })
    expect(read({ datasetId: 'd' })).toMatchObject({ code: 'delivery_failed', jobId: null })
    expect(read('?')).toMatchObject({
      code: 'invalid_message',
      body: '?',
      datasetId: null,
      jobId: null,
      message: expect.stringContaining('expected object'),
    })
  })

  const settle = async ({
    attempts = 1,
    record = () => undefined as unknown,
    send = () => undefined as unknown,
    raise = () => ({ changes: [], outbox: [] }) as unknown,
  }) => {
    const { message, settled } = messageOf({ datasetId: 'd' }, attempts)
    const { env, done } = fakeEnv(send)
    const { catalog, calls } = fakeCatalog({ recordDeadLetter: record, raiseAlerts: raise } as Partial<
      Record<keyof Catalog, () => unknown>
    >)
    let error: unknown
    const log = await logOf(async () => {
      error = await consumeDeadLetters(batchOf(DLQ, message), env, catalog, new Map()).catch(
        (thrown: unknown) => thrown,
      )
    })
    return {
      settled,
      done,
      calls: calls.map(([method]) => method),
      events: log.map(([level, { event }]) => [level, event]),
      error,
    }
  }
  const fails = () => {
    throw new Error('away')
  }

  test('is recorded, then acknowledged, and then alerts are looked for', async () => {
    expect(await settle({})).toEqual({
      settled: ['ack'],
      done: [],
      calls: ['recordDeadLetter', 'raiseAlerts'],
      events: [['error', 'dead_letter']],
      error: undefined,
    })
  })

  test('that cannot be recorded comes again in a minute, and then is sent again before the queue drops it', async () => {
    expect(await settle({ record: fails })).toMatchObject({ settled: [['retry', { delaySeconds: 60 }]], done: [] })
    const { settled, done } = await settle({ record: fails, attempts: 2 })
    expect(settled).toEqual(['ack'])
    const envelope = { refused: { queue: DLQ, code: 'delivery_failed' }, body: { datasetId: 'd' } }
    expect(done).toMatchObject([['dead letter', envelope, { contentType: 'json', delaySeconds: 300 }]])
  })

  test('is not acknowledged where it can neither be recorded nor sent', async () => {
    const { settled, error } = await settle({ record: fails, attempts: 2, send: fails })
    expect(settled).toEqual([])
    expect(error).toMatchObject({ message: 'away' })
  })

  test('is settled though alerts cannot be raised', async () => {
    const { settled, events, error } = await settle({ raise: fails })
    expect([settled, error]).toEqual([['ack'], undefined])
    expect(events).toEqual([
      ['error', 'dead_letter'],
      ['error', 'alerts_not_raised'],
    ])
  })
})

import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { AN_OPERATOR, connectCatalog } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import type { AlertChannels } from '../src/alerts/alert-channels.ts'
import { consumeCompactionMessages } from '../src/consume/consume-compaction-messages.ts'
import { consumeDeadLetters } from '../src/consume/consume-dead-letters.ts'
import { retryDelaySeconds } from '../src/consume/retry-delay.ts'
import { fragment, liveFiles, newDatasetId, newUserId, upload } from './fragments.ts'
import { catalog, env, POLL } from './test-env.ts'

const QUEUE = 'dev-kc-compaction-queue'
const DLQ = 'dev-kc-compaction-dlq'
const unreachable = connectCatalog({ supabaseUrl: 'http://127.0.0.1:1', supabaseSecretKey: 'none' })

const NO_CHANNELS: AlertChannels = new Map()

const message = (body: unknown, attempts = 1) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts, body })

async function deliver(
  consume: typeof consumeDeadLetters,
  queue: string,
  messages: ReturnType<typeof message>[],
  from = catalog,
) {
  const batch = createMessageBatch(queue, messages)
  await consume(batch, env, from, NO_CHANNELS)
  return getQueueResult(batch, createExecutionContext())
}

async function datasetOf(fragments: number) {
  const datasetId = newDatasetId()
  const user = newUserId()
  for (let index = 0; index < fragments; index++) {
    await upload(datasetId, user, [{ table: 't', bytes: fragment(index * 10, 10) }])
  }
  return datasetId
}

const letterOf = (messageId: string) => async () => {
  const { dlqFailures } = await catalog.deadLetterStatus(AN_OPERATOR, 1000)
  return dlqFailures.records.find((record) => record.messageId === messageId)
}

describe('the consumer', () => {
  test('merges a dataset for a message with nothing but its id, sent as JSON or as text', async () => {
    const datasets = [await datasetOf(2), await datasetOf(2)]
    const messages = [message({ datasetId: datasets[0] }), message(JSON.stringify({ datasetId: datasets[1] }))]
    const result = await deliver(consumeCompactionMessages, QUEUE, messages)
    expect(result.explicitAcks.sort()).toEqual(messages.map(({ id }) => id).sort())
    for (const datasetId of datasets) {
      await expect.poll(() => liveFiles(datasetId), POLL).toMatchObject([{ level: 1, rows: 20 }])
    }
  })

  test('starts one job for a message that is delivered twice, at once and one after the other', async () => {
    const datasetId = await datasetOf(2)
    const twice = message({ datasetId })
    await Promise.all([
      deliver(consumeCompactionMessages, QUEUE, [twice]),
      deliver(consumeCompactionMessages, QUEUE, [twice]),
    ])
    await deliver(consumeCompactionMessages, QUEUE, [{ ...twice, attempts: 2 }])
    await expect.poll(() => liveFiles(datasetId), POLL).toMatchObject([{ level: 1, rows: 20 }])
    expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId, limit: 10 })).toHaveLength(1)
  })

  test('starts the missing instance of an attempt when its message is delivered again', async () => {
    const datasetId = await datasetOf(2)
    const one = message({ datasetId })
    const claimed = await catalog.acceptMessage(one.id, { datasetId, priority: 'manual' }, 600)
    if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome)
    const instance = env.DATA_COMPACTION_WORKFLOW.get(`${claimed.jobId}-1`)
    await expect(instance.then((found) => found.status())).rejects.toThrow(/not.?found/i)
    const result = await deliver(consumeCompactionMessages, QUEUE, [{ ...one, attempts: 2 }])
    expect(result.explicitAcks).toEqual([one.id])
    await expect
      .poll(() => catalog.getJob(claimed.jobId, AN_OPERATOR), POLL)
      .toMatchObject({ state: 'succeeded', attempt: 1 })
  })

  test('settles each message by itself: what is wrong goes to the dead letters, what is right is done', async () => {
    const datasetId = await datasetOf(2)
    const good = message({ datasetId })
    const bad = [
      { body: 'not json', code: 'invalid_message' },
      { body: null, code: 'invalid_message' },
      { body: { datasetId: 7 }, code: 'invalid_message' },
      { body: { datasetId: '../etc' }, code: 'invalid_message' },
      { body: { datasetId, jobId: 'seven' }, code: 'invalid_message' },
      { body: { datasetId, priority: 'urgent' }, code: 'invalid_message' },
      { body: { datasetId: newDatasetId() }, code: 'unknown_dataset' },
      { body: { datasetId, jobId: crypto.randomUUID() }, code: 'unknown_job' },
    ].map((one) => ({ ...one, message: message(one.body) }))
    const result = await deliver(consumeCompactionMessages, QUEUE, [...bad.map((one) => one.message), good])
    expect(result.retryMessages).toEqual([])
    expect(result.explicitAcks).toHaveLength(bad.length + 1)
    for (const { message, code, body } of bad) {
      await expect.poll(letterOf(message.id), POLL).toMatchObject({ queue: QUEUE, code, body })
    }
    await expect.poll(() => liveFiles(datasetId), POLL).toMatchObject([{ level: 1 }])
  })

  test('refuses a field that would be ignored, of a message sent by hand', async () => {
    const datasetId = await datasetOf(2)
    const bad = [
      [{ datasetId, tableId: 't' }, 'tableId: is unknown; did you mean table?'],
      [`{"datasetId":"${datasetId}","table":"t","table":"u"}`, 'table: is given more than once'],
    ] as const
    const messages = bad.map(([body]) => message(body))
    await deliver(consumeCompactionMessages, QUEUE, messages)
    for (const [index, { id }] of messages.entries()) {
      await expect.poll(letterOf(id), POLL).toMatchObject({ code: 'invalid_message' })
      expect((await letterOf(id)())!.message).toContain(bad[index]![1])
    }
    expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId, limit: 10 })).toEqual([])
  })

  test('has the message delivered again, after a pause, while the database is away', async () => {
    const one = message({ datasetId: newDatasetId() })
    const result = await deliver(consumeCompactionMessages, QUEUE, [one], unreachable)
    expect(result.explicitAcks).toEqual([])
    expect(result.retryMessages).toMatchObject([{ msgId: one.id }])
  })

  test('pauses longer with each delivery, and never longer than ten minutes', () => {
    for (const [attempts, ceiling] of [
      [1, 10],
      [2, 20],
      [4, 80],
      [100, 600],
    ] as const) {
      const delay = retryDelaySeconds(attempts)
      expect(delay).toBeGreaterThanOrEqual(ceiling / 2)
      expect(delay).toBeLessThanOrEqual(ceiling)
    }
  })
})

describe('the dead-letter consumer', () => {
  test('records a message that failed each delivery, and its job dies with it', async () => {
    const datasetId = await datasetOf(2)
    await catalog.requestCompaction({ datasetId, requester: AN_OPERATOR, sender: 'test' })
    const [job] = await catalog.listJobs({ requester: AN_OPERATOR, datasetId, limit: 1 })
    const letter = message({ datasetId, jobId: job!.id })
    expect((await deliver(consumeDeadLetters, DLQ, [letter])).explicitAcks).toEqual([letter.id])
    expect(await letterOf(letter.id)()).toMatchObject({ code: 'delivery_failed', jobId: job!.id, datasetId })
    expect(await catalog.getJob(job!.id, AN_OPERATOR)).toMatchObject({
      state: 'dead',
      error: { code: 'delivery_failed' },
    })
  })

  test('records a letter once, however often it comes', async () => {
    const letter = message({ datasetId: newDatasetId() })
    await deliver(consumeDeadLetters, DLQ, [letter])
    expect((await deliver(consumeDeadLetters, DLQ, [letter])).explicitAcks).toEqual([letter.id])
    const { dlqFailures } = await catalog.deadLetterStatus(AN_OPERATOR, 1000)
    expect(dlqFailures.records.filter(({ messageId }) => messageId === letter.id)).toHaveLength(1)
  })

  test('does not ack what it could not record', async () => {
    const letter = message({ datasetId: newDatasetId() })
    const result = await deliver(consumeDeadLetters, DLQ, [letter], unreachable)
    expect(result.explicitAcks).toEqual([])
    expect(result.retryMessages).toMatchObject([{ msgId: letter.id }])
  })

  test('records a body of any shape, each by itself', async () => {
    const nested = JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`)
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    const holes: unknown[] = []
    holes.length = 2 ** 30
    const odd: [body: unknown, stored: unknown][] = [
      [nested, expect.anything()],
      [`${'['.repeat(5000)}${']'.repeat(5000)}`, expect.anything()],
      [
        { refused: { queue: QUEUE, messageId: 'm'.repeat(5000), code: 'x', message: 'y' }, body: nested },
        expect.anything(),
      ],
      [cycle, { self: '[circular]' }],
      [holes, expect.arrayContaining(['[cut]'])],
      [new Map([['a', 1n]]), { '[map]': [['a', '1']] }],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [undefined, null],
      ['\0 and \ud800', '\ufffd and \ufffd'],
      [{ 'k\0': ['v\udfff'] }, { 'k\ufffd': ['v\ufffd'] }],
      [
        { datasetId: 'd', jobId: crypto.randomUUID(), attempt: 2 ** 40, code: 'c', step: null, message: null },
        expect.anything(),
      ],
      ['x'.repeat(125_000), 'x'.repeat(125_000)],
    ]
    const plain = message({ datasetId: newDatasetId() })
    const letters = odd.map(([body]) => message(body))
    const batch = [...letters, plain]
    const result = await deliver(consumeDeadLetters, DLQ, batch)
    expect(result.retryMessages).toEqual([])
    expect(result.explicitAcks.sort()).toEqual(batch.map(({ id }) => id).sort())
    for (const [index, letter] of letters.entries())
      expect(await letterOf(letter.id)(), `letter ${index}`).toMatchObject({ body: odd[index]![1] })
    expect(await letterOf(plain.id)()).toMatchObject({ code: 'delivery_failed' })
  })

  test('gets bodies of any shape from the real queues, those that the consumer refused too', async () => {
    const marks = Array.from({ length: 3 }, () => crypto.randomUUID())
    const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`
    const bodies = [
      { body: `{"mark":"${marks[0]}","nested":${nested}}`, contentType: 'text' },
      { body: new Map([['mark', marks[1]]]), contentType: 'v8' },
      { body: { mark: marks[2], text: '\u0001'.repeat(60_000) }, contentType: 'v8' },
    ] as const
    for (const queue of [env.COMPACTION_QUEUE, env.COMPACTION_DLQ]) await queue.sendBatch(bodies)
    const found = async () => {
      const { dlqFailures } = await catalog.deadLetterStatus(AN_OPERATOR, 1000)
      return marks.map((mark) => dlqFailures.records.filter(({ body }) => JSON.stringify(body).includes(mark)).length)
    }
    await expect.poll(found, POLL).toEqual([2, 2, 2])
  })

  test('sends a letter again before the queue would drop it, and knows it again when it comes', async () => {
    const letter = message({ datasetId: 'lost and found' }, 2)
    const resent: unknown[] = []
    const dlq = { send: async (body: unknown) => void resent.push(body) } as unknown as Queue
    const batch = createMessageBatch(DLQ, [letter])
    await consumeDeadLetters(batch, { ...env, COMPACTION_DLQ: dlq }, unreachable, NO_CHANNELS)
    expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual([letter.id])
    expect(resent).toHaveLength(1)

    await deliver(consumeDeadLetters, DLQ, [message(resent[0])])
    expect(await letterOf(letter.id)()).toMatchObject({ queue: DLQ, code: 'invalid_message', body: letter.body })
  })
})

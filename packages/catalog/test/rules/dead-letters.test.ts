import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser, type Requester } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)

const aLetter = (letter: Partial<Parameters<typeof catalog.recordDeadLetter>[0]> = {}) => ({
  queue: 'dev-kc-compaction-dlq',
  messageId: randomUUID(),
  body: { text: 'whole' } as unknown,
  code: 'delivery_failed',
  message: 'failed four times',
  attempts: 1,
  datasetId: null,
  jobId: null,
  ...letter,
})

/** Records of one owner: other files write letters of their own. */
const lettersOf = async (dataset: DataSetUnderTest) =>
  (await catalog.deadLetterStatus(asUser(dataset.owner), 100)).dlqFailures

describe('a dead letter', () => {
  test('is kept whole and once, however often it is delivered', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const letter = aLetter({ datasetId: dataset.id, body: { datasetId: dataset.id, odd: [1, null, { deep: '☃' }] } })
    expect(await catalog.recordDeadLetter(letter)).toEqual({ outcome: 'recorded' })
    expect(await catalog.recordDeadLetter({ ...letter, message: 'again' })).toEqual({ outcome: 'duplicate' })
    expect(await lettersOf(dataset)).toMatchObject({
      count: 1,
      records: [
        {
          queue: letter.queue,
          messageId: letter.messageId,
          body: letter.body,
          code: 'delivery_failed',
          message: 'failed four times',
          attempts: 1,
          datasetId: dataset.id,
        },
      ],
    })
  })

  test.each([
    ['null', null, null],
    ['a number', 7, 7],
    ['a list', [1, [2]], [1, [2]]],
    ['text', 'not JSON {', 'not JSON {'],
    ['text that PostgreSQL cannot hold', 'a\0b\ud800', 'a\ufffdb\ufffd'],
    ['a name that PostgreSQL cannot hold', { 'a\0b': ['\0'] }, { 'a\ufffdb': ['\ufffd'] }],
    ['text that only looks so', '\\u0000', '\\u0000'],
  ])('with %s as its body is kept', async (_name, body, kept) => {
    const dataset = newDataSet()
    await dataset.upload()
    expect(await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, body }))).toEqual({ outcome: 'recorded' })
    expect((await lettersOf(dataset)).records).toMatchObject([{ body: kept }])
  })

  test('of a job that no message can start kills the job, and names the queue as its step', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId }))
    expect(await dataset.job(jobId)).toMatchObject({
      state: 'dead',
      error: { code: 'delivery_failed', step: 'queue', message: 'failed four times' },
    })
    expect((await dataset.upload()).jobId).not.toBe(jobId)
    expect((await catalog.deadLetterStatus(asUser(dataset.owner), 100)).workflowFailures).toMatchObject({
      count: 1,
      records: [{ jobId, datasetId: dataset.id, code: 'delivery_failed', step: 'queue', attempt: 0 }],
    })
  })

  test('of a running job leaves it running; its lease decides', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const { jobId } = await dataset.start()
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId }))
    expect(await dataset.job(jobId)).toMatchObject({ state: 'running', error: null })
  })

  test('of a job that is dead already changes nothing about it', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const attempt = await dataset.start()
    await dataset.fail(attempt, { transient: false })
    const before = await dataset.job(attempt.jobId)
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId: attempt.jobId, code: 'other' }))
    expect(await dataset.job(attempt.jobId)).toEqual(before)
  })

  test('that names a job of another dataset does not touch that job', async () => {
    const [dataset, other] = [newDataSet(), newDataSet()]
    await dataset.upload()
    const { jobId } = await other.upload()
    expect(await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId }))).toEqual({ outcome: 'recorded' })
    expect(await other.job(jobId)).toMatchObject({ state: 'queued' })
  })

  test('of nobody is seen by operators alone, of a dataset by its owner too', async () => {
    const [dataset, other] = [newDataSet(), newDataSet()]
    await dataset.upload()
    await other.upload()
    const [theirs, nobodys] = [aLetter({ datasetId: dataset.id }), aLetter({ jobId: randomUUID() })]
    await catalog.recordDeadLetter(theirs)
    await catalog.recordDeadLetter(nobodys)
    const seenBy = async (requester: Requester) =>
      (await catalog.deadLetterStatus(requester, 1000)).dlqFailures.records.map((letter) => letter.messageId)
    expect(await seenBy(asUser(dataset.owner))).toEqual([theirs.messageId])
    expect(await seenBy(asUser(other.owner))).toEqual([])
    expect(await seenBy(AN_OPERATOR)).toEqual(expect.arrayContaining([theirs.messageId, nobodys.messageId]))
  })

  test('closes when its job succeeds after all, also if it comes late', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId: attempt.jobId }))
    expect((await lettersOf(dataset)).records).toMatchObject([{ closedAt: null, closedHow: null }])
    await dataset.swapAll(attempt)
    await dataset.finish(attempt)
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId: attempt.jobId }))
    expect((await lettersOf(dataset)).records.map(({ closedHow }) => closedHow)).toEqual(['succeeded', 'succeeded'])
  })

  test('stays open when its job dies, until its work is asked for again', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    await dataset.fail(attempt, { transient: false })
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId: attempt.jobId }))
    expect((await lettersOf(dataset)).records).toMatchObject([{ closedHow: null }])
    await catalog.retryJob(attempt.jobId, asUser(dataset.owner), 'a test')
    expect((await lettersOf(dataset)).records).toMatchObject([{ closedHow: 'retried' }])
  })

  test('is acknowledged by an operator or the owner of its dataset, once, and by nobody else', async () => {
    const [dataset, other] = [newDataSet(), newDataSet()]
    await dataset.upload()
    await other.upload()
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id }))
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id }))
    const [second, first] = (await lettersOf(dataset)).records
    expect(await catalog.acknowledgeLetter(first!.id, asUser(other.owner))).toEqual({ outcome: 'unknown_letter' })
    expect(await catalog.acknowledgeLetter(2 ** 40, AN_OPERATOR)).toEqual({ outcome: 'unknown_letter' })
    const closed = await catalog.acknowledgeLetter(first!.id, asUser(dataset.owner))
    expect(closed).toMatchObject({ outcome: 'closed', closedHow: 'acknowledged' })
    expect(await catalog.acknowledgeLetter(first!.id, AN_OPERATOR)).toEqual(closed)
    expect(await catalog.acknowledgeLetter(second!.id, AN_OPERATOR)).toMatchObject({ closedHow: 'acknowledged' })
    expect((await catalog.deadLetterStatus(asUser(dataset.owner), 10, { open: true })).dlqFailures.count).toBe(0)
  })

  test('is found by its code, its dataset and whether it is open, and the counts are of what was found', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    for (const code of ['delivery_failed', 'delivery_failed', 'invalid_message'])
      await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, code }))
    const [newest] = (await lettersOf(dataset)).records
    await catalog.acknowledgeLetter(newest!.id, AN_OPERATOR)
    const find = async (query: Parameters<typeof catalog.deadLetterStatus>[2]) => {
      const { count, records } = (await catalog.deadLetterStatus(asUser(dataset.owner), 10, query)).dlqFailures
      expect(records).toHaveLength(count)
      return records.map(({ code }) => code)
    }
    expect(await find({})).toEqual(['invalid_message', 'delivery_failed', 'delivery_failed'])
    expect(await find({ code: 'invalid_message' })).toEqual(['invalid_message'])
    expect(await find({ open: true })).toEqual(['delivery_failed', 'delivery_failed'])
    expect(await find({ open: false })).toEqual(['invalid_message'])
    expect(await find({ datasetId: 'another' })).toEqual([])
    expect(await find({ code: 'invalid_message', open: true })).toEqual([])
  })

  test('and a dead job are each found once by pages of any size', async () => {
    const dataset = newDataSet()
    for (let count = 0; count < 3; count++) {
      await dataset.upload()
      await dataset.fail(await dataset.start(), { transient: false })
    }
    for (let count = 0; count < 5; count++) await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id }))
    const whole = await catalog.deadLetterStatus(asUser(dataset.owner), 100)
    expect([whole.workflowFailures.records.length, whole.dlqFailures.records.length]).toEqual([3, 5])
    expect(whole.next).toBeNull()
    for (const size of [1, 2, 3, 5]) {
      const jobs: string[] = []
      const letters: number[] = []
      let after: Parameters<typeof catalog.deadLetterStatus>[2] = {}
      for (let pages = 0; pages < 10; pages++) {
        const found = await catalog.deadLetterStatus(asUser(dataset.owner), size, after)
        jobs.push(...found.workflowFailures.records.map(({ jobId }) => jobId))
        letters.push(...found.dlqFailures.records.map(({ id }) => id))
        if (found.next === null) break
        after = { after: found.next }
      }
      expect(jobs).toEqual(whole.workflowFailures.records.map(({ jobId }) => jobId))
      expect(letters).toEqual(whole.dlqFailures.records.map(({ id }) => id))
    }
  })

  test('that is acknowledged closes its dead job too', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const { jobId } = await dataset.start()
    await dataset.fail({ jobId, attempt: 1 }, { transient: false })
    const openJobs = async () =>
      (await catalog.deadLetterStatus(asUser(dataset.owner), 10, { open: true })).workflowFailures.records
    expect(await openJobs()).toMatchObject([{ jobId }])
    await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id, jobId }))
    await catalog.acknowledgeLetter((await lettersOf(dataset)).records[0]!.id, AN_OPERATOR)
    expect(await openJobs()).toEqual([])
  })

  test('list is as long as asked, and its count is of all', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    for (const _ of [1, 2, 3]) await catalog.recordDeadLetter(aLetter({ datasetId: dataset.id }))
    const { dlqFailures } = await catalog.deadLetterStatus(asUser(dataset.owner), 2)
    expect([dlqFailures.count, dlqFailures.records.length]).toEqual([3, 2])
  })

  test('with a text of any length is kept, its message cut to what a list can show', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await catalog.recordDeadLetter(
      aLetter({ datasetId: dataset.id, message: 'x'.repeat(100_000), body: 'y'.repeat(100_000) }),
    )
    const [record] = (await lettersOf(dataset)).records
    expect([record!.message.length, (record!.body as string).length]).toEqual([2000, 100_000])
  })
})

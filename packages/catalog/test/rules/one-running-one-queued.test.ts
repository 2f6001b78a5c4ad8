import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 1: at most one running and one queued compaction job per dataset; no trigger is lost, no storm.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
const openMessages = (jobId: string) =>
  database.query("select payload from outbox where key = $1 and status in ('pending', 'in_progress')", jobId)
const trigger = (dataset: DataSetUnderTest, scope: { table?: string; periodTag?: string } = {}) =>
  catalog.requestCompaction({ datasetId: dataset.id, requester: asUser(dataset.owner), sender: SENDER, ...scope })

async function requested(dataset: DataSetUnderTest, scope: { table?: string; periodTag?: string } = {}) {
  const answer = await trigger(dataset, scope)
  if (answer.outcome !== 'requested') throw new Error(answer.outcome)
  return answer
}

describe('a trigger', () => {
  test('of an idle dataset makes a job and one message that carries it', async () => {
    const dataset = newDataSet()
    const { jobId, outbox } = await dataset.upload()
    expect(outbox).toMatchObject({
      type: 'compaction.requested',
      payload: { datasetId: dataset.id, jobId, priority: 'manual' },
    })
    expect(await openMessages(jobId)).toHaveLength(1)
    expect(await dataset.job(jobId)).toMatchObject({ state: 'queued', attempt: 0, triggers: 1 })
  })

  test('joins the queued job and sends no message of its own', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    expect(await dataset.upload()).toMatchObject({ jobId, outbox: null })
    expect(await requested(dataset)).toMatchObject({ jobId, joined: true, outbox: null })
    expect(await dataset.jobs()).toHaveLength(1)
    expect(await openMessages(jobId)).toHaveLength(1)
    expect((await dataset.job(jobId)).triggers).toBe(3)
  })

  test('while a job runs leaves exactly one successor, without a message until the running one ends', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    const successors = [
      (await dataset.upload()).jobId,
      (await requested(dataset)).jobId,
      (await dataset.upload()).jobId,
    ]
    expect(new Set(successors).size).toBe(1)
    const successor = successors[0]!
    expect(successor).not.toBe(running.jobId)
    expect(await openMessages(successor)).toHaveLength(0)
    expect(await dataset.jobs('queued')).toHaveLength(1)
    expect(await dataset.jobs('running')).toHaveLength(1)

    const finished = await dataset.finish(running)
    expect(finished.outbox).toMatchObject([{ type: 'compaction.requested', payload: { jobId: successor } }])
    expect(await openMessages(successor)).toHaveLength(1)
    expect(await dataset.deliver(successor)).toMatchObject({ outcome: 'claimed', jobId: successor, attempt: 1 })
  })

  test.each([
    ['succeeds', (d: DataSetUnderTest, a: { jobId: string; attempt: number }) => d.finish(a)],
    ['dies', (d: DataSetUnderTest, a: { jobId: string; attempt: number }) => d.fail(a, { transient: false })],
    [
      'is cancelled',
      async (d: DataSetUnderTest, a: { jobId: string; attempt: number }) => {
        await catalog.cancelJob(a.jobId, asUser(d.owner))
        return catalog.enterStep(a, 'get-metadata', { leaseSeconds: LEASE_SECONDS })
      },
    ],
  ])('that came during a job is dispatched when it %s', async (_how, end) => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    const { jobId: successor } = await dataset.upload()
    await end(dataset, running)
    expect(await openMessages(successor)).toHaveLength(1)
  })

  test('that the plan had no room for becomes the successor of the job that found it', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    expect((await dataset.finish(running, true)).outbox).toHaveLength(1)
    expect(await dataset.jobs('queued')).toMatchObject([{ priority: 'scheduled', attempt: 0 }])
  })
})

describe('a job of one table that finds nothing to merge', () => {
  test.each([
    ['leaves a successor if another table is due', [{ table: 'a' }, { table: 'b' }, { table: 'b' }], 1],
    ['leaves none if none is', [{ table: 'a' }, { table: 'b' }], 0],
  ])('%s', async (_name, slices, successors) => {
    const dataset = newDataSet()
    await dataset.store(...slices)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMinFiles: 2 })
    const { jobId } = await dataset.trigger({ table: 'a' })
    const claimed = await dataset.deliver(jobId)
    if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome)
    const attempt = { jobId, attempt: claimed.attempt }
    expect((await dataset.mergeable(attempt)).files).toEqual([])
    await catalog.savePlan(attempt, [])
    await dataset.finish(attempt)
    expect(await dataset.jobs('queued')).toHaveLength(successors)
  })

  test('and had all tables to look at leaves none: two of them would follow each other', async () => {
    const dataset = newDataSet()
    await dataset.store({ table: 'b' }, { table: 'b' })
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMinFiles: 2 })
    await dataset.trigger()
    const attempt = await dataset.start()
    await catalog.savePlan(attempt, [])
    await dataset.finish(attempt)
    expect(await dataset.jobs('queued')).toEqual([])
  })
})

describe('a trigger that joins', () => {
  test.each([
    ['the same scope', { table: 'a', periodTag: '1' }, { table: 'a', periodTag: '1' }, { table: 'a', periodTag: '1' }],
    ['another period', { table: 'a', periodTag: '1' }, { table: 'a', periodTag: '2' }, { table: 'a', periodTag: null }],
    ['another table', { table: 'a', periodTag: '1' }, { table: 'b', periodTag: '1' }, { table: null, periodTag: null }],
    ['the whole table', { table: 'a', periodTag: '1' }, { table: 'a' }, { table: 'a', periodTag: null }],
    ['everything', { table: 'a', periodTag: '1' }, {}, { table: null, periodTag: null }],
    ['less than is queued', {}, { table: 'a', periodTag: '1' }, { table: null, periodTag: null }],
  ])('with %s leaves a scope that covers both', async (_name, first, second, covering) => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.start()
    const { jobId } = await requested(dataset, first)
    expect((await requested(dataset, second)).jobId).toBe(jobId)
    expect(await dataset.job(jobId)).toMatchObject(covering)
  })

  test('raises the priority of the queued job and never lowers it', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    await dataset.finish(running, true)
    const [queued] = await dataset.jobs('queued')
    const priority = async () => (await dataset.job(queued!.id)).priority
    expect(await priority()).toBe('scheduled')
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMaxAgeSeconds: 0 })
    await dataset.store()
    expect(await priority()).toBe('realtime')
    await requested(dataset)
    expect(await priority()).toBe('manual')
    await dataset.store()
    expect(await priority()).toBe('manual')
  })
})

describe('the message of a job', () => {
  test('starts it once; a redelivery is told of the running attempt', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'claimed', jobId, attempt: 1 })
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'running', jobId, attempt: 1 })
    expect(await dataset.job(jobId)).toMatchObject({ state: 'running', attempt: 1 })
  })

  test('starts nothing after the end of the job', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    await dataset.compact()
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'ended', jobId, state: 'succeeded' })
    expect(await dataset.jobs()).toHaveLength(1)
  })

  test('that comes early waits for the running job, whose end sends another', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    const { jobId } = await dataset.upload()
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'waiting', jobId })
    expect((await dataset.finish(running)).outbox).toMatchObject([{ payload: { jobId } }])
  })

  test('names a job of another dataset, or none that is known: unknown_job', async () => {
    const dataset = newDataSet()
    const other = newDataSet()
    await dataset.upload()
    const { jobId } = await other.upload()
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'unknown_job' })
    expect(await dataset.deliver(randomUUID())).toEqual({ outcome: 'unknown_job' })
    expect(await other.job(jobId)).toMatchObject({ state: 'queued' })
  })

  test('of a dataset that nobody made: unknown_dataset, and no job', async () => {
    const dataset = newDataSet()
    expect(await dataset.deliver(undefined)).toEqual({ outcome: 'unknown_dataset' })
    expect(await trigger(dataset)).toEqual({ outcome: 'unknown_dataset' })
    expect(await database.query('select 1 from jobs where dataset_id = $1', dataset.id)).toHaveLength(0)
  })
})

describe('a message sent by hand, without a job', () => {
  test('registers the job with its scope and runs it; its redelivery finds the same job', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.compact()
    const id = randomUUID()
    const deliver = () =>
      catalog.acceptMessage(
        id,
        { datasetId: dataset.id, priority: 'manual', table: 'ships', periodTag: '0', metricId: 'metric-7' },
        LEASE_SECONDS,
      )
    const first = await deliver()
    if (first.outcome !== 'claimed') throw new Error(first.outcome)
    expect(await deliver()).toEqual({ outcome: 'running', jobId: first.jobId, attempt: 1 })
    expect(await dataset.job(first.jobId)).toMatchObject({
      table: 'ships',
      periodTag: '0',
      metricId: 'metric-7',
      priority: 'manual',
    })
    await dataset.finish(first)
    expect(await deliver()).toEqual({ outcome: 'ended', jobId: first.jobId, state: 'succeeded' })
    expect(await dataset.jobs()).toHaveLength(2)
  })

  test('starts the job that is queued already; its redelivery makes no other', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    const id = randomUUID()
    expect(await dataset.deliver(undefined, { id })).toEqual({ outcome: 'claimed', jobId, attempt: 1 })
    expect(await dataset.deliver(undefined, { id })).toEqual({ outcome: 'running', jobId, attempt: 1 })
    expect(await dataset.jobs()).toHaveLength(1)
  })

  test('while a job runs registers the successor', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const running = await dataset.start()
    const id = randomUUID()
    const waiting = await dataset.deliver(undefined, { id })
    expect(waiting).toMatchObject({ outcome: 'waiting' })
    expect(await dataset.deliver(undefined, { id })).toEqual(waiting)
    expect((await dataset.finish(running)).outbox).toHaveLength(1)
  })
})

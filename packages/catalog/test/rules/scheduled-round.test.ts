import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

const database = await ownDatabase()
const { catalog } = database

/** Datasets that need compaction and have no job. */
async function waiting(count: number): Promise<DataSetUnderTest[]> {
  const datasets = Array.from({ length: count }, () => new DataSetUnderTest(catalog))
  for (const dataset of datasets) {
    const { jobId } = await dataset.upload({}, {})
    await catalog.cancelJob(jobId, AN_OPERATOR)
  }
  return datasets
}
const ids = (datasets: readonly DataSetUnderTest[]) => datasets.map((dataset) => dataset.id).sort()
const round = async (limit: number) => {
  const { datasets, remaining, outbox } = await catalog.triggerScheduled(limit, SENDER)
  return {
    picked: datasets.map(({ datasetId }) => datasetId),
    jobs: datasets.map(({ jobId }) => jobId),
    remaining,
    outbox,
  }
}

beforeEach(async () => {
  await database.query('truncate outbox, dead_letters, merges, files, jobs, datasets cascade')
})

describe('the daily round', () => {
  test('takes at most so many datasets a call, and goes on until none remains', async () => {
    const datasets = await waiting(5)
    const calls = [await round(2), await round(2), await round(2), await round(2)]
    expect(calls.map(({ picked, remaining }) => [picked.length, remaining])).toEqual([
      [2, 3],
      [2, 1],
      [1, 0],
      [0, 0],
    ])
    expect(calls.flatMap(({ picked }) => picked).sort()).toEqual(ids(datasets))
  })

  test('makes a job of low priority for each, and the messages to send', async () => {
    const [dataset] = await waiting(1)
    const { jobs, outbox } = await round(10)
    expect(await dataset!.job(jobs[0]!)).toMatchObject({ state: 'queued', priority: 'scheduled', table: null })
    expect(outbox).toMatchObject([
      { type: 'compaction.requested', payload: { jobId: jobs[0], datasetId: dataset!.id } },
    ])
    expect(await catalog.completeOutbox([outbox[0]!.id], SENDER)).toBe(1)
  })

  test('leaves datasets that have a job, or nothing to merge', async () => {
    const [busy, running, done] = await waiting(3)
    await busy!.upload()
    await running!.start()
    await done!.compact()
    expect(await round(10)).toMatchObject({ picked: [], remaining: 0, outbox: [] })
  })

  test('takes the one whose last attempt is oldest first, the never attempted before all', async () => {
    const datasets = await waiting(3)
    const [first, second, never] = datasets
    for (const dataset of [first!, second!]) {
      await dataset.fail(await dataset.start(), { transient: false })
      await database.nextTick()
    }
    expect([...(await round(1)).picked, ...(await round(1)).picked, ...(await round(1)).picked]).toEqual(
      [never, first, second].map((dataset) => dataset!.id),
    )
  })

  test.each([
    ['their jobs die', async (dataset: DataSetUnderTest) => dataset.fail(await dataset.start(), { transient: false })],
    [
      'no message of theirs can be delivered',
      async (dataset: DataSetUnderTest, jobId: string) =>
        catalog.recordDeadLetter({
          queue: 'dlq',
          messageId: jobId,
          body: {},
          code: 'delivery_failed',
          message: '',
          attempts: 1,
          datasetId: dataset.id,
          jobId,
        }),
    ],
    ['their jobs are cancelled', async (_: DataSetUnderTest, jobId: string) => catalog.cancelJob(jobId, AN_OPERATOR)],
  ])('is not starved by datasets that fail each time: %s', async (_how, fail) => {
    const datasets = await waiting(6)
    const picks = new Map(datasets.map((dataset) => [dataset.id, 0]))
    for (let call = 0; call < 6; call++) {
      const { picked, jobs } = await round(2)
      for (const [i, id] of picked.entries()) {
        picks.set(id, picks.get(id)! + 1)
        await fail(datasets.find((dataset) => dataset.id === id)!, jobs[i]!)
        await database.nextTick()
      }
    }
    expect([...picks.values()]).toEqual([2, 2, 2, 2, 2, 2])
  })

  test.each([0, -1, 101, 1e9])('of %d datasets a call is refused', async (limit) => {
    await expect(catalog.triggerScheduled(limit, SENDER)).rejects.toMatchObject({ code: 'database_refused' })
  })
})

describe('a queued job whose message was lost', () => {
  const published = () =>
    database.query(
      "update outbox set status = 'published', published_at = now(), locked_by = null, locked_until = null",
    )
  const open = () =>
    database.query<{ key: string; locked_by: string | null }>(
      "select key, locked_by from outbox where status in ('pending', 'in_progress')",
    )

  test('is dispatched again, once', async () => {
    const { jobId } = await new DataSetUnderTest(catalog).upload()
    await published()
    await database.nextTick()
    expect(await catalog.redispatchStaleJobs(0, 10)).toBe(1)
    expect(await open()).toEqual([{ key: jobId, locked_by: null }])
    expect(await catalog.redispatchStaleJobs(0, 10)).toBe(0)
  })

  test('is left alone while its message is fresh, or still under way', async () => {
    await new DataSetUnderTest(catalog).upload()
    await database.nextTick()
    expect(await catalog.redispatchStaleJobs(0, 10)).toBe(0)
    await published()
    expect(await catalog.redispatchStaleJobs(3600, 10)).toBe(0)
  })

  test('is left alone while another job runs, whose end dispatches it', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.upload()
    const running = await dataset.start()
    await dataset.upload()
    await published()
    await database.nextTick()
    expect(await catalog.redispatchStaleJobs(0, 10)).toBe(0)
    await dataset.finish(running)
    expect(await open()).toHaveLength(1)
  })

  test('or whose message is dead, is dispatched; the oldest first, so many a call', async () => {
    const jobs = []
    for (const _ of [1, 2, 3]) {
      jobs.push((await new DataSetUnderTest(catalog).upload()).jobId)
      await database.nextTick()
    }
    await database.query("update outbox set status = 'dead', locked_by = null, locked_until = null")
    expect(await catalog.redispatchStaleJobs(0, 2)).toBe(2)
    expect((await open()).map((message) => message.key).sort()).toEqual(jobs.slice(0, 2).sort())
    expect(await catalog.redispatchStaleJobs(0, 2)).toBe(1)
  })

  test('runs like any other', async () => {
    const dataset = new DataSetUnderTest(catalog)
    const { jobId } = await dataset.upload({}, {})
    await published()
    await database.nextTick()
    await catalog.redispatchStaleJobs(0, 10)
    const [message] = await catalog.claimOutbox({ maxBatch: 10, lockSeconds: 60, workerId: 'relay' })
    expect(message!.payload).toMatchObject({ jobId, datasetId: dataset.id })
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'claimed', jobId, attempt: 1 })
  })
})

test('the status counts what waits, runs out, failed and is under way', async () => {
  const [dying] = await waiting(3)
  const attempt = await dying!.start()
  await dying!.fail(attempt, { transient: false })
  const lapsed = new DataSetUnderTest(catalog)
  await lapsed.upload()
  await catalog.acceptMessage('m', { datasetId: lapsed.id, priority: 'manual' }, 0)
  await new DataSetUnderTest(catalog).upload()
  await database.nextTick()
  const open = await database.query("select 1 from outbox where status in ('pending', 'in_progress')")
  expect(await catalog.jobStatus(AN_OPERATOR)).toMatchObject({
    jobs: { queued: 1, running: 1, succeeded: 0, dead: 1, cancelled: 3 },
    expiredLeases: 1,
    datasetsWaiting: 3,
    outbox: { open: open.length, dead: 0 },
    deadLetters: { open: 0, oldestSeconds: null },
  })
})

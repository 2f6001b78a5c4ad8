import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// What people and monitors look at: the same before and after jobs are tallied, and never read from all jobs.

const database = await ownDatabase()
const { catalog } = database

const newDataSet = () => new DataSetUnderTest(catalog)

async function endedJob(how: 'succeeded' | 'dead' | 'cancelled', dataset = newDataSet()) {
  await dataset.upload({}, {})
  const first = await dataset.start()
  await dataset.fail(first)
  const attempt = { ...first, attempt: 2 }
  await catalog.enterStep(attempt, 'get-metadata', {
    leaseSeconds: LEASE_SECONDS,
    finished: { 'validate-dataset': 0.2 },
  })
  await dataset.swapAll(attempt)
  await catalog.enterStep(attempt, 'update-metadata', {
    leaseSeconds: LEASE_SECONDS,
    finished: { 'compact-1': 3, 'compact-2': 40 },
  })
  if (how === 'succeeded') await dataset.finish(attempt)
  else if (how === 'dead') await dataset.fail(attempt, { transient: false })
  else {
    await catalog.cancelJob(attempt.jobId, AN_OPERATOR)
    await dataset.finish(attempt)
  }
  expect((await dataset.job(attempt.jobId)).state).toBe(how)
  return { dataset, jobId: attempt.jobId }
}

/** The figures without what a clock changes. */
async function figures(owner: string) {
  const { jobs, work, steps } = await catalog.metrics()
  const mine = await catalog.jobStatus(asUser(owner))
  const all = await catalog.jobStatus(AN_OPERATOR)
  const dead = (await catalog.deadLetterStatus(AN_OPERATOR, 10)).workflowFailures.count
  const durations = steps.map(({ seconds, ...step }) => ({ ...step, seconds: Number(seconds.toFixed(6)) }))
  return { durations, counts: { jobs, work, mine: mine.jobs, byKind: mine.jobsByKind, all: all.jobs, dead } }
}

describe('tallied jobs', () => {
  test('count as they did before, for all and for their owner, and now in the histograms', async () => {
    const { dataset } = await endedJob('succeeded')
    await endedJob('dead', dataset)
    await endedJob('cancelled')
    await dataset.upload()
    const { counts } = await figures(dataset.owner)
    expect(counts.mine).toEqual({ queued: 1, running: 0, succeeded: 1, dead: 1, cancelled: 0 })
    expect(counts.byKind).toEqual({ compaction: counts.mine })
    expect(counts.all).toEqual({ queued: 1, running: 0, succeeded: 1, dead: 1, cancelled: 1 })
    expect(counts.work).toMatchObject([{ kind: 'compaction', retries: 3, filesOut: 3 }])

    expect(await catalog.tallyJobs(2)).toBe(2)
    expect(await figures(dataset.owner)).toMatchObject({ counts })
    expect(await catalog.tallyJobs(10)).toBe(1)
    expect(await catalog.tallyJobs(10)).toBe(0)
    const tallied = await figures(dataset.owner)
    expect(tallied.counts).toEqual(counts)
    const compact = tallied.durations.find(({ step }) => step === 'compact')!
    expect(compact).toMatchObject({ count: 6, seconds: 129 })
    expect(compact.buckets.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 3, 3, 3, 6, 6, 6, 6, 6])

    await endedJob('dead', dataset)
    const { counts: after } = await figures(dataset.owner)
    expect(after.mine).toMatchObject({ succeeded: 1, dead: 2 })
    expect(after.dead).toBe(2)
  })

  test('are never those that may still change', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const attempt = await dataset.start()
    await dataset.upload()
    await catalog.tallyJobs(1000)
    expect(await database.query('select 1 from jobs where tallied and finished_at is null')).toEqual([])
    await dataset.finish(attempt)
    expect(await catalog.tallyJobs(1000)).toBe(1)
  })

  test('leave nothing of the past to be read by a status: it looks at untallied jobs alone', async () => {
    const { dataset } = await endedJob('succeeded')
    await catalog.tallyJobs(1000)
    const before = (await catalog.jobStatus(asUser(dataset.owner))).jobs
    await database.query("update jobs set state = 'cancelled' where dataset_id = $1 and tallied", dataset.id)
    expect((await catalog.jobStatus(asUser(dataset.owner))).jobs).toEqual(before)
  })
})

describe('the progress of a job', () => {
  const progress = async (dataset: DataSetUnderTest, jobId: string) => (await dataset.job(jobId)).progress

  test('says the steps done of those planned, and what is read of what is to be read', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b', rows: 5 })
    expect(await progress(dataset, jobId)).toMatchObject({ stepsDone: 0, stepsPlanned: null, filesPlanned: 0 })
    const attempt = await dataset.start()
    const enter = (step: string) => catalog.enterStep(attempt, step, { leaseSeconds: LEASE_SECONDS })
    await enter('validate-dataset')
    expect(await progress(dataset, jobId)).toMatchObject({ stepsDone: 0, stepsPlanned: null })
    await enter('get-metadata')
    const merges = await dataset.plan(attempt)
    const planned = { stepsPlanned: 5, filesPlanned: 4, rowsPlanned: 35, bytesPlanned: 4000 }
    expect(await progress(dataset, jobId)).toMatchObject({ ...planned, stepsDone: 1, filesIn: 0 })
    const swap = async (index: number) => {
      await catalog.openMerge(attempt, index, { leaseSeconds: LEASE_SECONDS })
      const output = { r2Key: randomUUID(), bytes: 9, rows: merges[index - 1]!.rows, rowGroups: 1 }
      await catalog.commitMerge(
        attempt,
        index,
        { ...output, sha256: 'a'.repeat(64), fingerprint: 'schema-1' },
        LEASE_SECONDS,
      )
    }
    await swap(1)
    expect(await progress(dataset, jobId)).toMatchObject({ ...planned, stepsDone: 2, filesIn: 2 })
    await swap(2)
    expect(await progress(dataset, jobId)).toMatchObject({ ...planned, stepsDone: 3, rowsIn: 35, bytesIn: 4000 })
    await dataset.finish(attempt)
    expect(await progress(dataset, jobId)).toMatchObject({ ...planned, stepsDone: 5 })
    expect((await dataset.job(jobId)).steps).toHaveProperty('update-metadata', expect.any(Number))
  })

  test('counts in a later attempt what the one before has committed', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    const first = await dataset.start()
    const [merge] = await dataset.plan(first)
    const output = { r2Key: randomUUID(), bytes: 9, rows: merge!.rows, rowGroups: 1, sha256: 'b'.repeat(64) }
    await catalog.commitMerge(first, 1, { ...output, fingerprint: 'schema-1' }, LEASE_SECONDS)
    await dataset.fail(first)
    await dataset.plan({ ...first, attempt: 2 })
    expect(await progress(dataset, jobId)).toMatchObject({ filesIn: 2, filesPlanned: 4, stepsPlanned: 4 })
  })

  test('has all its steps done when there was nothing to merge', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    await dataset.finish(await dataset.start())
    expect(await progress(dataset, jobId)).toMatchObject({ stepsDone: 3, stepsPlanned: 3 })
  })
})

test('a job tells what ended each of its attempts, and which job does its work now', async () => {
  const { dataset, jobId } = await endedJob('dead')
  const failure = { code: 'storage_unavailable', step: 'compact-1', message: 'no answer' }
  expect(await dataset.job(jobId)).toMatchObject({
    attempt: 2,
    failures: [
      { ...failure, attempt: 1 },
      { ...failure, attempt: 2 },
    ],
    error: failure,
    retriedAs: null,
  })
  const retried = await catalog.retryJob(jobId, AN_OPERATOR, SENDER)
  expect(await dataset.job(jobId)).toMatchObject({ retriedAs: 'jobId' in retried && retried.jobId })
})

describe('row counts at the end of what JSON carries exactly', () => {
  const MOST = Number.MAX_SAFE_INTEGER

  test('saturate in sums: no list, job, status or metric is refused for them', async () => {
    const dataset = newDataSet()
    await dataset.upload({ rows: MOST }, { rows: MOST }, { rows: 1 })
    const attempt = await dataset.start()
    await dataset.plan(attempt)
    const planned = await dataset.job(attempt.jobId)
    expect(planned.progress.rowsPlanned).toBe(MOST)
    // a thousand such jobs exceed 64 bits too
    const huge = 'update jobs set rows_in = $1, rows_out = $1, bytes_in = $1, bytes_out = $1 where dataset_id = $2'
    await database.query(huge, String(MOST), dataset.id)
    for (let count = 0; count < 3; count++) {
      const other = newDataSet()
      await other.upload({}, {})
      await other.compact()
      await database.query(huge, String(MOST), other.id)
    }
    await database.query(
      `insert into job_totals select gen_random_uuid(), 'compaction', 'succeeded', 1, 0, $1, $1, $1, $1, $1, $1
       from generate_series(1, 2000)`,
      String(MOST),
    )
    const isSaturated = async () => {
      expect((await catalog.pageJobs({ requester: AN_OPERATOR, limit: 100 })).unreadable).toBeUndefined()
      expect((await catalog.metrics()).work).toMatchObject([{ rowsIn: MOST, rowsOut: MOST, bytesIn: MOST }])
      expect((await catalog.jobStatus(AN_OPERATOR)).jobs.succeeded).toBeGreaterThan(2000)
    }
    await isSaturated()
    expect(await catalog.tallyJobs(100)).toBeGreaterThanOrEqual(3)
    await isSaturated()
  })

  test('a job that cannot be read hides none of the others', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload({}, {})
    await dataset.compact()
    const odd = (await dataset.upload({}, {})).jobId
    await database.query('update jobs set step_durations = \'{"x": "long"}\' where id = $1', odd)
    const page = await catalog.pageJobs({ requester: asUser(dataset.owner), limit: 10 })
    expect(page.jobs.map(({ id }) => id)).toEqual([jobId])
    expect(page.unreadable).toMatchObject([{ index: 0, row: { id: odd, createdAt: expect.any(String) } }])
    await database.query("update jobs set step_durations = '{}' where id = $1", odd)
  })
})

import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 5: a running job has a lease, renewed by each step; what its lease outlived gets a new attempt or dies.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
/** Other files' jobs are in the list too; `limit` is above their number. */
const isExpired = async (jobId: string) =>
  (await catalog.listExpiredLeases(10_000)).some((lease) => lease.jobId === jobId)
const messages = (keyPattern: string) =>
  database.query<{ type: string; payload: Record<string, unknown>; delay: number; locked_by: string | null }>(
    `select type, payload, locked_by, extract(epoch from next_attempt_at - created_at)::float as delay
     from outbox where key like $1 order by id`,
    keyPattern,
  )

async function running(leaseSeconds = LEASE_SECONDS) {
  const dataset = newDataSet()
  await dataset.upload({}, {})
  return { dataset, attempt: await dataset.start(leaseSeconds) }
}

describe('a lease', () => {
  test('that has run out is listed, and one that has not is not', async () => {
    const { attempt } = await running(0)
    const { attempt: fresh } = await running()
    await database.nextTick()
    expect(await isExpired(attempt.jobId)).toBe(true)
    expect(await isExpired(fresh.jobId)).toBe(false)
  })

  test.each([
    ['entering a step', (a, _d) => catalog.enterStep(a, 'get-metadata', { leaseSeconds: LEASE_SECONDS })],
    ['opening a merge', (a, _d) => catalog.openMerge(a, 1, { leaseSeconds: LEASE_SECONDS })],
    ['a swap', (a, _d) => catalog.commitMerge(a, 1, anOutput(20), LEASE_SECONDS)],
    ['the rescuer', (a, _d) => catalog.renewLease(a, LEASE_SECONDS)],
    ['a new attempt', (_a, d) => d],
  ] as [string, (a: { jobId: string; attempt: number }, d: Promise<unknown>) => Promise<unknown>][])(
    'is renewed by %s',
    async (name, renew) => {
      const { dataset, attempt } = await running(0)
      await dataset.plan(attempt)
      await database.nextTick()
      expect(await isExpired(attempt.jobId)).toBe(true)
      await renew(attempt, name === 'a new attempt' ? dataset.fail(attempt) : Promise.resolve())
      expect(await isExpired(attempt.jobId)).toBe(false)
    },
  )

  test('renewed by the rescuer keeps the name of the step', async () => {
    const { dataset, attempt } = await running()
    await catalog.enterStep(attempt, 'get-metadata', { leaseSeconds: 1, finished: { 'validate-dataset': 0.5 } })
    await catalog.renewLease(attempt, LEASE_SECONDS)
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      progress: { step: 'get-metadata' },
      steps: { 'validate-dataset': 0.5 },
    })
  })

  test('ends with the job', async () => {
    const { dataset, attempt } = await running(0)
    await dataset.finish(attempt)
    await database.nextTick()
    expect(await isExpired(attempt.jobId)).toBe(false)
    expect(await dataset.job(attempt.jobId)).toMatchObject({ leaseUntil: null, state: 'succeeded' })
  })

  test('list is the oldest first and no longer than asked', async () => {
    const attempts = [(await running(0)).attempt, (await running(0)).attempt]
    await database.nextTick()
    expect(await catalog.listExpiredLeases(1)).toHaveLength(1)
    const ids = (await catalog.listExpiredLeases(10_000)).map((lease) => lease.jobId)
    expect(ids.indexOf(attempts[0]!.jobId)).toBeLessThan(ids.indexOf(attempts[1]!.jobId))
  })
})

describe('an attempt that failed for a passing reason', () => {
  test('is followed by the next one after a pause, by a message of the outbox', async () => {
    const { dataset, attempt } = await running()
    const answer = await dataset.fail(attempt)
    if (answer.outcome !== 'retrying') throw new Error(answer.outcome)
    // ten seconds doubled for each attempt, of which jitter takes half at most
    expect(answer.delaySeconds).toBeGreaterThanOrEqual(10)
    expect(answer.delaySeconds).toBeLessThanOrEqual(20)
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'running',
      attempt: 2,
      error: { code: 'storage_unavailable', step: 'compact-1', message: 'no answer' },
    })
    const [, second] = await messages(attempt.jobId)
    expect(second).toMatchObject({ type: 'compaction.requested', locked_by: null, payload: { jobId: attempt.jobId } })
    expect(second!.delay).toBeCloseTo(answer.delaySeconds, 2)
    expect(await dataset.deliver(attempt.jobId)).toEqual({ outcome: 'running', jobId: attempt.jobId, attempt: 2 })
  })

  test('leaves what it swapped; the next plans the rest', async () => {
    const dataset = newDataSet()
    await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    const attempt = await dataset.start()
    await dataset.plan(attempt)
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await dataset.fail(attempt)
    const next = { ...attempt, attempt: 2 }
    expect((await dataset.mergeable(next)).files.map((file) => file.table)).toEqual(['b', 'b'])
    await dataset.swapAll(next)
    await dataset.finish(next)
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'succeeded',
      error: null,
      progress: { filesIn: 4, filesOut: 2, rowsIn: 40, rowsOut: 40 },
    })
  })

  test('for the last time is dead, and the dead-letter queue is told once', async () => {
    const { dataset, attempt } = await running()
    const { maxAttempts } = await dataset.job(attempt.jobId)
    for (let n = 1; n < maxAttempts; n++) {
      expect(await dataset.fail({ ...attempt, attempt: n })).toMatchObject({ outcome: 'retrying', attempt: n + 1 })
    }
    const last = await dataset.fail({ ...attempt, attempt: maxAttempts })
    expect(last).toMatchObject({
      outcome: 'dead',
      outbox: [
        {
          type: 'job.dead',
          payload: {
            datasetId: dataset.id,
            jobId: attempt.jobId,
            attempt: maxAttempts,
            code: 'storage_unavailable',
            step: 'compact-1',
            message: 'no answer',
          },
        },
      ],
    })
    expect(await messages(`${attempt.jobId}-dead-%`)).toMatchObject([{ type: 'job.dead', locked_by: SENDER }])
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'dead', attempt: maxAttempts, leaseUntil: null })
    expect(await dataset.fail({ ...attempt, attempt: maxAttempts })).toEqual({ outcome: 'stale_attempt', outbox: [] })
  })

  test('because the platform ended it costs none of its attempts, five times at the most', async () => {
    const { dataset, attempt } = await running()
    const { maxAttempts } = await dataset.job(attempt.jobId)
    const reset = { code: 'instance_reset', step: 'compact-1', message: 'reset', transient: true, counted: false }
    const fail = (n: number) => catalog.failAttempt({ ...attempt, attempt: n }, reset, LEASE_SECONDS, SENDER)
    for (let n = 1; n <= 5; n++) {
      const answer = await fail(n)
      if (answer.outcome !== 'retrying') throw new Error(answer.outcome)
      expect(answer.attempt).toBe(n + 1)
      // the pause does not grow with them: it is that of a first attempt, or shorter
      expect(answer.delaySeconds).toBeLessThanOrEqual(10)
      expect(await dataset.job(attempt.jobId)).toMatchObject({ attempt: n + 1, maxAttempts: maxAttempts + n })
    }
    for (let n = 6; n < 5 + maxAttempts; n++) expect(await fail(n)).toMatchObject({ outcome: 'retrying' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ maxAttempts: maxAttempts + 5 })
    expect(await fail(5 + maxAttempts)).toMatchObject({ outcome: 'dead' })
    expect((await dataset.job(attempt.jobId)).failures).toHaveLength(5 + maxAttempts)
  })

  test('because the platform ended it, its last one, is followed by another', async () => {
    const { dataset, attempt } = await running()
    const { maxAttempts } = await dataset.job(attempt.jobId)
    for (let n = 1; n < maxAttempts; n++) await dataset.fail({ ...attempt, attempt: n })
    const reset = { code: 'instance_reset', step: 'rescue', message: 'reset', transient: true, counted: false }
    const last = { ...attempt, attempt: maxAttempts }
    expect(await catalog.failAttempt(last, reset, LEASE_SECONDS, SENDER)).toMatchObject({ outcome: 'retrying' })
  })

  test('waits longer each time, ten minutes at the most', async () => {
    const rows = await database.query<{ attempt: number; low: number; high: number }>(
      `select n as attempt, min(extract(epoch from b))::float as low, max(extract(epoch from b))::float as high
       from generate_series(1, 12) n, lateral (select fusou.backoff(n, 10, 600) b from generate_series(1, 50 + 0 * n)) s
       group by n order by n`,
    )
    for (const { attempt, low, high } of rows) {
      const full = Math.min(600, 10 * 2 ** attempt)
      expect(low).toBeGreaterThanOrEqual(full / 2)
      expect(high).toBeLessThanOrEqual(full)
      expect(high).toBeGreaterThan(low)
    }
  })
})

describe('an attempt that no repetition can help', () => {
  test('is dead at once, and its successor starts', async () => {
    const { dataset, attempt } = await running()
    const { jobId: successor } = await dataset.upload()
    const answer = await dataset.fail(attempt, { transient: false })
    expect(answer).toMatchObject({
      outcome: 'dead',
      outbox: [
        { type: 'job.dead', payload: { jobId: attempt.jobId, attempt: 1 } },
        { type: 'compaction.requested', payload: { jobId: successor } },
      ],
    })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'dead', error: { code: 'storage_unavailable' } })
  })
})

describe('the end of a job', () => {
  test('told twice is answered twice, and its messages go out once', async () => {
    const { dataset, attempt } = await running()
    await dataset.swapAll(attempt)
    expect(await dataset.finish(attempt, true)).toMatchObject({ outcome: 'succeeded', outbox: [{}] })
    expect(await dataset.finish(attempt, true)).toEqual({ outcome: 'succeeded', outbox: [] })
    expect(await dataset.jobs()).toHaveLength(2)
  })

  test('keeps the report and how long each step took', async () => {
    const { dataset, attempt } = await running()
    await catalog.enterStep(attempt, 'get-metadata', {
      leaseSeconds: LEASE_SECONDS,
      finished: { 'validate-dataset': 1 },
    })
    const result = { merges: 0, leftApart: [{ table: 'ships' }] }
    await catalog.finishJob(attempt, { result, more: false, finished: { 'get-metadata': 2.5 }, sender: SENDER })
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'succeeded',
      result,
      steps: { 'validate-dataset': 1, 'get-metadata': 2.5 },
      progress: { step: null },
    })
  })
})

import { AN_OPERATOR, DEFAULT_MERGE_POLICY, isMergeDue, type MergePolicy } from '@fusou/catalog'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { anOutput, DataSetUnderTest, LARGE_FILE_BYTES, LEASE_SECONDS, type SliceSpec } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Many uploads give one job, and only once the policy of their dataset finds it worth one.

const NEVER: MergePolicy = { mergeMinFiles: 1e6, mergeMinBytes: 1e12, mergeMaxAgeSeconds: 1e6 }

const database = await ownDatabase()
const { catalog } = database

async function newDataSet(policy: Partial<MergePolicy> = {}, ...first: SliceSpec[]) {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.store(...first)
  await catalog.configureDataset(dataset.id, AN_OPERATOR, { ...NEVER, ...policy })
  return dataset
}
const age = (dataset: DataSetUnderTest, seconds: number) =>
  database.query(
    'update files set created_at = created_at - make_interval(secs => $2) where dataset_id = $1',
    dataset.id,
    seconds,
  )
/** By its own message: one sent by hand would widen its reach. */
async function started(dataset: DataSetUnderTest, jobId: string) {
  const accepted = await dataset.deliver(jobId)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return accepted
}
const pass = (dataset: DataSetUnderTest, seconds: number) =>
  database.query(
    `update datasets set due_at = due_at - make_interval(secs => $2),
       last_attempted_at = last_attempted_at - make_interval(secs => $2) where id = $1`,
    dataset.id,
    seconds,
  )

beforeEach(async () => {
  await database.query('truncate outbox, dead_letters, merges, files, jobs, datasets cascade')
})

describe('an upload', () => {
  test('below the policy is stored, makes no job, and says so', async () => {
    const dataset = new DataSetUnderTest(catalog)
    for (let count = 1; count < DEFAULT_MERGE_POLICY.mergeMinFiles; count++) {
      expect(await dataset.store()).toMatchObject({ outcome: 'stored', jobId: null, outbox: null })
    }
    expect(await dataset.jobs()).toEqual([])
    expect(await dataset.compactionNeeded()).toBe(true)
    const { jobId, outbox } = await dataset.store()
    expect(outbox).toMatchObject({ payload: { jobId, priority: 'realtime' } })
  })

  test.each<[string, Partial<MergePolicy>, SliceSpec[], boolean]>([
    ['one file too few', { mergeMinFiles: 4 }, [{}, {}], false],
    ['files enough', { mergeMinFiles: 4 }, [{}, {}, {}], true],
    ['files enough, of two tables', { mergeMinFiles: 4 }, [{}, {}, { table: 'other' }], false],
    ['files enough, of two schemas', { mergeMinFiles: 4 }, [{}, {}, { fingerprint: 'other' }], false],
    ['files enough, one large', { mergeMinFiles: 4 }, [{}, {}, { length: LARGE_FILE_BYTES }], false],
    ['a byte too few', { mergeMinBytes: 3001 }, [{ length: 1000 }, { length: 1000 }], false],
    ['bytes enough', { mergeMinBytes: 3000 }, [{ length: 1000 }, { length: 1000 }], true],
    ['bytes enough, in one file', { mergeMinBytes: 1000 }, [{ table: 'other' }], false],
    ['any age, two files', { mergeMaxAgeSeconds: 0 }, [{}], true],
    ['any age, one file of its kind', { mergeMaxAgeSeconds: 0 }, [{ table: 'other' }], false],
    ['one file wanted, one file of its kind', { mergeMinFiles: 1 }, [{ table: 'other' }], false],
  ])('with %s', async (_name, policy, slices, due) => {
    const dataset = await newDataSet(policy)
    expect(typeof (await dataset.store(...slices)).jobId).toBe(due ? 'string' : 'object')
  })

  test('that finds files which have waited long enough makes the job', async () => {
    const dataset = await newDataSet({ mergeMaxAgeSeconds: 600 })
    expect((await dataset.store()).jobId).toBeNull()
    await age(dataset, 600)
    expect((await dataset.store()).jobId).not.toBeNull()
  })

  test('of many within a short time joins the one job that is queued', async () => {
    const dataset = await newDataSet({ mergeMinFiles: 3 })
    await dataset.store()
    const { jobId } = await dataset.store()
    for (let count = 0; count < 20; count++) expect(await dataset.store()).toMatchObject({ jobId, outbox: null })
    expect(await dataset.jobs()).toMatchObject([{ id: jobId, triggers: 21 }])
  })

  test('that a running job will plan with, or has planned with, is no reason for another', async () => {
    const dataset = await newDataSet({ mergeMinFiles: 3 })
    await dataset.store({}, {})
    const attempt = await dataset.start()
    for (let count = 0; count < 5; count++) expect((await dataset.store()).jobId).toBeNull()
    expect((await dataset.mergeable(attempt)).files).toHaveLength(8)
    for (let count = 0; count < 2; count++) expect((await dataset.store()).jobId).toBeNull()
    const { jobId } = await dataset.store()
    expect(jobId).not.toBeNull()
    expect(jobId).not.toBe(attempt.jobId)
  })
})

describe('age', () => {
  test('makes the job without another upload, once', async () => {
    const dataset = await newDataSet({ mergeMaxAgeSeconds: 600 })
    const single = await newDataSet({ mergeMaxAgeSeconds: 600 })
    await dataset.store()
    expect(await catalog.requestDueMerges(10)).toBe(0)
    for (const each of [dataset, single]) {
      await age(each, 600)
      await pass(each, 600)
    }
    expect(await catalog.requestDueMerges(10)).toBe(1)
    expect(await dataset.jobs()).toMatchObject([{ priority: 'realtime', state: 'queued' }])
    expect(await single.jobs()).toEqual([])
    expect(await catalog.requestDueMerges(10)).toBe(0)
  })

  test('is looked at for so many datasets a call, the longest overdue first', async () => {
    const datasets: DataSetUnderTest[] = []
    for (const overdue of [10, 30, 20]) {
      const dataset = await newDataSet({ mergeMaxAgeSeconds: 600 }, {}, {})
      await age(dataset, 600 + overdue)
      await pass(dataset, 600 + overdue)
      datasets.push(dataset)
    }
    const withJob = async () =>
      (await Promise.all(datasets.map((dataset) => dataset.jobs()))).map((jobs) => jobs.length)
    expect(await catalog.requestDueMerges(1)).toBe(1)
    expect(await withJob()).toEqual([0, 1, 0])
    expect(await catalog.requestDueMerges(1)).toBe(1)
    expect(await withJob()).toEqual([0, 1, 1])
  })

  test.each([
    ['died', async (dataset: DataSetUnderTest) => dataset.fail(await dataset.start(), { transient: false })],
    [
      'was cancelled',
      async (dataset: DataSetUnderTest) => catalog.cancelJob((await dataset.jobs('queued'))[0]!.id, AN_OPERATOR),
    ],
  ])('makes no other job for as long again once one %s', async (_how, end) => {
    const dataset = await newDataSet({ mergeMaxAgeSeconds: 600 }, {}, {})
    await age(dataset, 600)
    await pass(dataset, 600)
    expect(await catalog.requestDueMerges(10)).toBe(1)
    await end(dataset)
    expect(await catalog.requestDueMerges(10)).toBe(0)
    await pass(dataset, 599)
    expect(await catalog.requestDueMerges(10)).toBe(0)
    await pass(dataset, 1)
    expect(await catalog.requestDueMerges(10)).toBe(1)
  })
})

describe('a job reaches', () => {
  const filesOf = async (dataset: DataSetUnderTest, jobId: string) => {
    const { files, reach } = await dataset.mergeable(await started(dataset, jobId))
    return { reach, tables: files.map((file) => file.table) }
  }
  /** Table `due` is due by its files, `two` could be merged, `tail` holds a merged file and a fragment. */
  async function mixed() {
    const dataset = await newDataSet({}, { table: 'tail' }, { table: 'tail' })
    await catalog.requestCompaction({ datasetId: dataset.id, requester: AN_OPERATOR, sender: 'a test' })
    await dataset.compact()
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMinFiles: 3 })
    await dataset.store({ table: 'two' }, { table: 'two' }, { table: 'tail' }, { table: 'due' }, { table: 'due' })
    return dataset
  }

  test('by an upload: what is due', async () => {
    const dataset = await mixed()
    const { jobId } = await dataset.store({ table: 'due' })
    expect(await filesOf(dataset, jobId!)).toEqual({ reach: 'due', tables: ['due', 'due', 'due'] })
  })

  test('by the daily round: what the tiers merge', async () => {
    const dataset = await mixed()
    const { datasets } = await catalog.triggerScheduled(10, 'a test')
    expect(await filesOf(dataset, datasets[0]!.jobId)).toEqual({ reach: 'tiers', tables: ['due', 'due', 'two', 'two'] })
  })

  test('by hand: the tails too', async () => {
    const dataset = await mixed()
    const { jobId } = await dataset.trigger()
    expect(await filesOf(dataset, jobId)).toEqual({
      reach: 'all',
      tables: ['due', 'due', 'tail', 'tail', 'two', 'two'],
    })
  })

  test('as far as the widest of the triggers that it answers', async () => {
    const dataset = await mixed()
    const { datasets } = await catalog.triggerScheduled(10, 'a test')
    const { jobId } = await dataset.store({ table: 'due' })
    expect(jobId).toBe(datasets[0]!.jobId)
    expect(await filesOf(dataset, jobId!)).toEqual({ reach: 'tiers', tables: ['due', 'due', 'due', 'two', 'two'] })
  })

  test('when it is retried, what the tiers merge at the least', async () => {
    const dataset = await mixed()
    const { jobId } = await dataset.store({ table: 'due' })
    await dataset.fail(await started(dataset, jobId!), { transient: false })
    const retried = await catalog.retryJob(jobId!, AN_OPERATOR, 'a test')
    if (retried.outcome !== 'requested') throw new Error(retried.outcome)
    expect((await filesOf(dataset, retried.jobId)).reach).toBe('tiers')
  })
})

describe('a full tier', () => {
  /** A job for two new fragments, that merges these and leaves the files merged before. */
  async function mergeTwo(dataset: DataSetUnderTest) {
    const { jobId } = await dataset.store({}, {})
    const attempt = await started(dataset, jobId!)
    const { files } = await dataset.mergeable(attempt)
    await catalog.savePlan(attempt, [files.filter((file) => file.fragments === 1).map((file) => file.id)])
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    return (await dataset.finish(attempt)).outbox
  }

  test('is work, which a successor does; seven files are none', async () => {
    const dataset = await newDataSet({ mergeMaxAgeSeconds: 0 }, { table: 'other' })
    for (let count = 1; count <= 7; count++) {
      expect(await mergeTwo(dataset)).toEqual([])
      expect(await dataset.compactionNeeded()).toBe(false)
    }
    const [message] = await mergeTwo(dataset)
    expect(await dataset.compactionNeeded()).toBe(true)
    const successor = await started(dataset, message!.payload.jobId as string)
    const { files, reach } = await dataset.mergeable(successor)
    expect({ reach, fragments: files.map((file) => file.fragments) }).toEqual({
      reach: 'due',
      fragments: [2, 2, 2, 2, 2, 2, 2, 2],
    })
    await dataset.swapAll(successor)
    expect((await dataset.finish(successor)).outbox).toEqual([])
    expect(await dataset.files()).toMatchObject([{ table: 'other' }, { table: 'ships', level: 2, rows: 160 }])
    expect(await dataset.compactionNeeded()).toBe(false)
  })

  test('does not call for one job after another when none gets anything done', async () => {
    const dataset = await newDataSet({ mergeMaxAgeSeconds: 0 }, {}, {})
    const attempt = await started(dataset, (await dataset.store()).jobId!)
    await catalog.savePlan(attempt, [])
    expect((await dataset.finish(attempt)).outbox).toEqual([])
    expect(await dataset.jobs('queued')).toEqual([])
    expect(await dataset.compactionNeeded()).toBe(true)
  })
})

test('the database and isMergeDue() decide alike, also by default', async () => {
  const policies = fc.record({
    mergeMinFiles: fc.integer({ min: 1, max: 50 }),
    mergeMinBytes: fc.integer({ min: 1, max: 5000 }),
    mergeMaxAgeSeconds: fc.integer({ min: 0, max: 2000 }),
  })
  const fresh = fc.record({
    files: fc.integer({ min: 0, max: 60 }),
    bytes: fc.integer({ min: 0, max: 6000 }),
    ageSeconds: fc.integer({ min: 0, max: 2500 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.option(policies, { nil: undefined }), fresh, async (policy, { files, bytes, ageSeconds }) => {
      const [row] = await database.query<{ due: boolean }>(
        'select fusou.is_due($1::jsonb, $2, $3, now() - make_interval(secs => $4)) as due',
        JSON.stringify(policy ?? {}),
        files,
        bytes,
        ageSeconds,
      )
      expect(row!.due).toBe(isMergeDue(policy ?? DEFAULT_MERGE_POLICY, { files, bytes, ageSeconds }))
    }),
    { numRuns: 200 },
  )
})

test.each([{ mergeMinFiles: 0 }, { mergeMinBytes: 0 }, { mergeMaxAgeSeconds: -1 }])(
  'a policy out of range is refused: %j',
  async (settings) => {
    const dataset = await newDataSet()
    await expect(catalog.configureDataset(dataset.id, AN_OPERATOR, settings)).rejects.toMatchObject({
      code: 'database_refused',
    })
  },
)

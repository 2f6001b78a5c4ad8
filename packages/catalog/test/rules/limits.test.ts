import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser, FusouError, type LimitChanges } from '@fusou/catalog'
import { afterEach, describe, expect, test } from 'vitest'
import { anObject, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

const database = await ownDatabase()
const { catalog } = database
const newDataSet = (owner: string = randomUUID()) => new DataSetUnderTest(catalog, owner)
const usageOf = async (owner: string) => (await catalog.readLimits(AN_OPERATOR, owner)).owner!.usage

/** What is live, counted from the rows. */
async function counted(owner: string) {
  const [row] = await database.query(
    `select count(distinct d.id)::int as datasets, count(f.id)::int as "liveFiles",
       coalesce(sum(f.byte_length), 0)::int as "liveBytes"
     from datasets d left join files f on f.dataset_id = d.id and f.removed_version is null where d.owner_id = $1`,
    owner,
  )
  return row
}

async function refusal(call: Promise<unknown>): Promise<FusouError> {
  const error = await call.then(
    (answer) => Promise.reject(new Error(`not refused: ${JSON.stringify(answer)}`)),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(FusouError)
  return error as FusouError
}

const NOTHING_SET: LimitChanges = {
  datasets: null,
  liveFiles: null,
  liveBytes: null,
  jobsByHandPerHour: null,
  eventStreams: null,
  openUploads: null,
}
afterEach(() => catalog.configureLimits(AN_OPERATOR, null, NOTHING_SET))

describe('the usage of an owner', () => {
  test('is what their rows add up to, after uploads, duplicates, merges, cancelled and failed jobs and vacuum', async () => {
    const dataset = newDataSet()
    const { owner } = dataset
    const isRight = async () => expect(await usageOf(owner)).toMatchObject((await counted(owner))!)
    await dataset.store({ content: 'one', length: 100 }, { content: 'two', length: 200 })
    expect(await usageOf(owner)).toMatchObject({ datasets: 1, liveFiles: 2, liveBytes: 300 })
    await dataset.register(anObject([{ content: 'one', length: 100 }]))
    expect(await usageOf(owner)).toMatchObject({ datasets: 1, liveFiles: 2, liveBytes: 300 })
    await newDataSet(owner).store({ length: 50 })
    await dataset.register(anObject([{}]), randomUUID())
    expect(await usageOf(owner)).toMatchObject({ datasets: 2, liveFiles: 3, liveBytes: 350 })
    await dataset.trigger()
    await dataset.compact({ bytes: 250 })
    expect(await usageOf(owner)).toMatchObject({ datasets: 2, liveFiles: 2, liveBytes: 300 })
    await isRight()
    await database.query("update files set removed_at = now() - interval '30 days' where removed_at is not null")
    await catalog.claimGarbage(100)
    await isRight()
    await database.query(
      'update files set quarantine_code = $1, quarantined_at = now() where dataset_id = $2',
      'corrupt_file',
      dataset.id,
    )
    await isRight()
  })
})

describe('a limit', () => {
  test('has a default, one for all and one for an owner; null goes back', async () => {
    const owner = randomUUID()
    const { defaults } = await catalog.readLimits(AN_OPERATOR, null)
    expect(defaults).toMatchObject({ datasets: 1000, eventStreams: 50, openUploads: 100 })
    await catalog.configureLimits(AN_OPERATOR, null, { datasets: 7 })
    await catalog.configureLimits(AN_OPERATOR, owner, { eventStreams: 0 })
    expect(await catalog.readLimits(AN_OPERATOR, owner)).toEqual({
      defaults: { ...defaults, datasets: 7 },
      owner: {
        id: owner,
        limits: { ...defaults, datasets: 7, eventStreams: 0 },
        usage: { datasets: 0, liveFiles: 0, liveBytes: 0, jobsByHandPerHour: 0, eventStreams: 0, openUploads: 0 },
      },
    })
    await catalog.configureLimits(AN_OPERATOR, owner, { eventStreams: null })
    expect((await catalog.configureLimits(AN_OPERATOR, null, { datasets: null })).defaults).toEqual(defaults)
    expect((await catalog.readLimits(AN_OPERATOR, owner)).owner!.limits).toEqual(defaults)
  })

  test('is a whole number under a name that is known', async () => {
    for (const odd of [{ dataset: 1 }, { datasets: -1 }, { datasets: 1.5 }, { datasets: '1' }, { datasets: 2 ** 60 }])
      expect((await refusal(catalog.configureLimits(AN_OPERATOR, null, odd as LimitChanges))).code).toBe(
        'database_refused',
      )
  })

  test('of datasets refuses the next and leaves nothing of it', async () => {
    const owner = randomUUID()
    await catalog.configureLimits(AN_OPERATOR, owner, { datasets: 2 })
    const [first] = [newDataSet(owner), newDataSet(owner)]
    await first!.store()
    await newDataSet(owner).store()
    const third = newDataSet(owner)
    const error = await refusal(third.store())
    expect(error.code).toBe('quota_exceeded')
    expect(error.detail).toContain('datasets: 3 would be in use, 2 are allowed')
    expect(await database.query('select 1 from datasets where id = $1', third.id)).toEqual([])
    await first!.store()
    expect(await usageOf(owner)).toMatchObject({ datasets: 2, liveFiles: 3 })
  })

  test.each([
    ['liveFiles', { liveFiles: 2 }, { length: 1 }],
    ['liveBytes', { liveBytes: 200 }, { length: 1 }],
  ] as const)(
    'of %s takes what just fits and refuses one more, but not a duplicate or a merge',
    async (name, limits, more) => {
      const dataset = newDataSet()
      await catalog.configureLimits(AN_OPERATOR, dataset.owner, limits)
      await dataset.store({ length: 100 }, { length: 100, content: `full of ${name}` })
      const error = await refusal(dataset.store(more))
      expect(error).toMatchObject({ code: 'quota_exceeded', detail: expect.stringContaining(`${name}: `) })
      const again = await dataset.register(anObject([{ length: 100, content: `full of ${name}` }]))
      expect(again.outcome).toBe('duplicate')
      await dataset.trigger()
      await dataset.compact({ bytes: 150 })
      await dataset.store(more)
      // a limit below what is in use stops uploads alone
      await catalog.configureLimits(AN_OPERATOR, dataset.owner, { liveBytes: 0 })
      expect((await refusal(dataset.store())).code).toBe('quota_exceeded')
      expect(await dataset.files()).toHaveLength(2)
    },
  )

  test('of jobs by hand counts new ones, not those joined, nor those of operators and uploads', async () => {
    const dataset = newDataSet()
    await dataset.store({}, {})
    await catalog.configureLimits(AN_OPERATOR, dataset.owner, { jobsByHandPerHour: 2 })
    const cancel = async ({ jobId }: { jobId: string }) => catalog.cancelJob(jobId, AN_OPERATOR)
    const first = await dataset.trigger()
    for (const _ of [1, 2, 3]) expect(await dataset.trigger()).toMatchObject({ joined: true })
    await cancel(first)
    const retried = await catalog.retryJob(first.jobId, asUser(dataset.owner), SENDER)
    expect(retried.outcome).toBe('requested')
    await cancel(retried as { jobId: string })
    const error = await refusal(dataset.trigger())
    expect(error).toMatchObject({ code: 'rate_limited', detail: expect.stringContaining('jobsByHandPerHour: 3') })
    expect((await refusal(catalog.retryJob(first.jobId, asUser(dataset.owner), SENDER))).code).toBe('rate_limited')
    expect(await dataset.jobs('queued')).toEqual([])
    const operator = await catalog.requestCompaction({ datasetId: dataset.id, requester: AN_OPERATOR, sender: SENDER })
    await cancel(operator as { jobId: string })
    expect((await usageOf(dataset.owner)).jobsByHandPerHour).toBe(2)
    await database.query(
      "update owner_usage set jobs_counted_since = now() - interval '1 hour 1 second' where owner_id = $1",
      dataset.owner,
    )
    expect((await usageOf(dataset.owner)).jobsByHandPerHour).toBe(0)
    await dataset.trigger()
    expect((await usageOf(dataset.owner)).jobsByHandPerHour).toBe(1)
  })

  test('of jobs by hand holds a redrive back whole', async () => {
    const owner = randomUUID()
    const datasets = [newDataSet(owner), newDataSet(owner)]
    for (const dataset of datasets) {
      await dataset.upload({}, {})
      await dataset.fail(await dataset.start(), { transient: false })
    }
    await catalog.configureLimits(AN_OPERATOR, owner, { jobsByHandPerHour: 3 })
    const redrive = () => catalog.redrive({ requester: asUser(owner), dryRun: false, limit: 100, sender: SENDER })
    expect((await refusal(redrive())).code).toBe('rate_limited')
    for (const dataset of datasets) expect(await dataset.jobs('queued')).toEqual([])
    await catalog.configureLimits(AN_OPERATOR, owner, { jobsByHandPerHour: 4 })
    expect((await redrive()).jobs).toHaveLength(2)
  })

  test('of event streams is of those that are open, and a lease that ran out is not', async () => {
    const owner = randomUUID()
    await catalog.configureLimits(AN_OPERATOR, owner, { eventStreams: 2 })
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]
    for (const id of [first, second, second]) await catalog.openEventStream(owner, id, LEASE_SECONDS)
    expect((await refusal(catalog.openEventStream(owner, third, LEASE_SECONDS))).code).toBe('rate_limited')
    await catalog.openEventStream(randomUUID(), randomUUID(), LEASE_SECONDS)
    await catalog.closeEventStream(first)
    await catalog.openEventStream(owner, third, LEASE_SECONDS)
    await database.query("update event_streams set expires_at = now() - interval '1 second' where id = $1", second)
    expect((await usageOf(owner)).eventStreams).toBe(1)
    await catalog.openEventStream(owner, randomUUID(), LEASE_SECONDS)
    expect((await usageOf(owner)).eventStreams).toBe(2)
  })
})

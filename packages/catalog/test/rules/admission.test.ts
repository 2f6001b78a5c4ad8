import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Who runs when there is more work than workers.

const AGEING_SECONDS = 600
const database = await ownDatabase()
const { catalog } = database

type Kind = 'manual' | 'realtime' | 'scheduled'

/** A dataset of an owner, new or given, with a job of that priority. */
async function asked(kind: Kind, owner?: string): Promise<DataSetUnderTest> {
  const dataset = new DataSetUnderTest(catalog, owner)
  await dataset.store({}, {})
  if (kind === 'manual') await dataset.trigger()
  else if (kind === 'scheduled') await catalog.triggerScheduled(100, SENDER)
  else {
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMaxAgeSeconds: 0 })
    await dataset.store()
  }
  expect(await dataset.jobs('queued')).toMatchObject([{ priority: kind }])
  return dataset
}
const ask = async (...kinds: Kind[]) => {
  const datasets = []
  for (const kind of kinds) datasets.push(await asked(kind))
  return datasets
}
const jobOf = async (dataset: DataSetUnderTest) => (await dataset.jobs())[0]!.id
/** The jobs that have a slot and have not ended: by dataset, in the order they got it. */
const admitted = async () =>
  (
    await database.query<{ dataset_id: string }>(
      "select dataset_id from jobs where admitted_at is not null and state in ('queued', 'running') order by admitted_at",
    )
  ).map((row) => row.dataset_id)
const messages = () =>
  database.query<{ dataset: string }>(
    "select payload ->> 'datasetId' as dataset from outbox where type = 'compaction.requested' and status in ('pending', 'in_progress')",
  )
const wait = (dataset: DataSetUnderTest, seconds: number) =>
  database.query(
    'update jobs set created_at = created_at - make_interval(secs => $2) where dataset_id = $1',
    dataset.id,
    seconds,
  )
/** The order in which jobs get the only slot, each ending before the next. */
async function order(datasets: readonly DataSetUnderTest[]): Promise<DataSetUnderTest[]> {
  const taken = []
  for (const _ of datasets) {
    const [next, ...others] = await admitted()
    expect(others).toEqual([])
    const dataset = datasets.find(({ id }) => id === next)!
    await dataset.compact()
    taken.push(dataset)
  }
  return taken
}

beforeEach(async () => {
  await database.query('truncate outbox, dead_letters, merges, files, jobs, datasets cascade')
  await catalog.configureAdmission(AN_OPERATOR, {
    maxRunningJobs: 1,
    maxRunningJobsOfOwner: 1,
    ageingSeconds: AGEING_SECONDS,
  })
})

describe('when all slots are taken', () => {
  test('a job waits without a message, and whoever ends gives its slot and sends the message', async () => {
    const [first, second] = await ask('manual', 'manual')
    expect(await admitted()).toEqual([first!.id])
    expect(await messages()).toEqual([{ dataset: first!.id }])
    const attempt = await first!.start()
    await first!.swapAll(attempt)
    const { outbox } = await first!.finish(attempt)
    expect(outbox).toMatchObject([{ payload: { datasetId: second!.id } }])
    expect(await second!.deliver(await jobOf(second!))).toMatchObject({ outcome: 'claimed' })
  })

  test('a message that comes all the same waits, as often as it comes, and makes no other', async () => {
    const [first, second] = await ask('manual', 'manual')
    const jobId = await jobOf(second!)
    for (let delivery = 0; delivery < 3; delivery++) {
      expect(await second!.deliver(jobId)).toEqual({ outcome: 'waiting', jobId })
    }
    expect(await messages()).toEqual([{ dataset: first!.id }])
    await first!.compact()
    expect(await second!.deliver(jobId)).toMatchObject({ outcome: 'claimed', attempt: 1 })
    expect(await second!.deliver(jobId)).toMatchObject({ outcome: 'running', attempt: 1 })
  })

  test('a message sent by hand registers its job, which waits like the others', async () => {
    await ask('manual')
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store({}, {})
    const waiting = await dataset.deliver(undefined)
    expect(waiting).toMatchObject({ outcome: 'waiting' })
    expect(await admitted()).not.toContain(dataset.id)
  })

  test('a slot is held from the message to the end, over failed attempts', async () => {
    const [first, second] = await ask('manual', 'manual')
    const attempt = await first!.start()
    expect(await first!.fail(attempt)).toMatchObject({ outcome: 'retrying' })
    expect(await catalog.admitJobs()).toBe(0)
    await first!.fail({ ...attempt, attempt: 2 }, { transient: false })
    expect(await admitted()).toEqual([second!.id])
  })

  test.each([
    [
      'cancelled before it ran',
      async (dataset: DataSetUnderTest) => catalog.cancelJob(await jobOf(dataset), AN_OPERATOR),
    ],
    [
      'cancelled while it ran',
      async (dataset: DataSetUnderTest) => {
        const attempt = await dataset.start()
        await catalog.cancelJob(attempt.jobId, AN_OPERATOR)
        await catalog.enterStep(attempt, 'get-metadata', { leaseSeconds: LEASE_SECONDS })
      },
    ],
    [
      'dead with its message',
      async (dataset: DataSetUnderTest) =>
        catalog.recordDeadLetter({
          queue: 'dlq',
          messageId: dataset.id,
          body: {},
          code: 'delivery_failed',
          message: '',
          attempts: 1,
          datasetId: dataset.id,
          jobId: await jobOf(dataset),
        }),
    ],
  ])('a job that is %s gives its slot on', async (_how, end) => {
    const [first, second] = await ask('manual', 'manual')
    await end(first!)
    expect(await admitted()).toEqual([second!.id])
    expect((await messages()).map(({ dataset }) => dataset)).toContain(second!.id)
  })

  test('more slots are given out by the cron, no more than there are', async () => {
    const datasets = await ask('manual', 'manual', 'manual', 'manual')
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 3 })
    expect(await catalog.admitJobs()).toBe(2)
    expect(await catalog.admitJobs()).toBe(0)
    expect(await admitted()).toEqual(datasets.slice(0, 3).map(({ id }) => id))
  })

  test('fewer slots take none from whom they have, and are kept to afterwards', async () => {
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 2 })
    const [first, second, third] = await ask('manual', 'manual', 'manual')
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 1 })
    await first!.compact()
    expect(await admitted()).toEqual([second!.id])
    await second!.compact()
    expect(await admitted()).toEqual([third!.id])
  })

  test('a job whose message was lost is told again, one that waits for a slot is not', async () => {
    const [first] = await ask('manual', 'manual')
    await database.query("update outbox set status = 'published', locked_by = null, locked_until = null")
    await database.nextTick()
    expect(await catalog.redispatchStaleJobs(0, 10)).toBe(1)
    expect(await messages()).toEqual([{ dataset: first!.id }])
  })
})

describe('the order', () => {
  test('is manual, realtime, scheduled, and by age within each', async () => {
    const [busy] = await ask('manual')
    const datasets = await ask('scheduled', 'realtime', 'manual', 'scheduled', 'realtime', 'manual')
    await busy!.compact()
    expect(await order(datasets)).toEqual([2, 5, 1, 4, 0, 3].map((index) => datasets[index]))
  })

  test('follows a job whose priority was raised while it waited', async () => {
    const [busy] = await ask('manual')
    const datasets = await ask('realtime', 'scheduled')
    await datasets[1]!.trigger()
    await busy!.compact()
    expect(await order(datasets)).toEqual([datasets[1], datasets[0]])
  })

  test.each<[Kind, number, boolean]>([
    ['scheduled', 2 * AGEING_SECONDS - 60, false],
    ['scheduled', 2 * AGEING_SECONDS + 60, true],
    ['realtime', AGEING_SECONDS - 60, false],
    ['realtime', AGEING_SECONDS + 60, true],
  ])('puts a %s job that waited %d s before a new manual one: %s', async (kind, seconds, before) => {
    const [busy] = await ask('manual')
    const [old] = await ask(kind)
    await wait(old!, seconds)
    const [fresh] = await ask('manual')
    await busy!.compact()
    expect(await admitted()).toEqual([before ? old!.id : fresh!.id])
  })

  test('starves nobody: under a stream of manual jobs a scheduled one gets its turn within two ageings', async () => {
    const [busy] = await ask('manual')
    const [patient] = await ask('scheduled')
    let running = busy!
    let turns = 0
    for (; running !== patient; turns++) {
      const [next] = await ask('manual')
      await database.query("update jobs set created_at = created_at - interval '100 seconds' where state = 'queued'")
      await running.compact()
      running = (await admitted())[0] === patient!.id ? patient! : next!
      expect(turns).toBeLessThanOrEqual((2 * AGEING_SECONDS) / 100)
    }
    expect(turns).toBeGreaterThan(5)
  })
})

describe("an owner's flood", () => {
  const flood = async (owner: string, count: number) => {
    const datasets = []
    for (let made = 0; made < count; made++) datasets.push(await asked('manual', owner))
    return datasets
  }

  test('takes no more slots than one owner may have; the others go to others', async () => {
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 4, maxRunningJobsOfOwner: 2 })
    const flooder = crypto.randomUUID()
    const datasets = await flood(flooder, 5)
    expect(await admitted()).toEqual(datasets.slice(0, 2).map(({ id }) => id))
    const [other] = await ask('scheduled')
    expect(await admitted()).toContain(other!.id)
    await datasets[0]!.compact()
    expect((await admitted()).sort()).toEqual([datasets[1]!, other!, datasets[2]!].map(({ id }) => id).sort())
  })

  test('gives way to one who asks for a job: each slot that an owner holds counts as a rank', async () => {
    await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 3, maxRunningJobsOfOwner: 3 })
    const [first] = await flood(crypto.randomUUID(), 6)
    const [other] = await ask('realtime')
    expect(await admitted()).toHaveLength(3)
    expect(await admitted()).not.toContain(other!.id)
    await first!.compact()
    expect((await admitted()).at(-1)).toBe(other!.id)
  })
})

test('limits out of range are refused and change nothing', async () => {
  const before = await catalog.configureAdmission(AN_OPERATOR, {})
  expect(before).toEqual({ maxRunningJobs: 1, maxRunningJobsOfOwner: 1, ageingSeconds: AGEING_SECONDS })
  for (const settings of [{ maxRunningJobs: 0 }, { maxRunningJobsOfOwner: 0 }, { ageingSeconds: -1 }]) {
    await expect(catalog.configureAdmission(AN_OPERATOR, settings)).rejects.toThrow(/^database_/)
  }
  expect(await catalog.configureAdmission(AN_OPERATOR, {})).toEqual(before)
})

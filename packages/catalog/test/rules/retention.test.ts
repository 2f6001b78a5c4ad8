import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

const database = await ownDatabase()
const { catalog } = database
const DAY = 86_400
const KEEP = {
  jobsSeconds: 2 * DAY,
  lettersSeconds: 3 * DAY,
  unsettledSeconds: 10 * DAY,
  outboxSeconds: DAY,
  auditSeconds: 20 * DAY,
}

beforeEach(async () => {
  expect(await catalog.configureRetention(AN_OPERATOR, KEEP)).toEqual(KEEP)
})

const age = (jobId: string, days: number) =>
  database.query(`update jobs set finished_at = now() - make_interval(secs => $1) where id = $2`, days * DAY, jobId)
const isThere = async (jobId: string) => (await catalog.getJob(jobId, AN_OPERATOR)) !== null
const trim = () => catalog.trimHistory(1000)

async function ended(how: 'succeeded' | 'dead' | 'cancelled'): Promise<{ dataset: DataSetUnderTest; jobId: string }> {
  const dataset = new DataSetUnderTest(catalog)
  const { jobId } = await dataset.upload({}, {})
  if (how === 'cancelled') await catalog.cancelJob(jobId, AN_OPERATOR)
  else if (how === 'succeeded') await dataset.compact()
  else await dataset.fail(await dataset.start(), { transient: false })
  await catalog.tallyJobs(100)
  return { dataset, jobId }
}

describe('an ended job', () => {
  test.each(['succeeded', 'cancelled'] as const)(
    'that %s goes after its retention with its merges, not before',
    async (how) => {
      const { dataset, jobId } = await ended(how)
      const filesBefore = await dataset.files()
      await age(jobId, 1.99)
      await trim()
      expect(await isThere(jobId)).toBe(true)
      await age(jobId, 2.01)
      expect((await trim()).jobs).toBe(1)
      expect(await isThere(jobId)).toBe(false)
      expect(await database.query('select 1 from merges where job_id = $1', jobId)).toEqual([])
      expect(await dataset.files()).toEqual(filesBefore)
      expect((await catalog.jobStatus(asUser(dataset.owner))).jobs[how]).toBe(1)
      await dataset.upload({}, {})
      await dataset.compact()
    },
  )

  test('that died stays until somebody has dealt with it, or for the longest time', async () => {
    const { dataset, jobId } = await ended('dead')
    await age(jobId, 9.9)
    await trim()
    expect(await isThere(jobId)).toBe(true)
    await age(jobId, 10.1)
    await trim()
    expect(await isThere(jobId)).toBe(false)
    expect((await catalog.jobStatus(asUser(dataset.owner))).jobs.dead).toBe(1)
    const second = await ended('dead')
    const retried = await catalog.retryJob(second.jobId, AN_OPERATOR, SENDER)
    await age(second.jobId, 3)
    await trim()
    expect(await isThere(second.jobId)).toBe(false)
    expect(await isThere((retried as { jobId: string }).jobId)).toBe(true)
  })

  test('stays while another names it, while a file is in quarantine for it, and until it is in the totals', async () => {
    const { dataset, jobId } = await ended('dead')
    const retried = ((await catalog.retryJob(jobId, AN_OPERATOR, SENDER)) as { jobId: string }).jobId
    await dataset.compact()
    await age(retried, 5)
    await trim()
    expect(await isThere(retried), 'not tallied').toBe(true)
    await catalog.tallyJobs(100)
    await trim()
    expect(await isThere(retried), 'the dead job names it').toBe(true)
    await age(jobId, 5)
    await trim()
    await trim()
    expect([await isThere(jobId), await isThere(retried)]).toEqual([false, false])

    const other = await ended('succeeded')
    await other.dataset.store()
    await database.query(
      "update files set quarantine_code = 'corrupt_file', quarantined_at = now(), quarantined_by_job = $1 where dataset_id = $2 and removed_version is null",
      other.jobId,
      other.dataset.id,
    )
    await age(other.jobId, 5)
    await trim()
    expect(await isThere(other.jobId)).toBe(true)
  })

  test('goes in batches', async () => {
    const jobs = [await ended('cancelled'), await ended('cancelled'), await ended('cancelled')]
    for (const { jobId } of jobs) await age(jobId, 5)
    expect((await catalog.trimHistory(2)).jobs).toBe(2)
    expect((await catalog.trimHistory(2)).jobs).toBeGreaterThanOrEqual(1)
  })
})

describe('dead letters and messages', () => {
  const letter = async (days: number, settled: boolean) => {
    const messageId = randomUUID()
    await catalog.recordDeadLetter({
      queue: 'q',
      messageId,
      body: null,
      code: 'c',
      message: 'm',
      attempts: 1,
      datasetId: null,
      jobId: null,
    })
    await database.query(
      `update dead_letters set received_at = now() - make_interval(secs => $1),
         closed_at = case when $2 then now() end,
         closed_how = case when $2 then 'acknowledged' end
       where message_id = $3`,
      days * DAY,
      settled,
      messageId,
    )
    return messageId
  }
  const left = async (ids: readonly string[]) => {
    const rows = await database.query<{ id: string }>(
      'select message_id as id from dead_letters where message_id = any ($1)',
      ids,
    )
    return ids.map((id) => rows.some((row) => row.id === id))
  }

  test('go when they are settled and old, and open ones after the longest time', async () => {
    const letters = [
      await letter(2.9, true),
      await letter(3.1, true),
      await letter(9.9, false),
      await letter(10.1, false),
    ]
    expect((await trim()).letters).toBe(2)
    expect(await left(letters)).toEqual([true, false, true, false])
  })

  test('that were sent go after their retention, dead ones after the longest time', async () => {
    const emit = (key: string, status: string, days: number) =>
      database.query(
        `insert into outbox (type, key, payload, status, created_at, published_at)
         values ('job.dead', $1, '{}', $2, now() - make_interval(secs => $3), now() - make_interval(secs => $3))`,
        key,
        status,
        days * DAY,
      )
    await emit('sent lately', 'published', 0.9)
    await emit('sent long ago', 'published', 1.1)
    await emit('dead', 'dead', 9.9)
    await emit('long dead', 'dead', 10.1)
    await emit('pending', 'pending', 100)
    await catalog.trimOutbox(1000)
    expect((await trim()).messages).toBe(1)
    const keys = await database.query<{ key: string }>(
      "select key from outbox where key in ('sent lately', 'sent long ago', 'dead', 'long dead', 'pending') order by key",
    )
    expect(keys.map(({ key }) => key)).toEqual(['dead', 'pending', 'sent lately'])
  })
})

test('no retention is shorter than a day', async () => {
  await expect(catalog.configureRetention(AN_OPERATOR, { jobsSeconds: DAY - 1 })).rejects.toThrow(/^database_/)
  expect(await catalog.configureRetention(AN_OPERATOR, { jobsSeconds: DAY })).toMatchObject({ jobsSeconds: DAY })
})

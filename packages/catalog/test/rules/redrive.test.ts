import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser, type Requester } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Dead jobs tried again in numbers: each dataset concerned is asked for once, and nothing is tried twice unasked.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database

function redrive(requester: Requester, filter: Partial<Parameters<typeof catalog.redrive>[0]> = {}) {
  return catalog.redrive({ requester, dryRun: false, limit: 100, sender: SENDER, ...filter })
}

/** A dataset whose job set a file aside and died then. */
async function withDeadJob(dataset = new DataSetUnderTest(catalog)) {
  await dataset.upload({}, {}, {})
  const attempt = await dataset.start()
  const [merge] = await dataset.plan(attempt)
  await dataset.setAside(attempt, 1, merge!.ids[0]!)
  expect((await dataset.fail(attempt, { transient: false })).outcome).toBe('dead')
  return { dataset, jobId: attempt.jobId }
}

describe('a redrive', () => {
  test('asks once for a dataset, leaves its quarantine, and gives the message to send', async () => {
    const { dataset, jobId } = await withDeadJob()
    const second = await withDeadJob(dataset)
    expect(await catalog.jobStatus(asUser(dataset.owner))).toMatchObject({ quarantinedFiles: 2 })
    const { jobs, outbox } = await redrive(asUser(dataset.owner))
    const [queued] = await dataset.jobs('queued')
    const newJobId = queued!.id
    expect(jobs).toEqual([jobId, second.jobId].map((id) => ({ jobId: id, datasetId: dataset.id, newJobId })))
    expect(outbox).toMatchObject([{ type: 'compaction.requested', payload: { jobId: newJobId } }])
    expect(queued).toMatchObject({ priority: 'manual', triggers: 2 })
    expect(await catalog.jobStatus(asUser(dataset.owner))).toMatchObject({ quarantinedFiles: 2 })
    expect(await dataset.compactionNeeded()).toBe(true)
  })

  test('by a filter leaves out what was tried again; by ids takes it once more', async () => {
    const { dataset, jobId } = await withDeadJob()
    const [first] = (await redrive(AN_OPERATOR, { datasetId: dataset.id })).jobs
    expect(await redrive(AN_OPERATOR, { datasetId: dataset.id })).toEqual({ jobs: [], outbox: [] })
    const again = { jobs: [{ jobId, datasetId: dataset.id, newJobId: first!.newJobId }], outbox: [] }
    expect(await redrive(AN_OPERATOR, { jobIds: [jobId] })).toEqual(again)

    const retried = await withDeadJob()
    await catalog.retryJob(retried.jobId, AN_OPERATOR, SENDER)
    expect((await redrive(asUser(retried.dataset.owner))).jobs).toEqual([])
  })

  test('in parts goes on with what died next', async () => {
    const owner = randomUUID()
    const died: string[] = []
    for (let count = 0; count < 3; count++) {
      const { dataset, jobId } = await withDeadJob()
      await database.query('update datasets set owner_id = $1 where id = $2', owner, dataset.id)
      died.push(jobId)
    }
    const ids = async () => (await redrive(asUser(owner), { limit: 2 })).jobs.map(({ jobId }) => jobId)
    expect((await ids()).sort()).toEqual(died.slice(0, 2).sort())
    expect(await ids()).toEqual(died.slice(2))
    expect(await ids()).toEqual([])
  })

  test('that is dry changes nothing', async () => {
    const { dataset, jobId } = await withDeadJob()
    const dry = { jobs: [{ jobId, datasetId: dataset.id }], outbox: [] }
    for (let count = 0; count < 2; count++) expect(await redrive(asUser(dataset.owner), { dryRun: true })).toEqual(dry)
    expect(await dataset.jobs('queued')).toEqual([])
    expect(await catalog.jobStatus(asUser(dataset.owner))).toMatchObject({ quarantinedFiles: 1 })
  })

  test('takes dead jobs only, of the one who asks, that meet every filter', async () => {
    const { dataset, jobId } = await withDeadJob()
    const living = new DataSetUnderTest(catalog)
    const queued = await living.upload()
    const jobIds = [jobId, queued.jobId, randomUUID()]
    expect((await redrive(asUser(randomUUID()), { jobIds })).jobs).toEqual([])
    expect((await redrive(AN_OPERATOR, { jobIds, code: 'corrupt_file' })).jobs).toEqual([])
    expect((await redrive(AN_OPERATOR, { jobIds, datasetId: living.id })).jobs).toEqual([])
    const { jobs } = await redrive(AN_OPERATOR, { jobIds, code: 'storage_unavailable', datasetId: dataset.id })
    expect(jobs.map((job) => job.jobId)).toEqual([jobId])
  })

  test.each([0, 101])('takes no limit of %d', async (limit) => {
    await expect(redrive(AN_OPERATOR, { limit })).rejects.toMatchObject({ code: 'database_refused' })
  })
})

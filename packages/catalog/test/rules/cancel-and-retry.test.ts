import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 6: cancelling takes effect at once or at the next step, and nothing half-done is visible.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
const step = { leaseSeconds: LEASE_SECONDS }

async function planned(...slices: object[]) {
  const dataset = newDataSet()
  await dataset.upload(...(slices.length > 0 ? slices : [{}, {}]))
  const attempt = await dataset.start()
  return { dataset, attempt, merges: await dataset.plan(attempt) }
}

describe('cancelling', () => {
  test('a queued job takes effect at once, and its message starts nothing', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    expect(await catalog.cancelJob(jobId, asUser(dataset.owner))).toEqual({ outcome: 'cancelled' })
    expect(await dataset.job(jobId)).toMatchObject({ state: 'cancelled', attempt: 0 })
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'ended', jobId, state: 'cancelled' })
    expect((await dataset.upload()).jobId).not.toBe(jobId)
  })

  test.each([
    ['entering a step', (a) => catalog.enterStep(a, 'get-metadata', step)],
    ['planning', (a) => catalog.listMergeableFiles(a, 10)],
    ['opening a merge', (a) => catalog.openMerge(a, 1, step)],
    ['a swap', (a) => catalog.commitMerge(a, 1, anOutput(20), LEASE_SECONDS)],
    ['setting a file aside', (a) => catalog.setAsideInputs(a, 1, [])],
    ['failing', (a) => catalog.failAttempt(a, { code: 'internal', step: '', message: '', transient: true }, 1, SENDER)],
    ['the end', (a) => catalog.finishJob(a, { result: {}, more: true, sender: SENDER })],
    ['the rescuer', (a) => catalog.renewLease(a, LEASE_SECONDS)],
  ] as [string, (a: { jobId: string; attempt: number }) => Promise<object>][])(
    'a running job takes effect at %s, and its files stay as they are',
    async (_name, write) => {
      const { dataset, attempt } = await planned()
      const before = await dataset.files()
      expect(await catalog.cancelJob(attempt.jobId, asUser(dataset.owner))).toEqual({ outcome: 'cancelling' })
      expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'running', cancelRequested: true })
      expect(await write(attempt)).toMatchObject({ outcome: 'cancelled' })
      expect(await write(attempt)).toMatchObject({ outcome: 'cancelled' })
      expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'cancelled', leaseUntil: null })
      expect(await dataset.files()).toEqual(before)
      expect(await dataset.compactionNeeded()).toBe(true)
      expect(await dataset.jobs('queued')).toEqual([])
    },
  )

  test('a claimed job whose attempt has not begun takes effect at once, and its work can be asked for again', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    expect(await catalog.cancelJob(attempt.jobId, asUser(dataset.owner))).toEqual({ outcome: 'cancelled' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'cancelled', leaseUntil: null })
    // the instance that begins after all
    expect(await catalog.enterStep(attempt, 'validate-dataset', step)).toEqual({ outcome: 'cancelled' })
    expect(await catalog.retryJob(attempt.jobId, asUser(dataset.owner), SENDER)).toMatchObject({ outcome: 'requested' })
    await dataset.compact()
    expect(await dataset.files()).toMatchObject([{ rows: 20 }])
  })

  test('a job between two attempts takes effect at once', async () => {
    const { dataset, attempt } = await planned()
    await dataset.fail(attempt)
    expect(await catalog.cancelJob(attempt.jobId, asUser(dataset.owner))).toEqual({ outcome: 'cancelled' })
  })

  test('a job whose attempt has entered its first step waits for the next', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    await catalog.enterStep(attempt, 'validate-dataset', step)
    expect(await catalog.cancelJob(attempt.jobId, asUser(dataset.owner))).toEqual({ outcome: 'cancelling' })
  })

  test('leaves the swaps that were committed before it', async () => {
    const { dataset, attempt } = await planned({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await catalog.cancelJob(attempt.jobId, AN_OPERATOR)
    expect(await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)).toEqual({ outcome: 'cancelled' })
    expect((await dataset.files()).map((file) => file.level)).toEqual([1, 0, 0])
    expect(await dataset.rows()).toBe(40)
  })

  test('a job that has ended is told so; one of somebody else, or none, is unknown', async () => {
    const { dataset, attempt } = await planned()
    expect(await catalog.cancelJob(attempt.jobId, asUser(randomUUID()))).toEqual({ outcome: 'unknown_job' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ cancelRequested: false })
    await dataset.finish(attempt)
    expect(await catalog.cancelJob(attempt.jobId, asUser(dataset.owner))).toEqual({
      outcome: 'ended',
      state: 'succeeded',
    })
    expect(await catalog.cancelJob(randomUUID(), AN_OPERATOR)).toEqual({ outcome: 'unknown_job' })
  })
})

describe('retrying', () => {
  test('a dead job asks again for its work, as a job of its own, and leaves in quarantine what was set aside', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    await dataset.setAside(attempt, 1, merges[0]!.ids[0]!)
    await dataset.fail(attempt, { transient: false })
    const retried = await catalog.retryJob(attempt.jobId, asUser(dataset.owner), SENDER)
    expect(retried).toMatchObject({ outcome: 'requested', joined: false, outbox: { type: 'compaction.requested' } })
    await dataset.compact()
    expect((await dataset.files()).map((file) => [file.rows, file.quarantine]).sort()).toEqual([
      [10, 'corrupt_file'],
      [20, null],
    ])
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'dead' })
  })

  test('a cancelled job works; one that lives, succeeded or is not yours does not', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    const retry = (id: string, requester = dataset.owner) => catalog.retryJob(id, asUser(requester), SENDER)
    expect(await retry(jobId)).toEqual({ outcome: 'not_dead', state: 'queued' })
    await catalog.cancelJob(jobId, asUser(dataset.owner))
    expect(await retry(jobId, randomUUID())).toEqual({ outcome: 'unknown_job' })
    expect(await retry(jobId)).toMatchObject({ outcome: 'requested', joined: false })
    expect(await retry(jobId)).toMatchObject({ outcome: 'requested', joined: true })
    const attempt = await dataset.compact()
    expect(await retry(attempt.jobId)).toEqual({ outcome: 'not_dead', state: 'succeeded' })
    expect(await retry(randomUUID())).toEqual({ outcome: 'unknown_job' })
  })
})

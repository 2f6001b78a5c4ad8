import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 6: cancelling takes effect at once or at the next step, and nothing half-done is visible.
// With it: quarantine, and what an operator's retry gives back.

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
    expect(await catalog.cancelJob(jobId, dataset.owner)).toEqual({ outcome: 'cancelled' })
    expect(await dataset.job(jobId)).toMatchObject({ state: 'cancelled', attempt: 0 })
    expect(await dataset.deliver(jobId)).toEqual({ outcome: 'ended', jobId, state: 'cancelled' })
    expect((await dataset.upload()).jobId).not.toBe(jobId)
  })

  test.each([
    ['entering a step', (a) => catalog.enterStep(a, 'get-metadata', step)],
    ['planning', (a) => catalog.listMergeableFiles(a, 10)],
    ['opening a merge', (a) => catalog.openMerge(a, 1, step)],
    ['a swap', (a) => catalog.commitMerge(a, 1, anOutput(20), LEASE_SECONDS)],
    ['giving up a merge', (a) => catalog.failMerge(a, 1, { fileId: null, code: 'internal', message: '' })],
    ['failing', (a) => catalog.failAttempt(a, { code: 'internal', step: '', message: '', transient: true }, 1, SENDER)],
    ['the end', (a) => catalog.finishJob(a, { result: {}, more: true, sender: SENDER })],
    ['the rescuer', (a) => catalog.renewLease(a, LEASE_SECONDS)],
  ] as [string, (a: { jobId: string; attempt: number }) => Promise<object>][])(
    'a running job takes effect at %s, and its files stay as they are',
    async (_name, write) => {
      const { dataset, attempt } = await planned()
      const before = await dataset.files()
      expect(await catalog.cancelJob(attempt.jobId, dataset.owner)).toEqual({ outcome: 'cancelling' })
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
    expect(await catalog.cancelJob(attempt.jobId, dataset.owner)).toEqual({ outcome: 'cancelled' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'cancelled', leaseUntil: null })
    // the instance that begins after all
    expect(await catalog.enterStep(attempt, 'validate-dataset', step)).toEqual({ outcome: 'cancelled' })
    expect(await catalog.retryJob(attempt.jobId, dataset.owner, SENDER)).toMatchObject({ outcome: 'requested' })
    await dataset.compact()
    expect(await dataset.files()).toMatchObject([{ rows: 20 }])
  })

  test('a job between two attempts takes effect at once', async () => {
    const { dataset, attempt } = await planned()
    await dataset.fail(attempt)
    expect(await catalog.cancelJob(attempt.jobId, dataset.owner)).toEqual({ outcome: 'cancelled' })
  })

  test('a job whose attempt has entered its first step waits for the next', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    await catalog.enterStep(attempt, 'validate-dataset', step)
    expect(await catalog.cancelJob(attempt.jobId, dataset.owner)).toEqual({ outcome: 'cancelling' })
  })

  test('leaves the swaps that were committed before it', async () => {
    const { dataset, attempt } = await planned({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await catalog.cancelJob(attempt.jobId, null)
    expect(await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)).toEqual({ outcome: 'cancelled' })
    expect((await dataset.files()).map((file) => file.level)).toEqual([1, 0, 0])
    expect(await dataset.rows()).toBe(40)
  })

  test('a job that has ended is told so; one of somebody else, or none, is unknown', async () => {
    const { dataset, attempt } = await planned()
    expect(await catalog.cancelJob(attempt.jobId, randomUUID())).toEqual({ outcome: 'unknown_job' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ cancelRequested: false })
    await dataset.finish(attempt)
    expect(await catalog.cancelJob(attempt.jobId, dataset.owner)).toEqual({ outcome: 'ended', state: 'succeeded' })
    expect(await catalog.cancelJob(randomUUID(), null)).toEqual({ outcome: 'unknown_job' })
  })
})

describe('a merge that cannot be done', () => {
  test('puts one file into quarantine: live, readable, named, and in no later plan', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    const rotten = merges[0]!.ids[1]!
    const failure = { fileId: rotten, code: 'corrupt_file', message: 'page 3 does not decompress' }
    expect(await catalog.failMerge(attempt, 1, failure)).toEqual({ outcome: 'failed' })
    expect(await dataset.rows()).toBe(30)
    expect((await dataset.files()).filter((file) => file.quarantine).map((file) => file.id)).toEqual([rotten])
    expect(await catalog.jobStatus(dataset.owner)).toMatchObject({ quarantinedFiles: 1 })
    expect(await catalog.openMerge(attempt, 1, step)).toMatchObject({ outcome: 'failed', code: 'corrupt_file' })

    expect(await dataset.finish(attempt)).toMatchObject({ outcome: 'dead', outbox: [{ type: 'job.dead' }] })
    expect(await dataset.finish(attempt)).toMatchObject({ outcome: 'dead', outbox: [] })
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'dead',
      error: { code: 'corrupt_file', step: 'compact-1', message: failure.message },
    })
    await dataset.compact()
    expect((await dataset.files()).map((file) => [file.rows, file.quarantine]).sort()).toEqual([
      [10, 'corrupt_file'],
      [20, null],
    ])
  })

  test('among others: the others are swapped, and the job is dead and counts the failures', async () => {
    const tables = ['a', 'b', 'c'].flatMap((table) => [{ table }, { table }])
    const { dataset, attempt, merges } = await planned(...tables)
    for (const index of [1, 3]) {
      await catalog.failMerge(attempt, index, {
        fileId: merges[index - 1]!.ids[0]!,
        code: 'corrupt_file',
        message: 'no',
      })
    }
    await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)
    await dataset.finish(attempt)
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'dead',
      error: { step: 'compact-1', message: 'no (and 1 more merges failed)' },
      progress: { mergesPlanned: 3, mergesCommitted: 1, mergesFailed: 2 },
    })
    expect(await dataset.rows()).toBe(60)
  })

  test('is not undone by a later failure of its attempt: the job ends dead, however its next attempt fares', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    await catalog.failMerge(attempt, 1, { fileId: merges[0]!.ids[0]!, code: 'corrupt_file', message: 'no' })
    await dataset.fail(attempt)
    const next = { ...attempt, attempt: 2 }
    await dataset.swapAll(next)
    expect(await dataset.finish(next)).toMatchObject({ outcome: 'dead' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ error: { code: 'corrupt_file' } })
    expect(await catalog.retryJob(attempt.jobId, dataset.owner, SENDER)).toMatchObject({ outcome: 'requested' })
    expect((await dataset.files()).every((file) => file.quarantine === null)).toBe(true)
  })

  test('by no fault of a file quarantines none, and the next attempt may do it', async () => {
    const { dataset, attempt } = await planned()
    await catalog.failMerge(attempt, 1, { fileId: null, code: 'row_count_mismatch', message: 'no' })
    await dataset.fail(attempt)
    const next = { ...attempt, attempt: 2 }
    await dataset.swapAll(next)
    expect(await dataset.finish(next)).toMatchObject({ outcome: 'succeeded' })
  })

  test('never quarantines a file that is no input of it, nor undoes a swap', async () => {
    const { dataset, attempt, merges } = await planned({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    await catalog.failMerge(attempt, 1, { fileId: merges[1]!.ids[0]!, code: 'corrupt_file', message: '' })
    await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)
    const late = { fileId: merges[1]!.ids[0]!, code: 'corrupt_file', message: '' }
    await catalog.failMerge(attempt, 2, late)
    expect(await catalog.openMerge(attempt, 2, step)).toMatchObject({ outcome: 'committed' })
    expect((await dataset.files()).every((file) => file.quarantine === null)).toBe(true)
  })
})

describe('retrying', () => {
  test('a dead job asks for its work anew, as a job of its own, and lifts what it had put in quarantine', async () => {
    const { dataset, attempt, merges } = await planned()
    await catalog.failMerge(attempt, 1, { fileId: merges[0]!.ids[0]!, code: 'corrupt_file', message: 'no' })
    await dataset.finish(attempt)
    expect(await dataset.compactionNeeded()).toBe(false)
    const retried = await catalog.retryJob(attempt.jobId, dataset.owner, SENDER)
    expect(retried).toMatchObject({ outcome: 'requested', joined: false, outbox: { type: 'compaction.requested' } })
    expect(await dataset.compactionNeeded()).toBe(true)
    await dataset.compact()
    expect(await dataset.files()).toMatchObject([{ rows: 20, quarantine: null }])
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'dead' })
  })

  test('leaves the quarantine that another job imposed', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {}, {})
    const quarantine = async () => {
      const attempt = await dataset.start()
      const [merge] = await dataset.plan(attempt)
      await catalog.failMerge(attempt, 1, { fileId: merge!.ids[0]!, code: 'corrupt_file', message: 'no' })
      await dataset.finish(attempt)
      return { jobId: attempt.jobId, fileId: merge!.ids[0]! }
    }
    const [first, second] = [await quarantine(), await quarantine()]
    await catalog.retryJob(first.jobId, dataset.owner, SENDER)
    const quarantined = (await dataset.files()).filter((file) => file.quarantine !== null)
    expect(quarantined.map((file) => file.id)).toEqual([second.fileId])
  })

  test('a cancelled job works; one that lives, succeeded or is not yours does not', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    const retry = (id: string, requester = dataset.owner) => catalog.retryJob(id, requester, SENDER)
    expect(await retry(jobId)).toEqual({ outcome: 'not_dead', state: 'queued' })
    await catalog.cancelJob(jobId, dataset.owner)
    expect(await retry(jobId, randomUUID())).toEqual({ outcome: 'unknown_job' })
    expect(await retry(jobId)).toMatchObject({ outcome: 'requested', joined: false })
    expect(await retry(jobId)).toMatchObject({ outcome: 'requested', joined: true })
    const attempt = await dataset.compact()
    expect(await retry(attempt.jobId)).toEqual({ outcome: 'not_dead', state: 'succeeded' })
    expect(await retry(randomUUID())).toEqual({ outcome: 'unknown_job' })
  })
})

import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// One bad file does not stop its merge: it is set aside by name, and the rest is merged in the same attempt.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const step = { leaseSeconds: LEASE_SECONDS }

async function planned(...slices: object[]) {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.upload(...slices)
  const attempt = await dataset.start()
  return { dataset, attempt, merges: await dataset.plan(attempt) }
}

const inputsOf = async (attempt: { jobId: string; attempt: number }, index: number) => {
  const opened = await catalog.openMerge(attempt, index, step)
  return opened.outcome === 'ok' ? opened.inputs.map(({ id }) => id) : opened.outcome
}

describe('inputs that no merge can take', () => {
  test('are set aside in one call: live, readable, named, in no later plan, and the rest is swapped', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {}, {}, {})
    const ids = merges[0]!.ids
    const bad = [ids[1]!, ids[3]!]
    expect(await dataset.setAside(attempt, 1, ...bad)).toEqual({ outcome: 'ok', setAside: 2 })
    expect(await inputsOf(attempt, 1)).toEqual([ids[0], ids[2], ids[4]])
    expect(await catalog.commitMerge(attempt, 1, anOutput(30), LEASE_SECONDS)).toMatchObject({ outcome: 'committed' })
    expect(await dataset.finish(attempt)).toMatchObject({ outcome: 'succeeded', outbox: [] })

    expect(await dataset.rows()).toBe(50)
    const files = await dataset.files()
    expect(files.filter((file) => file.quarantine).map((file) => file.id)).toEqual(bad.toSorted())
    expect(await catalog.jobStatus(asUser(dataset.owner))).toMatchObject({ quarantinedFiles: 2 })
    const job = await dataset.job(attempt.jobId)
    expect(job).toMatchObject({
      state: 'succeeded',
      error: null,
      partial: true,
      progress: {
        mergesPlanned: 1,
        mergesCommitted: 1,
        mergesLeftOut: 0,
        filesIn: 3,
        filesPlanned: 3,
        rowsPlanned: 30,
      },
      setAside: { count: 2 },
    })
    const message = 'page 3 does not decompress'
    expect(job.setAside.files).toEqual(
      bad.map((fileId) => ({ fileId, table: 'ships', periodTag: '0', code: 'corrupt_file', message })),
    )
  })

  test('told twice are set aside once', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    const [bad] = merges[0]!.ids
    expect(await dataset.setAside(attempt, 1, bad!)).toEqual({ outcome: 'ok', setAside: 1 })
    expect(await dataset.setAside(attempt, 1, bad!)).toEqual({ outcome: 'ok', setAside: 0 })
    expect((await dataset.job(attempt.jobId)).setAside).toMatchObject({ count: 1, files: [{ fileId: bad }] })
  })

  test('that leave fewer than two end the merge, and the job goes on with the others', async () => {
    const { dataset, attempt, merges } = await planned({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    expect(await dataset.setAside(attempt, 1, merges[0]!.ids[0]!)).toEqual({ outcome: 'nothing_left', setAside: 1 })
    expect(await inputsOf(attempt, 1)).toBe('nothing_left')
    expect(await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)).toEqual({ outcome: 'superseded' })
    await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)
    await dataset.finish(attempt)
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'succeeded',
      partial: true,
      progress: { mergesPlanned: 2, mergesCommitted: 1, mergesLeftOut: 1, rowsIn: 20, rowsPlanned: 20 },
    })
  })

  test('more than a job can name are counted, and all are in the listing', async () => {
    const { dataset, attempt, merges } = await planned(...Array.from({ length: 30 }, () => ({})))
    await dataset.setAside(attempt, 1, ...merges[0]!.ids.slice(0, 25))
    const { count, files } = (await dataset.job(attempt.jobId)).setAside
    expect({ count, named: files.length }).toEqual({ count: 25, named: 20 })
    const listed = async (quarantined: 'include' | 'exclude' | 'only') => {
      const page = await catalog.listFiles({ datasetId: dataset.id, requester: AN_OPERATOR, quarantined, limit: 100 })
      return page.outcome === 'ok' && page.files.length
    }
    expect([await listed('include'), await listed('exclude'), await listed('only')]).toEqual([30, 5, 25])
  })

  test('are none that another merge has, and none whose swap is done', async () => {
    const { dataset, attempt, merges } = await planned({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    const [, other] = merges
    expect(await dataset.setAside(attempt, 1, other!.ids[0]!)).toEqual({ outcome: 'ok', setAside: 0 })
    await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)
    expect(await dataset.setAside(attempt, 2, other!.ids[0]!)).toEqual({ outcome: 'committed', setAside: 0 })
    expect(await dataset.setAside(attempt, 9, other!.ids[0]!)).toEqual({ outcome: 'unknown_merge' })
    expect((await dataset.files()).map((file) => file.quarantine)).toEqual([null, null, null])
  })

  test('do not include one that was healed since it was read', async () => {
    const { attempt, merges } = await planned({}, {}, {})
    const [fileId] = merges[0]!.ids
    const fault = { fileId: fileId!, r2Key: 'fragments/as-it-was', code: 'corrupt_file' as const, message: 'no' }
    expect(await catalog.setAsideInputs(attempt, 1, [fault])).toEqual({ outcome: 'ok', setAside: 0 })
    expect(await inputsOf(attempt, 1)).toHaveLength(3)
  })

  test('leave a job that did nothing else with a successor if more is due', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { mergeMinFiles: 2 })
    const attempt = await dataset.start()
    const ids = (await dataset.mergeable(attempt)).files.map(({ id }) => id)
    await catalog.savePlan(attempt, [ids.slice(0, 2)])
    await dataset.setAside(attempt, 1, ids[0]!)
    await dataset.finish(attempt)
    expect(await dataset.jobs('queued')).toHaveLength(1)
  })
})

describe('an input that is not live any more', () => {
  test('is left out when its merge is opened, so that the rest can be swapped', async () => {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    const ids = merges[0]!.ids
    await catalog.discardFile(ids[1]!, asUser(dataset.owner))
    expect(await catalog.commitMerge(attempt, 1, anOutput(30), LEASE_SECONDS)).toEqual({ outcome: 'conflict' })
    expect(await inputsOf(attempt, 1)).toEqual([ids[0], ids[2]])
    expect(await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)).toMatchObject({ outcome: 'committed' })
    expect(await dataset.rows()).toBe(20)
    expect((await dataset.job(attempt.jobId)).partial).toBe(false)
  })

  test('ends a merge of two', async () => {
    const { attempt, merges, dataset } = await planned({}, {})
    await catalog.discardFile(merges[0]!.ids[0]!, asUser(dataset.owner))
    expect(await inputsOf(attempt, 1)).toBe('nothing_left')
  })
})

describe('releasing', () => {
  async function withFileSetAside() {
    const { dataset, attempt, merges } = await planned({}, {}, {})
    const [bad] = merges[0]!.ids
    await dataset.setAside(attempt, 1, bad!)
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await dataset.finish(attempt)
    return { dataset, bad: bad! }
  }

  test('lets the next merge take the file again; the owner or an operator may, once', async () => {
    const { dataset, bad } = await withFileSetAside()
    expect(await catalog.releaseFile(bad, asUser(randomUUID()))).toEqual({ outcome: 'unknown_file' })
    expect(await catalog.releaseFile(randomUUID(), AN_OPERATOR)).toEqual({ outcome: 'unknown_file' })
    const released = { outcome: 'released', datasetId: dataset.id, code: 'corrupt_file' }
    expect(await catalog.releaseFile(bad, asUser(dataset.owner))).toEqual(released)
    expect(await catalog.releaseFile(bad, AN_OPERATOR)).toEqual({ outcome: 'not_quarantined' })
    await dataset.compact()
    expect(await dataset.files()).toMatchObject([{ rows: 30, quarantine: null }])
  })

  test('is not what asking for a merge does, by hand, by a retry or by the daily round', async () => {
    const { dataset, bad } = await withFileSetAside()
    await dataset.upload()
    await dataset.compact()
    const { jobId } = await dataset.trigger()
    await catalog.cancelJob(jobId, AN_OPERATOR)
    await catalog.retryJob(jobId, AN_OPERATOR, SENDER)
    expect((await dataset.mergeable(await dataset.start())).files.map(({ id }) => id)).not.toContain(bad)
  })
})

describe('the alert of files set aside', () => {
  const rules = {
    deadLettersWindowSeconds: 0,
    failureWindowSeconds: 0,
    failureRatio: 1,
    failureMinJobs: 1_000_000,
    waitingBoundSeconds: 1_000_000,
    triggerBoundSeconds: 1_000_000,
    newCausesSeconds: 900,
    silenceSeconds: 1_000_000,
    quietSeconds: 0,
  }
  const look = async () => {
    await catalog.raiseAlerts(rules, [], SENDER)
    const { alerts } = await catalog.jobStatus(AN_OPERATOR)
    return alerts!.find(({ kind }) => kind === 'files_set_aside')?.summary
  }

  test('stands until an operator acknowledges the files, and again for a new one', async () => {
    await catalog.acknowledgeFiles(AN_OPERATOR, {})
    expect(await look()).toBeUndefined()
    const { dataset, attempt, merges } = await planned({}, {}, {}, {})
    await dataset.setAside(attempt, 1, merges[0]!.ids[0]!)
    expect(await look()).toBe('1 file set aside by merges, in 1 dataset')
    expect(await catalog.acknowledgeFiles(AN_OPERATOR, { datasetId: 'another' })).toBe(0)
    expect(await catalog.acknowledgeFiles(AN_OPERATOR, { code: 'schema_mismatch' })).toBe(0)
    expect(await catalog.acknowledgeFiles(AN_OPERATOR, { datasetId: dataset.id, code: 'corrupt_file' })).toBe(1)
    expect(await catalog.acknowledgeFiles(AN_OPERATOR, {})).toBe(0)
    expect(await look()).toBeUndefined()
    expect(await catalog.jobStatus(AN_OPERATOR)).toMatchObject({ quarantinedFiles: expect.any(Number) })
    await dataset.setAside(attempt, 1, merges[0]!.ids[1]!)
    expect(await look()).toBe('1 file set aside by merges, in 1 dataset')
    await catalog.acknowledgeFiles(AN_OPERATOR, {})
  })
})

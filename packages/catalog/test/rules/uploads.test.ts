import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser, type Requester } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anObject, DataSetUnderTest, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

/** By a constraint; the embedded server gives no SQLSTATE for one, so not even that it is for good can be seen here. */
const REFUSED = /^database_/
const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
const isGarbage = async (key: string) =>
  (await database.query('select 1 from garbage where r2_key = $1', key)).length > 0

/** As an upload tells of it. */
async function firstFile(dataset: DataSetUnderTest) {
  const [file] = await dataset.files()
  const { id: fileId, table, periodTag, quarantine } = file!
  return { fileId, table, periodTag, quarantine, duplicate: false, healed: false }
}

describe('an upload', () => {
  test('is a file for each slice, in one version', async () => {
    const dataset = newDataSet()
    const slices = Array.from({ length: 33 }, (_, i) => ({ table: `table-${i}`, rows: i % 3, length: 100 + i }))
    const stored = await dataset.store(...slices)
    expect(stored).toMatchObject({ outcome: 'stored', version: 1 })
    const files = await dataset.files()
    expect(files).toHaveLength(33)
    expect(await dataset.rows()).toBe(33)
    const places = await Promise.all(files.map((file) => catalog.getFile(file.id, asUser(dataset.owner))))
    const inOrder = places.map((place) => place!).sort((a, b) => a.offset - b.offset)
    expect(inOrder.map((place) => place.offset)).toEqual(slices.map((_, i) => 100 * i + (i * (i - 1)) / 2))
  })

  test('told twice is stored once and answered as before', async () => {
    const dataset = newDataSet()
    const object = anObject([{}, {}])
    const first = await dataset.register(object)
    expect(await dataset.register(object)).toEqual({ ...first, outbox: null })
    expect(await dataset.files()).toHaveLength(2)
    expect(await isGarbage(object.r2Key)).toBe(false)
    expect(await dataset.jobs()).toEqual([])
  })

  test('of the same content is a duplicate: nothing changes, its object is garbage, the newest job is named', async () => {
    const dataset = newDataSet()
    const first = await dataset.register(anObject([{ content: 'same' }]))
    const again = anObject([{ content: 'same' }])
    const files = [{ ...(await firstFile(dataset)), duplicate: true, newSchema: false }]
    expect(await dataset.register(again)).toEqual({ ...first, outcome: 'duplicate', files, jobId: null, outbox: null })
    const { jobId } = await dataset.trigger()
    expect(await dataset.register(again)).toMatchObject({ outcome: 'duplicate', jobId })
    expect(await dataset.files()).toHaveLength(1)
    expect(await isGarbage(again.r2Key)).toBe(true)
    expect(await dataset.compactionNeeded()).toBe(false)
  })

  test('of the same content in another table, period or dataset is not', async () => {
    const dataset = newDataSet()
    const slice = { content: 'same' }
    await dataset.upload(slice, { ...slice, table: 'other' }, { ...slice, periodTag: '2026' })
    const other = newDataSet()
    await other.upload(slice)
    expect([await dataset.files(), await other.files()]).toMatchObject([{ length: 3 }, { length: 1 }])
  })

  test('of which a part is known stores the rest', async () => {
    const dataset = newDataSet()
    await dataset.upload({ content: 'known' })
    const mixed = anObject([{ content: 'known' }, { content: 'new' }, { content: 'new' }])
    expect(await dataset.register(mixed)).toMatchObject({ outcome: 'stored', version: 2 })
    expect(await dataset.files()).toHaveLength(2)
    expect(await isGarbage(mixed.r2Key)).toBe(false)
  })

  test.each([
    ['no bytes', { length: 0 }],
    ['fewer than no rows', { rows: -1 }],
    ['rows in no row group that exists', { rowGroups: -1 }],
  ])('of a slice of %s is refused whole: no dataset, no file, no job', async (_name, bad) => {
    const dataset = newDataSet()
    await expect(dataset.register(anObject([{}, bad]))).rejects.toThrow(REFUSED)
    expect(await catalog.listFiles({ datasetId: dataset.id, requester: AN_OPERATOR, limit: 1 })).toEqual({
      outcome: 'unknown_dataset',
    })
    expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId: dataset.id, limit: 1 })).toEqual([])
  })

  test.each(['', '-x', 'a/b', 'a b', 'ä', `a${'b'.repeat(128)}`, "a'; drop table files; --"])(
    'to a dataset called %j is refused',
    async (datasetId) => {
      const upload = { datasetId, requester: asUser(randomUUID()), object: anObject([{}]), sender: SENDER }
      await expect(catalog.registerUpload(upload)).rejects.toThrow(REFUSED)
    },
  )

  test.each(['a', '7', `A${'.'.repeat(127)}`, randomUUID()])('to a dataset called %j is fine', async (name) => {
    const datasetId = name.length > 100 ? name : `${name}-${randomUUID()}`
    const upload = { datasetId, requester: asUser(randomUUID()), object: anObject([{}]), sender: SENDER }
    expect(await catalog.registerUpload(upload)).toMatchObject({ outcome: 'stored' })
  })
})

describe('the first upload makes the owner', () => {
  test('and another user is refused before anything of theirs is kept', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    const [files, jobs] = [await dataset.files(), await dataset.jobs()]
    const theirs = anObject([{}])
    expect(await dataset.register(theirs, randomUUID())).toEqual({ outcome: 'unknown_dataset' })
    expect(await isGarbage(theirs.r2Key)).toBe(true)
    expect([await dataset.files(), await dataset.jobs()]).toEqual([files, jobs])
  })

  test('who alone, with the operators, sees and asks', async () => {
    const dataset = newDataSet()
    const { jobId } = await dataset.upload()
    const [file] = await dataset.files()
    const ask = async (requester: Requester) => ({
      files: (await catalog.listFiles({ datasetId: dataset.id, requester: requester, limit: 10 })).outcome,
      file: (await catalog.getFile(file!.id, requester)) !== null,
      job: (await catalog.getJob(jobId, requester)) !== null,
      jobs: (await catalog.listJobs({ requester: requester, datasetId: dataset.id, limit: 10 })).length,
      trigger: (await catalog.requestCompaction({ datasetId: dataset.id, requester: requester, sender: SENDER }))
        .outcome,
    })
    const all = { files: 'ok', file: true, job: true, jobs: 1, trigger: 'requested' }
    expect(await ask(asUser(dataset.owner))).toEqual(all)
    expect(await ask(AN_OPERATOR)).toEqual(all)
    expect(await ask(asUser(randomUUID()))).toEqual({
      files: 'unknown_dataset',
      file: false,
      job: false,
      jobs: 0,
      trigger: 'unknown_dataset',
    })
  })
})

describe('the list of jobs', () => {
  test('is the newest first, in pages that together are the whole, of one state or all', async () => {
    const dataset = newDataSet()
    for (const _ of [1, 2, 3]) {
      await dataset.upload()
      await dataset.finish(await dataset.start())
      // the clock of PGlite counts milliseconds: jobs of the same one come in any order
      await database.nextTick()
    }
    const { jobId } = await dataset.upload()
    const all = await dataset.jobs()
    expect(all.map((job) => job.state)).toEqual(['queued', 'succeeded', 'succeeded', 'succeeded'])
    expect(all[0]!.id).toBe(jobId)
    const paged = []
    for (let before: (typeof all)[number] | undefined; ; before = paged.at(-1)) {
      const page = await catalog.listJobs({ requester: asUser(dataset.owner), before, limit: 3 })
      if (page.length === 0) break
      paged.push(...page)
    }
    expect(paged).toEqual(all)
    expect(await dataset.jobs('succeeded')).toHaveLength(3)
    expect(await dataset.jobs('dead')).toEqual([])
    expect(await catalog.jobStatus(asUser(dataset.owner))).toMatchObject({
      jobs: { queued: 1, running: 0, succeeded: 3, dead: 0, cancelled: 0 },
      oldestQueuedSeconds: expect.any(Number),
      expiredLeases: 0,
      datasetsWaiting: 1,
      outbox: null,
      deadLetters: null,
    })
  })
})

import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anObject, anOutput, DataSetUnderTest, LEASE_SECONDS } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// A file can be healed by an upload of the same bytes, discarded, and replaced; each is one version.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
const isGarbage = async (key: string) =>
  (await database.query('select 1 from garbage where r2_key = $1', key)).length > 0
const place = async (fileId: string) => (await catalog.getFile(fileId, AN_OPERATOR))!

describe('an upload of content whose bytes are lost', () => {
  test('takes their place, one version further, and lifts the quarantine', async () => {
    const dataset = newDataSet()
    const lost = anObject([{ content: 'same' }])
    await dataset.register(lost)
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    const [merge] = await dataset.plan(attempt)
    const [{ id: fileId }] = (await database.query<{ id: string }>(
      'select id from files where r2_key = $1',
      lost.r2Key,
    )) as [{ id: string }]
    await dataset.setAside(attempt, 1, fileId)
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await dataset.finish(attempt)
    expect(merge!.ids).toContain(fileId)

    const version = await dataset.version()
    const good = anObject([{ table: 'first' }, { content: 'same' }])
    const healed = await dataset.register(good, dataset.owner, { broken: true })
    expect(healed).toMatchObject({
      outcome: 'stored',
      version: version + 1,
      files: [
        { table: 'first', duplicate: false, healed: false },
        { fileId, duplicate: false, healed: true, quarantine: null },
      ],
    })
    expect(await place(fileId)).toMatchObject({ r2Key: good.r2Key, offset: 1000, length: 1000 })
    expect(await isGarbage(lost.r2Key)).toBe(true)
    expect(await isGarbage(good.r2Key)).toBe(false)
    expect(await dataset.register(good)).toMatchObject({ outcome: 'stored', version: version + 1 })
    await dataset.trigger()
    await dataset.compact()
    expect((await dataset.files()).filter(({ table }) => table === 'ships')).toMatchObject([{ rows: 30 }])
  })

  test('and of nothing else is told as healed, also when it is told again', async () => {
    const dataset = newDataSet()
    await dataset.store({ content: 'same' })
    const good = anObject([{ content: 'same' }])
    expect(await dataset.register(good, dataset.owner, { broken: true })).toMatchObject({
      outcome: 'healed',
      version: 2,
    })
    expect(await dataset.register(good)).toMatchObject({ outcome: 'healed', version: 2 })
    expect(await dataset.files()).toHaveLength(1)
  })

  test('leaves the object of theirs that other files still name', async () => {
    const dataset = newDataSet()
    const shared = anObject([{ content: 'lost' }, { content: 'kept' }])
    await dataset.register(shared)
    await dataset.register(anObject([{ content: 'lost' }]), dataset.owner, { broken: true })
    expect(await isGarbage(shared.r2Key)).toBe(false)
  })

  test('that were healed meanwhile, or merged, is a duplicate', async () => {
    const dataset = newDataSet()
    await dataset.upload({ content: 'same' }, {})
    const upload = { datasetId: dataset.id, requester: asUser(dataset.owner), sender: 'a test' }
    const late = { ...upload, object: anObject([{ content: 'same' }]) }
    const asked = await catalog.registerUpload(late)
    if (asked.outcome !== 'check_copies') throw new Error(asked.outcome)
    expect(asked.copies).toMatchObject([{ length: 1000, quarantined: false }])
    await dataset.register(anObject([{ content: 'same' }]), dataset.owner, { broken: true })
    expect(await catalog.registerUpload({ ...late, brokenCopies: asked.copies })).toMatchObject({
      outcome: 'duplicate',
    })
    await dataset.compact()
    const merged = anObject([{ content: 'same' }])
    expect(await catalog.registerUpload({ ...upload, object: merged })).toMatchObject({
      outcome: 'duplicate',
      files: [{ duplicate: true, healed: false }],
    })
    expect(await isGarbage(merged.r2Key)).toBe(true)
  })

  test('names copies of its own dataset only, and changes nothing until they were looked at', async () => {
    const [dataset, other] = [newDataSet(), newDataSet()]
    await other.store({ content: 'same' })
    await dataset.store({ content: 'same' })
    const object = anObject([{ content: 'same' }])
    const upload = { datasetId: dataset.id, requester: asUser(dataset.owner), sender: 'a test', object }
    const asked = await catalog.registerUpload(upload)
    if (asked.outcome !== 'check_copies') throw new Error(asked.outcome)
    expect(asked.copies).toHaveLength(1)
    expect(await isGarbage(object.r2Key)).toBe(false)
    const [theirs] = await other.files()
    const stolen = [{ fileId: theirs!.id, r2Key: (await place(theirs!.id)).r2Key }]
    expect(await catalog.registerUpload({ ...upload, brokenCopies: stolen })).toMatchObject({ outcome: 'duplicate' })
    expect((await place(theirs!.id)).r2Key).toBe(stolen[0]!.r2Key)
  })
})

describe('discarding', () => {
  test('takes a file out of the next version; earlier ones keep it, and vacuum takes it like any removed file', async () => {
    const dataset = newDataSet()
    await dataset.store({}, {})
    const [gone, kept] = await dataset.files()
    const answer = await catalog.discardFile(gone!.id, asUser(dataset.owner))
    expect(answer).toMatchObject({ outcome: 'discarded', datasetId: dataset.id, rows: 10, version: 2 })
    expect((await dataset.files()).map(({ id }) => id)).toEqual([kept!.id])
    expect(await dataset.files(1)).toHaveLength(2)
    expect(await catalog.discardFile(gone!.id, AN_OPERATOR)).toEqual(answer)
    expect(await dataset.version()).toBe(2)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { retentionSeconds: 0 })
    await database.nextTick()
    await catalog.claimGarbage(1000)
    expect(await catalog.discardFile(gone!.id, asUser(dataset.owner))).toEqual({ outcome: 'unknown_file' })
  })

  test('is for the owner and operators, and not for what was merged', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const [file] = await dataset.files()
    expect(await catalog.discardFile(file!.id, asUser(randomUUID()))).toEqual({ outcome: 'unknown_file' })
    expect(await catalog.discardFile(randomUUID(), AN_OPERATOR)).toEqual({ outcome: 'unknown_file' })
    await dataset.compact()
    expect(await catalog.discardFile(file!.id, asUser(dataset.owner))).toEqual({ outcome: 'file_superseded' })
    const [merged] = await dataset.files()
    expect(await catalog.discardFile(merged!.id, asUser(dataset.owner))).toMatchObject({
      outcome: 'discarded',
      rows: 20,
    })
    expect(await dataset.rows()).toBe(0)
  })

  test('lets the same content be uploaded again, as a new file', async () => {
    const dataset = newDataSet()
    const slice = { content: 'back again' }
    await dataset.store(slice)
    const [file] = await dataset.files()
    await catalog.discardFile(file!.id, asUser(dataset.owner))
    expect(await dataset.store(slice)).toMatchObject({ outcome: 'stored', version: 3, files: [{ duplicate: false }] })
    const [again] = await dataset.files()
    expect(again!.id).not.toBe(file!.id)
  })

  test('the last file that waits leaves nothing to be done', async () => {
    const dataset = newDataSet()
    await dataset.store({}, {})
    expect(await dataset.compactionNeeded()).toBe(true)
    await catalog.discardFile((await dataset.files())[0]!.id, asUser(dataset.owner))
    expect(await dataset.compactionNeeded()).toBe(false)
  })
})

describe('replacing', () => {
  test('takes the old file out as the new one comes in, in one version', async () => {
    const dataset = newDataSet()
    await dataset.store({}, {})
    const [old, other] = await dataset.files()
    const replaced = await dataset.register(anObject([{ rows: 7 }]), dataset.owner, { replaces: old!.id })
    expect(replaced).toMatchObject({ outcome: 'stored', version: 2 })
    const now = await dataset.files()
    expect(now.map(({ id }) => id)).toEqual(expect.arrayContaining([other!.id]))
    expect(now.map(({ rows }) => rows).sort()).toEqual([10, 7])
    expect(await dataset.files(1)).toHaveLength(2)
  })

  test('by the same content changes nothing; by that of another file leaves only that', async () => {
    const dataset = newDataSet()
    await dataset.store({ content: 'one' })
    await dataset.store({ content: 'other' })
    const files = await dataset.files()
    const one = (await dataset.register(anObject([{ content: 'one' }]))) as { files: { fileId: string }[] }
    const oneId = one.files[0]!.fileId
    const same = await dataset.register(anObject([{ content: 'one' }]), dataset.owner, { replaces: oneId })
    expect(same).toMatchObject({ outcome: 'duplicate', version: 2, files: [{ fileId: oneId }] })
    expect(await dataset.files()).toEqual(files)
    const other = await dataset.register(anObject([{ content: 'other' }]), dataset.owner, { replaces: oneId })
    expect(other).toMatchObject({ outcome: 'duplicate', version: 3 })
    expect((await dataset.files()).map(({ id }) => id)).not.toContain(oneId)
    // the answer was lost, the client sends it again
    const again = await dataset.register(anObject([{ content: 'other' }]), dataset.owner, { replaces: oneId })
    expect(again).toMatchObject({ outcome: 'duplicate', version: 3 })
  })

  test('a file of another dataset, none, or one that was merged is refused, and its object is garbage', async () => {
    const [dataset, other] = [newDataSet(), newDataSet()]
    await other.store()
    await dataset.upload({}, {})
    const [merged] = await dataset.files()
    await dataset.compact()
    const cases: [string, string][] = [
      [(await other.files())[0]!.id, 'unknown_file'],
      [randomUUID(), 'unknown_file'],
      [(await dataset.files())[0]!.id, 'unknown_file'],
      [merged!.id, 'file_superseded'],
    ]
    for (const [replaces, outcome] of cases) {
      const object = anObject([{}])
      expect(await dataset.register(object, dataset.owner, { replaces })).toEqual({ outcome })
      expect(await isGarbage(object.r2Key)).toBe(true)
    }
    expect(await dataset.rows()).toBe(20)
    expect(await other.rows()).toBe(10)
  })
})

describe('who may upload', () => {
  test('is asked before bytes are stored: a free id or one of their own, and nothing is made by asking', async () => {
    const dataset = newDataSet()
    const stranger = randomUUID()
    expect(await catalog.checkUpload(dataset.id, asUser(stranger))).toEqual({
      outcome: 'ok',
      ownerId: stranger,
      isNew: true,
    })
    await dataset.store()
    expect(await catalog.checkUpload(dataset.id, asUser(dataset.owner))).toEqual({
      outcome: 'ok',
      ownerId: dataset.owner,
      isNew: false,
    })
    expect(await catalog.checkUpload(dataset.id, asUser(stranger))).toEqual({ outcome: 'unknown_dataset' })
  })
})

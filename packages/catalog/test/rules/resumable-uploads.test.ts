import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser, type Requester } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { anObject, DataSetUnderTest, SENDER, sha256 } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'
import { PART_BYTES, partOf, UploadUnderTest } from '../upload-under-test.ts'

const database = await ownDatabase()
const { catalog } = database
const newUpload = (dataset?: DataSetUnderTest, content?: string) => new UploadUnderTest(database, dataset, content)
const expireNow = (uploadId: string) =>
  database.query('update resumable_uploads set expires_at = now() where id = $1', uploadId)
/** Of users whom Supabase Auth does not know. */
const grant = (datasetId: string, userId: string, role: string) =>
  database.query('insert into grants (dataset_id, user_id, role) values ($1, $2, $3)', datasetId, userId, role)

describe('opening an upload', () => {
  test('asks for a multipart upload of the bucket, then says which parts it takes', async () => {
    const upload = newUpload()
    const { owner } = upload.dataset
    expect(await catalog.openUpload(upload.requester, upload.declared)).toEqual({ outcome: 'wanted', ownerId: owner })
    const opened = await upload.open()
    expect(opened).toMatchObject({
      outcome: 'opened',
      upload: { ...upload.declared, partBytes: PART_BYTES, parts: 3, storedParts: [], state: 'open' },
    })
    expect(await upload.read()).toEqual('upload' in opened && opened.upload)
  })

  test('again for the same content of the same place resumes the one that there is, for its user alone', async () => {
    const upload = newUpload()
    await upload.dataset.store()
    await upload.open()
    await upload.send(2)
    const again = await catalog.openUpload(upload.requester, upload.declared)
    expect(again).toMatchObject({ outcome: 'resumed', upload: { uploadId: upload.uploadId, storedParts: [2] } })
    for (const other of [{ periodTag: '1' }, { table: 'other' }, { byteLength: 251 }, { sha256: sha256('other') }])
      expect(await catalog.openUpload(upload.requester, { ...upload.declared, ...other })).toMatchObject({
        outcome: 'wanted',
      })
    const writer = randomUUID()
    await grant(upload.dataset.id, writer, 'writer')
    expect(await catalog.openUpload(asUser(writer), upload.declared)).toMatchObject({ outcome: 'wanted' })
  })

  test('again after it was completed names it, as long as its file is there and the bucket has it', async () => {
    const upload = await newUpload().openAndSendAll()
    const completed = await upload.complete()
    const ask = (again: boolean) => catalog.openUpload(upload.requester, upload.declared, { again })
    expect(await ask(false)).toMatchObject({ outcome: 'completed', r2Key: upload.r2Key })
    expect(await ask(true)).toMatchObject({ outcome: 'wanted' })
    if (completed.outcome !== 'stored') throw new Error(completed.outcome)
    await catalog.discardFile(completed.files[0]!.fileId, AN_OPERATOR)
    expect(await ask(false)).toMatchObject({ outcome: 'wanted' })
  })

  test('is for those who may upload to the dataset', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store()
    const { declared } = newUpload(dataset)
    expect(await catalog.openUpload(asUser(randomUUID()), declared)).toEqual({ outcome: 'unknown_dataset' })
    await expect(catalog.openUpload(AN_OPERATOR, declared)).rejects.toMatchObject({ code: 'forbidden' })
    const reader = randomUUID()
    await grant(dataset.id, reader, 'reader')
    await expect(catalog.openUpload(asUser(reader), declared)).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('the limits of the owner', () => {
  const limit = (owner: string, changes: object) => catalog.configureLimits(AN_OPERATOR, owner, changes)

  test('count the declared bytes of what is open, until it ends', async () => {
    const upload = newUpload()
    await limit(upload.dataset.owner, { liveBytes: 499 })
    await upload.open()
    const second = newUpload(upload.dataset)
    await expect(second.open()).rejects.toMatchObject({
      code: 'quota_exceeded',
      message: expect.stringContaining('liveBytes: 500 would be in use, 499 are allowed'),
    })
    await upload.abort()
    expect(await second.open()).toMatchObject({ outcome: 'opened' })
    expect((await catalog.readLimits(AN_OPERATOR, upload.dataset.owner)).owner?.usage.openUploads).toBe(1)
  })

  test.each([
    [{ openUploads: 0 }, 'rate_limited'],
    [{ datasets: 0 }, 'quota_exceeded'],
    [{ liveFiles: 0 }, 'quota_exceeded'],
  ])('of %j refuse an upload before its first part', async (limits, code) => {
    const upload = newUpload()
    await limit(upload.dataset.owner, limits)
    await expect(upload.open()).rejects.toMatchObject({ code })
    expect(await database.query('select 1 from resumable_uploads where r2_key = $1', upload.r2Key)).toEqual([])
  })

  test('are checked again at the end: the upload stays open, and is completed once there is room', async () => {
    const upload = await newUpload().openAndSendAll()
    await limit(upload.dataset.owner, { liveBytes: 1000 })
    await upload.dataset.store({ length: 800 })
    await expect(upload.complete()).rejects.toMatchObject({ code: 'quota_exceeded' })
    expect(await upload.read()).toMatchObject({ state: 'open', storedParts: [1, 2, 3] })
    await limit(upload.dataset.owner, { liveBytes: null })
    expect(await upload.complete()).toMatchObject({ outcome: 'stored', version: 2 })
  })
})

describe('a part', () => {
  test('has the length of its number, and is there once it is noted', async () => {
    const upload = newUpload()
    await upload.open()
    const lengths = [1, 2, 3].map(async (number) => {
      const begun = await catalog.beginPart(upload.uploadId, upload.requester, number, undefined)
      return 'byteLength' in begun ? begun.byteLength : begun.outcome
    })
    expect(await Promise.all(lengths)).toEqual([100, 100, 50])
    for (const number of [0, 4, -1])
      expect(await catalog.beginPart(upload.uploadId, upload.requester, number, undefined)).toEqual({
        outcome: 'no_such_part',
        parts: 3,
      })
    expect((await upload.read())?.storedParts).toEqual([])
    await upload.send(3, 1)
    expect((await upload.read())?.storedParts).toEqual([1, 3])
  })

  test('with the bytes that are there already is not to be written again', async () => {
    const upload = newUpload()
    await upload.open()
    await upload.send(1)
    const begin = (hash: string) => catalog.beginPart(upload.uploadId, upload.requester, 1, hash)
    expect(await begin(sha256('part 1'))).toMatchObject({ outcome: 'stored', byteLength: 100 })
    expect((await upload.read())?.storedParts).toEqual([1])
  })

  test('that is about to be written again is not there: its writer may die in between', async () => {
    const upload = await newUpload().openAndSendAll()
    await catalog.beginPart(upload.uploadId, upload.requester, 2, sha256('other bytes'))
    expect((await upload.read())?.storedParts).toEqual([1, 3])
    expect(await upload.begin()).toEqual({ outcome: 'incomplete', missing: [2] })
    const other = partOf(2, 'other bytes')
    await catalog.notePart(upload.uploadId, upload.requester, other)
    await catalog.notePart(upload.uploadId, upload.requester, other)
    const ready = await upload.begin()
    expect(ready).toMatchObject({
      outcome: 'ready',
      isNew: true,
      parts: [{ number: 1 }, { number: 2, etag: other.etag }, {}],
    })
    await catalog.forgetParts(upload.uploadId, upload.requester)
    expect(await upload.begin()).toEqual({ outcome: 'incomplete', missing: [1, 2, 3] })
  })
})

describe('completing an upload', () => {
  test('registers its file, as an upload does, and is answered alike for good', async () => {
    const upload = await newUpload().openAndSendAll()
    const first = await upload.complete()
    expect(first).toMatchObject({ outcome: 'stored', version: 1, jobId: null })
    expect(await upload.complete()).toEqual({ ...first, rows: undefined, outbox: null })
    const { outbox, ...result } = first as { outbox: unknown }
    expect(await upload.begin()).toMatchObject({ outcome: 'completed', result: { ...result, rows: 10 } })
    expect(await upload.dataset.files()).toMatchObject([{ bytes: 250, sha256: upload.declared.sha256 }])
    expect([await upload.isGarbage(), await upload.isOrphan()]).toEqual([false, false])
  })

  test('of content that is there is a duplicate; where the bucket has lost it, it heals', async () => {
    const dataset = new DataSetUnderTest(catalog)
    const [stored] = (await dataset.store({ content: 'same' })).files
    const upload = await newUpload(dataset, 'same').openAndSendAll()
    const asked = await upload.complete()
    expect(asked).toMatchObject({ outcome: 'check_copies', copies: [{ fileId: stored!.fileId }] })
    expect(await upload.complete({ brokenCopies: [] })).toMatchObject({
      outcome: 'duplicate',
      files: [{ fileId: stored!.fileId, duplicate: true }],
    })
    expect(await upload.isGarbage()).toBe(true)
    const healing = await newUpload(dataset, 'same').openAndSendAll()
    if (asked.outcome !== 'check_copies') throw new Error(asked.outcome)
    expect(await healing.complete({ brokenCopies: asked.copies })).toMatchObject({ outcome: 'healed' })
    expect(await healing.isGarbage()).toBe(false)
  })

  test('takes no other object than its own', async () => {
    const upload = await newUpload().openAndSendAll()
    const { uploadId, requester } = upload
    const object = anObject([{ length: 250 }])
    await expect(catalog.completeUpload({ uploadId, requester, object, sender: SENDER })).rejects.toThrow(/^database_/)
    expect(await upload.dataset.register(anObject([{}]))).toMatchObject({ version: 1 })
  })

  test('of a table that takes one schema is refused like any upload, and its object is garbage', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store({ fingerprint: 'another' })
    await catalog.configureTable(dataset.id, 'ships', AN_OPERATOR, { schema: 'reject' })
    const upload = await newUpload(dataset).openAndSendAll()
    expect(await upload.complete()).toEqual({ outcome: 'schema_rejected', table: 'ships' })
    expect(await upload.isGarbage()).toBe(true)
    expect(await upload.begin()).toMatchObject({ outcome: 'refused', code: 'schema_rejected' })
  })
})

describe('an upload that has ended', () => {
  const ends: [state: string, end: (upload: UploadUnderTest) => Promise<unknown>][] = [
    ['completed', (upload) => upload.complete()],
    ['refused', (upload) => upload.refuse()],
    ['aborted', (upload) => upload.abort()],
    ['expired', (upload) => expireNow(upload.uploadId)],
  ]
  test.each(ends)('as %s takes nothing more', async (state, end) => {
    const upload = await newUpload().openAndSendAll()
    await end(upload)
    const { uploadId, requester } = upload
    const ended = { outcome: 'ended', state }
    expect(await catalog.beginPart(uploadId, requester, 1, undefined)).toEqual(ended)
    expect(await catalog.notePart(uploadId, requester, partOf(1))).toEqual(ended)
    expect(await catalog.forgetParts(uploadId, requester)).toEqual(ended)
    expect(await upload.refuse()).toEqual(ended)
    expect((await upload.read())?.state).toBe(state)
    if (state !== 'completed') {
      expect(await upload.complete()).toEqual(ended)
      expect((await catalog.openUpload(requester, upload.declared)).outcome).toBe('wanted')
    }
    if (state === 'completed' || state === 'refused') expect(await upload.abort()).toEqual(ended)
    else expect(await upload.abort()).toMatchObject({ outcome: 'aborted', r2Key: upload.r2Key })
  })

  test('as refused says why, each time', async () => {
    const upload = await newUpload().openAndSendAll()
    expect(await upload.refuse()).toEqual({ outcome: 'refused', isNamed: false })
    expect(await upload.begin()).toEqual({ outcome: 'refused', code: 'invalid_parquet', detail: 'no footer' })
    expect(await upload.isGarbage()).toBe(true)
  })

  test('is nobody else’s, and not its user’s who lost the right', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store()
    const upload = await newUpload(dataset).openAndSendAll()
    const writer = randomUUID()
    await grant(dataset.id, writer, 'writer')
    const asOthers = (requester: Requester) => [
      catalog.readUpload(upload.uploadId, requester),
      catalog.beginPart(upload.uploadId, requester, 1, undefined),
      catalog.notePart(upload.uploadId, requester, partOf(1)),
      catalog.forgetParts(upload.uploadId, requester),
      catalog.beginCompletion(upload.uploadId, requester),
      catalog.completeUpload({ uploadId: upload.uploadId, requester, object: upload.object, sender: SENDER }),
      catalog.refuseUpload(upload.uploadId, requester, { code: 'c', detail: 'd' }),
      catalog.abortUpload(upload.uploadId, requester),
    ]
    const unknown = Array(8).fill({ outcome: 'unknown_upload' })
    expect(await Promise.all(asOthers(asUser(writer)))).toEqual(unknown)
    const operator = await Promise.allSettled(asOthers(AN_OPERATOR))
    expect(operator.map((call) => call.status === 'rejected' && call.reason.code)).toEqual(Array(8).fill('forbidden'))
    await database.query('update datasets set owner_id = $1 where id = $2', writer, dataset.id)
    expect(await Promise.all(asOthers(upload.requester))).toEqual(unknown)
  })
})

describe('the cron', () => {
  const expire = async () => (await catalog.expireUploads(100)) as { id: string; r2Key: string }[]

  test('aborts what has expired, repeats it until it is forgotten, and gives its object to vacuum', async () => {
    const upload = await newUpload().openAndSendAll()
    expect((await expire()).map(({ id }) => id)).not.toContain(upload.uploadId)
    await expireNow(upload.uploadId)
    for (let look = 0; look < 2; look++)
      expect((await expire()).filter(({ id }) => id === upload.uploadId)).toMatchObject([{ r2Key: upload.r2Key }])
    expect(await upload.isGarbage()).toBe(false)
    expect(await catalog.forgetUploads([upload.uploadId])).toBe(1)
    expect(await catalog.forgetUploads([upload.uploadId])).toBe(0)
    expect([await upload.isGarbage(), await upload.read()]).toEqual([true, undefined])
    expect(await database.query('select 1 from upload_parts where upload_id = $1', upload.uploadId)).toEqual([])
  })

  test('forgets what was completed or refused long ago, and keeps its file', async () => {
    const uploads = [await newUpload().openAndSendAll(), await newUpload().openAndSendAll()]
    await uploads[0]!.complete()
    await uploads[1]!.refuse()
    for (const { uploadId } of uploads) await expireNow(uploadId)
    await expire()
    expect(await Promise.all(uploads.map((upload) => upload.read()))).toEqual([undefined, undefined])
    expect([await uploads[0]!.isGarbage(), await uploads[0]!.dataset.rows()]).toEqual([false, 10])
  })

  test('does not forget one that is open, and does nothing while deletions are paused', async () => {
    const upload = await newUpload().openAndSendAll()
    expect(await catalog.forgetUploads([upload.uploadId])).toBe(0)
    await expireNow(upload.uploadId)
    await catalog.pauseDeletions(AN_OPERATOR, { by: 'a test', reason: null })
    expect(await expire()).toEqual([])
    await catalog.pauseDeletions(AN_OPERATOR, null)
    expect((await expire()).map(({ id }) => id)).toContain(upload.uploadId)
    await catalog.forgetUploads([upload.uploadId])
  })

  test('does not take an upload that is being completed', async () => {
    const upload = await newUpload().openAndSendAll()
    await database.query(
      "update resumable_uploads set expires_at = now() + interval '1 minute' where id = $1",
      upload.uploadId,
    )
    expect((await upload.begin()).outcome).toBe('ready')
    const [row] = await database.query(
      "select expires_at > now() + interval '59 minutes' as later from resumable_uploads where id = $1",
      upload.uploadId,
    )
    expect(row).toEqual({ later: true })
  })
})

test('the sweep leaves an object alone that lies in the bucket and is not registered yet', async () => {
  const upload = await newUpload().openAndSendAll()
  expect(await upload.isOrphan()).toBe(false)
  await upload.abort()
  expect(await upload.isOrphan()).toBe(true)
})

test('deleting all data of a user ends their open uploads', async () => {
  const upload = await newUpload().openAndSendAll()
  await catalog.deleteUserData(AN_OPERATOR, upload.dataset.owner, 10)
  expect((await upload.read())?.state).toBe('expired')
})

import { AN_OPERATOR, asUser, describeUpload, uploadKey } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { UploadAnswer } from '../src/upload/upload-answer.ts'
import { bindings, catalog, expectProblem, newDataset, stored, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, sha256 } from './support/files.ts'
import {
  bytesOfFile,
  complete,
  open,
  openAndSend,
  PART_BYTES,
  padded,
  partOf,
  read,
  sendPart,
} from './support/resumable.ts'
import { newUser } from './support/tokens.ts'

const user = await newUser()
const LARGE = padded(FLIGHTS, 2 * PART_BYTES + 4711)
const multipartOf = ({ r2Key, bucketUploadId }: { r2Key: string; bucketUploadId: string }) =>
  bindings.BUCKET.resumeMultipartUpload(r2Key, bucketUploadId)
const answerOf = async (answer: Promise<Response>) => (await answer).json<UploadAnswer>()

afterEach(() => vi.restoreAllMocks())

/** As the route begins to complete an upload. */
async function ready(uploadId: string) {
  const begun = await catalog.beginCompletion(uploadId, asUser(user.id))
  if (begun.outcome !== 'ready') throw new Error(begun.outcome)
  return begun
}

async function completeInBucket(uploadId: string): Promise<string> {
  const begun = await ready(uploadId)
  await multipartOf(begun).complete(begun.parts.map(({ number, etag }) => ({ partNumber: number, etag })))
  return begun.r2Key
}

test('an upload whose parts are not all there names those that are missing', async () => {
  const datasetId = newDataset()
  const { uploadId } = await (await open(user, datasetId, LARGE)).json<{ uploadId: string }>()
  await sendPart(user, uploadId, 2, LARGE)
  const problem = await expectProblem(complete(user, uploadId), 'upload_incomplete')
  expect(problem.detail).toContain('send part 1, 3,')
  for (const number of [1, 3]) await sendPart(user, uploadId, number, LARGE)
  expect(await answerOf(complete(user, uploadId))).toMatchObject({ rows: 3, duplicate: false })
})

describe('bytes that are refused leave nothing in the bucket, and are refused again for the same reason', () => {
  const noParquet = new Uint8Array(PART_BYTES + 100).fill(7)
  test.each([
    ['not Parquet', noParquet, {}, 'invalid_parquet'],
    ['cut off', LARGE.slice(0, -1), {}, 'invalid_parquet'],
    ['of another hash than declared', FLIGHTS, { sha256: 'a'.repeat(64) }, 'digest_mismatch'],
  ] as const)('%s', async (_what, bytes, fields, code) => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, bytes as Uint8Array<ArrayBuffer>, fields)
    const { r2Key } = await ready(uploadId)
    const first = await expectProblem(complete(user, uploadId), code)
    expect(await expectProblem(complete(user, uploadId), code)).toMatchObject({ detail: first.detail })
    expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
    expect(await catalog.claimGarbage(1000)).toContain(r2Key)
    expect(await read(user, uploadId)).toMatchObject({ state: 'refused' })
    await expectProblem(sendPart(user, uploadId, 1, bytes as Uint8Array<ArrayBuffer>), 'upload_ended')
    expect((await open(user, datasetId, bytes as Uint8Array<ArrayBuffer>, fields)).status).toBe(201)
  })

  test('of a schema that the table does not take', async () => {
    const datasetId = newDataset()
    await upload(user, CARRIERS, { datasetId, tableId: 't' })
    await catalog.configureTable(datasetId, 't', AN_OPERATOR, { schema: 'reject' })
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    for (let time = 0; time < 2; time++) await expectProblem(complete(user, uploadId), 'schema_rejected')
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })
})

test('an object that cannot be removed when it is refused is left to vacuum', async () => {
  const uploadId = await openAndSend(user, newDataset(), new Uint8Array(100))
  const { r2Key } = await ready(uploadId)
  vi.spyOn(bindings.BUCKET, 'delete').mockRejectedValue(new Error('overloaded'))
  await expectProblem(complete(user, uploadId), 'invalid_parquet')
  expect(await bindings.BUCKET.head(r2Key)).not.toBeNull()
  expect(await catalog.claimGarbage(1000)).toContain(r2Key)
})

describe('completing an upload', () => {
  test('twice, and by two clients at once, registers one file and answers alike', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, LARGE)
    const both = await Promise.all([complete(user, uploadId), complete(user, uploadId)])
    const answers = [...both, await complete(user, uploadId)].map((answer) => answer.json())
    const [first, ...others] = await Promise.all(answers)
    expect(first).toMatchObject({ version: 1, rows: 3, duplicate: false })
    expect(others).toEqual([first, first])
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })

  test('above a limit leaves it open, until there is room', async () => {
    const owner = await newUser()
    const datasetId = newDataset()
    const uploadId = await openAndSend(owner, datasetId, FLIGHTS)
    await catalog.configureLimits(AN_OPERATOR, owner.id, { liveBytes: FLIGHTS.length - 1 })
    for (let time = 0; time < 2; time++) await expectProblem(complete(owner, uploadId), 'quota_exceeded')
    // the id of a dataset that was not made is free for others
    expect((await upload(user, CARRIERS, { datasetId, tableId: 't' })).status).toBe(202)
    await expectProblem(complete(owner, uploadId), 'unknown_upload')

    const another = await openAndSend(user, newDataset(), FLIGHTS)
    await catalog.configureLimits(AN_OPERATOR, user.id, { liveFiles: 0 })
    await expectProblem(complete(user, another), 'quota_exceeded')
    await catalog.configureLimits(AN_OPERATOR, user.id, { liveFiles: null })
    expect(await answerOf(complete(user, another))).toMatchObject({ version: 1 })
  })
})

describe('where the process died', () => {
  test('after the bucket has begun an upload and before it is noted, the next call begins another', async () => {
    const datasetId = newDataset()
    const metadata = describeUpload({
      datasetId,
      ownerId: user.id,
      periodTag: '0',
      slices: [{ table: 't', length: 1 }],
    })
    await bindings.BUCKET.createMultipartUpload(uploadKey(datasetId), { customMetadata: metadata.metadata })
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    expect(await answerOf(complete(user, uploadId))).toMatchObject({ version: 1 })
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })

  test('after the bucket has a part again and before that is noted, the part is sent again', async () => {
    const uploadId = await openAndSend(user, newDataset(), LARGE)
    const begun = await catalog.beginPart(uploadId, asUser(user.id), 2, undefined)
    if (begun.outcome !== 'ok') throw new Error(begun.outcome)
    await multipartOf(begun).uploadPart(2, partOf(LARGE, 2))
    await expectProblem(complete(user, uploadId), 'upload_incomplete')
    await sendPart(user, uploadId, 2, LARGE)
    expect(await answerOf(complete(user, uploadId))).toMatchObject({ rows: 3 })
  })

  test('with a part of which the bucket has another writing than was noted, all parts are sent again', async () => {
    const uploadId = await openAndSend(user, newDataset(), LARGE)
    await multipartOf(await ready(uploadId)).uploadPart(2, partOf(LARGE, 2))
    expect((await expectProblem(complete(user, uploadId), 'upload_incomplete')).detail).toContain('send all of them')
    expect(await read(user, uploadId)).toMatchObject({ storedParts: [], state: 'open' })
    for (const number of [1, 2, 3]) await sendPart(user, uploadId, number, LARGE)
    expect(await answerOf(complete(user, uploadId))).toMatchObject({ rows: 3 })
  })

  test('after the object is complete in the bucket, the next call registers it, and no sweep takes it', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, LARGE)
    const key = await completeInBucket(uploadId)
    expect(await catalog.listOrphans([key])).toEqual([])
    const { fileId } = await answerOf(complete(user, uploadId))
    expect(await sha256(await bytesOfFile(user, fileId!))).toBe(await sha256(LARGE))
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })

  test('after the database has registered it, the next call is answered as that one', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    const answered = await answerOf(complete(user, uploadId))
    // the object is not even looked at
    vi.spyOn(bindings.BUCKET, 'get').mockRejectedValue(new Error('overloaded'))
    expect(await answerOf(complete(user, uploadId))).toEqual(answered)
  })

  test('after the upload was given up and before the bucket has dropped it, the cron is told of it', async () => {
    const uploadId = await openAndSend(user, newDataset(), FLIGHTS)
    await catalog.abortUpload(uploadId, asUser(user.id))
    await expectProblem(complete(user, uploadId), 'upload_ended')
    const aborted = (await catalog.expireUploads(1000)) as { id: string }[]
    expect(aborted.map(({ id }) => id)).toContain(uploadId)
    await catalog.forgetUploads([uploadId])
    await expectProblem(complete(user, uploadId), 'unknown_upload')
  })
})

describe('a bucket', () => {
  test('that has forgotten the upload ends it', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    await multipartOf(await ready(uploadId)).abort()
    await expectProblem(complete(user, uploadId), 'upload_ended')
    expect(await read(user, uploadId)).toMatchObject({ state: 'aborted' })
    expect((await open(user, datasetId, FLIGHTS)).status).toBe(201)
  })

  test.each(['get', 'head'] as const)('whose %s fails changes nothing: the next call goes on', async (method) => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    if (method === 'head') await completeInBucket(uploadId)
    const failing = vi.spyOn(bindings.BUCKET, method).mockRejectedValueOnce(new Error('overloaded'))
    await expectProblem(complete(user, uploadId), 'storage_unavailable')
    failing.mockRestore()
    expect(await answerOf(complete(user, uploadId))).toMatchObject({ version: 1, duplicate: false })
  })

  test('that gives fewer bytes than it has is asked again', async () => {
    const uploadId = await openAndSend(user, newDataset(), FLIGHTS)
    const key = await completeInBucket(uploadId)
    const short = (await bindings.BUCKET.get(key, { range: { offset: 0, length: 100 } }))!
    vi.spyOn(bindings.BUCKET, 'get').mockResolvedValueOnce(short as never)
    await expectProblem(complete(user, uploadId), 'storage_unavailable')
    expect(await answerOf(complete(user, uploadId))).toMatchObject({ version: 1 })
  })
})

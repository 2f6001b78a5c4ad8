import { asUser } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { UploadAnswer } from '../src/upload/upload-answer.ts'
import { bindings, call, catalog, expectProblem, json, newDataset, post, stored, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, LONG_FOOTER, sha256 } from './support/files.ts'
import {
  bytesOfFile,
  complete,
  digestOf,
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
/** Three parts, of which the last is short. */
const LARGE = padded(FLIGHTS, 2 * PART_BYTES + 4711)
const resume = (r2Key: string, uploadId: string) => bindings.BUCKET.resumeMultipartUpload(r2Key, uploadId)

afterEach(() => vi.restoreAllMocks())

/** Where the bucket has an upload. */
async function placeOf(uploadId: string) {
  const begun = await catalog.beginPart(uploadId, asUser(user.id), 1, undefined)
  if (begun.outcome !== 'ok') throw new Error(begun.outcome)
  return begun
}

describe('a file in parts', () => {
  test('is sent in any order, at the same time and twice, and becomes a file like any other', async () => {
    const datasetId = newDataset()
    const opened = await open(user, datasetId, LARGE, { periodTag: '2026-11', fileName: 'large.parquet' })
    expect(opened.status).toBe(201)
    const { uploadId, ...rest } = await opened.json<{ uploadId: string }>()
    expect(rest).toMatchObject({
      byteLength: LARGE.length,
      partBytes: PART_BYTES,
      parts: 3,
      storedParts: [],
      state: 'open',
    })
    const numbers = [3, 1, 2, 1]
    const sent = await Promise.all(numbers.slice(0, 3).map((number) => sendPart(user, uploadId, number, LARGE)))
    sent.push(await sendPart(user, uploadId, 1, LARGE, {}))
    const answers = await Promise.all(sent.map((answer) => answer.json()))
    const expected = numbers.map(async (number) => {
      const part = partOf(LARGE, number)
      return { uploadId, number, byteLength: part.length, sha256: await sha256(part) }
    })
    expect(answers).toEqual(await Promise.all(expected))
    expect(await read(user, uploadId)).toMatchObject({ storedParts: [1, 2, 3] })
    expect(await stored(datasetId)).toEqual({ objects: 0, files: 0 })
    const completed = await complete(user, uploadId)
    expect(completed.status).toBe(202)
    const answer = await completed.json<UploadAnswer>()
    expect(answer).toEqual({
      success: true,
      datasetId,
      tableId: 't',
      periodTag: '2026-11',
      fileName: 'large.parquet',
      fileSize: LARGE.length,
      rows: 3,
      sha256: await sha256(LARGE),
      duplicate: false,
      healed: false,
      version: 1,
      fileId: answer.fileId,
      files: [expect.objectContaining({ fileId: answer.fileId, table: 't', newSchema: true })],
      jobId: null,
    })
    expect(await sha256(await bytesOfFile(user, answer.fileId!))).toBe(answer.sha256)
    const { objects } = await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/`, include: ['customMetadata'] })
    expect(objects.map(({ customMetadata }) => customMetadata)).toEqual([
      {
        dataset: datasetId,
        owner: user.id,
        period: '2026-11',
        tier: '0',
        slices: JSON.stringify([['t', LARGE.length]]),
      },
    ])
  })

  test('of one part only is taken too, with a footer of any length', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, LONG_FOOTER)
    expect(await (await complete(user, uploadId)).json()).toMatchObject({ rows: 5, version: 1 })
  })
})

describe('opening the same content again', () => {
  test('resumes it with the parts that are there; others open their own', async () => {
    const datasetId = newDataset()
    const { uploadId } = await (await open(user, datasetId, LARGE)).json<{ uploadId: string }>()
    await sendPart(user, uploadId, 2, LARGE)
    const again = await open(user, datasetId, LARGE)
    expect(again.status).toBe(200)
    expect(await again.json()).toMatchObject({ uploadId, storedParts: [2] })
    expect((await open(await newUser(), newDataset(), LARGE)).status).toBe(201)
  })

  test('by two clients at once is one upload, and the bucket keeps nothing of the other', async () => {
    const datasetId = newDataset()
    const begun = vi.spyOn(bindings.BUCKET, 'createMultipartUpload')
    const both = await Promise.all([open(user, datasetId, FLIGHTS), open(user, datasetId, FLIGHTS)])
    const ids = await Promise.all(both.map(async (answer) => (await answer.json<{ uploadId: string }>()).uploadId))
    expect(new Set(ids).size).toBe(1)
    const { bucketUploadId } = await placeOf(ids[0]!)
    const uploads = await Promise.all(begun.mock.results.map(({ value }) => value as Promise<R2MultipartUpload>))
    for (const one of uploads.filter(({ uploadId }) => uploadId !== bucketUploadId))
      await expect(one.uploadPart(1, FLIGHTS)).rejects.toThrow('does not exist')
    expect(uploads.map(({ uploadId }) => uploadId)).toContain(bucketUploadId)
  })

  test('after it was completed sends nothing again, unless the bucket has lost it: then it heals', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    const first = await (await complete(user, uploadId)).json<UploadAnswer>()
    expect(await (await open(user, datasetId, FLIGHTS)).json()).toMatchObject({ uploadId, state: 'completed' })
    const { r2Key } = (await catalog.getFile(first.fileId!, asUser(user.id)))!
    await bindings.BUCKET.delete(r2Key)
    const another = await openAndSend(user, datasetId, FLIGHTS)
    expect(another).not.toBe(uploadId)
    expect(await (await complete(user, another)).json()).toMatchObject({
      healed: true,
      fileId: first.fileId,
      version: 2,
    })
    expect(await bytesOfFile(user, first.fileId!)).toEqual(FLIGHTS)
  })

  test('of a file that was uploaded in one request is a duplicate in the end, and leaves no object', async () => {
    const datasetId = newDataset()
    const { fileId } = await (await upload(user, FLIGHTS, { datasetId, tableId: 't' })).json<UploadAnswer>()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    expect(await (await complete(user, uploadId)).json()).toMatchObject({ duplicate: true, fileId, version: 1 })
    expect((await catalog.claimGarbage(1000)).filter((key) => key.includes(datasetId))).toHaveLength(1)
  })

  test('of a file that was discarded stores it again', async () => {
    const datasetId = newDataset()
    const uploadId = await openAndSend(user, datasetId, FLIGHTS)
    const { fileId } = await (await complete(user, uploadId)).json<UploadAnswer>()
    await call(`/api/files/${fileId}`, { token: user.token, method: 'DELETE' })
    const another = await openAndSend(user, datasetId, FLIGHTS)
    const answer = await (await complete(user, another)).json<UploadAnswer>()
    expect([answer.duplicate, answer.version, answer.fileId === fileId]).toEqual([false, 3, false])
  })
})

describe('a part is refused', () => {
  test('with another length than its number has', async () => {
    const { uploadId } = await (await open(user, newDataset(), LARGE)).json<{ uploadId: string }>()
    const part = partOf(LARGE, 3)
    const short = call(`/api/uploads/${uploadId}/parts/3`, {
      token: user.token,
      method: 'PUT',
      body: part.slice(1),
      headers: { 'content-type': 'application/octet-stream' },
    })
    expect((await expectProblem(short, 'length_mismatch')).detail).toContain(`part 3 has ${part.length} bytes`)
    expect(await read(user, uploadId)).toMatchObject({ storedParts: [] })
  })

  test('with other bytes than its digest says, and what was there before is not taken for it', async () => {
    const uploadId = await openAndSend(user, newDataset(), FLIGHTS)
    const other = FLIGHTS.slice().fill(7, 10, 20)
    const wrong = sendPart(user, uploadId, 1, other, { 'content-digest': await digestOf(CARRIERS) })
    expect((await expectProblem(wrong, 'digest_mismatch')).detail).toContain(await sha256(other))
    // the digest of what is there, with other bytes
    const lying = sendPart(user, uploadId, 1, other, { 'content-digest': await digestOf(FLIGHTS) })
    await expectProblem(lying, 'digest_mismatch')
    await sendPart(user, uploadId, 1, FLIGHTS)
    expect((await complete(user, uploadId)).status).toBe(202)
  })

  test.each(['sha-256=:AAAA:', 'sha-256=abc', ':', 'sha-512=:AAAA:', 'sha-256=:*:, sha-512=:AA==:', 'SHA-256=:AA==:'])(
    'with the odd digest "%s"',
    async (digest) => {
      const { uploadId } = await (await open(user, newDataset(), FLIGHTS)).json<{ uploadId: string }>()
      const problem = await expectProblem(
        sendPart(user, uploadId, 1, FLIGHTS, { 'content-digest': digest }),
        'invalid_request',
      )
      expect(problem.errors?.map(({ field }) => field)).toEqual(['Content-Digest'])
    },
  )

  test('but not with further digests beside the one that is checked', async () => {
    const { uploadId } = await (await open(user, newDataset(), FLIGHTS)).json<{ uploadId: string }>()
    const digests = `sha-512=:AAAA:, ${await digestOf(FLIGHTS)}`
    expect((await sendPart(user, uploadId, 1, FLIGHTS, { 'content-digest': digests })).status).toBe(200)
    expect(await read(user, uploadId)).toMatchObject({ storedParts: [1] })
  })

  test.each(['0', '2', '10001', 'x', '-1'])('with the number %s of an upload of one part', async (number) => {
    const { uploadId } = await (await open(user, newDataset(), FLIGHTS)).json<{ uploadId: string }>()
    const problem = await expectProblem(sendPart(user, uploadId, number, FLIGHTS), 'invalid_request')
    expect(problem.errors?.map(({ field }) => field)).toEqual(['number'])
  })

  test('of another media type, or without a length', async () => {
    const { uploadId } = await (await open(user, newDataset(), FLIGHTS)).json<{ uploadId: string }>()
    await expectProblem(
      sendPart(user, uploadId, 1, FLIGHTS, { 'content-type': 'text/plain' }),
      'unsupported_media_type',
    )
    const chunked = call(`/api/uploads/${uploadId}/parts/1`, {
      token: user.token,
      method: 'PUT',
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(FLIGHTS)
          controller.close()
        },
      }),
      headers: { 'content-type': 'application/octet-stream' },
    })
    await expectProblem(chunked, 'length_required')
  })

  test('above the rate of its user', async () => {
    const { uploadId } = await (await open(user, newDataset(), FLIGHTS)).json<{ uploadId: string }>()
    vi.spyOn(bindings.WORKFLOW_SERVICE, 'limit').mockResolvedValue(false)
    await expectProblem(sendPart(user, uploadId, 1, FLIGHTS), 'rate_limited')
    await expectProblem(open(user, newDataset(), CARRIERS), 'rate_limited')
  })
})

describe('what cannot be opened', () => {
  test.each([
    ['no bytes', { byteLength: 0 }, 'byteLength'],
    ['a hash of other letters', { sha256: 'z'.repeat(64) }, 'sha256'],
    ['a hash in capitals', { sha256: 'A'.repeat(64) }, 'sha256'],
    ['a name with a slash', { fileName: 'a/b' }, 'fileName'],
    ['a table without a name', { table: '' }, 'table'],
    ['an unknown field', { parts: 3 }, 'parts'],
  ])('%s', async (_what, fields, field) => {
    const problem = await expectProblem(open(user, newDataset(), FLIGHTS, fields), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toEqual([field])
  })

  test('more bytes than a footer may ever account for', async () => {
    await expectProblem(open(user, newDataset(), FLIGHTS, { byteLength: 2 ** 30 + 1 }), 'body_too_large')
  })

  test('more than the owner may have, with what is open already', async () => {
    const owner = await newUser()
    await catalog.configureLimits({ kind: 'operator' }, owner.id, { liveBytes: LARGE.length + FLIGHTS.length })
    const datasetId = newDataset()
    const { uploadId } = await (await open(owner, datasetId, LARGE)).json<{ uploadId: string }>()
    const problem = await expectProblem(open(owner, datasetId, padded(CARRIERS, 100_000)), 'quota_exceeded')
    expect(problem.detail).toContain(`liveBytes: ${LARGE.length + 100_000} would be in use`)
    await call(`/api/uploads/${uploadId}`, { token: owner.token, method: 'DELETE' })
    expect((await open(owner, datasetId, padded(CARRIERS, 100_000))).status).toBe(201)
  })

  test('anything while the bucket does not answer', async () => {
    vi.spyOn(bindings.BUCKET, 'createMultipartUpload').mockRejectedValue(new Error('overloaded'))
    await expectProblem(open(user, newDataset(), FLIGHTS), 'storage_unavailable')
  })
})

test('a key that may only upload sends a file in parts, and nobody once it is revoked', async () => {
  const made = await post('/api/keys', { name: 'k', scopes: ['upload'] }, { token: user.token })
  const { id, key } = await made.json<{ id: string; key: string }>()
  const device = { id: user.id, token: key }
  const uploadId = await openAndSend(device, newDataset(), FLIGHTS)
  await call(`/api/keys/${id}`, { token: user.token, method: 'DELETE' })
  // an isolate remembers keys for a while; the database never takes one that was revoked
  for (const answer of [await complete(device, uploadId), await sendPart(device, uploadId, 1, FLIGHTS)])
    expect([401, 404]).toContain(answer.status)
  expect((await complete(user, uploadId)).status).toBe(202)
})

test('an upload is its user’s alone', async () => {
  const uploadId = await openAndSend(user, newDataset(), FLIGHTS)
  const stranger = await newUser()
  for (const answer of [
    call(`/api/uploads/${uploadId}`, { token: stranger.token }),
    sendPart(stranger, uploadId, 1, FLIGHTS),
    complete(stranger, uploadId),
    call(`/api/uploads/${uploadId}`, { token: stranger.token, method: 'DELETE' }),
  ])
    await expectProblem(answer, 'unknown_upload')
  expect((await complete(user, uploadId)).status).toBe(202)
})

test('an upload that is given up takes nothing more, and the bucket has nothing of it', async () => {
  const datasetId = newDataset()
  const uploadId = await openAndSend(user, datasetId, FLIGHTS)
  const { r2Key, bucketUploadId } = await placeOf(uploadId)
  expect(await json(`/api/uploads/${uploadId}`, { token: user.token, method: 'DELETE' })).toEqual({
    success: true,
    uploadId,
  })
  await expect(resume(r2Key, bucketUploadId).uploadPart(1, FLIGHTS)).rejects.toThrow('does not exist')
  await expectProblem(sendPart(user, uploadId, 1, FLIGHTS), 'unknown_upload')
  expect((await open(user, datasetId, FLIGHTS)).status).toBe(201)
})

test('a part for an upload that the bucket has forgotten says so, and the next call opens a new one', async () => {
  const datasetId = newDataset()
  const uploadId = await openAndSend(user, datasetId, FLIGHTS)
  const { r2Key, bucketUploadId } = await placeOf(uploadId)
  await resume(r2Key, bucketUploadId).abort()
  await expectProblem(sendPart(user, uploadId, 1, FLIGHTS), 'upload_ended')
  expect((await open(user, datasetId, FLIGHTS)).status).toBe(201)
})

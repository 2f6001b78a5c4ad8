import { AN_OPERATOR, asUser, uploadKey } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { dropUploads } from '../src/maintenance/drop-uploads.ts'
import { vacuum } from '../src/maintenance/vacuum.ts'
import { fragment, liveIds, newDatasetId, newUserId, range } from './fragments.ts'
import { catalog, env } from './test-env.ts'

/** An upload of one part, which is there, as the API leaves it. */
async function begunUpload(user = newUserId(), datasetId = newDatasetId()) {
  const bytes = fragment(0, 5)
  const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex()
  const requester = asUser(user)
  const key = uploadKey(datasetId)
  const { uploadId: bucketUploadId } = await env.BUCKET.createMultipartUpload(key)
  const declared = { datasetId, table: 't', periodTag: '0', byteLength: bytes.length, sha256 }
  const opened = await catalog.openUpload(requester, declared, {
    bucket: { r2Key: key, bucketUploadId, partBytes: 8 * 2 ** 20 },
  })
  if (opened.outcome !== 'opened') throw new Error(opened.outcome)
  const { uploadId } = opened.upload
  const upload = env.BUCKET.resumeMultipartUpload(key, bucketUploadId)
  const { etag } = await upload.uploadPart(1, bytes)
  await catalog.notePart(uploadId, requester, { number: 1, etag, sha256 })
  const slice = {
    table: 't',
    periodTag: '0',
    offset: 0,
    length: bytes.length,
    rows: 5,
    rowGroups: 1,
    sha256,
    fingerprint: 'f',
  }
  return {
    user,
    datasetId,
    key,
    complete: () => upload.complete([{ partNumber: 1, etag }]),
    register: () =>
      catalog.completeUpload({ uploadId, requester, object: { r2Key: key, slices: [slice] }, sender: 'test' }),
    abort: () => catalog.abortUpload(uploadId, requester),
    /** Deleting all data of a user lets their uploads expire at once. */
    expire: () => catalog.deleteUserData(AN_OPERATOR, user, 10),
    state: async () => {
      const found = await catalog.readUpload(uploadId, requester)
      return found.outcome === 'ok' ? found.upload.state : found.outcome
    },
  }
}

test('an upload that is open stays; one that has expired, or was given up, goes from bucket and catalog', async () => {
  const [open, expired, aborted] = [await begunUpload(), await begunUpload(), await begunUpload()]
  await expired.expire()
  await aborted.abort()
  await dropUploads(env, catalog)
  expect([await open.state(), await expired.state(), await aborted.state()]).toEqual([
    'open',
    'unknown_upload',
    'unknown_upload',
  ])
  for (const gone of [expired, aborted]) await expect(gone.complete()).rejects.toThrow('does not exist')
  await open.complete()
  expect(await open.register()).toMatchObject({ outcome: 'stored' })
  await dropUploads(env, catalog)
  await vacuum(env, catalog)
  expect(await liveIds(open.datasetId, 't')).toEqual(range(0, 5))
})

test('one that was complete in the bucket and never registered is deleted by vacuum, once it has expired', async () => {
  const upload = await begunUpload()
  await upload.complete()
  await dropUploads(env, catalog)
  await vacuum(env, catalog)
  expect(await env.BUCKET.head(upload.key)).not.toBeNull()
  await upload.expire()
  expect(await upload.register()).toEqual({ outcome: 'ended', state: 'expired' })
  await dropUploads(env, catalog)
  await vacuum(env, catalog)
  expect(await env.BUCKET.head(upload.key)).toBeNull()
  expect(await upload.register()).toEqual({ outcome: 'unknown_upload' })
})

test('one that was given up while it was completed keeps the file that its completion has registered', async () => {
  const upload = await begunUpload()
  await upload.complete()
  await upload.register()
  expect(await upload.abort()).toEqual({ outcome: 'ended', state: 'completed' })
  await dropUploads(env, catalog)
  await vacuum(env, catalog)
  expect(await liveIds(upload.datasetId, 't')).toEqual(range(0, 5))
})

import {
  type BucketUpload,
  type ErrorCode,
  FusouError,
  isErrorCode,
  isInvalidPart,
  isNoSuchUpload,
  type RegisteredUpload,
  type ResumableUpload,
} from '@fusou/catalog'
import type { Context } from 'hono'
import { requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'
import { readBack } from '../../upload/read-back.ts'
import { inspected } from '../../upload/receive-object.ts'
import {
  claimDataset,
  isRefusedByLimit,
  isRegistered,
  refusalOf,
  registerObject,
  releaseDataset,
} from '../../upload/register-object.ts'
import { type InspectedSlice, SliceInspector } from '../../upload/slice-inspector.ts'
import { takeBack } from '../../upload/take-back.ts'
import { UploadAnswer } from '../../upload/upload-answer.ts'
import { refuseEnded, UploadAddress } from './resumable-upload.ts'

/** What the bytes of an object are refused for; every other failure may end by itself. */
const REFUSED_BYTES: ReadonlySet<ErrorCode> = new Set(['digest_mismatch', 'invalid_parquet', 'unsupported_parquet'])

export const completeUpload = route(
  {
    method: 'post',
    path: '/api/uploads/:id/complete',
    summary: 'Check and register an upload whose parts are all there; repeating the call gives the same answer',
    access: 'user',
    scope: 'upload',
    params: UploadAddress,
    answers: { 202: { description: 'Registered, as an upload in one request is', schema: UploadAnswer } },
    errors: [
      'unknown_upload',
      'upload_ended',
      'upload_incomplete',
      'digest_mismatch',
      'invalid_parquet',
      'unsupported_parquet',
      'schema_rejected',
      'unknown_dataset',
      'quota_exceeded',
      'overloaded',
      'storage_unavailable',
    ],
  },
  async (c, { params: { id } }) => {
    const begun = await c.var.services.catalog.beginCompletion(id, requesterOf(c))
    switch (begun.outcome) {
      case 'completed':
        return c.json(answerOf(begun.upload, begun.result, begun.result.rows), 202)
      case 'refused':
        throw new FusouError(isErrorCode(begun.code) ? begun.code : 'upload_ended', begun.detail)
      case 'incomplete':
        throw new FusouError('upload_incomplete', `send part ${begun.missing.join(', ')}, then complete it again`)
      case 'ready':
        return c.json(await complete(c, begun), 202)
      default:
        throw refuseEnded(id, begun)
    }
  },
)

type Ready = BucketUpload & {
  readonly upload: ResumableUpload
  readonly ownerId: string
  readonly isNew: boolean
  readonly parts: readonly { number: number; etag: string }[]
}

/** Each step can be repeated by another call, whichever of them a call has died after. */
async function complete(c: Context<AppEnv>, ready: Ready): Promise<UploadAnswer> {
  const { upload, r2Key } = ready
  await completeInBucket(c, ready)
  try {
    const slice = await examine(c.env.BUCKET, r2Key, upload)
    return await register(c, ready, slice)
  } catch (error) {
    if (error instanceof FusouError && REFUSED_BYTES.has(error.code)) await refuse(c, ready, error)
    throw error
  }
}

/** Makes one object of the parts, unless another call has done so. */
async function completeInBucket(c: Context<AppEnv>, { upload, r2Key, bucketUploadId, parts }: Ready): Promise<void> {
  const { BUCKET } = c.env
  const { catalog } = c.var.services
  const requester = requesterOf(c)
  try {
    const list = parts.map(({ number, etag }) => ({ partNumber: number, etag }))
    await BUCKET.resumeMultipartUpload(r2Key, bucketUploadId).complete(list)
  } catch (cause) {
    if (isInvalidPart(cause)) {
      await catalog.forgetParts(upload.uploadId, requester)
      throw new FusouError('upload_incomplete', 'the bucket has other parts than were noted; send all of them again', {
        cause,
      })
    }
    if (!isNoSuchUpload(cause)) throw unavailable(cause)
    if ((await BUCKET.head(r2Key).catch(rethrowUnavailable)) !== null) return
    await catalog.abortUpload(upload.uploadId, requester)
    throw refuseEnded(upload.uploadId, { outcome: 'ended', state: 'aborted' })
  }
}

/**
 * Reads the whole object once: the bucket knows no SHA-256 of an object that was written in parts, and the catalog
 * recognizes content by that of the whole. Memory: two chunks and the window of the inspector.
 */
async function examine(bucket: R2Bucket, key: string, upload: ResumableUpload): Promise<InspectedSlice> {
  const inspector = new SliceInspector([{ table: upload.table, offset: 0, length: upload.byteLength }])
  const object = await bucket.get(key).catch(rethrowUnavailable)
  if (object === null) throw unavailable(undefined)
  try {
    for await (const _ of inspected(object.body, upload.byteLength, inspector));
  } catch (error) {
    // The length of each part was checked: it is the bucket that does not give all bytes.
    if (error instanceof FusouError && ['length_mismatch', 'request_timeout'].includes(error.code))
      throw unavailable(error)
    throw error
  }
  const { sha256, slices } = await inspector.finish(readBack(bucket, key))
  if (sha256 !== upload.sha256)
    throw new FusouError('digest_mismatch', `the file has the SHA-256 ${sha256}, and ${upload.sha256} was declared`)
  return slices[0]!
}

async function register(c: Context<AppEnv>, ready: Ready, slice: InspectedSlice): Promise<UploadAnswer> {
  const { upload, ownerId, isNew, r2Key } = ready
  const { BUCKET } = c.env
  const { uploadId, datasetId, periodTag } = upload
  if (isNew) await claimDataset(BUCKET, datasetId, ownerId)
  const object = { r2Key, slices: [{ ...slice, periodTag }] }
  const requester = requesterOf(c)
  const registered = await registerObject(BUCKET, (brokenCopies) =>
    c.var.services.catalog.completeUpload({ uploadId, requester, object, brokenCopies, sender: senderOf(c) }),
  ).catch(async (error: unknown) => {
    if (isRefusedByLimit(error) && isNew) await releaseDataset(BUCKET, datasetId)
    throw error
  })
  if (isRegistered(registered)) {
    publishAfterAnswer(c, [registered.outbox])
    return answerOf(upload, registered, slice.rows)
  }
  if (registered.outcome === 'ended' || registered.outcome === 'unknown_upload') throw refuseEnded(uploadId, registered)
  // The upload has ended with the refusal.
  await takeBack(c, r2Key)
  throw refusalOf(registered, upload)
}

/** First the state, which gives the object to vacuum, then the object. */
async function refuse(c: Context<AppEnv>, { upload, r2Key }: Ready, { code, detail }: FusouError): Promise<void> {
  const refused = await c.var.services.catalog.refuseUpload(upload.uploadId, requesterOf(c), { code, detail })
  if (refused.outcome === 'refused' && !refused.isNamed) await takeBack(c, r2Key)
}

function answerOf(upload: ResumableUpload, registered: RegisteredUpload, rows: number): UploadAnswer {
  const { datasetId, table, periodTag, fileName, byteLength, sha256 } = upload
  return {
    success: true,
    datasetId,
    tableId: table,
    periodTag,
    fileName: fileName ?? `${table}.parquet`,
    fileSize: byteLength,
    rows: Math.min(Number.MAX_SAFE_INTEGER, rows),
    sha256,
    duplicate: registered.outcome === 'duplicate',
    healed: registered.files.some(({ healed }) => healed),
    version: registered.version,
    fileId: registered.files[0]?.fileId ?? null,
    files: registered.files,
    jobId: registered.jobId,
  }
}

const unavailable = (cause: unknown) =>
  new FusouError('storage_unavailable', 'the upload could not be completed; try again', { cause })
const rethrowUnavailable = (cause: unknown): never => {
  throw unavailable(cause)
}

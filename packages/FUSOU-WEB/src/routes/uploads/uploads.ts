import {
  describe,
  describeUpload,
  FusouError,
  isNoSuchUpload,
  log,
  type ResumableUpload,
  Sha256,
  TableName,
  UNKNOWN_PERIOD_TAG,
  UPLOAD_LIMITS,
  uploadKey,
} from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { principalOf, requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { integer, PeriodTagInput } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { limitUploads } from '../../upload/limit-uploads.ts'
import { PARQUET_MEDIA_TYPE } from '../../upload/stream-put.ts'
import { FileName } from '../../upload/upload-fields.ts'
import { notYours } from '../../upload/upload-rights.ts'
import { DatasetAddress } from '../datasets/shared-inputs.ts'
import { noUpload, ResumableUploadAnswer, refuseEnded, UploadAddress } from './resumable-upload.ts'

/** Parts of the bucket are equal but the last, and have 5 MiB at the least; what is lost on the way is sent again. */
export const PART_BYTES = 8 * 1024 * 1024
/** No file has more bytes than work, which its footer will be held to. */
export const MAX_RESUMABLE_BYTES = UPLOAD_LIMITS.maxWorkBytes

const OpenRequest = z
  .object({
    table: TableName,
    periodTag: PeriodTagInput.default(UNKNOWN_PERIOD_TAG),
    fileName: FileName.optional(),
    byteLength: integer(z.int().positive()).meta({ description: `at most ${MAX_RESUMABLE_BYTES}` }),
    sha256: Sha256.meta({ description: 'of the whole file, in hexadecimal' }),
  })
  .meta({ id: 'OpenUploadRequest' })

export const openUpload = route(
  {
    method: 'post',
    path: '/api/datasets/:id/uploads',
    summary: 'Begin to upload a Parquet file in parts, or resume: the same content is the same upload',
    access: 'user',
    scope: 'upload',
    params: DatasetAddress,
    body: OpenRequest,
    answers: {
      200: { description: 'The upload that you have begun before', schema: ResumableUploadAnswer },
      201: { description: 'A new upload, which takes parts until it expires', schema: ResumableUploadAnswer },
    },
    errors: ['rate_limited', 'unknown_dataset', 'quota_exceeded', 'storage_unavailable'],
  },
  async (c, { params: { id: datasetId }, body }) => {
    if (body.byteLength > MAX_RESUMABLE_BYTES)
      throw new FusouError('body_too_large', `a file may have ${MAX_RESUMABLE_BYTES} bytes; write several`)
    await limitUploads(c, principalOf(c.var.caller))
    const { upload, isNew } = await open(c, { datasetId, ...body })
    return c.json(upload satisfies z.infer<typeof ResumableUploadAnswer>, isNew ? 201 : 200)
  },
)

async function open(
  c: Context<AppEnv>,
  declared: { datasetId: string } & z.infer<typeof OpenRequest>,
): Promise<{ upload: ResumableUpload; isNew: boolean }> {
  const { catalog } = c.var.services
  const requester = requesterOf(c)
  let again = false
  let asked = await catalog.openUpload(requester, declared)
  if (asked.outcome === 'completed' && !(await isWhole(c.env.BUCKET, asked.r2Key, declared.byteLength))) {
    again = true
    asked = await catalog.openUpload(requester, declared, { again })
  }
  if (asked.outcome === 'unknown_dataset') throw notYours(declared.datasetId)
  if (asked.outcome !== 'wanted') return { upload: asked.upload, isNew: false }

  const begun = await beginInBucket(c.env.BUCKET, declared, asked.ownerId)
  // Should this call die here, the bucket forgets an upload without parts after some days.
  const bucket = { r2Key: begun.key, bucketUploadId: begun.uploadId, partBytes: PART_BYTES }
  const opened = await catalog.openUpload(requester, declared, { bucket, again }).catch(async (error: unknown) => {
    await drop(c, begun)
    throw error
  })
  if (opened.outcome === 'opened') return { upload: opened.upload, isNew: true }
  await drop(c, begun)
  if (opened.outcome === 'resumed' || opened.outcome === 'completed') return { upload: opened.upload, isNew: false }
  throw notYours(declared.datasetId)
}

/** Whether the bucket still has the object of a file; one that was lost is healed by another upload. */
async function isWhole(bucket: R2Bucket, key: string, byteLength: number): Promise<boolean> {
  return ((await storing(bucket.head(key)))?.size ?? 0) >= byteLength
}

function beginInBucket(
  bucket: R2Bucket,
  { datasetId, table, periodTag, byteLength }: { datasetId: string } & z.infer<typeof OpenRequest>,
  ownerId: string,
): Promise<R2MultipartUpload> {
  const slices = [{ table, length: byteLength }]
  return storing(
    bucket.createMultipartUpload(uploadKey(datasetId), {
      httpMetadata: { contentType: PARQUET_MEDIA_TYPE },
      customMetadata: describeUpload({ datasetId, ownerId, periodTag, slices }).metadata,
    }),
  )
}

/** An upload that nobody needs; the bucket forgets it too if this fails. */
async function drop(c: Context<AppEnv>, begun: R2MultipartUpload): Promise<void> {
  await begun.abort().catch((error: unknown) => {
    log('error', 'upload_not_aborted', { requestId: c.var.requestId, key: begun.key, ...describe(error) })
  })
}

async function storing<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the bucket did not answer; try again', { cause })
  }
}

export const getUpload = route(
  {
    method: 'get',
    path: '/api/uploads/:id',
    summary: 'An upload in parts: which parts are there',
    access: 'user',
    scope: 'upload',
    params: UploadAddress,
    answers: { 200: { description: 'The upload as it is now', schema: ResumableUploadAnswer } },
    errors: ['unknown_upload'],
  },
  async (c, { params: { id } }) => {
    const found = await c.var.services.catalog.readUpload(id, requesterOf(c))
    if (found.outcome === 'unknown_upload') throw noUpload(id)
    return c.json(found.upload satisfies z.infer<typeof ResumableUploadAnswer>)
  },
)

const AbortAnswer = z.object({ success: z.literal(true), uploadId: z.uuid() }).meta({ id: 'AbortUploadAnswer' })

export const abortUpload = route(
  {
    method: 'delete',
    path: '/api/uploads/:id',
    summary: 'Give up an upload in parts; what is stored of it goes',
    access: 'user',
    scope: 'upload',
    params: UploadAddress,
    answers: { 200: { description: 'It takes nothing more, and is soon forgotten', schema: AbortAnswer } },
    errors: ['unknown_upload', 'upload_ended', 'storage_unavailable'],
  },
  async (c, { params: { id } }) => {
    const { catalog } = c.var.services
    const aborted = await catalog.abortUpload(id, requesterOf(c))
    if (aborted.outcome !== 'aborted') throw refuseEnded(id, aborted)
    const { r2Key, bucketUploadId } = aborted
    const upload = c.env.BUCKET.resumeMultipartUpload(r2Key, bucketUploadId)
    // One that is complete already is an object, which vacuum takes once the upload is forgotten.
    await storing(
      upload.abort().catch((error: unknown) => {
        if (!isNoSuchUpload(error)) throw error
      }),
    )
    await catalog.forgetUploads([id])
    return c.json({ success: true, uploadId: id } satisfies z.infer<typeof AbortAnswer>)
  },
)

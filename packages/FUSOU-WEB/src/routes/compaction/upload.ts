import { describeUpload, FusouError, factsKey, type Requester, type UploadedObject, uploadKey } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { principalOf, requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'
import { limitUploads } from '../../upload/limit-uploads.ts'
import { openBody, RAW_MEDIA_TYPES } from '../../upload/open-body.ts'
import { readBack } from '../../upload/read-back.ts'
import { receiveObject } from '../../upload/receive-object.ts'
import {
  claimDataset,
  isRefusedByLimit,
  isRegistered,
  type RegisteredObject,
  refusalOf,
  registerObject,
  releaseDataset,
} from '../../upload/register-object.ts'
import { SliceInspector } from '../../upload/slice-inspector.ts'
import { storeObject } from '../../upload/stream-put.ts'
import { parseTableOffsets, type Slice, sliceObject } from '../../upload/table-offsets.ts'
import { takeBack } from '../../upload/take-back.ts'
import { UploadAnswer } from '../../upload/upload-answer.ts'
import { UploadFields } from '../../upload/upload-fields.ts'

/** The form has the same names as the query, and the file. */
const UploadForm = UploadFields.safeExtend({ file: z.file() })

export const upload = route(
  {
    method: 'post',
    path: '/api/compaction/upload',
    summary: 'Upload a Parquet file, or several tables end to end in one object',
    access: 'user',
    scope: 'upload',
    streamedBody: {
      ...Object.fromEntries(RAW_MEDIA_TYPES.map((type) => [type, 'binary'] as const)),
      'multipart/form-data': UploadForm,
    },
    documentedQuery: UploadFields,
    answers: {
      202: {
        description: 'Stored and registered; it is merged once enough has come, or has waited long enough',
        schema: UploadAnswer,
      },
    },
    errors: [
      'rate_limited',
      'unsupported_media_type',
      'length_required',
      'body_too_large',
      'overloaded',
      'invalid_form',
      'invalid_table_offsets',
      'length_mismatch',
      'invalid_parquet',
      'unsupported_parquet',
      'quota_exceeded',
      'unknown_dataset',
      'unknown_file',
      'file_superseded',
      'schema_rejected',
      'storage_unavailable',
    ],
  },
  async (c) => {
    const requester = requesterOf(c)
    await limitUploads(c, principalOf(c.var.caller))
    using body = await openBody(c.req.raw)
    const { fields, byteLength, stream } = body
    if (byteLength === 0) throw new FusouError('invalid_parquet', 'the file is empty')
    const { datasetId, tableId, periodTag, tableOffsets, fileName, replaces } = fields
    const { ownerId, isNew } = await c.var.services.uploadRights.check(datasetId, requester)
    const slices: Slice[] =
      tableOffsets === undefined
        ? [{ table: tableId!, offset: 0, length: byteLength }]
        : sliceObject(parseTableOffsets(tableOffsets), byteLength)

    const key = uploadKey(datasetId)
    const inspector = new SliceInspector(slices)
    const described = { datasetId, ownerId, periodTag, slices }
    await storeFacts(c.env.BUCKET, key, describeUpload(described).facts)
    await receiveObject(
      storeObject(c.env.BUCKET, key, () => describeUpload({ ...described, known: inspector.known() }).metadata),
      stream,
      byteLength,
      inspector,
    )
    const found = await inspector.finish(readBack(c.env.BUCKET, key)).catch(async (error: unknown) => {
      await takeBack(c, key)
      throw error
    })

    const object = { r2Key: key, slices: found.slices.map((slice) => ({ ...slice, periodTag })) }
    if (isNew) {
      await claimDataset(c.env.BUCKET, datasetId, ownerId).catch(async (error: unknown) => {
        await takeBack(c, key)
        throw error
      })
    }
    const registered = await register(c, { datasetId, requester, object, replaces }, isNew)
    publishAfterAnswer(c, [registered.outbox])
    const answer: UploadAnswer = {
      success: true,
      datasetId,
      tableId: tableId ?? null,
      periodTag,
      fileName: fileName ?? `${tableId ?? datasetId}.parquet`,
      fileSize: byteLength,
      rows: Math.min(
        Number.MAX_SAFE_INTEGER,
        found.slices.reduce((sum, slice) => sum + slice.rows, 0),
      ),
      sha256: found.sha256,
      duplicate: registered.outcome === 'duplicate',
      healed: registered.files.some(({ healed }) => healed),
      version: registered.version,
      fileId: tableOffsets === undefined ? (registered.files[0]?.fileId ?? null) : null,
      files: registered.files,
      jobId: registered.jobId,
      ...(tableOffsets !== undefined && {
        tables: found.slices.map(({ table, rows, length, sha256 }) => ({ table, rows, bytes: length, sha256 })),
      }),
    }
    return c.json(answer, 202)
  },
)

/** The sidecar of an upload of many tables, before the upload: no object may lie in the bucket without its tables. */
async function storeFacts(bucket: R2Bucket, key: string, facts: string | undefined): Promise<void> {
  if (facts === undefined) return
  try {
    await bucket.put(factsKey(key), facts, { httpMetadata: { contentType: 'application/json' } })
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
  }
}

/** After a refusal nothing of the object stays; after any other failure it is unknown whether it is registered. */
async function register(
  c: Context<AppEnv>,
  upload: { datasetId: string; requester: Requester; object: UploadedObject; replaces: string | undefined },
  isNew: boolean,
): Promise<RegisteredObject> {
  const { catalog } = c.var.services
  try {
    const registered = await registerObject(c.env.BUCKET, (brokenCopies) =>
      catalog.registerUpload({ ...upload, ...(brokenCopies && { brokenCopies }), sender: senderOf(c) }),
    )
    if (isRegistered(registered)) return registered
    throw refusalOf(registered, upload)
  } catch (error) {
    if (isRefusedByLimit(error) && isNew) await releaseDataset(c.env.BUCKET, upload.datasetId)
    if (error instanceof FusouError && !error.code.startsWith('database_')) await takeBack(c, upload.object.r2Key)
    throw error
  }
}

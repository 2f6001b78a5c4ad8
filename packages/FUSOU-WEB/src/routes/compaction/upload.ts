import {
  claimDatasetOwner,
  describe,
  describeUpload,
  FileId,
  FusouError,
  factsKey,
  JobId,
  log,
  ownerKey,
  type Requester,
  UploadedFile,
  type UploadedObject,
  uploadKey,
  withinDeadline,
} from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import { principalOf, requesterOf } from '../../auth/caller.ts'
import type { AppEnv } from '../../bindings.ts'
import { route } from '../../http/operation.ts'
import { publishAfterAnswer } from '../../publish.ts'
import { senderOf } from '../../services.ts'
import { findBrokenCopies } from '../../upload/find-broken-copies.ts'
import { WRITE_TIMEOUT_MS } from '../../upload/object-put.ts'
import { openBody, RAW_MEDIA_TYPES } from '../../upload/open-body.ts'
import { receiveObject } from '../../upload/receive-object.ts'
import { SliceInspector } from '../../upload/slice-inspector.ts'
import { parseTableOffsets, type Slice, sliceObject } from '../../upload/table-offsets.ts'
import { UploadFields } from '../../upload/upload-fields.ts'
import { notYours } from '../../upload/upload-rights.ts'

const UploadAnswer = z
  .object({
    success: z.literal(true),
    datasetId: z.string(),
    tableId: z.string().nullable(),
    periodTag: z.string(),
    fileName: z.string(),
    fileSize: z.int().meta({ description: 'bytes' }),
    rows: z.int(),
    sha256: z.string(),
    duplicate: z.boolean().meta({ description: 'all of it was here already; nothing new is stored' }),
    healed: z.boolean().meta({
      description: 'it was here already, and what was damaged or missing of it is stored again',
    }),
    version: z.int().meta({ description: 'of the dataset, from which on all of it is listed' }),
    fileId: FileId.nullable().meta({ description: 'null with tableOffsets: see files' }),
    files: z.array(UploadedFile).meta({ description: 'of each table, in the order of their bytes' }),
    jobId: JobId.nullable().meta({
      description:
        'the job that this upload called for or joined, of a duplicate the newest of the dataset; null as long as too little has come to be worth a job',
    }),
    tables: z
      .array(z.object({ table: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string() }))
      .optional()
      .meta({ description: 'with tableOffsets: what was found in each slice' }),
  })
  .meta({ id: 'UploadAnswer' })

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
      c.env.BUCKET,
      key,
      stream,
      byteLength,
      inspector,
      () => describeUpload({ ...described, known: inspector.known() }).metadata,
    )
    const found = await inspector.finish(readBack(c.env.BUCKET, key)).catch(async (error: unknown) => {
      await takeBack(c, key)
      throw error
    })

    const object = { r2Key: key, slices: found.slices.map((slice) => ({ ...slice, periodTag })) }
    if (isNew) await claimDataset(c, datasetId, ownerId, key)
    const registered = await register(c, { datasetId, requester, object, replaces }, isNew)
    publishAfterAnswer(c, [registered.outbox])
    const answer: z.infer<typeof UploadAnswer> = {
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

/**
 * Before the first upload to an id is registered, the bucket says whose it is: the first who writes this is the owner,
 * also where a catalog that was restored from a backup has forgotten the dataset.
 */
async function claimDataset(c: Context<AppEnv>, datasetId: string, owner: string, key: string): Promise<void> {
  const claimed = await claimDatasetOwner(c.env.BUCKET, datasetId, owner).catch(async (cause: unknown) => {
    await takeBack(c, key)
    throw new FusouError('storage_unavailable', 'the upload could not be completed; try again', { cause })
  })
  if (claimed.owner === owner) return
  await takeBack(c, key)
  throw notYours(datasetId)
}

/** The sidecar of an upload of many tables, before the upload: no object may lie in the bucket without its tables. */
async function storeFacts(bucket: R2Bucket, key: string, facts: string | undefined): Promise<void> {
  if (facts === undefined) return
  try {
    await bucket.put(factsKey(key), facts, { httpMetadata: { contentType: 'application/json' } })
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
  }
}

/** Where the content is known, what holds it is looked at first: an upload heals what the bucket has lost. */
async function register(
  c: Context<AppEnv>,
  upload: { datasetId: string; requester: Requester; object: UploadedObject; replaces: string | undefined },
  isNew: boolean,
) {
  const { catalog } = c.var.services
  const sender = senderOf(c)
  const giveUpObject = async (error: unknown) => {
    await takeBack(c, upload.object.r2Key)
    throw error
  }
  const registerWith = (brokenCopies?: { fileId: string; r2Key: string }[]) =>
    catalog
      .registerUpload({ ...upload, ...(brokenCopies && { brokenCopies }), sender })
      // A call that exceeds a quota changed nothing; after any other failure it is unknown whether the object is registered.
      .catch(async (error: unknown) => {
        const isRefused = error instanceof FusouError && (error.code === 'quota_exceeded' || error.code === 'forbidden')
        if (!isRefused) throw error
        // The id stays free for others.
        if (isNew) await c.env.BUCKET.delete(ownerKey(upload.datasetId))
        return giveUpObject(error)
      })
  let registered = await registerWith()
  if (registered.outcome === 'check_copies') {
    const broken = await findBrokenCopies(c.env.BUCKET, registered.copies).catch(giveUpObject)
    registered = await registerWith(broken.map(({ fileId, r2Key }) => ({ fileId, r2Key })))
  }
  switch (registered.outcome) {
    case 'stored':
    case 'healed':
    case 'duplicate':
      return registered
    case 'unknown_dataset':
      return giveUpObject(notYours(upload.datasetId))
    case 'unknown_file':
      return giveUpObject(
        new FusouError('unknown_file', `replaces: ${upload.replaces} is no uploaded file of ${upload.datasetId}`),
      )
    case 'file_superseded':
      return giveUpObject(
        new FusouError('file_superseded', `replaces: ${upload.replaces} was merged; its rows are in another file`),
      )
    case 'schema_rejected':
      return giveUpObject(
        new FusouError(
          'schema_rejected',
          `table ${registered.table} takes files of one schema, and this has another; GET /api/datasets/${upload.datasetId}/tables/${registered.table} shows it`,
        ),
      )
    case 'check_copies':
      throw new FusouError('internal', 'the copies were looked at already')
  }
}

/** The limit protects; where it cannot be asked, uploads go on. */
async function limitUploads(c: Context<AppEnv>, principal: string): Promise<void> {
  let allowed = true
  try {
    allowed = await c.env.WORKFLOW_SERVICE.limit(principal)
  } catch (error) {
    log('error', 'rate_limit_unavailable', { requestId: c.var.requestId, ...describe(error) })
  }
  if (!allowed) throw new FusouError('rate_limited', 'too many uploads in this minute')
}

const readBack = (bucket: R2Bucket, key: string) => async (offset: number, length: number) => {
  const object = await bucket.get(key, { range: { offset, length } })
  if (!object) throw new FusouError('storage_unavailable', 'the upload could not be read back; try again')
  return new Uint8Array(await object.arrayBuffer())
}

/**
 * Removes what an upload stored before it was refused. Vacuum would do so too, by the mark that is left for it, but a
 * catalog that is restored from a backup has no such mark, and adoption would take the object for an upload that was
 * accepted. Never throws.
 */
async function takeBack(c: Context<AppEnv>, key: string): Promise<void> {
  const removed = c.env.BUCKET.delete([key, factsKey(key)])
  const settled = await Promise.allSettled([
    c.var.services.catalog.markKeysForDeletion([key]),
    withinDeadline('delete', WRITE_TIMEOUT_MS, removed),
  ])
  for (const { reason } of settled.filter((result) => result.status === 'rejected'))
    log('error', 'refused_object_left', { requestId: c.var.requestId, key, ...describe(reason) })
}

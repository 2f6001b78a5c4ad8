import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { readableRows } from '../database/readable-rows.ts'
import type { StoredCopy, UploadedObject } from '../records/file.ts'
import { BucketUpload, RegisteredUpload, ResumableUpload } from '../records/resumable-upload.ts'
import { callerJson, type Requester } from './call-inputs.ts'
import { outcome } from './outcomes.ts'
import { Registration } from './uploads.ts'

const Ended = z.object({ outcome: z.literal('ended'), state: ResumableUpload.shape.state })
const NotOpen = [Ended, outcome('unknown_upload')] as const
const OpenedUpload = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('wanted'), ownerId: z.uuid() }),
  z.object({ outcome: z.enum(['opened', 'resumed', 'completed']), upload: ResumableUpload, r2Key: z.string() }),
  outcome('unknown_dataset'),
])
const BegunPart = z.discriminatedUnion('outcome', [
  BucketUpload.extend({ outcome: z.enum(['ok', 'stored']), byteLength: z.int() }),
  z.object({ outcome: z.literal('no_such_part'), parts: z.int() }),
  ...NotOpen,
])
const BegunCompletion = z.discriminatedUnion('outcome', [
  BucketUpload.extend({
    outcome: z.literal('ready'),
    upload: ResumableUpload,
    ownerId: z.uuid(),
    isNew: z.boolean(),
    parts: z.array(z.object({ number: z.int(), etag: z.string() })),
  }),
  z.object({ outcome: z.literal('incomplete'), missing: z.array(z.int()) }),
  z.object({
    outcome: z.literal('completed'),
    upload: ResumableUpload,
    result: RegisteredUpload.extend({ rows: z.int() }),
  }),
  z.object({ outcome: z.literal('refused'), code: z.string(), detail: z.string() }),
  ...NotOpen,
])
const RefusedUpload = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('refused'), isNamed: z.boolean() }),
  ...NotOpen,
])
const AbortedUpload = z.discriminatedUnion('outcome', [
  BucketUpload.extend({ outcome: z.literal('aborted') }),
  ...NotOpen,
])

/** What a client declares of a file before it sends the first part. */
export interface DeclaredUpload {
  readonly datasetId: string
  readonly table: string
  readonly periodTag: string
  readonly fileName?: string | undefined
  readonly byteLength: number
  readonly sha256: string
}

/** Calls of the database about uploads in parts; see supabase/schemas/065_resumable_uploads.sql. */
export const resumableUploadsCalls = (database: Database) => ({
  /**
   * @param how.bucket the multipart upload that was begun for it, after an answer `wanted`
   * @param how.again  also where the content was completed before: the bucket has lost it
   */
  openUpload(
    requester: Requester,
    upload: DeclaredUpload,
    how: { bucket?: BucketUpload & { readonly partBytes: number }; again?: boolean } = {},
  ) {
    const { bucket, again = false } = how
    return database.call(
      'open_upload',
      {
        p_caller: callerJson(requester),
        p_upload: upload,
        p_bucket: bucket ? { r2Key: bucket.r2Key, uploadId: bucket.bucketUploadId, partBytes: bucket.partBytes } : null,
        p_again: again,
      },
      OpenedUpload,
    )
  },

  readUpload(uploadId: string, requester: Requester) {
    return database.call(
      'read_upload',
      { p_id: uploadId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.literal('ok'), upload: ResumableUpload }),
        outcome('unknown_upload'),
      ]),
    )
  },

  /** @param sha256 of the part, if its sender has declared it */
  beginPart(uploadId: string, requester: Requester, number: number, sha256: string | undefined) {
    return database.call(
      'begin_part',
      { p_id: uploadId, p_caller: callerJson(requester), p_number: number, p_sha256: sha256 ?? null },
      BegunPart,
    )
  },

  notePart(uploadId: string, requester: Requester, part: { number: number; etag: string; sha256: string }) {
    return database.call(
      'note_part',
      {
        p_id: uploadId,
        p_caller: callerJson(requester),
        p_number: part.number,
        p_etag: part.etag,
        p_sha256: part.sha256,
      },
      z.discriminatedUnion('outcome', [outcome('ok'), ...NotOpen]),
    )
  },

  /** All parts are to be sent again. */
  forgetParts(uploadId: string, requester: Requester) {
    return database.call(
      'forget_parts',
      { p_id: uploadId, p_caller: callerJson(requester) },
      z.discriminatedUnion('outcome', [outcome('ok'), ...NotOpen]),
    )
  },

  beginCompletion(uploadId: string, requester: Requester) {
    return database.call('begin_completion', { p_id: uploadId, p_caller: callerJson(requester) }, BegunCompletion)
  },

  /** @param upload.brokenCopies as of `registerUpload` */
  completeUpload(upload: {
    uploadId: string
    requester: Requester
    object: UploadedObject
    brokenCopies?: readonly Pick<StoredCopy, 'fileId' | 'r2Key'>[] | undefined
    sender: string
  }) {
    return database.call(
      'complete_upload',
      {
        p_id: upload.uploadId,
        p_caller: callerJson(upload.requester),
        p_object: upload.object,
        p_sender: upload.sender,
        p_copies: upload.brokenCopies ?? null,
      },
      z.discriminatedUnion('outcome', [...Registration.options, ...NotOpen]),
    )
  },

  /** @param reason what every later call is answered */
  refuseUpload(uploadId: string, requester: Requester, reason: { code: string; detail: string }) {
    return database.call(
      'refuse_upload',
      { p_id: uploadId, p_caller: callerJson(requester), p_code: reason.code, p_detail: reason.detail },
      RefusedUpload,
    )
  },

  abortUpload(uploadId: string, requester: Requester) {
    return database.call('abort_upload', { p_id: uploadId, p_caller: callerJson(requester) }, AbortedUpload)
  },

  /** Ends what has expired. The answer repeats what the bucket has to drop until forgetUploads(); `stamp` as for claimGarbage(). */
  expireUploads(limit: number, stamp: number | null = null) {
    return database.call(
      'expire_uploads',
      { p_limit: limit, p_stamp: stamp },
      readableRows('aborted uploads', BucketUpload.extend({ id: z.uuid() })),
    )
  },

  /** @returns how many are forgotten now */
  forgetUploads(uploadIds: readonly string[]) {
    return database.call('forget_uploads', { p_ids: uploadIds }, z.int())
  },
})

import { z } from 'zod'
import { UploadedFile } from './file.ts'

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 characters of 0-9 a-f')

/** An upload in parts, as its user sees it. */
export const ResumableUpload = z.object({
  uploadId: z.uuid(),
  datasetId: z.string(),
  table: z.string(),
  periodTag: z.string(),
  fileName: z.string().nullable(),
  byteLength: z.int(),
  sha256: z.string(),
  partBytes: z.int().meta({ description: 'of every part but the last, which has the rest' }),
  parts: z.int().meta({ description: 'how many; their numbers begin with 1' }),
  storedParts: z.array(z.int()).meta({ description: 'numbers of the parts that are there' }),
  state: z.enum(['open', 'completed', 'refused', 'aborted', 'expired']),
  expiresAt: z.string().meta({ description: 'an open upload is dropped then, one that has ended is forgotten' }),
})
export type ResumableUpload = z.infer<typeof ResumableUpload>

/** A multipart upload of the bucket. */
export const BucketUpload = z.object({ r2Key: z.string(), bucketUploadId: z.string() })
export type BucketUpload = z.infer<typeof BucketUpload>

/** What registering an upload gave. */
export const RegisteredUpload = z.object({
  outcome: z.enum(['stored', 'healed', 'duplicate']),
  version: z.int(),
  files: z.array(UploadedFile),
  jobId: z.uuid().nullable(),
})
export type RegisteredUpload = z.infer<typeof RegisteredUpload>

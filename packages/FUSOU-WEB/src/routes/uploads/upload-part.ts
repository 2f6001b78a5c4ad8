import { createHash } from 'node:crypto'
import { FusouError, isNoSuchUpload } from '@fusou/catalog'
import { z } from 'zod'
import { principalOf, requesterOf } from '../../auth/caller.ts'
import { integer } from '../../http/inputs.ts'
import { route } from '../../http/operation.ts'
import { declaredSha256 } from '../../upload/content-digest.ts'
import { limitUploads } from '../../upload/limit-uploads.ts'
import { requireLength } from '../../upload/open-body.ts'
import { inspected, receiveObject } from '../../upload/receive-object.ts'
import { refuseEnded, UploadAddress } from './resumable-upload.ts'

/** The bucket takes no more parts of one object. */
const MAX_PARTS = 10_000
const PART_MEDIA_TYPE = 'application/octet-stream'

const PartAddress = UploadAddress.extend({ number: integer(z.int().min(1).max(MAX_PARTS)) })
const PartAnswer = z
  .object({ uploadId: z.uuid(), number: z.int(), byteLength: z.int(), sha256: z.string() })
  .meta({ id: 'UploadPart' })

export const uploadPart = route(
  {
    method: 'put',
    path: '/api/uploads/:id/parts/:number',
    summary: 'Send one part of an upload, in any order; the same part again changes nothing',
    access: 'user',
    scope: 'upload',
    params: PartAddress,
    documentedHeaders: z.object({
      'Content-Digest': z.string().optional().meta({
        description: 'sha-256=:<base64>: of the part (RFC 9530); a part that has other bytes is not stored',
      }),
    }),
    streamedBody: { [PART_MEDIA_TYPE]: 'binary' },
    answers: { 200: { description: 'The part is stored', schema: PartAnswer } },
    errors: [
      'rate_limited',
      'length_required',
      'length_mismatch',
      'digest_mismatch',
      'unknown_upload',
      'upload_ended',
      'storage_unavailable',
    ],
  },
  async (c, { params: { id, number } }) => {
    const requester = requesterOf(c)
    const { catalog } = c.var.services
    const request = c.req.raw
    const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
    if (type !== PART_MEDIA_TYPE) throw new FusouError('unsupported_media_type', `send ${PART_MEDIA_TYPE}`)
    const declared = declaredSha256(request)
    const bodyBytes = requireLength(request)
    await limitUploads(c, principalOf(c.var.caller))

    const begun = await catalog.beginPart(id, requester, number, declared)
    if (begun.outcome === 'no_such_part') throw noPart(number, begun.parts)
    if (begun.outcome === 'ended' || begun.outcome === 'unknown_upload') throw refuseEnded(id, begun)
    const { byteLength, r2Key, bucketUploadId } = begun
    if (bodyBytes !== byteLength)
      throw new FusouError('length_mismatch', `part ${number} has ${byteLength} bytes, and ${bodyBytes} are declared`)
    const body = request.body ?? new Blob([]).stream()
    const digest = new PartDigest(number, byteLength, declared)
    const answer = () =>
      c.json({ uploadId: id, number, byteLength, sha256: digest.sha256 } satisfies z.infer<typeof PartAnswer>)
    if (begun.outcome === 'stored') {
      for await (const _ of inspected(body, byteLength, digest));
      return answer()
    }
    const upload = c.env.BUCKET.resumeMultipartUpload(r2Key, bucketUploadId)
    const store = (stream: ReadableStream<Uint8Array>) => upload.uploadPart(number, stream)
    const { etag } = await receiveObject(store, body, byteLength, digest).catch(async (error: unknown) => {
      if (!isNoSuchUpload(error)) throw error
      // The bucket has forgotten what the catalog has not: there is nothing to resume.
      await catalog.abortUpload(id, requester)
      throw refuseEnded(id, { outcome: 'ended', state: 'aborted' })
    })
    const noted = await catalog.notePart(id, requester, { number, etag, sha256: digest.sha256 })
    if (noted.outcome !== 'ok') throw refuseEnded(id, noted)
    return answer()
  },
)

function noPart(number: number, parts: number): FusouError {
  const message = `the upload has ${parts} parts, and no part ${number}`
  return new FusouError('invalid_request', `in the path: number: ${message}`, {
    cause: new z.ZodError([{ code: 'custom', path: ['number'], message, input: number }]),
  })
}

/** Hashes a part as it passes by, and compares it with what was declared before its last bytes are stored. */
class PartDigest {
  readonly #number: number
  readonly #byteLength: number
  readonly #declared: string | undefined
  readonly #hash = createHash('sha256')
  #taken = 0
  /** of the part, once all of it has passed */
  sha256 = ''

  constructor(number: number, byteLength: number, declared: string | undefined) {
    this.#number = number
    this.#byteLength = byteLength
    this.#declared = declared
  }

  /** @throws FusouError `digest_mismatch` */
  take(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#taken += bytes.byteLength
    if (this.#taken < this.#byteLength) return
    this.sha256 = this.#hash.digest('hex')
    if (this.#declared !== undefined && this.sha256 !== this.#declared)
      throw new FusouError(
        'digest_mismatch',
        `part ${this.#number} has the SHA-256 ${this.sha256}, and ${this.#declared} is declared; send it again`,
      )
  }
}

import { sha256 } from '@noble/hashes/sha2.js'
import type { Client } from 'openapi-fetch'
import type { components, paths } from './api.ts'
import { ApiError } from './api-error.ts'
import { unwrap } from './unwrap.ts'

export type UploadAnswer = components['schemas']['UploadAnswer']

export interface UploadPlace {
  readonly datasetId: string
  readonly tableId: string
  /** default `"0"` */
  readonly periodTag?: string
  readonly fileName?: string
}

export interface UploadOptions {
  readonly signal?: AbortSignal
  /** told of a file that is sent in parts how many of its bytes are stored */
  readonly onProgress?: (storedBytes: number, byteLength: number) => void
}

/** Larger files are sent in parts, so that what breaks off is sent again from there. */
export const IN_PARTS_ABOVE_BYTES = 32 * 1024 * 1024

/** Parts that are sent at the same time. */
const PARALLEL_PARTS = 3
/** How often a part is sent whose bytes arrive damaged, and how often an upload is begun that ends on the way. */
const MAX_TRIES = 3
/** Bytes that are hashed at once. */
const HASHED_BYTES = 4 * 1024 * 1024

type Api = Client<paths>
type Bytes = Uint8Array<ArrayBuffer> | Blob

/**
 * Uploads a file in parts. What an earlier call for the same file has stored, even of another process, is not sent again.
 * Memory: the parts that are under way.
 * @throws ApiError such as `invalid_parquet`, `quota_exceeded`
 */
export async function uploadInParts(
  api: Api,
  bytes: Bytes,
  { datasetId, tableId, periodTag, fileName }: UploadPlace,
  { signal, onProgress }: UploadOptions,
): Promise<UploadAnswer> {
  const byteLength = sizeOf(bytes)
  const declared = {
    table: tableId,
    byteLength,
    sha256: await hash(bytes, signal),
    ...(periodTag !== undefined && { periodTag }),
    ...(fileName !== undefined && { fileName }),
  }
  const call = signal ? { signal } : {}
  for (let tried = 1; ; tried++) {
    const upload = await unwrap(
      api.POST('/api/datasets/{id}/uploads', { params: { path: { id: datasetId } }, body: declared, ...call }),
    )
    const { uploadId, partBytes, parts } = upload
    try {
      if (upload.state === 'open') {
        const isStored = new Set(upload.storedParts)
        const missing = Array.from({ length: parts }, (_, index) => index + 1).filter((number) => !isStored.has(number))
        const lengthOf = (number: number) => Math.min(partBytes, byteLength - (number - 1) * partBytes)
        let stored = byteLength - missing.reduce((sum, number) => sum + lengthOf(number), 0)
        onProgress?.(stored, byteLength)
        const send = async (): Promise<void> => {
          for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
            const start = (number - 1) * partBytes
            await sendPart(api, uploadId, number, await read(bytes, start, start + lengthOf(number)), signal)
            stored += lengthOf(number)
            onProgress?.(stored, byteLength)
          }
        }
        await Promise.all(Array.from({ length: PARALLEL_PARTS }, send))
      }
      return await unwrap(api.POST('/api/uploads/{id}/complete', { params: { path: { id: uploadId } }, ...call }))
    } catch (error) {
      // The upload expired on the way, or the bucket has lost parts of it: what is missing is sent again.
      const isOver =
        error instanceof ApiError && ['upload_ended', 'upload_incomplete', 'unknown_upload'].includes(error.code)
      if (!isOver || tried === MAX_TRIES) throw error
    }
  }
}

async function sendPart(
  api: Api,
  uploadId: string,
  number: number,
  part: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', part))
  const headers = {
    'content-type': 'application/octet-stream',
    'Content-Digest': `sha-256=:${btoa(String.fromCharCode(...digest))}:`,
  }
  for (let tried = 1; ; tried++) {
    try {
      await unwrap(
        api.PUT('/api/uploads/{id}/parts/{number}', {
          params: { path: { id: uploadId, number } },
          // the bytes themselves, not JSON
          body: part as never,
          bodySerializer: (body: unknown) => body as Blob,
          headers,
          ...(signal && { signal }),
        }),
      )
      return
    } catch (error) {
      const isDamaged = error instanceof ApiError && ['digest_mismatch', 'length_mismatch'].includes(error.code)
      if (!isDamaged || tried === MAX_TRIES) throw error
    }
  }
}

export const sizeOf = (bytes: Bytes): number => (bytes instanceof Blob ? bytes.size : bytes.byteLength)

async function read(bytes: Bytes, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  return bytes instanceof Blob
    ? new Uint8Array(await bytes.slice(start, end).arrayBuffer())
    : bytes.subarray(start, end)
}

/** SHA-256 in hex; the platform's own takes all bytes at once. */
async function hash(bytes: Bytes, signal: AbortSignal | undefined): Promise<string> {
  const running = sha256.create()
  for (let start = 0; start < sizeOf(bytes); start += HASHED_BYTES) {
    signal?.throwIfAborted()
    running.update(await read(bytes, start, start + HASHED_BYTES))
  }
  return [...running.digest()].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

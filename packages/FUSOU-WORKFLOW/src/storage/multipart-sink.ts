import { createHash } from 'node:crypto'
import { describe, log } from '@fusou/catalog'
import type { Sink } from '@fusou/parquet-compactor'

/** All parts but the last have this size: R2 wants them equal, and 5 MiB at the least. */
export const PART_BYTES = 8 * 1024 * 1024

/**
 * Writes one object of parts of `PART_BYTES`, the last shorter: in a single put if there is but a short one, as an upload in
 * parts otherwise. Holds the short part. Nothing is visible under the key before `close`. `note` is told of an upload in
 * parts before its first part is written, so that somebody can abort it should this one die; if it throws, nothing is
 * written.
 */
export class MultipartSink implements Sink {
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #customMetadata: Record<string, string>
  readonly #note: (uploadId: string) => Promise<void>
  readonly #hash = createHash('sha256')
  readonly #parts: R2UploadedPart[] = []
  #upload: R2MultipartUpload | undefined
  #last = new Uint8Array()

  constructor(
    bucket: R2Bucket,
    key: string,
    customMetadata: Record<string, string>,
    note: (uploadId: string) => Promise<void>,
  ) {
    this.#bucket = bucket
    this.#key = key
    this.#customMetadata = customMetadata
    this.#note = note
  }

  async write(part: Uint8Array): Promise<void> {
    this.#hash.update(part)
    if (part.byteLength === PART_BYTES) await this.#send(part)
    else this.#last = part.slice()
  }

  /** @returns SHA-256 of the object, in hex */
  async close(): Promise<string> {
    if (this.#upload === undefined) {
      await this.#bucket.put(this.#key, this.#last, this.#options())
    } else {
      if (this.#last.byteLength > 0) await this.#send(this.#last)
      await this.#upload.complete(this.#parts)
    }
    return this.#hash.digest('hex')
  }

  /** Give up; if this fails too, vacuum aborts the upload. */
  async abort(): Promise<void> {
    await this.#upload?.abort().catch((error: unknown) => {
      log('error', 'upload_not_aborted', { key: this.#key, ...describe(error) })
    })
  }

  #options() {
    return {
      customMetadata: this.#customMetadata,
      httpMetadata: { contentType: 'application/vnd.apache.parquet' },
    }
  }

  async #send(part: Uint8Array): Promise<void> {
    if (this.#upload === undefined) {
      this.#upload = await this.#bucket.createMultipartUpload(this.#key, this.#options())
      await this.#note(this.#upload.uploadId)
    }
    this.#parts.push(await this.#upload.uploadPart(this.#parts.length + 1, part))
  }
}

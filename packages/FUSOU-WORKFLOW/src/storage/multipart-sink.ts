import { createHash } from 'node:crypto'
import { describe, log } from '@fusou/catalog'
import type { Sink } from '@fusou/parquet-compactor'

/** All parts but the last have this size: R2 wants them equal, and 5 MiB at the least. */
export const PART_BYTES = 8 * 1024 * 1024

/**
 * Writes one object: in a single put while it is smaller than a part, in parts from then on. Holds one part.
 * Nothing is visible under the key before `close`. `note` is told of an upload in parts before its first part is
 * written, so that somebody can abort it should this one die; if it throws, nothing is written.
 */
export class MultipartSink implements Sink {
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #note: (uploadId: string) => Promise<void>
  readonly #hash = createHash('sha256')
  readonly #parts: R2UploadedPart[] = []
  #upload: R2MultipartUpload | undefined
  #part = new Uint8Array(PART_BYTES)
  #filled = 0

  constructor(bucket: R2Bucket, key: string, note: (uploadId: string) => Promise<void>) {
    this.#bucket = bucket
    this.#key = key
    this.#note = note
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    for (let at = 0; at < bytes.byteLength; ) {
      const taken = Math.min(bytes.byteLength - at, PART_BYTES - this.#filled)
      this.#part.set(bytes.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === PART_BYTES) await this.#flush()
    }
  }

  /** @returns SHA-256 of the object, in hex */
  async close(): Promise<string> {
    if (this.#upload === undefined) {
      await this.#bucket.put(this.#key, this.#part.subarray(0, this.#filled))
    } else {
      if (this.#filled > 0) await this.#flush()
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

  async #flush(): Promise<void> {
    if (this.#upload === undefined) {
      this.#upload = await this.#bucket.createMultipartUpload(this.#key)
      await this.#note(this.#upload.uploadId)
    }
    this.#parts.push(await this.#upload.uploadPart(this.#parts.length + 1, this.#part.subarray(0, this.#filled)))
    this.#filled = 0
  }
}

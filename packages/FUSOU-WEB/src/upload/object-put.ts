import { FusouError } from '@fusou/catalog'

export const PARQUET_MEDIA_TYPE = 'application/vnd.apache.parquet'

interface Begun {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>
  readonly stored: Promise<unknown>
}

/**
 * A put of a stream of known length, which begins with the first write. Writes throw FusouError
 * `storage_unavailable`.
 */
export class ObjectPut {
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #byteLength: number
  readonly #describe: () => Record<string, string>
  #begun: Begun | undefined

  /** @param describe custom metadata, asked for when the put begins */
  constructor(bucket: R2Bucket, key: string, byteLength: number, describe: () => Record<string, string>) {
    this.#bucket = bucket
    this.#key = key
    this.#byteLength = byteLength
    this.#describe = describe
  }

  #begin(): Begun {
    const { readable, writable } = new FixedLengthStream(this.#byteLength)
    const stored = this.#bucket.put(this.#key, readable, {
      httpMetadata: { contentType: PARQUET_MEDIA_TYPE },
      customMetadata: this.#describe(),
    })
    // It is awaited in the end; until then nobody may take its failure for an unhandled one.
    stored.catch(() => {})
    return { writer: writable.getWriter(), stored }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#begun ??= this.#begin()
    const { writer, stored } = this.#begun
    // A put that fails may leave its stream unread: the write alone is then waited for in vain.
    await storing(Promise.race([writer.write(bytes), stored]))
  }

  /** All bytes are written: wait until the bucket has them. */
  async finish(): Promise<void> {
    if (this.#begun) await storing(Promise.all([this.#begun.writer.close(), this.#begun.stored]))
  }

  /** The bucket then holds nothing under the key. Never throws. */
  async abort(reason: unknown): Promise<void> {
    this.#begun?.writer.abort(reason).catch(() => {})
    await this.#begun?.stored.catch(() => {})
  }
}

async function storing(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
  }
}

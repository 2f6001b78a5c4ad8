import { FusouError, withinDeadline } from '@fusou/catalog'

/**
 * How long the bucket may take to accept one write, and to store the object once it has all bytes. The pace of the client
 * is not counted: only what waits for the bucket.
 */
export const WRITE_TIMEOUT_MS = 30_000

/** The client waits for its answer; whether the bucket says that it has dropped the object is of no use to it. */
const ABORT_TIMEOUT_MS = 5_000

export const PARQUET_MEDIA_TYPE = 'application/vnd.apache.parquet'

interface Begun {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>
  readonly stored: Promise<unknown>
}

/**
 * A put of a stream of known length, which begins with the first write. Writes throw FusouError
 * `storage_unavailable`, also when the bucket makes no progress for `timeoutMs`.
 */
export class ObjectPut {
  readonly #bucket: R2Bucket
  readonly #key: string
  readonly #byteLength: number
  readonly #describe: () => Record<string, string>
  readonly #timeoutMs: number
  #begun: Begun | undefined

  /** @param describe custom metadata, asked for when the put begins */
  constructor(
    bucket: R2Bucket,
    key: string,
    byteLength: number,
    describe: () => Record<string, string>,
    timeoutMs = WRITE_TIMEOUT_MS,
  ) {
    this.#timeoutMs = timeoutMs
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
    // A put that fails may leave its stream unread: the write alone would then never end.
    await this.#storing(Promise.race([writer.write(bytes), stored]))
  }

  /** All bytes are written: wait until the bucket has them. */
  async finish(): Promise<void> {
    if (this.#begun) await this.#storing(Promise.all([this.#begun.writer.close(), this.#begun.stored]))
  }

  /**
   * The bucket then holds nothing under the key; one that does not even answer that keeps at most an object that nothing
   * names, which the walk over the bucket finds. Never throws.
   */
  async abort(reason: unknown): Promise<void> {
    if (this.#begun === undefined) return
    const { writer, stored } = this.#begun
    writer.abort(reason).catch(() => {})
    await withinDeadline('abort', Math.min(this.#timeoutMs, ABORT_TIMEOUT_MS), stored).catch(() => {})
  }

  async #storing(call: Promise<unknown>): Promise<void> {
    try {
      await withinDeadline('put', this.#timeoutMs, call)
    } catch (cause) {
      throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
    }
  }
}

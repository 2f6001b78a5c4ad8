import { FusouError, withinDeadline } from '@fusou/catalog'

/**
 * How long the bucket may take to accept one write, and to store the object once it has all bytes. The pace of the client
 * is not counted: only what waits for the bucket.
 */
export const WRITE_TIMEOUT_MS = 30_000

/** The client waits for its answer; whether the bucket says that it has dropped the object is of no use to it. */
const ABORT_TIMEOUT_MS = 5_000

export const PARQUET_MEDIA_TYPE = 'application/vnd.apache.parquet'

interface Begun<Stored> {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>
  readonly stored: Promise<Stored>
}

/** Has the bucket take a stream of known length, as an object or as a part of one. */
export type Store<Stored> = (body: ReadableStream<Uint8Array>) => Promise<Stored>

/** @param describe custom metadata, asked for when the put begins */
export const storeObject =
  (bucket: R2Bucket, key: string, describe: () => Record<string, string>): Store<unknown> =>
  (body) =>
    bucket.put(key, body, { httpMetadata: { contentType: PARQUET_MEDIA_TYPE }, customMetadata: describe() })

/**
 * A put of a stream of known length, which begins with the first write. Writes throw FusouError
 * `storage_unavailable`, also when the bucket makes no progress for `timeoutMs`.
 */
export class StreamPut<Stored> {
  readonly #store: Store<Stored>
  readonly #byteLength: number
  readonly #timeoutMs: number
  #begun: Begun<Stored> | undefined

  constructor(store: Store<Stored>, byteLength: number, timeoutMs = WRITE_TIMEOUT_MS) {
    this.#store = store
    this.#byteLength = byteLength
    this.#timeoutMs = timeoutMs
  }

  #begin(): Begun<Stored> {
    const { readable, writable } = new FixedLengthStream(this.#byteLength)
    const stored = this.#store(readable)
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
  async finish(): Promise<Stored> {
    this.#begun ??= this.#begin()
    const { writer, stored } = this.#begun
    const [, answer] = await this.#storing(Promise.all([writer.close(), stored]))
    return answer
  }

  /**
   * The bucket then holds nothing of it; one that does not even answer that keeps at most an object that nothing
   * names, which the walk over the bucket finds. Never throws.
   */
  async abort(reason: unknown): Promise<void> {
    if (this.#begun === undefined) return
    const { writer, stored } = this.#begun
    writer.abort(reason).catch(() => {})
    await withinDeadline('abort', Math.min(this.#timeoutMs, ABORT_TIMEOUT_MS), stored).catch(() => {})
  }

  async #storing<Result>(call: Promise<Result>): Promise<Result> {
    try {
      return await withinDeadline('put', this.#timeoutMs, call)
    } catch (cause) {
      throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
    }
  }
}

import { FusouError } from '@fusou/catalog'

/** Large enough that the cost a chunk does not count, small enough for many uploads in one isolate. */
const CHUNK_BYTES = 256 * 1024
/** A chunk that takes longer is of a client that has stopped, or sends less than 2 KiB a second. */
export const MAX_CHUNK_MS = 120_000

/** Ends a wait that takes too long. */
export interface Deadline {
  /** resolves after so many milliseconds, or not at all once `stop` is called */
  start(milliseconds: number): { readonly reached: Promise<void>; stop(): void }
}

export const TIMER: Deadline = {
  start(milliseconds) {
    let timer: ReturnType<typeof setTimeout> | undefined
    const reached = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds)
    })
    return { reached, stop: () => clearTimeout(timer) }
  },
}

const TOO_LATE = Symbol()

/**
 * The bytes of a body, in chunks of 256 KiB where the stream can fill a buffer. A body that is not read to its end, for
 * whatever reason, is cancelled only by its owner.
 * @throws FusouError `length_mismatch` when the body breaks off, `request_timeout` when a chunk takes too long: the body
 *   is then cancelled
 */
export async function* readChunks(
  body: ReadableStream<Uint8Array>,
  { maxChunkMs = MAX_CHUNK_MS, deadline = TIMER }: { maxChunkMs?: number; deadline?: Deadline } = {},
): AsyncGenerator<Uint8Array> {
  const reader = openReader(body)
  let late = false
  try {
    for (;;) {
      const { reached, stop } = deadline.start(maxChunkMs)
      const next =
        reader instanceof ReadableStreamBYOBReader
          ? reader.readAtLeast(CHUNK_BYTES, new Uint8Array(CHUNK_BYTES))
          : reader.read()
      const read = await Promise.race([next, reached.then(() => TOO_LATE)]).finally(stop)
      if (typeof read === 'symbol') {
        late = true
        // the outcome of the pending read no longer matters
        next.catch(() => undefined)
        await Promise.race([reader.cancel().catch(() => undefined), Promise.resolve()])
        throw new FusouError('request_timeout', `${CHUNK_BYTES} bytes of the body took more than ${maxChunkMs} ms`)
      }
      const { value, done } = read
      if (value && value.byteLength > 0) yield value
      if (done) return
    }
  } catch (cause) {
    if (cause instanceof FusouError) throw cause
    throw new FusouError('length_mismatch', 'the body broke off', { cause })
  } finally {
    // a lock with a read pending cannot be released; the body is cancelled then
    if (!late) reader.releaseLock()
  }
}

function openReader(
  body: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array> {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return body.getReader()
  }
}

import { FusouError } from '@fusou/catalog'

/** Large enough that the cost a chunk does not count, small enough for many uploads in one isolate. */
const CHUNK_BYTES = 256 * 1024

/**
 * The bytes of a body, in chunks of 256 KiB where the stream can fill a buffer.
 * @throws FusouError `length_mismatch` when the body breaks off
 */
export async function* readChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = openReader(body)
  try {
    for (;;) {
      const { value, done } =
        reader instanceof ReadableStreamBYOBReader
          ? await reader.readAtLeast(CHUNK_BYTES, new Uint8Array(CHUNK_BYTES))
          : await reader.read()
      if (value && value.byteLength > 0) yield value
      if (done) return
    }
  } catch (cause) {
    throw new FusouError('length_mismatch', 'the body broke off', { cause })
  } finally {
    reader.releaseLock()
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

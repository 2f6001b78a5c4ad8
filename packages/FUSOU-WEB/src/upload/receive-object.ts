import { FusouError } from '@fusou/catalog'
import { readChunks } from '../http/read-chunks.ts'
import { type Store, StreamPut, WRITE_TIMEOUT_MS } from './stream-put.ts'

/** Inspects the bytes as they pass by. */
interface Inspector {
  take(bytes: Uint8Array): void | Promise<void>
}

/**
 * Stream a body into the bucket, past an inspector. The last chunk is held back until the inspector has seen all: if it
 * throws, or the body is not as long as declared, the put is aborted and the bucket holds nothing. A body of one chunk,
 * as most are, has no put before it is checked.
 * Memory: two chunks.
 * @param timeoutMs how long the bucket may make no progress
 * @returns what `store` gave
 * @throws FusouError `length_mismatch`, `storage_unavailable`, and whatever the inspector throws
 */
export async function receiveObject<Stored>(
  store: Store<Stored>,
  body: ReadableStream<Uint8Array>,
  byteLength: number,
  inspector: Inspector,
  timeoutMs = WRITE_TIMEOUT_MS,
): Promise<Stored> {
  const put = new StreamPut(store, byteLength, timeoutMs)
  try {
    let held: Uint8Array | undefined
    for await (const chunk of inspected(body, byteLength, inspector)) {
      if (held) await put.write(held)
      held = chunk
    }
    if (held) await put.write(held)
    return await put.finish()
  } catch (error) {
    await put.abort(error)
    throw error
  }
}

/**
 * The chunks of a body, once the inspector has seen them.
 * @throws FusouError `length_mismatch`, and whatever the inspector throws
 */
export async function* inspected(
  body: ReadableStream<Uint8Array>,
  byteLength: number,
  inspector: Inspector,
): AsyncGenerator<Uint8Array> {
  let received = 0
  for await (const chunk of readChunks(body)) {
    received += chunk.byteLength
    if (received > byteLength)
      throw new FusouError('length_mismatch', `more than the ${byteLength} bytes that were declared`)
    await inspector.take(chunk)
    yield chunk
  }
  if (received < byteLength)
    throw new FusouError('length_mismatch', `${received} of the ${byteLength} bytes that were declared`)
}

import { FusouError } from '@fusou/catalog'
import { readChunks } from '../http/read-chunks.ts'
import { ObjectPut, WRITE_TIMEOUT_MS } from './object-put.ts'

/** Inspects the bytes as they pass by. */
interface Inspector {
  take(bytes: Uint8Array): Promise<void>
}

/**
 * Stream a body into the bucket, past an inspector. The last chunk is held back until the inspector has seen all: if it
 * throws, or the body is not as long as declared, the put is aborted and the bucket holds nothing. A body of one chunk,
 * as most are, has no put before it is checked.
 * Memory: two chunks.
 * @param describe custom metadata of the object, asked for when the put begins
 * @param timeoutMs how long the bucket may make no progress
 * @throws FusouError `length_mismatch`, `storage_unavailable`, and whatever the inspector throws
 */
export async function receiveObject(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream<Uint8Array>,
  byteLength: number,
  inspector: Inspector,
  describe: () => Record<string, string>,
  timeoutMs = WRITE_TIMEOUT_MS,
): Promise<void> {
  const put = new ObjectPut(bucket, key, byteLength, describe, timeoutMs)
  try {
    let held: Uint8Array | undefined
    let received = 0
    for await (const chunk of readChunks(body)) {
      received += chunk.byteLength
      if (received > byteLength)
        throw new FusouError('length_mismatch', `more than the ${byteLength} bytes that were declared`)
      await inspector.take(chunk)
      if (held) await put.write(held)
      held = chunk
    }
    if (received < byteLength)
      throw new FusouError('length_mismatch', `${received} of the ${byteLength} bytes that were declared`)
    if (held) await put.write(held)
    await put.finish()
  } catch (error) {
    await put.abort(error)
    throw error
  }
}

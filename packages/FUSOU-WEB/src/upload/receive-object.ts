import { FusouError } from '@fusou/catalog'
import { readChunks } from '../http/read-chunks.ts'

export const PARQUET_MEDIA_TYPE = 'application/vnd.apache.parquet'

/** What looks at the bytes on their way. */
interface Inspector {
  take(bytes: Uint8Array): Promise<void>
}

/**
 * Stream a body into the bucket, past an inspector. The last chunk is held back until the inspector has seen all: if it
 * throws, or the body is not as long as declared, the put is aborted and the bucket holds nothing.
 * Memory: two chunks.
 * @throws FusouError `length_mismatch`, `storage_unavailable`, and whatever the inspector throws
 */
export async function receiveObject(
  bucket: R2Bucket,
  key: string,
  body: ReadableStream<Uint8Array>,
  byteLength: number,
  inspector: Inspector,
): Promise<void> {
  const { readable, writable } = new FixedLengthStream(byteLength)
  const writer = writable.getWriter()
  const stored = bucket.put(key, readable, { httpMetadata: { contentType: PARQUET_MEDIA_TYPE } })
  // It is awaited in the end; until then nobody may take its failure for an unhandled one.
  stored.catch(() => {})
  // A put that fails may leave its stream unread: a write is then waited for in vain.
  const write = (chunk: Uint8Array) => storing(Promise.race([writer.write(chunk), stored]))
  try {
    let held: Uint8Array | undefined
    let received = 0
    for await (const chunk of readChunks(body)) {
      received += chunk.byteLength
      if (received > byteLength)
        throw new FusouError('length_mismatch', `more than the ${byteLength} bytes that were declared`)
      await inspector.take(chunk)
      if (held) await write(held)
      held = chunk
    }
    if (received < byteLength)
      throw new FusouError('length_mismatch', `${received} of the ${byteLength} bytes that were declared`)
    if (held) await write(held)
    await storing(Promise.all([writer.close(), stored]))
  } catch (error) {
    writer.abort(error).catch(() => {})
    await stored.catch(() => {})
    throw error
  }
}

async function storing(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the upload could not be stored; try again', { cause })
  }
}

import { FusouError } from '@fusou/catalog'
import { boundedBody } from '../files/bounded-body.ts'
import { MAGIC, type Segment } from './segments.ts'

/** Parts up to this length are read whole, several ahead of the client; larger ones are streamed. */
const SMALL_BYTES = 256 * 1024
/** Bucket reads at the same time, of the six connections that a Worker may hold. */
const READ_AHEAD = 5
const ZEROS = new Uint8Array(64 * 1024)

type Opened = Uint8Array | ReadableStream<Uint8Array>

/**
 * The bytes of segments, one after the other. The first is opened before this resolves, so that what is missing at once
 * is answered with a status; what is missing later breaks the stream off, and no byte takes its place.
 * @throws FusouError `object_missing`, `storage_unavailable`, and what `segments` throws
 */
export async function streamSegments(
  bucket: R2Bucket,
  segments: AsyncIterable<Segment>,
  requestId: string,
): Promise<ReadableStream<Uint8Array>> {
  const opened = openAhead(bucket, segments, requestId)
  const first = await opened.next()
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let current = first
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          if (current.done) return controller.close()
          if (current.value instanceof Uint8Array) {
            controller.enqueue(current.value)
            current = await opened.next()
            return
          }
          reader ??= current.value.getReader()
          const { value, done } = await reader.read()
          if (!done) return controller.enqueue(value)
          reader = undefined
          current = await opened.next()
        }
      },
      async cancel(reason) {
        await Promise.all([reader?.cancel(reason), opened.return(undefined)])
      },
    },
    { highWaterMark: 0 },
  )
}

async function* openAhead(
  bucket: R2Bucket,
  segments: AsyncIterable<Segment>,
  requestId: string,
): AsyncGenerator<Opened, void, undefined> {
  const ahead: Promise<Uint8Array>[] = []
  for await (const segment of segments) {
    if (segment.kind === 'stored' && segment.length <= SMALL_BYTES) {
      const bytes = readWhole(bucket, segment)
      // it is awaited below, perhaps after another one has failed
      bytes.catch(() => undefined)
      ahead.push(bytes)
      if (ahead.length >= READ_AHEAD) yield await ahead.shift()!
      continue
    }
    while (ahead.length > 0) yield await ahead.shift()!
    if (segment.kind === 'magic') yield MAGIC.slice(segment.offset, segment.offset + segment.length)
    else if (segment.kind === 'zeros') yield* zeros(segment.length)
    else yield boundedBody((await get(bucket, segment)).body, { requestId, key: segment.r2Key })
  }
  while (ahead.length > 0) yield await ahead.shift()!
}

function* zeros(length: number): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= ZEROS.length) yield ZEROS.slice(0, Math.min(left, ZEROS.length))
}

type StoredSegment = Extract<Segment, { kind: 'stored' }>

async function readWhole(bucket: R2Bucket, segment: StoredSegment): Promise<Uint8Array> {
  const bytes = await (await get(bucket, segment)).bytes()
  if (bytes.byteLength !== segment.length) throw missing()
  return bytes
}

async function get(bucket: R2Bucket, { r2Key, offset, length }: StoredSegment): Promise<R2ObjectBody> {
  const object = await bucket.get(r2Key, { range: { offset, length } }).catch((cause: unknown) => {
    throw new FusouError('storage_unavailable', 'the table could not be read; try again', { cause })
  })
  if (!object) throw missing()
  return object
}

const missing = () => new FusouError('object_missing', 'bytes of this table are gone; tell the operator')

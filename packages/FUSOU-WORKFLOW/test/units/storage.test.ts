import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { MultipartSink, PART_BYTES } from '../../src/storage/multipart-sink.ts'
import { logOf } from './fakes.ts'

const hashOf = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex')

/** A bucket that keeps what it was asked, in its order. */
function fakeBucket({ abort = async () => {} }: { abort?: () => Promise<void> } = {}) {
  const done: unknown[][] = []
  const upload = {
    uploadId: 'upload-1',
    uploadPart: async (number: number, part: Uint8Array) => {
      done.push(['part', number, part.byteLength, part[0]])
      return { partNumber: number, etag: `e${number}` }
    },
    complete: async (parts: unknown) => void done.push(['complete', parts]),
    abort: async () => {
      done.push(['abort'])
      await abort()
    },
  }
  const bucket = {
    put: async (key: string, bytes: Uint8Array) => void done.push(['put', key, [...bytes]]),
    createMultipartUpload: async (key: string) => {
      done.push(['create', key])
      return upload
    },
  }
  return { bucket: bucket as unknown as R2Bucket, done }
}

const METADATA = { tier: '1' }

const part = (first: number) => {
  const bytes = new Uint8Array(PART_BYTES)
  bytes[0] = first
  return bytes
}

async function write(parts: Uint8Array[], note: (id: string) => Promise<void> = async () => {}) {
  const { bucket, done } = fakeBucket()
  const sink = new MultipartSink(bucket, 'key', METADATA, async (id) => {
    done.push(['note', id])
    await note(id)
  })
  for (const bytes of parts) {
    await sink.write(bytes)
    bytes.fill(255, 1)
  }
  return { sink, done }
}

describe('an object of parts', () => {
  test('that is shorter than a part is put at once', async () => {
    for (const bytes of [[], [1, 2, 3]]) {
      const { sink, done } = await write([Uint8Array.from(bytes)])
      expect(done).toEqual([])
      expect(await sink.close()).toBe(hashOf(Uint8Array.from(bytes)))
      expect(done).toEqual([['put', 'key', bytes]])
    }
  })

  test('of one part and more is uploaded in parts, noted before the first', async () => {
    const parts = [part(1), part(2), Uint8Array.of(3)]
    const hash = hashOf(...parts)
    const { sink, done } = await write(parts)
    expect(done).toEqual([
      ['create', 'key'],
      ['note', 'upload-1'],
      ['part', 1, PART_BYTES, 1],
      ['part', 2, PART_BYTES, 2],
    ])
    expect(await sink.close()).toBe(hash)
    expect(done.slice(4)).toEqual([
      ['part', 3, 1, 3],
      ['complete', [1, 2, 3].map((number) => ({ partNumber: number, etag: `e${number}` }))],
    ])
  })

  test('that ends with a whole part has no empty one behind it', async () => {
    const { sink, done } = await write([part(1)])
    await sink.close()
    expect(done.slice(2)).toEqual([
      ['part', 1, PART_BYTES, 1],
      ['complete', [{ partNumber: 1, etag: 'e1' }]],
    ])
  })

  test('of which nobody may be told has no part', async () => {
    const { bucket, done } = fakeBucket()
    const sink = new MultipartSink(bucket, 'key', METADATA, () => Promise.reject(new Error('stale')))
    await expect(sink.write(part(1))).rejects.toThrow('stale')
    expect(done).toEqual([['create', 'key']])
    await sink.abort()
    expect(done).toEqual([['create', 'key'], ['abort']])
  })

  test('that is given up is aborted if it was begun, and a failure of that is logged', async () => {
    const { bucket, done } = fakeBucket()
    await new MultipartSink(bucket, 'key', METADATA, async () => {}).abort()
    expect(done).toEqual([])
    const broken = fakeBucket({ abort: () => Promise.reject(new Error('away')) })
    const sink = new MultipartSink(broken.bucket, 'key', METADATA, async () => {})
    await sink.write(part(1))
    const log = await logOf(() => sink.abort())
    expect(log).toEqual([['error', { event: 'upload_not_aborted', key: 'key', error: 'away' }]])
  })
})

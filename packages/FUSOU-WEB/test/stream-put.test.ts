import { FusouError } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { receiveObject } from '../src/upload/receive-object.ts'
import { StreamPut, storeObject } from '../src/upload/stream-put.ts'

const TIMEOUT_MS = 100

/** A bucket that takes the stream of a put so far, and then neither answers nor fails. */
const hangingBucket = (reads: number) =>
  ({
    put: async (_key: string, body: ReadableStream<Uint8Array>) => {
      const reader = body.getReader()
      for (let count = 0; count < reads; count++) await reader.read()
      return new Promise<never>(() => {})
    },
  }) as unknown as R2Bucket

describe('a put into a bucket that makes no progress', () => {
  test.each([0, 1, 2])('after %i chunks is given up, as storage_unavailable', async (reads) => {
    const put = new StreamPut(
      storeObject(hangingBucket(reads), 'k', () => ({})),
      2 * 2 ** 20,
      TIMEOUT_MS,
    )
    const chunk = () => new Uint8Array(2 ** 20)
    const written = (async () => {
      await put.write(chunk())
      await put.write(chunk())
      await put.finish()
    })()
    await expect(written).rejects.toMatchObject({ code: 'storage_unavailable', transient: true })
    await put.abort(new Error('given up'))
  })

  test('ends an upload, whose client is answered', async () => {
    const body = new Response(new Uint8Array(2 ** 20)).body!
    const inspector = { take: async () => {} }
    const received = receiveObject(
      storeObject(hangingBucket(0), 'k', () => ({})),
      body,
      2 ** 20,
      inspector,
      TIMEOUT_MS,
    )
    await expect(received).rejects.toBeInstanceOf(FusouError)
    await expect(received).rejects.toMatchObject({ code: 'storage_unavailable' })
  })
})

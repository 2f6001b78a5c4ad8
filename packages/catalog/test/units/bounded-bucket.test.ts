import { boundedBucket, FusouError } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'

const CALL_MS = 30
const BODY_MS = 60

/** Keeps its promises to itself, as a disk that is full can. */
const never = () => new Promise<never>(() => {})

class HangingObject {
  readonly size = 7
  arrayBuffer = never
  text = never
}

class HangingUpload {
  readonly uploadId = 'u'
  uploadPart = never
  complete = never
  abort = never
}

/** Looks for its own state in `this`, as objects of the runtime do. */
class Bucket {
  readonly #answers = new Map<string, unknown>([['there', new HangingObject()]])
  hangs = true
  #answer(value: unknown): Promise<unknown> {
    return this.hangs ? never() : Promise.resolve(value)
  }
  head = (key: string) => this.#answer(key)
  put = (key: string, _value: unknown) => this.#answer(key)
  delete = (_keys: string[]) => this.#answer(undefined)
  list = () => this.#answer([])
  createMultipartUpload = (_key: string) => this.#answer(new HangingUpload())
  async get(key: string) {
    return this.#answers.get(key) ?? this.#answer(null)
  }
  resumeMultipartUpload = () => new HangingUpload()
}

const hanging = () => boundedBucket(new Bucket(), CALL_MS, BODY_MS)
function answering() {
  const bucket = new Bucket()
  bucket.hangs = false
  return boundedBucket(bucket, CALL_MS, BODY_MS)
}

describe('a call of a bucket that does not answer is given up', () => {
  const calls: [string, (bucket: ReturnType<typeof hanging>) => Promise<unknown>][] = [
    ['head', (bucket) => bucket.head('k')],
    ['get', (bucket) => bucket.get('k')],
    ['put', (bucket) => bucket.put('k', new Uint8Array(1))],
    ['delete', (bucket) => bucket.delete(['k'])],
    ['list', (bucket) => bucket.list()],
    ['createMultipartUpload', (bucket) => bucket.createMultipartUpload('k')],
    ['arrayBuffer', async (bucket) => ((await bucket.get('there')) as HangingObject).arrayBuffer()],
    ['text', async (bucket) => ((await bucket.get('there')) as HangingObject).text()],
    ['uploadPart', (bucket) => bucket.resumeMultipartUpload().uploadPart()],
    ['complete', (bucket) => bucket.resumeMultipartUpload().complete()],
    ['abort', (bucket) => bucket.resumeMultipartUpload().abort()],
    ['uploadPart', async () => ((await answering().createMultipartUpload('k')) as HangingUpload).uploadPart()],
  ]
  test.each(calls)('%s', async (operation, call) => {
    const error = await call(hanging()).then(
      () => expect.fail('it was not given up'),
      (thrown: unknown) => thrown as FusouError,
    )
    expect(error).toBeInstanceOf(FusouError)
    expect(error).toMatchObject({ code: 'storage_unavailable', transient: true })
    expect(error.detail).toContain(`${operation}: no answer within`)
  })
})

describe('a bounded bucket', () => {
  test('gives what the bucket gives, and its errors', async () => {
    const bucket = answering()
    expect(await bucket.head('k')).toBe('k')
    expect(await bucket.get('none')).toBeNull()
    expect(((await bucket.get('there')) as HangingObject).size).toBe(7)
    expect(bucket.resumeMultipartUpload().uploadId).toBe('u')
    const broken = boundedBucket({ head: () => Promise.reject(new Error('put: 10001')) }, CALL_MS, BODY_MS)
    await expect(broken.head()).rejects.toThrow('put: 10001')
  })

  test('sets no deadline to a put or a part that is a stream, whose pace is that of the client', async () => {
    const stored = (_place: unknown, _value: unknown) =>
      new Promise((resolve) => setTimeout(resolve, 3 * BODY_MS, 'stored'))
    const late = boundedBucket({ put: stored, resumeMultipartUpload: () => ({ uploadPart: stored }) }, CALL_MS, BODY_MS)
    const upload = late.resumeMultipartUpload()
    expect(await late.put('k', new ReadableStream())).toBe('stored')
    expect(await upload.uploadPart(1, new ReadableStream())).toBe('stored')
    for (const call of [late.put('k', new Uint8Array(1)), upload.uploadPart(1, new Uint8Array(1))])
      await expect(call).rejects.toMatchObject({ code: 'storage_unavailable' })
  })
})

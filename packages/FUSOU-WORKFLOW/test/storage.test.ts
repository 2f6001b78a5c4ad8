import { createHash } from 'node:crypto'
import { MemoryBudget, R2Source } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { MultipartSink, PART_BYTES } from '../src/storage/multipart-sink.ts'
import { env } from './test-env.ts'

const pattern = (bytes: number) => Uint8Array.from({ length: bytes }, (_, at) => (at * 7) % 251)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('MultipartSink', () => {
  test.for([
    ['less than a part', 1000],
    ['exactly a part', PART_BYTES],
    ['parts and a rest', 2 * PART_BYTES + 1],
  ] as const)('writes %s as it was given', async ([, length]) => {
    const key = `test/${crypto.randomUUID()}`
    const bytes = pattern(length)
    const noted: string[] = []
    const sink = new MultipartSink(env.BUCKET, key, { tier: '1' }, async (uploadId) => void noted.push(uploadId))
    // the same memory again and again, as the merge has it
    const part = new Uint8Array(PART_BYTES)
    for (let at = 0; at < length; at += PART_BYTES) {
      const own = bytes.subarray(at, at + PART_BYTES)
      part.set(own)
      await sink.write(part.subarray(0, own.length))
    }
    part.fill(0)
    expect(await env.BUCKET.head(key)).toBeNull()
    expect(await sink.close()).toBe(sha256(bytes))
    expect(noted).toHaveLength(length < PART_BYTES ? 0 : 1)
    const stored = new Uint8Array(await (await env.BUCKET.get(key))!.arrayBuffer())
    expect(sha256(stored)).toBe(sha256(bytes))
  })

  test('leaves nothing behind when it is given up', async () => {
    const key = `test/${crypto.randomUUID()}`
    const sink = new MultipartSink(env.BUCKET, key, { tier: '1' }, async () => undefined)
    await sink.write(pattern(PART_BYTES))
    await sink.write(pattern(1))
    await sink.abort()
    expect(await env.BUCKET.head(key)).toBeNull()
  })

  test('writes no part of an upload that could not be noted', async () => {
    const key = `test/${crypto.randomUUID()}`
    let uploadId = ''
    const sink = new MultipartSink(env.BUCKET, key, { tier: '1' }, (id) => {
      uploadId = id
      return Promise.reject(new Error('stale_attempt: not ours'))
    })
    await expect(sink.write(pattern(PART_BYTES))).rejects.toThrow('stale_attempt')
    await sink.abort()
    await expect(env.BUCKET.resumeMultipartUpload(key, uploadId).complete([])).rejects.toThrow('does not exist')
  })
})

describe('R2Source', () => {
  const input = (r2Key: string) => ({ id: 'file-1', r2Key, offset: 10, length: 20, rows: 0 })

  test('reads a slice of a larger object by offsets of its own', async () => {
    const key = `test/${crypto.randomUUID()}`
    const bytes = pattern(100)
    await env.BUCKET.put(key, bytes)
    expect(await new R2Source(env.BUCKET, input(key)).read(5, 10)).toEqual(bytes.slice(15, 25))
  })

  test('names the object that is not there', async () => {
    const key = `test/${crypto.randomUUID()}`
    await expect(new R2Source(env.BUCKET, input(key)).read(0, 1)).rejects.toThrow(
      `object_missing: file file-1: no object ${key}`,
    )
  })

  test.each([
    ['in the file', 29],
    ['in the range that is read', 18],
    ['before the range', 12],
    ['before the file', 5],
  ])('calls a file corrupt whose object ends %s', async (_where, objectBytes) => {
    const key = `test/${crypto.randomUUID()}`
    await env.BUCKET.put(key, pattern(objectBytes))
    await expect(new R2Source(env.BUCKET, input(key)).read(5, 10)).rejects.toThrow(
      `corrupt_file: file file-1: object ${key} is ${objectBytes} bytes long, too short`,
    )
  })

  test('reads a file whose object ends with it', async () => {
    const key = `test/${crypto.randomUUID()}`
    await env.BUCKET.put(key, pattern(30))
    expect(await new R2Source(env.BUCKET, input(key)).read(10, 10)).toEqual(pattern(30).slice(20))
  })

  test('does not blame the object for what the bucket refuses', async () => {
    const key = `test/${crypto.randomUUID()}`
    await env.BUCKET.put(key, pattern(30))
    const refusing = { get: () => Promise.reject(new Error('overloaded')), head: env.BUCKET.head.bind(env.BUCKET) }
    await expect(new R2Source(refusing as unknown as R2Bucket, input(key)).read(0, 1)).rejects.toThrow('overloaded')
  })
})

describe('MemoryBudget', () => {
  test('never lets more be held than there is, and lets everybody have a turn', async () => {
    const budget = new MemoryBudget(10, 60_000)
    let held = 0
    let most = 0
    const use = (bytes: number) =>
      budget.hold(bytes, async () => {
        held += bytes
        most = Math.max(most, held)
        await scheduler.wait(1)
        held -= bytes
        return bytes
      })
    expect(await Promise.all([4, 4, 4, 10, 1].map(use))).toEqual([4, 4, 4, 10, 1])
    expect(most).toBeLessThanOrEqual(10)
  })

  test('gets back at its deadline what a body held that was dropped in the middle', async () => {
    const budget = new MemoryBudget(10, 1)
    void budget.hold(10, () => new Promise(() => undefined))
    expect(await budget.hold(10, async () => 'free')).toBe('free')
  })

  test('turns away who would wait too long, and lets others have what is free', async () => {
    const budget = new MemoryBudget(10, 60_000)
    {
      using _ = await budget.acquire(8)
      await expect(budget.acquire(3, 60)).rejects.toMatchObject({ code: 'overloaded', transient: true })
      using __ = await budget.acquire(2, 0)
      await expect(budget.acquire(1, 0)).rejects.toMatchObject({ code: 'overloaded' })
    }
    using _ = await budget.acquire(10, 0)
  })

  test('gives back what a failing body held', async () => {
    const budget = new MemoryBudget(10, 60_000)
    await expect(budget.hold(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await budget.hold(10, async () => 'free')).toBe('free')
  })
})

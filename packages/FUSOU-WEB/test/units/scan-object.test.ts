import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { scanObject } from '../../src/adopt/scan-object.ts'

const metadata = { dataset: 'd', owner: randomUUID(), period: '0', tier: '0', slices: '[["t",12]]' }
const object = { key: 'datasets/d/uploads/u', size: 12, customMetadata: metadata } as unknown as R2Object

/** A bucket whose one object is read as this says. */
const bucketOf = (get: () => unknown) => ({ get: async () => get() }) as unknown as R2Bucket
const bodyOf = (bytes: Uint8Array) => ({ body: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() })

describe('an object of the bucket', () => {
  test('whose bytes are no Parquet is named as such', async () => {
    const bucket = bucketOf(() => bodyOf(new Uint8Array(12).fill(7)))
    expect(await scanObject(bucket, object)).toMatchObject([{ fault: 'not_parquet', datasetId: 'd' }])
  })

  test('that cannot be read now is no faulty one: the scan fails, and is repeated', async () => {
    const bucket = bucketOf(() => {
      throw new Error('overloaded')
    })
    await expect(scanObject(bucket, object)).rejects.toThrow('overloaded')
    const torn = bucketOf(() => ({
      body: new ReadableStream({
        start(controller) {
          controller.error(new Error('the connection is gone'))
        },
      }),
    }))
    await expect(scanObject(torn, object)).rejects.toThrow('length_mismatch')
  })

  test.each([
    [{ tier: '7' }, 'no_metadata'],
    [{ slices: '[["t",11]]' }, 'no_metadata'],
  ])('with the metadata %j has the fault %s', async (change, fault) => {
    const bucket = bucketOf(() => bodyOf(new Uint8Array(12)))
    const changed = { ...object, customMetadata: { ...metadata, ...change } } as unknown as R2Object
    expect(await scanObject(bucket, changed)).toMatchObject([{ fault }])
  })

  test('of more than 1 GiB is left to a person, and not read', async () => {
    const bucket = bucketOf(() => {
      throw new Error('read')
    })
    expect(await scanObject(bucket, { ...object, size: 2 ** 30 + 1 } as R2Object)).toMatchObject([
      { fault: 'too_large' },
    ])
    await expect(scanObject(bucket, { ...object, size: 2 ** 30 } as R2Object)).resolves.toMatchObject([
      { fault: 'no_metadata' },
    ])
  })
})

import { describe, expect, test } from 'vitest'
import type { Env } from '../../src/env.ts'
import { dropUploads } from '../../src/maintenance/drop-uploads.ts'
import { fakeCatalog, logOf } from './fakes.ts'

const aborted = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ id: `id ${from + i}`, r2Key: `key ${from + i}`, bucketUploadId: 'b' }))

/** A bucket that answers an abort so; each key that it dropped is noted. */
function bucketOf(fault: (key: string) => Error | undefined = () => undefined) {
  const dropped: string[] = []
  const resumeMultipartUpload = (key: string) => ({
    abort: async () => {
      const error = fault(key)
      if (error) throw error
      dropped.push(key)
    },
  })
  const installation = { etag: 'e', text: async () => JSON.stringify({ id: crypto.randomUUID(), stamp: 3 }) }
  return { env: { BUCKET: { get: async () => installation, resumeMultipartUpload } } as unknown as Env, dropped }
}

function catalogOf(batches: ReturnType<typeof aborted>[]) {
  return fakeCatalog({
    checkInstallation: () => ({ outcome: 'paired', id: 'i', write: false, stamp: 3 }),
    expireUploads: () => batches.shift() ?? [],
    forgetUploads: ((ids: string[]) => ids.length) as never,
  })
}

describe('uploads that nobody completes', () => {
  test('are dropped by the bucket and then forgotten, batch by batch', async () => {
    const { env, dropped } = bucketOf()
    const { catalog, calls } = catalogOf([aborted(50), aborted(3, 50)])
    expect(await dropUploads(env, catalog)).toEqual({ dropped: 53 })
    expect(dropped).toEqual(aborted(53).map(({ r2Key }) => r2Key))
    const made = calls.map(([method, first, second]) => [method, Array.isArray(first) ? first.length : first, second])
    expect(made.slice(1)).toEqual([
      ['expireUploads', 50, 3],
      ['forgetUploads', 50, undefined],
      ['expireUploads', 50, 3],
      ['forgetUploads', 3, undefined],
    ])
  })

  test('leave the rest to the next minute after ten batches', async () => {
    const { catalog, calls } = catalogOf(Array.from({ length: 12 }, () => aborted(50)))
    expect(await dropUploads(bucketOf().env, catalog)).toEqual({ dropped: 500 })
    expect(calls.filter(([method]) => method === 'expireUploads')).toHaveLength(10)
  })

  test('and that the bucket does not know any more are forgotten too', async () => {
    const gone = new Error('abort: The specified multipart upload does not exist. (10024)')
    const { catalog } = catalogOf([aborted(2)])
    expect(await dropUploads(bucketOf(() => gone).env, catalog)).toEqual({ dropped: 2 })
  })

  test('and that the bucket does not drop hold up none of the others, and fail the chore', async () => {
    const { env } = bucketOf((key) => (key === 'key 1' ? new Error('overloaded') : undefined))
    const { catalog, calls } = catalogOf([aborted(3)])
    const lines = await logOf(() => expect(dropUploads(env, catalog)).rejects.toThrow('1 uploads were not dropped'))
    expect(lines).toMatchObject([['error', { event: 'upload_not_aborted', uploadId: 'id 1', key: 'key 1' }]])
    expect(calls.at(-1)).toEqual(['forgetUploads', ['id 0', 'id 2']])
  })

  test('stay while catalog and bucket do not belong together', async () => {
    const { env } = bucketOf()
    const { catalog, calls } = fakeCatalog({
      checkInstallation: () => ({ outcome: 'problem', problem: 'catalog_restored' }),
    })
    await logOf(async () => expect(await dropUploads(env, catalog)).toEqual({ dropped: 0 }))
    expect(calls.map(([method]) => method)).toEqual(['checkInstallation'])
  })
})

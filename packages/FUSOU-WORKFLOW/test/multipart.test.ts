import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { expect, test } from 'vitest'
import { vacuum } from '../src/maintenance/vacuum.ts'
import { PART_BYTES } from '../src/storage/multipart-sink.ts'
import { planCompaction } from '../src/workflow/plan-compaction.ts'
import { runMerge } from '../src/workflow/run-merge.ts'
import { fragment, liveFiles, newDatasetId, newUserId, upload } from './fragments.ts'
import { catalog, env } from './test-env.ts'

const user = newUserId()

async function runningAttempt(fragments = [fragment(0, 5), fragment(5, 5)]) {
  const datasetId = newDatasetId()
  for (const bytes of fragments) await upload(datasetId, user, [{ table: 't', bytes }])
  const asked = await catalog.requestCompaction({ datasetId, requester: asUser(user), sender: 'test' })
  if (asked.outcome !== 'requested') throw new Error(asked.outcome)
  const message = { datasetId, jobId: asked.jobId, priority: 'manual' } as const
  const accepted = await catalog.acceptMessage('m', message, 600)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return { datasetId, attempt: { jobId: accepted.jobId, attempt: accepted.attempt } }
}

type Attempt = Awaited<ReturnType<typeof runningAttempt>>['attempt']

/** An upload with a part written and no end, as a try of a merge leaves it that dies. */
async function begunUpload(attempt: Attempt) {
  const key = `datasets/test/merged/${crypto.randomUUID()}`
  const begun = await env.BUCKET.createMultipartUpload(key)
  expect(await catalog.openMultipart(attempt, { r2Key: key, uploadId: begun.uploadId })).toEqual({ outcome: 'ok' })
  const part = await begun.uploadPart(1, new Uint8Array(PART_BYTES))
  return { key, complete: () => env.BUCKET.resumeMultipartUpload(key, begun.uploadId).complete([part]) }
}

const failAttempt = (attempt: Attempt) =>
  catalog.failAttempt(
    attempt,
    { code: 'storage_unavailable', step: 'compact-1', message: 'gone', transient: true },
    60,
    null,
  )

const incompleteUploads = async () => (await catalog.previewIncompleteUploads(null, 1000)).items

test('vacuum leaves the upload of a running attempt alone, and aborts it once the attempt is over', async () => {
  const { attempt } = await runningAttempt()
  const [mine, left] = [await begunUpload(attempt), await begunUpload(attempt)]
  await vacuum(env, catalog)
  await mine.complete()

  await failAttempt(attempt)
  expect(await incompleteUploads()).toEqual(
    expect.arrayContaining([expect.objectContaining({ r2Key: left.key, ...attempt })]),
  )
  await vacuum(env, catalog)
  await expect(left.complete()).rejects.toThrow('does not exist')
  expect(await env.BUCKET.head(left.key)).toBeNull()
  expect((await incompleteUploads()).map(({ r2Key }) => r2Key)).not.toContain(left.key)
})

test('an upload that was completed, and whose attempt died before it could swap it in, is deleted', async () => {
  const { attempt } = await runningAttempt()
  const { key, complete } = await begunUpload(attempt)
  await complete()
  expect(await env.BUCKET.head(key)).not.toBeNull()
  await failAttempt(attempt)
  await vacuum(env, catalog)
  expect(await env.BUCKET.head(key)).toBeNull()
})

test('an attempt that is over can begin no upload', async () => {
  const { attempt } = await runningAttempt()
  await failAttempt(attempt)
  const refused = await catalog.openMultipart(attempt, {
    r2Key: `datasets/test/merged/${crypto.randomUUID()}`,
    uploadId: 'u',
  })
  expect(refused).toEqual({ outcome: 'stale_attempt' })
})

/** Bytes that no codec makes smaller, so that the output has several parts. */
function incompressible(first: number, rows: number): Uint8Array<ArrayBuffer> {
  return fragment(first, rows, undefined, () => crypto.randomUUID() + crypto.randomUUID())
}

test('a merge in parts is noted while it is written, and no more once it is swapped in', async () => {
  const rows = 100_000
  const { datasetId, attempt } = await runningAttempt([incompressible(0, rows), incompressible(rows, rows)])
  await planCompaction(catalog, attempt)
  const uploads: string[] = []
  const noting = new Proxy(catalog, {
    get(target, name: keyof typeof catalog) {
      if (name !== 'openMultipart') return target[name].bind(target)
      return (...args: Parameters<typeof catalog.openMultipart>) => {
        uploads.push(args[1].r2Key)
        return target.openMultipart(...args)
      }
    },
  })
  expect(await runMerge(env, noting, attempt, 1, {})).toMatchObject({ outcome: 'committed' })
  const [merged] = await liveFiles(datasetId)
  expect(merged).toMatchObject({ level: 1, rows: 2 * rows })
  expect(merged!.bytes).toBeGreaterThan(PART_BYTES)
  await catalog.finishJob(attempt, { result: {}, more: false, sender: 'test' })
  const { r2Key } = (await catalog.getFile(merged!.id, AN_OPERATOR))!
  expect(uploads).toEqual([r2Key])
  expect((await incompleteUploads()).map((item) => item.r2Key)).not.toContain(r2Key)
  await vacuum(env, catalog)
  expect(await env.BUCKET.head(r2Key)).not.toBeNull()
})

test('a try of a merge that fails in the middle of its parts aborts its upload at once', async () => {
  const rows = 100_000
  const { attempt } = await runningAttempt([0, 1, 2].map((place) => incompressible(place * rows, rows)))
  await planCompaction(catalog, attempt)
  const opened = await catalog.openMerge(attempt, 1, { leaseSeconds: 60 })
  if (opened.outcome !== 'ok') throw new Error(opened.outcome)
  const last = opened.inputs.at(-1)!
  const begun: R2MultipartUpload[] = []
  // The first part is written long before the last input is read, which is gone by then.
  const bucket = new Proxy(env.BUCKET, {
    get(target, name: keyof R2Bucket) {
      if (name === 'createMultipartUpload') {
        return async (...args: Parameters<R2Bucket['createMultipartUpload']>) => {
          begun.push(await target.createMultipartUpload(...args))
          await target.delete(last.r2Key)
          return begun.at(-1)
        }
      }
      const method = target[name] as unknown
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
  const merged = await runMerge({ ...env, BUCKET: bucket }, catalog, attempt, 1, {})
  expect(merged).toMatchObject({ outcome: 'committed', filesSetAside: 1, report: { rowsOut: 2 * rows } })
  expect(begun).toHaveLength(2)
  const { key, uploadId } = begun[0]!
  await expect(env.BUCKET.resumeMultipartUpload(key, uploadId).complete([])).rejects.toThrow('does not exist')
})

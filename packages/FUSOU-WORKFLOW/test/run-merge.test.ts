import { createHash } from 'node:crypto'
import { AN_OPERATOR, factsKey, MergedFacts, MergedMetadata } from '@fusou/catalog'
import { expect, test } from 'vitest'
import type { Env } from '../src/env.ts'
import { MAX_JOB_MERGES, planCompaction } from '../src/workflow/plan-compaction.ts'
import { runMerge } from '../src/workflow/run-merge.ts'
import { fragment, liveFiles, liveIds, newDatasetId, newUserId, range, upload } from './fragments.ts'
import { catalog, env } from './test-env.ts'

const user = newUserId()

/** A job asked for by hand, claimed and planned. */
async function planned(datasetId: string) {
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, priority: 'manual' }, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const attempt = { jobId: accepted.jobId, attempt: accepted.attempt }
  return { ...attempt, plan: await planCompaction(catalog, attempt) }
}

/** A bucket that counts its calls. */
function counted(bucket: R2Bucket) {
  const calls: Record<string, number> = {}
  const counting = new Proxy(bucket, {
    get(target, name: keyof R2Bucket) {
      const method = target[name]
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => {
        calls[name] = (calls[name] ?? 0) + 1
        return (method as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
  return { calls, bucket: counting }
}

async function sixteenFragments() {
  const datasetId = newDatasetId()
  for (let index = 0; index < 16; index++) {
    await upload(datasetId, user, [{ table: 't', bytes: fragment(index * 10, 10) }])
  }
  return datasetId
}

test('a merge of sixteen fragments makes one request for each, one for its output and one for its origin', async () => {
  const datasetId = await sixteenFragments()
  const { calls, bucket } = counted(env.BUCKET)
  const attempt = await planned(datasetId)
  expect(await runMerge({ ...env, BUCKET: bucket } satisfies Env, catalog, attempt, 1, {})).toMatchObject({
    outcome: 'committed',
    report: { files: 16, rowsOut: 160, rowGroupsOut: 1 },
  })
  expect(calls).toEqual({ get: 16, put: 2 })
})

test('a merge that is run again after its swap does nothing', async () => {
  const datasetId = await sixteenFragments()
  const attempt = await planned(datasetId)
  await runMerge(env, catalog, attempt, 1, {})
  const before = await liveFiles(datasetId)
  const { calls, bucket } = counted(env.BUCKET)
  expect(await runMerge({ ...env, BUCKET: bucket }, catalog, attempt, 1, {})).toEqual({ outcome: 'committed_before' })
  expect(calls).toEqual({})
  expect(await liveFiles(datasetId)).toEqual(before)
})

/** A catalog whose `openMerge` answers only when so many have asked. */
function meetingAtOpen(count: number) {
  const met = Promise.withResolvers<void>()
  let asked = 0
  return new Proxy(catalog, {
    get(target, name: keyof typeof catalog) {
      if (name !== 'openMerge') return target[name].bind(target)
      return async (...args: Parameters<typeof catalog.openMerge>) => {
        const opened = await target.openMerge(...args)
        if (++asked === count) met.resolve()
        await met.promise
        return opened
      }
    },
  })
}

test('two tries of one merge at the same time leave one output, and the loser is garbage', async () => {
  const datasetId = await sixteenFragments()
  const attempt = await planned(datasetId)
  const meeting = meetingAtOpen(2)
  const outcomes = await Promise.all([1, 2].map(() => runMerge(env, meeting, attempt, 1, {})))
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['committed', 'committed_before'])
  expect(await liveFiles(datasetId)).toMatchObject([{ rows: 160, level: 1 }])
  const [live] = await liveFiles(datasetId)
  const { r2Key } = (await catalog.getFile(live!.id, AN_OPERATOR))!
  const written = await env.BUCKET.list({ prefix: `datasets/${datasetId}/merged/` })
  const losers = written.objects.map(({ key }) => key).filter((key) => key.endsWith('.parquet') && key !== r2Key)
  expect(losers).toHaveLength(1)
  const garbage = await catalog.claimGarbage(1000)
  expect(garbage).not.toContain(r2Key)
  expect(garbage).toContain(losers[0])
})

test('a version that was read stays the same to the byte while later jobs write', async () => {
  const datasetId = await sixteenFragments()
  await runMerge(env, catalog, await planned(datasetId), 1, {})
  const page = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, limit: 10 })
  if (page.outcome !== 'ok') throw new Error(page.outcome)

  const [first] = await catalog.listJobs({ requester: AN_OPERATOR, datasetId, state: 'running', limit: 1 })
  await catalog.finishJob({ jobId: first!.id, attempt: 1 }, { result: {}, more: false, sender: 'test' })
  await upload(datasetId, user, [{ table: 't', bytes: fragment(160, 5) }])
  await runMerge(env, catalog, await planned(datasetId), 1, {})
  expect(await liveIds(datasetId, 't')).toEqual(range(0, 165))

  const again = await catalog.listFiles({ datasetId, requester: AN_OPERATOR, version: page.version, limit: 10 })
  expect(again).toEqual(page)
  const { r2Key } = (await catalog.getFile(page.files[0]!.id, AN_OPERATOR))!
  const bytes = new Uint8Array(await (await env.BUCKET.get(r2Key))!.arrayBuffer())
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(page.files[0]!.sha256)
})

test('a plan takes a bounded number of outputs and leaves the rest to a successor', async () => {
  const datasetId = newDatasetId()
  const tables = Array.from({ length: MAX_JOB_MERGES + 2 }, (_, index) => `t${index}`)
  for (const first of [0, 1]) {
    await upload(
      datasetId,
      user,
      tables.map((table) => ({ table, bytes: fragment(first, 1) })),
    )
  }
  const { jobId, attempt, plan } = await planned(datasetId)
  expect(plan).toMatchObject({ merges: MAX_JOB_MERGES, more: true })
  await catalog.finishJob({ jobId, attempt }, { result: {}, more: plan.more, sender: 'test' })
  expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId, state: 'queued', limit: 10 })).toHaveLength(1)
})

test('an output says where it belongs, and names every upload that it holds through all tiers', async () => {
  const datasetId = await sixteenFragments()
  await runMerge(env, catalog, await planned(datasetId), 1, {})
  const keyOfLive = async () => (await catalog.getFile((await liveFiles(datasetId))[0]!.id, AN_OPERATOR))!.r2Key
  const first = await keyOfLive()
  const [job] = await catalog.listJobs({ requester: AN_OPERATOR, datasetId, state: 'running', limit: 1 })
  await catalog.finishJob({ jobId: job!.id, attempt: 1 }, { result: {}, more: false, sender: 'test' })
  await upload(datasetId, user, [{ table: 't', bytes: fragment(160, 5) }])
  const attempt = await planned(datasetId)
  await runMerge(env, catalog, attempt, 1, {})

  const second = await keyOfLive()
  expect(second).toMatch(new RegExp(`^datasets/${datasetId}/merged/`))
  const { customMetadata } = (await env.BUCKET.head(second))!
  expect(MergedMetadata.parse(customMetadata)).toMatchObject({
    dataset: datasetId,
    owner: user,
    table: 't',
    period: '0',
    tier: '2',
    job: attempt.jobId,
  })
  const facts = MergedFacts.parse(await (await env.BUCKET.get(factsKey(second)))!.json())
  expect(new Set(facts.leaves.map(([sha256]) => sha256)).size).toBe(17)
  expect(facts.leaves.reduce((sum, [, rows]) => sum + rows, 0)).toBe(165)
  expect(facts.ancestors).toEqual([first])
})

test('an output whose input has lost its origin has none either, and is merged all the same', async () => {
  const datasetId = newDatasetId()
  for (const first of [0, 5]) await upload(datasetId, user, [{ table: 't', bytes: fragment(first, 5) }])
  await runMerge(env, catalog, await planned(datasetId), 1, {})
  const keyOfLive = async () => (await catalog.getFile((await liveFiles(datasetId))[0]!.id, AN_OPERATOR))!.r2Key
  await env.BUCKET.delete(factsKey(await keyOfLive()))
  const [job] = await catalog.listJobs({ requester: AN_OPERATOR, datasetId, state: 'running', limit: 1 })
  await catalog.finishJob({ jobId: job!.id, attempt: 1 }, { result: {}, more: false, sender: 'test' })
  await upload(datasetId, user, [{ table: 't', bytes: fragment(160, 5) }])
  expect(await runMerge(env, catalog, await planned(datasetId), 1, {})).toMatchObject({ outcome: 'committed' })
  expect(await env.BUCKET.head(factsKey(await keyOfLive()))).toBeNull()
})

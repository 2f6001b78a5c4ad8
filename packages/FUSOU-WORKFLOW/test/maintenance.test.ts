import { createMessageBatch, introspectWorkflowInstance } from 'cloudflare:test'
import { AN_OPERATOR, asUser, datasetPrefix, factsKey, ORPHAN_SWEEP, pairInstallation, uploadKey } from '@fusou/catalog'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { consumeCompactionMessages } from '../src/consume/consume-compaction-messages.ts'
import type { Env } from '../src/env.ts'
import { relayOutbox } from '../src/maintenance/relay-outbox.ts'
import { rescueJobs } from '../src/maintenance/rescue-jobs.ts'
import { startJobs } from '../src/maintenance/start-jobs.ts'
import { sweepOrphans } from '../src/maintenance/sweep-orphans.ts'
import { vacuum } from '../src/maintenance/vacuum.ts'
import { instanceId, startAttempt } from '../src/workflow/start-attempt.ts'
import { fragment, liveFiles, liveIds, newDatasetId, newUserId, range, upload, uploadAndAsk } from './fragments.ts'
import { catalog, env, POLL } from './test-env.ts'

const user = newUserId()
afterEach(() => {
  vi.useRealTimers()
})

async function twoFragments() {
  const datasetId = newDatasetId()
  const first = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(0, 5) }])
  const second = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(5, 5) }])
  return { datasetId, jobId: second.jobId, outboxId: first.outbox?.id, keys: [first.r2Key, second.r2Key] }
}

async function claim(datasetId: string, jobId: string, leaseSeconds: number) {
  const accepted = await catalog.acceptMessage('m', { datasetId, jobId, priority: 'realtime' }, leaseSeconds)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return { jobId, attempt: accepted.attempt }
}

const succeeded = (jobId: string) =>
  expect.poll(() => catalog.getJob(jobId, AN_OPERATOR), POLL).toMatchObject({ state: 'succeeded' })

describe('the relay', () => {
  test('sends what its writer did not send, and the job runs', async () => {
    const { datasetId, jobId, outboxId } = await twoFragments()
    expect(await catalog.releaseOutbox([outboxId!], 'test', 'the queue refused')).toBe(1)
    // what other tests left in the outbox may be due before this message is: the relay runs until the job has
    const relayed = async () => {
      await relayOutbox(env, catalog)
      return catalog.getJob(jobId, AN_OPERATOR)
    }
    await expect.poll(relayed, POLL).toMatchObject({ state: 'succeeded' })
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
  })
})

describe('the cron', () => {
  test('has files merged that waited as long as their policy allows, without another upload', async () => {
    const datasetId = newDatasetId()
    for (const first of [0, 5]) await upload(datasetId, user, [{ table: 't', bytes: fragment(first, 5) }])
    expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId, limit: 10 })).toEqual([])
    await catalog.configureDataset(datasetId, AN_OPERATOR, { mergeMaxAgeSeconds: 0 })
    const passed = async () => {
      await startJobs(env, catalog)
      await relayOutbox(env, catalog)
      return (await liveFiles(datasetId)).map((file) => file.level)
    }
    await expect.poll(passed, POLL).toEqual([1])
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await catalog.listJobs({ requester: AN_OPERATOR, datasetId, limit: 10 })).toMatchObject([
      { priority: 'realtime' },
    ])
  })

  test('starts a job that waits for a slot as soon as there is one, once', async () => {
    const limits = await catalog.configureAdmission(AN_OPERATOR, {})
    const first = await twoFragments()
    const running = await claim(first.datasetId, first.jobId, 60)
    const status = await catalog.jobStatus(AN_OPERATOR)
    try {
      await catalog.configureAdmission(AN_OPERATOR, { maxRunningJobs: 1 })
      expect(status.jobs.running).toBeGreaterThanOrEqual(1)
      const { datasetId, jobId } = await twoFragments()
      const message = { datasetId, jobId, priority: 'realtime' } as const
      expect(await catalog.acceptMessage('m', message, 60)).toEqual({ outcome: 'waiting', jobId })
      await startJobs(env, catalog)
      expect(await catalog.acceptMessage('m', message, 60)).toEqual({ outcome: 'waiting', jobId })
      await catalog.configureAdmission(AN_OPERATOR, limits)
      const passed = async () => {
        await startJobs(env, catalog)
        await relayOutbox(env, catalog)
        return (await catalog.getJob(jobId, AN_OPERATOR))!.state
      }
      await expect.poll(passed, POLL).toBe('succeeded')
      expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    } finally {
      await catalog.configureAdmission(AN_OPERATOR, limits)
      await catalog.finishJob(running, { result: {}, more: false, sender: 'test' })
    }
  })
})

describe('the rescuer', () => {
  test('starts an attempt that was claimed and never started', async () => {
    const { datasetId, jobId } = await twoFragments()
    await claim(datasetId, jobId, 0)
    await rescueJobs(env, catalog)
    await succeeded(jobId)
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ attempt: 1 })
  })

  test('finds a claimed attempt that never began within the lease that the consumer gives it', async () => {
    const { datasetId, jobId } = await twoFragments()
    const message = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: { datasetId, jobId } }
    const workflowAway = { createBatch: () => Promise.reject(new Error('the Workflow is away')) }
    const away = { ...env, DATA_COMPACTION_WORKFLOW: workflowAway as unknown as Env['DATA_COMPACTION_WORKFLOW'] }
    await consumeCompactionMessages(createMessageBatch('dev-kc-compaction-queue', [message]), away, catalog)
    const job = (await catalog.getJob(jobId, AN_OPERATOR))!
    expect(job).toMatchObject({ state: 'running', attempt: 1 })
    // with the minute between two runs of the cron: two minutes at the most
    expect(Date.parse(job.leaseUntil!) - Date.parse(job.startedAt!)).toBeLessThanOrEqual(61_000)
    expect(await catalog.cancelJob(jobId, asUser(user))).toEqual({ outcome: 'cancelled' })
    const again = await catalog.retryJob(jobId, asUser(user), 'test')
    if (again.outcome !== 'requested') throw new Error(again.outcome)
    await startAttempt(env, await claim(datasetId, again.jobId, 60))
    await succeeded(again.jobId)
  })

  test('begins a new attempt when the instance has ended without a word', async () => {
    const { datasetId, jobId } = await twoFragments()
    const params = await claim(datasetId, jobId, 60)
    await using instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(params))
    await instance.modify(async (m) => {
      await m.disableRetryDelays()
      await m.mockStepError({ name: 'get-metadata' }, new Error('database_unavailable: down'))
      await m.mockStepError({ name: 'record-failure' }, new Error('database_unavailable: down'))
    })
    await startAttempt(env, params)
    await instance.waitForStatus('errored')
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ state: 'running', attempt: 1 })
    expect(await catalog.renewLease(params, 0)).toMatchObject({ outcome: 'ok' })
    await rescueJobs(env, catalog)
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ attempt: 2, error: { code: 'workflow_ended' } })
  })

  test('leaves an instance alone that is still at work', async () => {
    const { datasetId, jobId } = await twoFragments()
    const params = await claim(datasetId, jobId, 60)
    await using instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(params))
    await instance.modify(async (m) =>
      m.mockStepError({ name: 'get-metadata' }, new Error('database_unavailable: down'), 1),
    )
    await startAttempt(env, params)
    await instance.waitForStepResult({ name: 'validate-dataset' })
    expect(await catalog.enterStep(params, 'get-metadata', { leaseSeconds: 0 })).toEqual({ outcome: 'ok' })
    await rescueJobs(env, catalog)
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ state: 'running', attempt: 1 })
    expect((await catalog.listExpiredLeases(1000)).map((one) => one.jobId)).not.toContain(jobId)
  })

  test('takes over from an instance that says it runs and gives no sign for two leases', async () => {
    const { datasetId, jobId } = await twoFragments()
    const params = await claim(datasetId, jobId, 60)
    await using instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(params))
    await instance.modify(async (m) =>
      m.mockStepError({ name: 'get-metadata' }, new Error('database_unavailable: down'), 1),
    )
    await startAttempt(env, params)
    await instance.waitForStepResult({ name: 'validate-dataset' })
    expect(await catalog.renewLease(params, 0)).toEqual({ outcome: 'ok', silentLeases: 1 })
    await rescueJobs(env, catalog)
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ attempt: 2, error: { code: 'workflow_ended' } })
    expect(await catalog.enterStep(params, 'get-metadata', { leaseSeconds: 60 })).toEqual({ outcome: 'stale_attempt' })
  })
})

describe('vacuum', () => {
  test('deletes the fragments of a merge once no version that is readable has them', async () => {
    const { datasetId, jobId, keys } = await twoFragments()
    await startAttempt(env, await claim(datasetId, jobId, 60))
    await succeeded(jobId)
    await vacuum(env, catalog)
    for (const key of keys) expect(await env.BUCKET.head(key)).not.toBeNull()

    await catalog.configureDataset(datasetId, AN_OPERATOR, { retentionSeconds: 0 })
    await vacuum(env, catalog)
    for (const key of keys) expect(await env.BUCKET.head(key)).toBeNull()
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await catalog.listFiles({ datasetId, requester: AN_OPERATOR, version: 1, limit: 10 })).toEqual({
      outcome: 'version_gone',
    })
  })

  test('goes on after a deletion that failed: the note of garbage outlives the object', async () => {
    const orphan = `datasets/${newDatasetId()}/uploads/refused.parquet`
    await env.BUCKET.put(orphan, 'refused')
    await catalog.markKeysForDeletion([orphan])
    const refusing = withBucket({
      delete: () => Promise.reject(new Error('the bucket refuses')),
    })
    await expect(vacuum(refusing, catalog)).rejects.toThrow('the bucket refuses')
    expect(await catalog.claimGarbage(1000)).toContain(orphan)
    expect(await env.BUCKET.head(orphan)).not.toBeNull()
    await vacuum(env, catalog)
    expect(await env.BUCKET.head(orphan)).toBeNull()
    expect(await catalog.claimGarbage(1000)).not.toContain(orphan)
  })

  test('deletes the origin of a merged object with it', async () => {
    const { datasetId, jobId } = await twoFragments()
    await startAttempt(env, await claim(datasetId, jobId, 60))
    await succeeded(jobId)
    const [file] = await liveFiles(datasetId)
    const { r2Key } = (await catalog.getFile(file!.id, AN_OPERATOR))!
    expect(await env.BUCKET.head(factsKey(r2Key))).not.toBeNull()
    await catalog.configureDataset(datasetId, AN_OPERATOR, { retentionSeconds: 0 })
    const { jobId: second } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(10, 5) }])
    await startAttempt(env, await claim(datasetId, second, 60))
    await succeeded(second)
    await vacuum(env, catalog)
    expect(await env.BUCKET.head(r2Key)).toBeNull()
    expect(await env.BUCKET.head(factsKey(r2Key))).toBeNull()
  })
})

/** The environment with a bucket of which some methods are others. */
function withBucket(methods: Partial<Record<keyof R2Bucket, (...args: never[]) => unknown>>): Env {
  const bucket = new Proxy(env.BUCKET, {
    get(target, name: keyof R2Bucket) {
      const method = methods[name] ?? target[name]
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
  return { ...env, BUCKET: bucket }
}

/** The environment with a bucket that lists this dataset alone. */
const withOnly = (datasetId: string): Env =>
  withBucket({
    list: (options: R2ListOptions) => env.BUCKET.list({ ...options, prefix: datasetPrefix(datasetId) }),
  })

const sweepStatus = async () => (await catalog.jobStatus(AN_OPERATOR)).installation!.sweep

/** The next round begins now: an operator who accepts what was found makes it due. */
async function nextRound(): Promise<void> {
  const sweep = await sweepStatus()
  if (sweep) await catalog.acceptOrphans(AN_OPERATOR, ORPHAN_SWEEP, sweep.orphans ?? 0, false)
}

describe('the sweep', () => {
  const passDay = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3600 * 1000 })

  test('suspects objects that nothing names after a day and not before, and deletes none at the first look', async () => {
    const { datasetId, keys } = await twoFragments()
    const orphan = uploadKey(datasetId)
    await env.BUCKET.put(orphan, 'left behind')
    await nextRound()
    expect(await sweepOrphans(withOnly(datasetId), catalog)).toEqual({ suspects: 0, marked: 0 })
    expect(await sweepStatus()).toMatchObject({ objects: 3, orphans: 0 })

    await nextRound()
    passDay()
    expect(await sweepOrphans(withOnly(datasetId), catalog)).toEqual({ suspects: 1, marked: 0 })
    vi.useRealTimers()
    await vacuum(env, catalog)
    for (const key of [orphan, ...keys]) expect(await env.BUCKET.head(key)).not.toBeNull()
  })

  test('walks page by page to the last one, and counts an object and its origin as one', async () => {
    const datasetId = newDatasetId()
    const prefix = datasetPrefix(datasetId)
    for (const name of ['a', 'b', 'c', 'd']) await upload(datasetId, user, [{ table: name, bytes: fragment(0, 1) }])
    for (const key of [`${prefix}zz`, factsKey(`${prefix}zz`)]) await env.BUCKET.put(key, 'on the last page')
    await nextRound()
    passDay()
    expect(await sweepOrphans(withOnly(datasetId), catalog, 2)).toEqual({ suspects: 1, marked: 0 })
    expect(await sweepStatus()).toMatchObject({ objects: 5, orphans: 1 })
  })
})

describe('a bucket that does not belong to the catalog', () => {
  const INSTALLATION = '.fusou/installation.json'

  /** Run with another installation object in the bucket, then with the right one again. */
  async function withInstallation(body: string | null, run: () => Promise<void>): Promise<void> {
    const before = await (await env.BUCKET.get(INSTALLATION))!.text()
    if (body === null) await env.BUCKET.delete(INSTALLATION)
    else await env.BUCKET.put(INSTALLATION, body)
    try {
      await run()
    } finally {
      await env.BUCKET.put(INSTALLATION, before)
      expect(await pairInstallation(env.BUCKET, catalog)).toMatchObject({ paired: true })
    }
  }

  const foreign = JSON.stringify({ id: crypto.randomUUID(), stamp: 1 })
  const ahead = async () =>
    JSON.stringify({ id: (await catalog.jobStatus(AN_OPERATOR)).installation!.id, stamp: 1_000_000_000 })
  test.each([
    ['of another installation', async () => foreign, 'foreign_bucket'],
    ['that is ahead of the catalog', ahead, 'catalog_restored'],
    ['whose id is no JSON', async () => 'not JSON', 'foreign_bucket'],
    ['that has lost its id', async () => null, 'missing_stamp'],
  ])('%s: nothing is deleted and nothing is merged', async (_what, body, problem) => {
    const garbage = uploadKey(newDatasetId())
    await env.BUCKET.put(garbage, 'refused')
    await catalog.markKeysForDeletion([garbage])
    const { datasetId, jobId } = await twoFragments()
    const attempt = await claim(datasetId, jobId, 60)
    await withInstallation(await body(), async () => {
      expect(await vacuum(env, catalog)).toEqual({ deleted: 0, aborted: 0 })
      await nextRound()
      expect(await sweepOrphans(env, catalog)).toEqual({ suspects: 0, marked: 0 })
      expect(await env.BUCKET.head(garbage)).not.toBeNull()
      expect((await catalog.jobStatus(AN_OPERATOR)).installation).toMatchObject({ problem })

      await using instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(attempt))
      await instance.modify(async (m) => m.disableRetryDelays())
      await startAttempt(env, attempt)
      await instance.waitForStatus('errored')
      expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ error: { code: 'pairing_problem' } })
      expect(await liveFiles(datasetId)).toHaveLength(2)
    })
    await vacuum(env, catalog)
    expect(await env.BUCKET.head(garbage)).toBeNull()
  })

  test('two isolates that start at once pair it once', async () => {
    const pairings = await Promise.all([1, 2, 3].map(() => pairInstallation(env.BUCKET, catalog)))
    for (const pairing of pairings) expect(pairing).toMatchObject({ paired: true })
    const { id } = await (await env.BUCKET.get(INSTALLATION))!.json<{ id: string }>()
    expect(id).toBe((await catalog.jobStatus(AN_OPERATOR)).installation!.id)
  })
})

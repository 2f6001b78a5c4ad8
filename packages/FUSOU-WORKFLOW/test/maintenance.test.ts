import { createMessageBatch, introspectWorkflowInstance } from 'cloudflare:test'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ALERT_RULES } from '../src/alerts/alert-rules.ts'
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
  expect.poll(() => catalog.getJob(jobId, null), POLL).toMatchObject({ state: 'succeeded' })

describe('the relay', () => {
  test('sends what its writer did not send, and the job runs', async () => {
    const { datasetId, jobId, outboxId } = await twoFragments()
    expect(await catalog.releaseOutbox([outboxId!], 'test', 'the queue refused')).toBe(1)
    // what other tests left in the outbox may be due before this message is: the relay runs until the job has
    const relayed = async () => {
      await relayOutbox(env, catalog)
      return catalog.getJob(jobId, null)
    }
    await expect.poll(relayed, POLL).toMatchObject({ state: 'succeeded' })
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
  })
})

describe('the relay leaves alone', () => {
  /** A message of this type that is due, as a database function writes it. */
  async function raiseAlert() {
    await catalog.recordDeadLetter({
      queue: 'q',
      messageId: crypto.randomUUID(),
      body: {},
      code: 'invalid_message',
      message: 'no',
      attempts: 1,
      datasetId: newDatasetId(),
      jobId: null,
    })
    const rules = { ...ALERT_RULES, silenceSeconds: 0, newCausesSeconds: 0 }
    const { outbox } = await catalog.raiseAlerts(rules, ['slack'], 'test')
    const ids = outbox.map(({ id }) => id)
    await catalog.releaseOutbox(ids, 'test', 'not told yet')
    return ids
  }

  test('alerts, which it cannot send: they are there for their own sender', async () => {
    const ids = await raiseAlert()
    expect(ids.length).toBeGreaterThan(0)
    const claimAlerts = () =>
      catalog.claimOutbox({ maxBatch: 1000, lockSeconds: 0, workerId: 'w', includeTypePrefix: 'alert.' })
    const found = new Set<number>()
    await expect
      .poll(async () => {
        await relayOutbox(env, catalog)
        for (const { id } of await claimAlerts()) found.add(id)
        return ids.every((id) => found.has(id))
      }, POLL)
      .toBe(true)
  })
})

describe('the cron', () => {
  test('has files merged that waited as long as their policy allows, without another upload', async () => {
    const datasetId = newDatasetId()
    for (const first of [0, 5]) await upload(datasetId, user, [{ table: 't', bytes: fragment(first, 5) }])
    expect(await catalog.listJobs({ requester: null, datasetId, limit: 10 })).toEqual([])
    await catalog.configureDataset(datasetId, { mergeMaxAgeSeconds: 0 })
    const passed = async () => {
      await startJobs(env, catalog)
      await relayOutbox(env, catalog)
      return (await liveFiles(datasetId)).map((file) => file.level)
    }
    await expect.poll(passed, POLL).toEqual([1])
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await catalog.listJobs({ requester: null, datasetId, limit: 10 })).toMatchObject([{ priority: 'realtime' }])
  })

  test('starts a job that waits for a slot as soon as there is one, once', async () => {
    const limits = await catalog.configureAdmission()
    const first = await twoFragments()
    const running = await claim(first.datasetId, first.jobId, 60)
    const status = await catalog.jobStatus(null)
    try {
      await catalog.configureAdmission({ maxRunningJobs: 1 })
      expect(status.jobs.running).toBeGreaterThanOrEqual(1)
      const { datasetId, jobId } = await twoFragments()
      const message = { datasetId, jobId, priority: 'realtime' } as const
      expect(await catalog.acceptMessage('m', message, 60)).toEqual({ outcome: 'waiting', jobId })
      await startJobs(env, catalog)
      expect(await catalog.acceptMessage('m', message, 60)).toEqual({ outcome: 'waiting', jobId })
      await catalog.configureAdmission(limits)
      const passed = async () => {
        await startJobs(env, catalog)
        await relayOutbox(env, catalog)
        return (await catalog.getJob(jobId, null))!.state
      }
      await expect.poll(passed, POLL).toBe('succeeded')
      expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    } finally {
      await catalog.configureAdmission(limits)
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
    expect(await catalog.getJob(jobId, null)).toMatchObject({ attempt: 1 })
  })

  test('finds a claimed attempt that never began within the lease that the consumer gives it', async () => {
    const { datasetId, jobId } = await twoFragments()
    const message = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body: { datasetId, jobId } }
    const workflowAway = { createBatch: () => Promise.reject(new Error('the Workflow is away')) }
    const away = { ...env, DATA_COMPACTION_WORKFLOW: workflowAway as unknown as Env['DATA_COMPACTION_WORKFLOW'] }
    await consumeCompactionMessages(createMessageBatch('dev-kc-compaction-queue', [message]), away, catalog)
    const job = (await catalog.getJob(jobId, null))!
    expect(job).toMatchObject({ state: 'running', attempt: 1 })
    // with the minute between two runs of the cron: two minutes at the most
    expect(Date.parse(job.leaseUntil!) - Date.parse(job.startedAt!)).toBeLessThanOrEqual(61_000)
    expect(await catalog.cancelJob(jobId, user)).toEqual({ outcome: 'cancelled' })
    const again = await catalog.retryJob(jobId, user, 'test')
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
    expect(await catalog.getJob(jobId, null)).toMatchObject({ state: 'running', attempt: 1 })
    expect(await catalog.renewLease(params, 0)).toMatchObject({ outcome: 'ok' })
    await rescueJobs(env, catalog)
    expect(await catalog.getJob(jobId, null)).toMatchObject({ attempt: 2, error: { code: 'workflow_ended' } })
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
    expect(await catalog.getJob(jobId, null)).toMatchObject({ state: 'running', attempt: 1 })
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
    expect(await catalog.getJob(jobId, null)).toMatchObject({ attempt: 2, error: { code: 'workflow_ended' } })
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

    await catalog.configureDataset(datasetId, { retentionSeconds: 0 })
    await vacuum(env, catalog)
    for (const key of keys) expect(await env.BUCKET.head(key)).toBeNull()
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await catalog.listFiles({ datasetId, requester: null, version: 1, limit: 10 })).toEqual({
      outcome: 'version_gone',
    })
  })

  test('takes objects that nothing names, after a day and not before', async () => {
    const { datasetId, keys } = await twoFragments()
    const orphan = `fragments/${datasetId}/orphan.parquet`
    await env.BUCKET.put(orphan, 'left behind')
    await sweepOrphans(env, catalog)
    await vacuum(env, catalog)
    expect(await env.BUCKET.head(orphan)).not.toBeNull()

    await catalog.endSweep('orphans', null, 0)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3600 * 1000 })
    await sweepOrphans(env, catalog)
    vi.useRealTimers()
    await vacuum(env, catalog)
    expect(await env.BUCKET.head(orphan)).toBeNull()
    for (const key of keys) expect(await env.BUCKET.head(key)).not.toBeNull()
    expect(await liveFiles(datasetId)).toHaveLength(2)
  })
})

import { introspectWorkflowInstance } from 'cloudflare:test'
import { NonRetryableError } from 'cloudflare:workflows'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { afterEach, describe, expect, test } from 'vitest'
import { instanceId, startAttempt } from '../src/workflow/start-attempt.ts'
import { fragment, liveFiles, liveIds, newDatasetId, newUserId, range, upload, uploadAndAsk } from './fragments.ts'
import { catalog, env, POLL } from './test-env.ts'

const LEASE_SECONDS = 60
const user = newUserId()

/** Claim the job as the consumer does. */
async function claim(datasetId: string, jobId: string) {
  const accepted = await catalog.acceptMessage('m', { datasetId, jobId, priority: 'realtime' }, LEASE_SECONDS)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return { jobId, attempt: accepted.attempt }
}

type Instance = Awaited<ReturnType<typeof introspectWorkflowInstance>>
const open: Instance[] = []
afterEach(async () => {
  for (const instance of open.splice(0)) await instance.dispose()
})

async function introspect(params: { jobId: string; attempt: number }): Promise<Instance> {
  const instance = await introspectWorkflowInstance(env.DATA_COMPACTION_WORKFLOW, instanceId(params))
  open.push(instance)
  await instance.modify(async (m) => m.disableRetryDelays())
  return instance
}

async function runToEnd(params: { jobId: string; attempt: number }, status: 'complete' | 'errored') {
  const instance = await introspect(params)
  await startAttempt(env, params)
  await instance.waitForStatus(status)
  return instance
}

describe('an attempt', () => {
  test('merges each partition into one file and keeps every row', async () => {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [
      { table: 'a', bytes: fragment(0, 10) },
      { table: 'b', bytes: fragment(0, 3) },
    ])
    await upload(datasetId, user, [
      { table: 'a', bytes: fragment(10, 0) },
      { table: 'b', periodTag: '2026-11', bytes: fragment(50, 2) },
    ])
    const { jobId } = await uploadAndAsk(datasetId, user, [
      { table: 'a', bytes: fragment(10, 5) },
      { table: 'b', bytes: fragment(3, 4) },
    ])
    await runToEnd(await claim(datasetId, jobId), 'complete')

    const files = await liveFiles(datasetId)
    expect(files.map(({ table, periodTag, level, rows }) => ({ table, periodTag, level, rows }))).toEqual([
      { table: 'a', periodTag: '0', level: 1, rows: 15 },
      { table: 'b', periodTag: '0', level: 1, rows: 7 },
      { table: 'b', periodTag: '2026-11', level: 0, rows: 2 },
    ])
    expect(await liveIds(datasetId, 'a')).toEqual(range(0, 15))
    expect(await liveIds(datasetId, 'b')).toEqual([...range(0, 7), 50, 51])

    const job = await catalog.getJob(jobId, AN_OPERATOR)
    expect(job).toMatchObject({
      state: 'succeeded',
      attempt: 1,
      error: null,
      progress: { mergesPlanned: 2, mergesCommitted: 2, filesIn: 5, filesOut: 2, rowsIn: 22, rowsOut: 22 },
    })
    expect(Object.keys(job!.steps)).toEqual(
      expect.arrayContaining(['validate-dataset', 'get-metadata', 'compact-1', 'compact-2']),
    )
  })

  test('keeps files of different schemas apart and says so in its report', async () => {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 1) }])
    await upload(datasetId, user, [{ table: 't', bytes: fragment(100, 1, 'extra') }])
    await upload(datasetId, user, [{ table: 't', bytes: fragment(1, 1) }])
    const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(101, 1, 'extra') }])
    await runToEnd(await claim(datasetId, jobId), 'complete')

    expect((await liveFiles(datasetId)).map(({ level, rows }) => ({ level, rows }))).toEqual([
      { level: 1, rows: 2 },
      { level: 1, rows: 2 },
    ])
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({
      state: 'succeeded',
      result: { mixedPartitions: [{ table: 't', periodTag: '0', schemas: 2 }] },
    })
  })

  test('succeeds without a merge when there is nothing to join', async () => {
    const datasetId = newDatasetId()
    const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(0, 1) }])
    await runToEnd(await claim(datasetId, jobId), 'complete')
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({
      state: 'succeeded',
      progress: { mergesPlanned: 0 },
    })
    expect((await liveFiles(datasetId))[0]).toMatchObject({ level: 0, rows: 1 })
  })

  test('leaves what arrives while it runs to a successor', async () => {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 1) }])
    const first = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(1, 1) }])
    const params = await claim(datasetId, first.jobId)
    const during = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(2, 1) }])
    expect(during.jobId).not.toBe(first.jobId)
    await runToEnd(params, 'complete')
    await expect.poll(() => catalog.getJob(during.jobId, AN_OPERATOR), POLL).toMatchObject({ state: 'succeeded' })
    expect(await liveIds(datasetId, 't')).toEqual([0, 1, 2])
    expect(await liveFiles(datasetId)).toHaveLength(1)
  })
})

describe('a step that fails', () => {
  async function readyJob() {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 5) }])
    const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(5, 5) }])
    return { datasetId, params: await claim(datasetId, jobId) }
  }

  test('is retried, and what it had done is not done twice', async () => {
    const { datasetId, params } = await readyJob()
    const instance = await introspect(params)
    await instance.modify(async (m) => {
      await m.mockStepError({ name: 'get-metadata' }, new Error('database_unavailable: no answer'), 2)
      await m.forceStepTimeout({ name: 'compact-1' }, 1)
    })
    await startAttempt(env, params)
    await instance.waitForStatus('complete')
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await liveFiles(datasetId)).toHaveLength(1)
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'succeeded',
      progress: { filesOut: 1 },
    })
  })

  test('for good starts the next attempt, under a new instance id, fencing off the old one', async () => {
    const { datasetId, params } = await readyJob()
    const instance = await introspect(params)
    await instance.modify(async (m) => m.mockStepError({ name: 'compact-1' }, new Error('storage_unavailable: down')))
    await startAttempt(env, params)
    await instance.waitForStatus('errored')
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'running',
      attempt: 2,
      error: { code: 'storage_unavailable', step: 'compact-1', message: 'down' },
    })

    const stale = await introspect({ jobId: params.jobId, attempt: 1 })
    expect(await catalog.commitMerge(params, 1, anOutput, LEASE_SECONDS)).toEqual({ outcome: 'stale_attempt' })
    await stale.dispose()

    await runToEnd({ jobId: params.jobId, attempt: 2 }, 'complete')
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'succeeded',
      attempt: 2,
      error: null,
    })
  })

  test('because the platform reset the instance costs none of its attempts', async () => {
    const { params } = await readyJob()
    const { maxAttempts } = (await catalog.getJob(params.jobId, AN_OPERATOR))!
    const instance = await introspect(params)
    const reset = new Error('Durable Object reset because its code was updated.')
    await instance.modify(async (m) => m.mockStepError({ name: 'compact-1' }, reset))
    await startAttempt(env, params)
    await instance.waitForStatus('errored')
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'running',
      attempt: 2,
      maxAttempts: maxAttempts + 1,
      error: { code: 'instance_reset', step: 'compact-1', message: expect.stringContaining(reset.message) },
    })
    await runToEnd({ jobId: params.jobId, attempt: 2 }, 'complete')
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({ state: 'succeeded' })
  })

  test('for good tells what it was also in the status of its instance', async () => {
    const { params } = await readyJob()
    const instance = await introspect(params)
    const refused = new NonRetryableError('database_refused: list_mergeable_files was refused with SQLSTATE 22023')
    await instance.modify(async (m) => m.mockStepError({ name: 'get-metadata' }, refused))
    await startAttempt(env, params)
    await instance.waitForStatus('errored')
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'dead',
      attempt: 1,
      error: { code: 'database_refused', message: expect.stringContaining('SQLSTATE 22023') },
    })
    const { error } = await (await env.DATA_COMPACTION_WORKFLOW.get(instanceId(params))).status()
    expect(error?.message).toContain('SQLSTATE 22023')
  })

  const anOutput = {
    r2Key: 'datasets/late/merged/1',
    bytes: 1,
    rows: 10,
    rowGroups: 1,
    sha256: 'a'.repeat(64),
    fingerprint: 'f',
  }

  test('in each attempt ends in a dead job whose message is for the dead-letter queue', async () => {
    const { datasetId, params } = await readyJob()
    for (let attempt = 1; attempt <= 5; attempt++) {
      const instance = await introspect({ jobId: params.jobId, attempt })
      await instance.modify(async (m) =>
        m.mockStepError({ name: 'get-metadata' }, new Error('storage_unavailable: down')),
      )
      await startAttempt(env, { jobId: params.jobId, attempt })
      await instance.waitForStatus('errored')
    }
    expect(await catalog.getJob(params.jobId, AN_OPERATOR)).toMatchObject({
      state: 'dead',
      attempt: 5,
      error: { code: 'storage_unavailable', step: 'get-metadata' },
    })
    expect(await liveIds(datasetId, 't')).toEqual(range(0, 10))
    await expect
      .poll(
        async () => (await catalog.deadLetterStatus(AN_OPERATOR, 100)).dlqFailures.records.map(({ jobId }) => jobId),
        POLL,
      )
      .toContain(params.jobId)
  })
})

describe('an attempt that may not go on', () => {
  test('stops at its next step when its job is cancelled, leaving nothing half done', async () => {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 1) }])
    const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(1, 1) }])
    const params = await claim(datasetId, jobId)
    await catalog.enterStep(params, 'validate-dataset', { leaseSeconds: LEASE_SECONDS })
    expect(await catalog.cancelJob(jobId, asUser(user))).toEqual({ outcome: 'cancelling' })
    const instance = await runToEnd(params, 'complete')
    expect(await instance.getOutput()).toEqual({ outcome: 'cancelled' })
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ state: 'cancelled', progress: { filesOut: 0 } })
    expect((await liveFiles(datasetId)).map((file) => file.level)).toEqual([0, 0])
  })

  test('changes nothing when a newer one has taken over', async () => {
    const datasetId = newDatasetId()
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 1) }])
    const { jobId } = await uploadAndAsk(datasetId, user, [{ table: 't', bytes: fragment(1, 1) }])
    const params = await claim(datasetId, jobId)
    const failure = { code: 'workflow_ended', step: 'rescue', message: 'gone', transient: true }
    expect(await catalog.failAttempt(params, failure, LEASE_SECONDS, null)).toMatchObject({ outcome: 'retrying' })
    const instance = await runToEnd(params, 'complete')
    expect(await instance.getOutput()).toEqual({ outcome: 'stale_attempt' })
    expect((await liveFiles(datasetId)).map((file) => file.level)).toEqual([0, 0])
    expect(await catalog.getJob(jobId, AN_OPERATOR)).toMatchObject({ state: 'running', attempt: 2 })
  })
})

import { describe, expect, test, vi } from 'vitest'
import { page } from '../src/http/cursor.ts'
import {
  bindings,
  call,
  catalog,
  expectProblem,
  json,
  newDataset,
  newJobOf,
  OPERATOR,
  post,
  upload,
} from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY } from './support/files.ts'
import { newUser, type User } from './support/tokens.ts'

interface Job {
  id: string
  state: string
  datasetId: string
  priority: string
  triggers: number
}
interface JobsPage {
  jobs: Job[]
  nextCursor: string | null
}

const owner = await newUser()
const stranger = await newUser()

const newJob = (user: User = owner) => newJobOf(user)

/** Let the job fail for good, as the consumer would. */
async function kill(datasetId: string, jobId: string): Promise<void> {
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const failure = { code: 'corrupt_file', step: 'compact-1', message: 'a page <b>is</b> torn', transient: false }
  expect((await catalog.failAttempt(accepted, failure, 60, 'test')).outcome).toBe('dead')
}

describe('one job', () => {
  test('is told flat, to its owner and to operators', async () => {
    const { datasetId, jobId } = await newJob()
    for (const who of [owner, OPERATOR]) {
      expect(await json(`/api/jobs/${jobId}`, who)).toMatchObject({
        id: jobId,
        kind: 'compaction',
        state: 'queued',
        priority: 'manual',
        datasetId,
        attempt: 0,
        progress: { mergesPlanned: 0, stepsDone: 0, stepsPlanned: null, filesPlanned: 0 },
        failures: [],
        steps: {},
        error: null,
      })
    }
    await expectProblem(call(`/api/jobs/${jobId}`, stranger), 'unknown_job')
  })

  test('of an id that is none is refused, of one that is nobody’s is unknown', async () => {
    for (const id of ['abc', '1', '%00', 'x'.repeat(200)])
      await expectProblem(call(`/api/jobs/${id}`, owner), 'invalid_request')
    await expectProblem(call(`/api/jobs/${crypto.randomUUID()}`, owner), 'unknown_job')
  })

  test('is cancelled while it is queued, once', async () => {
    const { jobId } = await newJob()
    await expectProblem(call(`/api/jobs/${jobId}`, { ...stranger, method: 'DELETE' }), 'unknown_job')
    const cancelled = await json(`/api/jobs/${jobId}`, { ...owner, method: 'DELETE' })
    expect(cancelled).toEqual({ success: true, jobId, outcome: 'cancelled' })
    expect(await json(`/api/jobs/${jobId}`, owner)).toMatchObject({ state: 'cancelled' })
    const again = await expectProblem(call(`/api/jobs/${jobId}`, { ...owner, method: 'DELETE' }), 'job_ended')
    expect(again.detail).toContain('cancelled')
  })

  test('is cancelled at its next step while it runs', async () => {
    const { datasetId, jobId } = await newJob()
    await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
    await catalog.enterStep({ jobId, attempt: 1 }, 'validate-dataset', { leaseSeconds: 60 })
    const response = await call(`/api/jobs/${jobId}`, { ...owner, method: 'DELETE' })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ outcome: 'cancelling' })
    expect(await json(`/api/jobs/${jobId}`, owner)).toMatchObject({ state: 'running', cancelRequested: true })
  })

  test('is cancelled at once, and can be asked for again, while its attempt has not begun', async () => {
    const { datasetId, jobId } = await newJob()
    await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
    expect(await json(`/api/jobs/${jobId}`, { ...owner, method: 'DELETE' })).toMatchObject({ outcome: 'cancelled' })
    const retried = await json<{ jobId: string }>(`/api/jobs/${jobId}/retry`, { ...owner, method: 'POST' })
    expect(retried.jobId).not.toBe(jobId)
  })

  test('is done again when it is dead, by a new one that is sent to the queue', async () => {
    const { datasetId, jobId } = await newJob()
    await expectProblem(call(`/api/jobs/${jobId}/retry`, { ...owner, method: 'POST' }), 'job_not_dead')
    await kill(datasetId, jobId)
    await expectProblem(call(`/api/jobs/${jobId}/retry`, { ...stranger, method: 'POST' }), 'unknown_job')
    const response = await call(`/api/jobs/${jobId}/retry`, { ...owner, method: 'POST' })
    expect(response.status).toBe(202)
    const retried = await response.json<{ jobId: string }>()
    const message = await vi.waitUntil(() => bindings.MESSAGES.get(retried.jobId, 'json'), { timeout: 20_000 })
    expect(message).toMatchObject({ datasetId })
  })
})

describe('a page of a list', () => {
  const row = (id: string) => ({ id })
  const odd = (index: number) => ({ index, row: { id: `odd-${index}` } })

  test('counts the rows that could not be read, and can end with one', () => {
    expect(page([row('a'), row('b')], [], 2)).toEqual({
      shown: [row('a'), row('b')],
      unreadable: undefined,
      last: undefined,
    })
    expect(page([row('a'), row('b')], [], 1)).toEqual({ shown: [row('a')], unreadable: undefined, last: row('a') })
    expect(page([row('a'), row('c')], [odd(1)], 2)).toEqual({
      shown: [row('a')],
      unreadable: [odd(1)],
      last: { id: 'odd-1' },
    })
    expect(page([row('a'), row('b')], [odd(2)], 2)).toEqual({
      shown: [row('a'), row('b')],
      unreadable: undefined,
      last: row('b'),
    })
    expect(page<{ id: string }>([], [odd(0), odd(1)], 1)).toEqual({
      shown: [],
      unreadable: [odd(0)],
      last: { id: 'odd-0' },
    })
  })
})

describe('the list of jobs', () => {
  test('is the user’s own, newest first, in pages', async () => {
    const user = await newUser()
    const made: string[] = []
    for (let count = 0; count < 3; count++) made.unshift((await newJob(user)).jobId)
    const first = await json<JobsPage>('/api/jobs?limit=2', user)
    const second = await json<JobsPage>(`/api/jobs?limit=2&cursor=${first.nextCursor}`, user)
    expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual(made)
    expect(second.nextCursor).toBeNull()
    const all = await json<JobsPage>('/api/jobs?limit=200', OPERATOR)
    expect(all.jobs.map(({ id }) => id)).toEqual(expect.arrayContaining(made))
  })

  test('is filtered by state and dataset', async () => {
    const { datasetId, jobId } = await newJob()
    const ids = async (query: string) => (await json<JobsPage>(`/api/jobs?${query}`, owner)).jobs.map(({ id }) => id)
    expect(await ids(`datasetId=${datasetId}&state=queued&kind=compaction`)).toEqual([jobId])
    expect(await ids(`datasetId=${datasetId}&state=dead`)).toEqual([])
  })

  test.each([
    ['limit=-1', 'limit'],
    ['limit=1e9', 'limit'],
    ['limit=201', 'limit'],
    ['state=done', 'state'],
    ['kind=other', 'kind'],
    ['datasetId=a/b', 'datasetId'],
    ['cursor=!', 'cursor'],
  ])('is not given for %s', async (query, field) => {
    const problem = await expectProblem(call(`/api/jobs?${query}`, owner), 'invalid_request')
    expect(problem.errors?.map((error) => error.field)).toEqual([field])
  })
})

test('the status counts one’s own jobs, and shows the outbox to operators only', async () => {
  const user = await newUser()
  const { datasetId, jobId } = await newJob(user)
  expect(await json('/api/jobs/status', user)).toMatchObject({
    jobs: { queued: 1, running: 0, succeeded: 0, dead: 0, cancelled: 0 },
    jobsByKind: { compaction: { queued: 1, running: 0, succeeded: 0, dead: 0, cancelled: 0 } },
    outbox: null,
    deadLetters: null,
    alerts: null,
    health: { ok: true, reasons: [] },
  })
  expect(await json('/api/jobs/status', OPERATOR)).toMatchObject({
    outbox: { dead: 0 },
    deadLetters: { open: expect.any(Number) },
    alerts: expect.any(Array),
  })
  const expired = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 0)
  expect(expired.outcome).toBe('claimed')
  expect(await json('/api/jobs/status', user)).toMatchObject({
    expiredLeases: 1,
    health: { ok: false, reasons: [expect.stringContaining('lost their lease')] },
  })
})

test('what failed for good is shown to its owner and to operators', async () => {
  const { datasetId, jobId } = await newJob()
  await kill(datasetId, jobId)
  const letter = { code: 'job_dead', message: 'no more attempts', attempts: 4, datasetId, jobId }
  await catalog.recordDeadLetter({
    queue: 'dev-kc-compaction-dlq',
    messageId: jobId,
    body: { datasetId, jobId },
    ...letter,
  })
  for (const who of [owner, OPERATOR]) {
    const status = await json<{
      total: number
      workflow_failures: { count: number }
      dlq_failures: { count: number }
    }>('/api/compaction/dlq-status', who)
    expect(status).toMatchObject({
      success: true,
      workflow_failures: {
        records: expect.arrayContaining([
          expect.objectContaining({ job_id: jobId, dataset_id: datasetId, step: 'compact-1', code: 'corrupt_file' }),
        ]),
      },
      dlq_failures: {
        records: expect.arrayContaining([
          expect.objectContaining({ message_id: jobId, dataset_id: datasetId, attempts: 4 }),
        ]),
      },
    })
    expect(status.total).toBe(status.workflow_failures.count + status.dlq_failures.count)
  }
  expect(await json('/api/compaction/dlq-status', stranger)).toMatchObject({ total: 0 })
})

describe('sanitize-state', () => {
  const path = '/api/compaction/sanitize-state'

  test('queues a job, and joins the one that is queued', async () => {
    const { datasetId, jobId } = await newJob()
    await call(`/api/jobs/${jobId}`, { ...owner, method: 'DELETE' })
    const first = await (await post(path, { datasetId, table: 't', periodTag: 0 }, owner)).json<{ jobId: string }>()
    expect(first).toMatchObject({ success: true, datasetId, message: 'a job is queued' })
    expect(await json(`/api/jobs/${first.jobId}`, owner)).toMatchObject({
      priority: 'manual',
      table: 't',
      periodTag: '0',
    })
    await vi.waitUntil(() => bindings.MESSAGES.get(first.jobId), { timeout: 20_000 })
    const second = await post(path, { datasetId }, OPERATOR)
    expect(second.status).toBe(202)
    expect(await second.json()).toMatchObject({ jobId: first.jobId, message: 'joined the job that is queued' })
  })

  test('is for the owner of a dataset that there is', async () => {
    const { datasetId } = await newJob()
    await expectProblem(post(path, { datasetId }, stranger), 'unknown_dataset')
    await expectProblem(post(path, { datasetId: newDataset() }, owner), 'unknown_dataset')
    await expectProblem(post(path, { datasetId }), 'unauthenticated')
  })

  test.each([
    ['no dataset', {}, ['datasetId']],
    ['a number for a dataset', { datasetId: 1 }, ['datasetId']],
    ['a dataset with a slash', { datasetId: 'a/b' }, ['datasetId']],
    ['a table with a control character', { datasetId: 'd', table: 'a\u0001' }, ['table']],
    ['a period without a table', { datasetId: 'd', periodTag: '1' }, ['table']],
    ['two faults', { datasetId: 'd', table: [], periodTag: {} }, ['table', 'periodTag']],
    ['a list', [], ['']],
  ])('does not take %s', async (_what, body, fields) => {
    const problem = await expectProblem(post(path, body, owner), 'invalid_request')
    expect(problem.errors?.map((error) => error.field)).toEqual(fields)
  })

  test('takes JSON, whole and in measure', async () => {
    for (const body of ['{', '{"datasetId":', 'nonsense', '{"datasetId":"d"}}'])
      await expectProblem(post(path, body, owner), 'invalid_json')
    await expectProblem(post(path, new TextDecoder().decode(new Uint8Array([0x22])), owner), 'invalid_json')
    const bytes = { ...owner, method: 'POST', headers: { 'content-type': 'application/json' } }
    await expectProblem(call(path, { ...bytes, body: new Uint8Array([0x22, 0xff, 0x22]) }), 'invalid_json')
    await expectProblem(post(path, { datasetId: 'd', more: 'x'.repeat(70_000) }, owner), 'body_too_large')
    const csv = { ...owner, headers: { 'content-type': 'text/csv' } }
    await expectProblem(post(path, { datasetId: 'd' }, csv), 'unsupported_media_type')
    await expectProblem(post(path, '', owner), 'invalid_request')
  })
})

describe('trigger-scheduled', () => {
  const path = '/api/compaction/trigger-scheduled'

  test('queues what needs compaction, at most as many as asked for, and says how many remain', async () => {
    const waiting: string[] = []
    for (let count = 0; count < 3; count++) waiting.push(await newWaitingDataset())
    const trigger = async (body: unknown) =>
      (await (await post(path, body, OPERATOR)).json()) as {
        enqueued: number
        datasets: { datasetId: string; jobId: string }[]
        remaining: number
      }
    const first = await trigger({ limit: '2' })
    expect(first).toMatchObject({ success: true, enqueued: 2, datasets: [{}, {}] })
    expect(first.remaining).toBeGreaterThanOrEqual(1)
    const second = await trigger({ limit: 100 })
    expect(second.remaining).toBe(0)
    const triggered = [...first.datasets, ...second.datasets]
    expect(triggered.map(({ datasetId }) => datasetId)).toEqual(expect.arrayContaining(waiting))
    for (const { jobId } of triggered) await vi.waitUntil(() => bindings.MESSAGES.get(jobId), { timeout: 20_000 })
    const idle = await call(path, { ...OPERATOR, method: 'POST' })
    expect(await idle.json()).toEqual({ success: true, enqueued: 0, datasets: [], remaining: 0 })
  })

  test.each([-1, 0, 101, 1e9, 1.5, 'abc', '', null, [], '1e2', '0x10'])('does not take the limit %j', async (limit) => {
    const problem = await expectProblem(post(path, { limit }, OPERATOR), 'invalid_request')
    expect(problem.errors?.map((error) => error.field)).toEqual(['limit'])
  })
})

/** A dataset with two small files and no job. */
async function newWaitingDataset(): Promise<string> {
  const datasetId = newDataset()
  for (const file of [FLIGHTS, FLIGHTS_EMPTY, CARRIERS]) await upload(owner, file, { datasetId, tableId: 't' })
  return datasetId
}

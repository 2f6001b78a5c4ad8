import { AN_OPERATOR } from '@fusou/catalog'
import { expect, test, vi } from 'vitest'
import {
  askForMerge,
  call,
  catalog,
  expectProblem,
  json,
  newDataset,
  newJobOf,
  OPERATOR,
  post,
  stored,
  upload,
} from './support/api.ts'
import { CARRIERS, FLIGHTS } from './support/files.ts'
import { newUser } from './support/tokens.ts'

interface LimitsAnswer {
  defaults: Record<string, number>
  owner: { id: string; limits: Record<string, number>; usage: Record<string, number> } | null
}

const put = (body: object, caller: { token: string } = OPERATOR) =>
  call('/api/limits', {
    token: caller.token,
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('operators see the defaults, and of an owner the limits and what is used', async () => {
  const user = await newUser()
  await upload(user, FLIGHTS, { datasetId: newDataset(), tableId: 't' })
  const { defaults, owner } = await json<LimitsAnswer>(`/api/limits?owner=${user.id}`, OPERATOR)
  expect(defaults).toMatchObject({ datasets: 1000, liveFiles: 1_000_000, eventStreams: 50 })
  expect(owner).toEqual({
    id: user.id,
    limits: defaults,
    usage: {
      datasets: 1,
      liveFiles: 1,
      liveBytes: FLIGHTS.length,
      jobsByHandPerHour: 0,
      eventStreams: 0,
      openUploads: 0,
    },
  })
  expect((await json<LimitsAnswer>('/api/limits', OPERATOR)).owner).toBeNull()
  for (const response of [call('/api/limits', user), put({ datasets: 1 }, user)])
    await expectProblem(response, 'forbidden')
})

test('a limit is set for one owner, strictly, and null takes it back', async () => {
  const { id: owner } = await newUser()
  for (const [body, field] of [
    [{ owner, dataset: 1 }, 'dataset'],
    [{ owner, datasets: -1 }, 'datasets'],
    [{ owner, datasets: 1.5 }, 'datasets'],
    [{ owner, datasets: 'many' }, 'datasets'],
    [{ owner: 'me', datasets: 1 }, 'owner'],
  ] as const)
    expect((await expectProblem(put(body), 'invalid_request')).errors?.map((fault) => fault.field)).toEqual([field])
  const set = await (await put({ owner, datasets: '7', eventStreams: 0 })).json<LimitsAnswer>()
  expect(set.owner!.limits).toMatchObject({ datasets: 7, eventStreams: 0, liveFiles: 1_000_000 })
  const back = await (await put({ owner, datasets: null })).json<LimitsAnswer>()
  expect(back.owner!.limits).toMatchObject({ datasets: 1000, eventStreams: 0 })
})

test('an upload above a limit is refused with the figures, and its object goes', async () => {
  const user = await newUser()
  const datasetId = newDataset()
  await put({ owner: user.id, liveBytes: FLIGHTS.length })
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  const problem = await expectProblem(upload(user, CARRIERS, { datasetId, tableId: 'u' }), 'quota_exceeded')
  expect(problem.detail).toContain(
    `liveBytes: ${FLIGHTS.length + CARRIERS.length} would be in use, ${FLIGHTS.length} are allowed`,
  )
  expect((await catalog.claimGarbage(1000)).filter((key) => key.includes(datasetId))).toHaveLength(1)
  expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  const again = await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  expect(await again.json()).toMatchObject({ duplicate: true })
})

test('jobs by hand above the limit of the hour are told to wait', async () => {
  const user = await newUser()
  const { datasetId, jobId } = await newJobOf(user)
  await put({ owner: user.id, jobsByHandPerHour: 1 })
  expect((await askForMerge(user, datasetId)).jobId).toBe(jobId)
  await call(`/api/jobs/${jobId}`, { ...user, method: 'DELETE' })
  const response = await post('/api/compaction/sanitize-state', { datasetId }, user)
  expect(response.headers.get('retry-after')).toBe('60')
  expect((await expectProblem(response, 'rate_limited')).detail).toContain('jobsByHandPerHour: 2')
  await expectProblem(call(`/api/jobs/${jobId}/retry`, { ...user, method: 'POST' }), 'rate_limited')
})

test('event streams of one user take none of the places of another', async () => {
  const [user, other] = [await newUser(), await newUser()]
  const [{ jobId }, others] = [await newJobOf(user), await newJobOf(other)]
  await put({ owner: user.id, eventStreams: 2 })
  const follow = () => call(`/api/jobs/${jobId}/events`, user)
  const [first, second] = [await follow(), await follow()]
  expect((await expectProblem(follow(), 'rate_limited')).detail).toContain('eventStreams: 3')
  const theirs = await call(`/api/jobs/${others.jobId}/events`, other)
  const operators = await call(`/api/jobs/${jobId}/events`, OPERATOR)
  expect([theirs.status, operators.status]).toEqual([200, 200])
  await first.body!.cancel()
  const usage = async () => (await catalog.readLimits(AN_OPERATOR, user.id)).owner!.usage.eventStreams
  await vi.waitUntil(async () => (await usage()) === 1, { timeout: 20_000 })
  const third = await follow()
  expect(third.status).toBe(200)
  for (const { body } of [second, third, theirs, operators]) await body!.cancel()
  await vi.waitUntil(async () => (await usage()) === 0, { timeout: 20_000 })
})

test('a stream that ends by itself gives its place back', async () => {
  const user = await newUser()
  const { jobId } = await newJobOf(user)
  await call(`/api/jobs/${jobId}`, { ...user, method: 'DELETE' })
  expect(await (await call(`/api/jobs/${jobId}/events`, user)).text()).toContain('event: end')
  await vi.waitUntil(async () => (await catalog.readLimits(AN_OPERATOR, user.id)).owner!.usage.eventStreams === 0, {
    timeout: 20_000,
  })
})

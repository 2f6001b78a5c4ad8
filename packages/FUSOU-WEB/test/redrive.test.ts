import { describe, expect, test, vi } from 'vitest'
import { bindings, catalog, expectProblem, json, newJobOf, OPERATOR, post } from './support/api.ts'
import { newUser } from './support/tokens.ts'

const path = '/api/compaction/redrive'
const owner = await newUser()
const stranger = await newUser()

interface Redriven {
  jobs: { jobId: string; datasetId: string; newJobId?: string }[]
}

async function newDeadJob(code = 'storage_unavailable'): Promise<{ datasetId: string; jobId: string }> {
  const { datasetId, jobId } = await newJobOf(owner)
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const failure = { code, step: 'compact-1', message: 'no answer', transient: false }
  expect((await catalog.failAttempt(accepted, failure, 60, 'test')).outcome).toBe('dead')
  return { datasetId, jobId }
}

describe('redrive', () => {
  test('queues what died, by its code, and sends the messages', async () => {
    const code = 'workflow_ended'
    const dead = [await newDeadJob(code), await newDeadJob(code)]
    await newDeadJob()
    const dry = await post(path, { code, dryRun: true }, owner)
    expect(dry.status).toBe(200)
    const byId = (a: { jobId: string }, b: { jobId: string }) => a.jobId.localeCompare(b.jobId)
    const listed = await dry.json<Redriven>()
    expect(listed).toMatchObject({ success: true, dryRun: true })
    expect(listed.jobs.sort(byId)).toEqual(dead.toSorted(byId))

    const response = await post(path, { code }, owner)
    expect(response.status).toBe(202)
    const redriven = await response.json<Redriven>()
    expect(redriven).toMatchObject({ success: true, dryRun: false })
    expect(redriven.jobs.map(({ jobId }) => jobId).sort()).toEqual(dead.map(({ jobId }) => jobId).sort())
    for (const { newJobId, datasetId } of redriven.jobs) {
      const message = await vi.waitUntil(() => bindings.MESSAGES.get(newJobId!, 'json'), { timeout: 20_000 })
      expect(message).toMatchObject({ datasetId })
      expect(await json(`/api/jobs/${newJobId}`, owner)).toMatchObject({ state: 'queued', priority: 'manual' })
    }
    expect(await (await post(path, { code }, owner)).json()).toEqual({ success: true, dryRun: false, jobs: [] })
  })

  test('is of one’s own jobs, for operators of all', async () => {
    const { datasetId, jobId } = await newDeadJob()
    const jobs = async (who: { token: string }) =>
      (await (await post(path, { jobIds: [jobId], datasetId }, who)).json<Redriven>()).jobs
    expect(await jobs(stranger)).toEqual([])
    expect(await jobs(OPERATOR)).toMatchObject([{ jobId, datasetId }])
    await expectProblem(post(path, { jobIds: [jobId] }), 'unauthenticated')
  })

  test.each([
    ['an id that is none', { jobIds: ['abc'] }, 'jobIds[0]'],
    ['no ids', { jobIds: [] }, 'jobIds'],
    ['more ids than a call does', { jobIds: Array.from({ length: 101 }, () => crypto.randomUUID()) }, 'jobIds'],
    ['a code that could be none', { code: 'A b' }, 'code'],
    ['a dataset with a slash', { datasetId: 'a/b' }, 'datasetId'],
    ['a word for the dry run', { dryRun: 'yes' }, 'dryRun'],
    ['a slip in the name of a filter', { job_ids: [crypto.randomUUID()] }, 'job_ids'],
    ['nothing', '', ''],
  ])('does not take %s', async (_what, body, field) => {
    const problem = await expectProblem(post(path, body, owner), 'invalid_request')
    expect(problem.errors?.map((error) => error.field)).toEqual([field])
  })
})

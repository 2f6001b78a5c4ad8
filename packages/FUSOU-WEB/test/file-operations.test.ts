import { AN_OPERATOR } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { askForMerge, call, catalog, expectProblem, json, newDataset, OPERATOR, post, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY } from './support/files.ts'
import { newUser, type User } from './support/tokens.ts'

const owner = await newUser()
const stranger = await newUser()

interface Listed {
  version: number
  files: { id: string; quarantine: string | null }[]
}

const list = (datasetId: string, query = '', user: { token: string } = owner) =>
  json<Listed>(`/api/datasets/${datasetId}/files?${query}`, user)
const send = async (datasetId: string, bytes = FLIGHTS, tableId = 't') =>
  (await upload(owner, bytes, { datasetId, tableId })).json<{ fileId: string; version: number }>()

/** A dataset of two files, one of them set aside by a merge. */
async function withFileSetAside(user: User = owner) {
  const datasetId = newDataset()
  const { fileId } = await (await upload(user, FLIGHTS, { datasetId, tableId: 't' })).json<{ fileId: string }>()
  await upload(user, FLIGHTS_EMPTY, { datasetId, tableId: 't' })
  const { jobId } = await askForMerge(user, datasetId)
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, jobId, priority: 'manual' }, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const mergeable = await catalog.listMergeableFiles(accepted, 10)
  if (mergeable.outcome !== 'ok') throw new Error(mergeable.outcome)
  await catalog.savePlan(accepted, [mergeable.files.map(({ id }) => id)])
  const { r2Key } = (await catalog.getFile(fileId, AN_OPERATOR))!
  const fault = { fileId, r2Key, code: 'corrupt_file', message: 'page 3 does not decompress' } as const
  await catalog.setAsideInputs(accepted, 1, [fault])
  await catalog.finishJob(accepted, { result: {}, more: false, sender: 'test' })
  return { datasetId, fileId, jobId }
}

describe('DELETE /api/files/:id', () => {
  test('takes the file out of the next version, and says the same when it is repeated', async () => {
    const datasetId = newDataset()
    const { fileId } = await send(datasetId)
    await send(datasetId, CARRIERS, 'other')
    const discard = () => call(`/api/files/${fileId}`, { ...owner, method: 'DELETE' })
    const answer = { success: true, fileId, datasetId, table: 't', periodTag: '0', rows: 3, version: 3 }
    expect(await (await discard()).json()).toEqual(answer)
    expect(await (await discard()).json()).toEqual(answer)
    expect((await list(datasetId)).files).toHaveLength(1)
    expect((await list(datasetId, 'version=2')).files).toHaveLength(2)
    expect(await send(datasetId)).toMatchObject({ version: 4, duplicate: false })
  })

  test('may be called by an operator', async () => {
    const datasetId = newDataset()
    const { fileId } = await send(datasetId)
    expect((await call(`/api/files/${fileId}`, { ...OPERATOR, method: 'DELETE' })).status).toBe(200)
    expect((await list(datasetId)).files).toEqual([])
  })
})

describe('files in quarantine', () => {
  test('are listed with the others, without them, or alone', async () => {
    const { datasetId, fileId } = await withFileSetAside()
    const ids = async (query: string) => (await list(datasetId, query)).files.map(({ id }) => id)
    expect(await ids('')).toHaveLength(2)
    expect(await ids('quarantined=include')).toHaveLength(2)
    expect(await ids('quarantined=exclude')).not.toContain(fileId)
    expect(await ids('quarantined=only')).toEqual([fileId])
  })

  test('are named by the job, which has succeeded in part', async () => {
    const { jobId, fileId } = await withFileSetAside()
    expect(await json(`/api/jobs/${jobId}`, owner)).toMatchObject({
      state: 'succeeded',
      partial: true,
      setAside: { count: 1, files: [{ fileId, code: 'corrupt_file', message: 'page 3 does not decompress' }] },
    })
  })

  test('are released once, by the owner', async () => {
    const { datasetId, fileId } = await withFileSetAside()
    const release = () => post(`/api/files/${fileId}/release`, '', { ...owner })
    expect(await (await release()).json()).toEqual({ success: true, fileId, datasetId, code: 'corrupt_file' })
    await expectProblem(release(), 'file_not_quarantined')
    expect((await list(datasetId, 'quarantined=only')).files).toEqual([])
  })

  test('of one owner are no trouble of another, and none of the operator once acknowledged', async () => {
    const [careless, careful] = [await newUser(), await newUser()]
    const { datasetId } = await withFileSetAside(careless)
    await upload(careful, FLIGHTS, { datasetId: newDataset(), tableId: 't' })
    type Status = { quarantinedFiles: number; health: { ok: boolean; reasons: string[] } }
    const status = (user: { token: string }) => json<Status>('/api/jobs/status', user)
    expect(await status(careless)).toMatchObject({ quarantinedFiles: 1, health: { ok: false } })
    expect(await status(careful)).toMatchObject({ quarantinedFiles: 0, health: { ok: true, reasons: [] } })
    const all = await status(OPERATOR)
    expect(all.quarantinedFiles).toBeGreaterThanOrEqual(1)
    expect(all.health.reasons.filter((reason) => reason.includes('quarantine'))).toEqual([])
    const acknowledged = await post('/api/files/acknowledge', { datasetId }, OPERATOR)
    expect(await acknowledged.json()).toEqual({ success: true, files: 1 })
    expect(await (await post('/api/files/acknowledge', { datasetId }, OPERATOR)).json()).toMatchObject({ files: 0 })
    expect((await status(OPERATOR)).quarantinedFiles).toBe(all.quarantinedFiles)
  })

  test('are not acknowledged by a filter with a slip in its name', async () => {
    const problem = await expectProblem(post('/api/files/acknowledge', { dataset: 'd' }, OPERATOR), 'invalid_request')
    expect(problem.detail).toContain('dataset')
  })
})

describe('what is not the caller’s and what is not there get one answer', async () => {
  const { datasetId, fileId, jobId } = await withFileSetAside()
  const absent = { datasetId: newDataset(), fileId: crypto.randomUUID(), jobId: crypto.randomUUID() }
  type Names = typeof absent
  type Calls = [name: string, send: (names: Names, user: { token: string }) => Promise<Response>, code: string][]
  const calls: Calls = [
    ['list files', (n, u) => call(`/api/datasets/${n.datasetId}/files`, u), 'unknown_dataset'],
    ['read a file', (n, u) => call(`/api/files/${n.fileId}`, u), 'unknown_file'],
    ['discard a file', (n, u) => call(`/api/files/${n.fileId}`, { ...u, method: 'DELETE' }), 'unknown_file'],
    ['release a file', (n, u) => post(`/api/files/${n.fileId}/release`, '', u), 'unknown_file'],
    [
      'ask for a merge',
      (n, u) => post('/api/compaction/sanitize-state', { datasetId: n.datasetId }, u),
      'unknown_dataset',
    ],
    ['read a job', (n, u) => call(`/api/jobs/${n.jobId}`, u), 'unknown_job'],
    ['follow a job', (n, u) => call(`/api/jobs/${n.jobId}/events`, u), 'unknown_job'],
    ['cancel a job', (n, u) => call(`/api/jobs/${n.jobId}`, { ...u, method: 'DELETE' }), 'unknown_job'],
    ['retry a job', (n, u) => post(`/api/jobs/${n.jobId}/retry`, '', u), 'unknown_job'],
  ]

  test.each(calls)('%s', async (_name, send, code) => {
    const answers = [await send({ datasetId, fileId, jobId }, stranger), await send(absent, stranger)]
    const problems = await Promise.all(answers.map((answer) => answer.json<Record<string, string>>()))
    expect(problems.map((problem) => problem.code)).toEqual([code, code])
    const [foreign, missing] = problems.map(({ title, status, detail }) => ({ title, status, detail }))
    const hidden = JSON.stringify(foreign).replaceAll(datasetId, '').replaceAll(fileId, '').replaceAll(jobId, '')
    const plain = JSON.stringify(missing)
    expect(hidden).toBe(Object.values(absent).reduce((text, name) => text.replaceAll(name, ''), plain))
  })

  test.each([
    ['list jobs', (n: Names) => `/api/jobs?datasetId=${n.datasetId}`],
    ['list dead letters', () => '/api/compaction/dlq-status'],
  ])('%s: nothing of it', async (_name, path) => {
    const bodies = await Promise.all(
      [{ datasetId, fileId, jobId }, absent].map(async (names) => JSON.stringify(await json(path(names), stranger))),
    )
    expect(bodies[0]).toBe(bodies[1])
    expect(bodies[0]).not.toContain(jobId)
  })
})

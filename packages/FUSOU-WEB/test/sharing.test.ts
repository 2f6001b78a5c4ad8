import { readDatasetOwner } from '@fusou/catalog'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  bindings,
  call,
  catalog,
  expectProblem,
  json,
  newDataset,
  OPERATOR,
  post,
  stored,
  upload,
} from './support/api.ts'
import { CARRIERS, FLIGHTS } from './support/files.ts'
import { newUser, signUp, type User } from './support/tokens.ts'

interface Key {
  id: string
  key: string
  hint: string
}
interface Entry {
  action: string
  actor: string
  userId: string | null
  keyId: string | null
  target: string | null
  before: unknown
  after: unknown
}

const asJson = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const put = (path: string, body: unknown, { token }: User) => call(path, { method: 'PUT', token, ...asJson(body) })
const remove = (path: string, { token }: { token: string }) => call(path, { method: 'DELETE', token })
const makeKey = (user: User, key: object) =>
  json<Key>('/api/keys', { method: 'POST', token: user.token, ...asJson(key) })
const withKey = ({ key }: Key): User => ({ id: '', token: key })
const listed = async (token: string) => json<{ keys: Record<string, unknown>[] }>('/api/keys', { token })
const auditOf = async (datasetId: string, token: string) =>
  (await json<{ entries: Entry[] }>(`/api/audit?datasetId=${datasetId}`, { token })).entries

let owner: User
let friend: User
beforeAll(async () => {
  owner = await signUp()
  friend = await signUp()
})

describe('a key', () => {
  test('uploads for many devices at once, to a dataset that its user gets by it', async () => {
    const datasetId = newDataset()
    const key = await makeKey(owner, { name: 'buoys', scopes: ['upload'] })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => upload(withKey(key), FLIGHTS, { datasetId, tableId: `buoy-${i}` })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202))
    expect(await stored(datasetId)).toEqual({ objects: 10, files: 10 })
    expect(await readDatasetOwner(bindings.BUCKET, datasetId)).toEqual({ owner: owner.id, earlierOwners: [] })
  })

  test('is shown once; the list tells its beginning, what it may do and when it was used', async () => {
    const user = await newUser()
    const expiresAt = '2031-01-01T00:00:00Z'
    const made = await makeKey(user, { name: 'buoy 7', scopes: ['upload', 'read'], datasets: ['sea-*'], expiresAt })
    expect(made.key.startsWith(made.hint)).toBe(true)
    await expectProblem(upload(withKey(made), FLIGHTS, { datasetId: 'land', tableId: 't' }), 'unknown_dataset')
    const { keys } = await listed(user.token)
    expect(keys).toEqual([
      {
        id: made.id,
        name: 'buoy 7',
        hint: made.hint,
        scopes: ['upload', 'read'],
        datasets: ['sea-*'],
        createdAt: expect.any(String),
        expiresAt: '2031-01-01T00:00:00+00:00',
        lastUsedAt: expect.any(String),
        revokedAt: null,
        state: 'active',
      },
    ])
    expect(JSON.stringify(keys)).not.toContain(made.key.slice(12))
  })

  test('that is revoked is refused by the database at once, though the isolate remembers it', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    const key = await makeKey(owner, { name: 'k', scopes: ['read'] })
    const path = `/api/datasets/${datasetId}/files`
    expect((await call(path, { token: key.key })).status).toBe(200)
    expect((await remove(`/api/keys/${key.id}`, owner)).status).toBe(200)
    await expectProblem(call(path, { token: key.key }), 'unknown_dataset')
  })

  test('is never more than its user: when a role ends, it ends for the key', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'writer' }, owner)
    const key = await makeKey(friend, { name: 'k', scopes: ['read', 'upload', 'manage'] })
    expect((await upload(withKey(key), CARRIERS, { datasetId, tableId: 't' })).status).toBe(202)
    const files = await json<{ files: { id: string }[] }>(`/api/datasets/${datasetId}/files`, { token: key.key })
    await expectProblem(remove(`/api/files/${files.files[0]!.id}`, { token: key.key }), 'forbidden')
    await remove(`/api/datasets/${datasetId}/grants/${friend.id}`, owner)
    await expectProblem(call(`/api/datasets/${datasetId}/files`, { token: key.key }), 'unknown_dataset')
  })

  test.each([
    [{ scopes: ['read'] }, 'name'],
    [{ name: ' ', scopes: ['read'] }, 'name'],
    [{ name: 'x'.repeat(101), scopes: ['read'] }, 'name'],
    [{ name: 'k', scopes: [] }, 'scopes'],
    [{ name: 'k', scopes: ['own'] }, 'scopes[0]'],
    [{ name: 'k', scopes: ['read', 'read'] }, 'scopes'],
    [{ name: 'k', scopes: ['read'], datasets: [] }, 'datasets'],
    [{ name: 'k', scopes: ['read'], datasets: ['a*b'] }, 'datasets[0]'],
    [{ name: 'k', scopes: ['read'], datasets: ['../a'] }, 'datasets[0]'],
    [{ name: 'k', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ name: 'k', scopes: ['read'], expiresAt: 'tomorrow' }, 'expiresAt'],
  ])('of %j is refused, which names %s', async (request, field) => {
    const problem = await expectProblem(post('/api/keys', request, owner), 'invalid_request')
    expect(problem.errors?.map((fault) => fault.field)).toContain(field)
  })
})

describe('a dataset', () => {
  test('is reserved before its first upload, once', async () => {
    const datasetId = newDataset()
    const reserved = await put(`/api/datasets/${datasetId}`, {}, owner)
    expect([reserved.status, await reserved.json()]).toEqual([201, { datasetId, ownerId: owner.id }])
    expect((await put(`/api/datasets/${datasetId}`, {}, owner)).status).toBe(200)
    await expectProblem(put(`/api/datasets/${datasetId}`, {}, friend), 'unknown_dataset')
    await expectProblem(upload(friend, FLIGHTS, { datasetId, tableId: 't' }), 'unknown_dataset')
    expect((await upload(owner, FLIGHTS, { datasetId, tableId: 't' })).status).toBe(202)
  })

  test('counts what a writer uploads against its owner', async () => {
    const poor = await signUp()
    const datasetId = newDataset()
    await upload(poor, FLIGHTS, { datasetId, tableId: 't' })
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'writer' }, poor)
    await call('/api/limits', { method: 'PUT', ...OPERATOR, ...asJson({ owner: poor.id, liveFiles: 1 }) })
    await expectProblem(upload(friend, CARRIERS, { datasetId, tableId: 't' }), 'quota_exceeded')
    expect(await stored(datasetId)).toEqual({ objects: 1, files: 1 })
  })

  test('is handed over with its files, and the old owner has no right any more', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    const before = await catalog.readLimits({ kind: 'operator' }, friend.id)
    const answer = await post(`/api/datasets/${datasetId}/transfer`, { userId: friend.id }, owner)
    expect(await answer.json()).toEqual({ datasetId, ownerId: friend.id })
    await expectProblem(call(`/api/datasets/${datasetId}/files`, owner), 'unknown_dataset')
    expect((await call(`/api/datasets/${datasetId}/files`, friend)).status).toBe(200)
    expect((await catalog.readLimits({ kind: 'operator' }, friend.id)).owner!.usage).toMatchObject({
      datasets: before.owner!.usage.datasets + 1,
      liveFiles: before.owner!.usage.liveFiles + 1,
      liveBytes: before.owner!.usage.liveBytes + FLIGHTS.byteLength,
    })
    expect(await readDatasetOwner(bindings.BUCKET, datasetId)).toEqual({
      owner: friend.id,
      earlierOwners: [owner.id],
    })
  })

  test('is handed over to nobody who does not exist, and shared with nobody either', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    const nobody = crypto.randomUUID()
    await expectProblem(post(`/api/datasets/${datasetId}/transfer`, { userId: nobody }, owner), 'unknown_user')
    await expectProblem(put(`/api/datasets/${datasetId}/grants/${nobody}`, { role: 'reader' }, owner), 'unknown_user')
  })

  test('cannot lose its owner but by handing it over', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    await expectProblem(remove(`/api/datasets/${datasetId}/grants/${owner.id}`, owner), 'is_owner')
    await expectProblem(put(`/api/datasets/${datasetId}/grants/${owner.id}`, { role: 'reader' }, owner), 'is_owner')
  })

  test('can be left by anybody it was shared with', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'reader' }, owner)
    expect((await remove(`/api/datasets/${datasetId}/grants/${friend.id}`, friend)).status).toBe(200)
    await expectProblem(call(`/api/datasets/${datasetId}/files`, friend), 'unknown_dataset')
  })

  test('lists its grants page by page', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    const users = [await signUp(), await signUp(), await signUp()]
    for (const { id } of users) await put(`/api/datasets/${datasetId}/grants/${id}`, { role: 'reader' }, owner)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const path: string = `/api/datasets/${datasetId}/grants?limit=2&cursor=${cursor}`
      const page: { grants: { userId: string }[]; nextCursor: string | null } = await json(path, owner)
      seen.push(...page.grants.map(({ userId }) => userId))
      cursor = page.nextCursor
    }
    expect(seen).toEqual(users.map(({ id }) => id).sort())
  })
})

describe('the audit', () => {
  test('says who did what, by which key, and what was there before', async () => {
    const datasetId = newDataset()
    const key = await makeKey(owner, { name: 'admin', scopes: ['manage'] })
    await put(`/api/datasets/${datasetId}`, {}, owner)
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'reader' }, owner)
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'manager' }, withKey(key))
    await put(`/api/datasets/${datasetId}/grants/${friend.id}`, { role: 'manager' }, withKey(key))
    await remove(`/api/datasets/${datasetId}/grants/${friend.id}`, OPERATOR)
    const entries = await auditOf(datasetId, owner.token)
    expect(entries).toMatchObject([
      { action: 'dataset.revoke', actor: 'operator', userId: null, target: friend.id, before: 'manager', after: null },
      { action: 'dataset.grant', actor: 'key', userId: owner.id, keyId: key.id, before: 'reader', after: 'manager' },
      { action: 'dataset.grant', actor: 'user', userId: owner.id, keyId: null, before: null, after: 'reader' },
      { action: 'dataset.reserve', actor: 'user', userId: owner.id },
    ])
    expect(await auditOf(datasetId, OPERATOR.token)).toEqual(entries)
    expect(await auditOf(datasetId, friend.token)).toEqual([])
  })

  test('has the changes of jobs and files, each once', async () => {
    const datasetId = newDataset()
    await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
    const gone = await (await upload(owner, CARRIERS, { datasetId, tableId: 't' })).json<{ fileId: string }>()
    for (const _ of [1, 2]) await remove(`/api/files/${gone.fileId}`, owner)
    const asked = await (await post('/api/compaction/sanitize-state', { datasetId }, owner)).json<{ jobId: string }>()
    for (const _ of [1, 2]) await remove(`/api/jobs/${asked.jobId}`, owner)
    await post(`/api/jobs/${asked.jobId}/retry`, {}, owner)
    expect((await auditOf(datasetId, owner.token)).map(({ action, target }) => [action, target])).toEqual([
      ['job.retry', asked.jobId],
      ['job.cancel', asked.jobId],
      ['dataset.compact', null],
      ['file.discard', gone.fileId],
    ])
  })

  test('is read page by page', async () => {
    const user = await newUser()
    for (let i = 0; i < 5; i++) await makeKey(user, { name: `k${i}`, scopes: ['read'] })
    const names: unknown[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const path: string = `/api/audit?action=key.create&limit=2&cursor=${cursor}`
      const page: { entries: { after: { name: string } }[]; nextCursor: string | null } = await json(path, user)
      names.push(...page.entries.map(({ after }) => after.name))
      cursor = page.nextCursor
    }
    expect(names).toEqual(['k4', 'k3', 'k2', 'k1', 'k0'])
  })
})

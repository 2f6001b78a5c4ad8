import { beforeAll, describe, expect, test } from 'vitest'
import { bindings, call, catalog, expectProblem, json, newDataset, OPERATOR, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS } from './support/files.ts'
import { signUp, type User } from './support/tokens.ts'

interface Deletion {
  id: number
  files: number
  rows: number
  version: number
  restoredAt: string | null
}
const remove = async (path: string, { token }: { token: string }) =>
  json<{ deletion: Deletion | null }>(path, { method: 'DELETE', token })
const restore = (datasetId: string, id: number, { token }: User) =>
  call(`/api/datasets/${datasetId}/deletions/${id}/restore`, { method: 'POST', token })

let owner: User
beforeAll(async () => {
  owner = await signUp()
})

async function filled(): Promise<string> {
  const datasetId = newDataset()
  await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '2025' })
  await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '2026' })
  await upload(owner, CARRIERS, { datasetId, tableId: 'u' })
  return datasetId
}

const places = async (datasetId: string, version?: number) => {
  const path = `/api/datasets/${datasetId}/files${version === undefined ? '' : `?version=${version}`}`
  const { files } = await json<{ files: { table: string; periodTag: string }[] }>(path, owner)
  return files.map(({ table, periodTag }) => `${table}/${periodTag}`)
}

describe('deleting', () => {
  test.each([
    ['a period', '/tables/t/periods/2025', ['t/2026', 'u/0']],
    ['a table', '/tables/t', ['u/0']],
    ['a dataset', '', []],
  ])('%s takes it out of the next version, and leaves the versions before', async (_, path, left) => {
    const datasetId = await filled()
    const { deletion } = await remove(`/api/datasets/${datasetId}${path}`, owner)
    expect(deletion).toMatchObject({ files: 3 - left.length, version: 4, restoredAt: null })
    expect(await places(datasetId)).toEqual(left)
    expect(await places(datasetId, 3)).toEqual(['t/2025', 't/2026', 'u/0'])
    expect((await remove(`/api/datasets/${datasetId}${path}`, owner)).deletion).toBeNull()
  })

  test.each([
    ['a period', '/tables/t/periods/2025'],
    ['a dataset', ''],
  ])('%s can be undone, once, until vacuum has begun to take it', async (_, path) => {
    const datasetId = await filled()
    const { deletion } = await remove(`/api/datasets/${datasetId}${path}`, owner)
    for (const __ of [1, 2]) expect((await restore(datasetId, deletion!.id, owner)).status).toBe(200)
    expect(await places(datasetId)).toEqual(['t/2025', 't/2026', 'u/0'])
    expect(await json(`/api/datasets/${datasetId}`, owner)).toMatchObject({ version: 5, files: 3, deletedAt: null })

    const again = await remove(`/api/datasets/${datasetId}${path}`, owner)
    await catalog.configureDataset(datasetId, { kind: 'operator' }, { retentionSeconds: 0 })
    await catalog.claimGarbage(100)
    await expectProblem(restore(datasetId, again.deletion!.id, owner), 'deletion_gone')
  })

  test('lets the same bytes come again; what came again is not restored beside it', async () => {
    const datasetId = await filled()
    const { deletion } = await remove(`/api/datasets/${datasetId}/tables/t`, owner)
    const again = await upload(owner, FLIGHTS, { datasetId, tableId: 't', periodTag: '2025' })
    expect(await again.json()).toMatchObject({ duplicate: false })
    expect((await restore(datasetId, deletion!.id, owner)).status).toBe(200)
    expect(await places(datasetId)).toEqual(['t/2025', 't/2026', 'u/0'])
  })

  test('a dataset keeps its id for its owner, who may upload to it again', async () => {
    const datasetId = await filled()
    await remove(`/api/datasets/${datasetId}`, owner)
    const listed = async (scope: string) =>
      (await json<{ datasets: unknown[] }>(`/api/datasets?scope=${scope}&prefix=${datasetId}`, owner)).datasets.length
    expect([await listed('own'), await listed('deleted')]).toEqual([0, 1])
    await expectProblem(upload(await signUp(), FLIGHTS, { datasetId, tableId: 't' }), 'unknown_dataset')
    expect((await upload(owner, FLIGHTS, { datasetId, tableId: 't' })).status).toBe(202)
    expect([await listed('own'), await listed('deleted')]).toEqual([1, 0])
  })

  test('an object goes only when its retention is over', async () => {
    const datasetId = await filled()
    const objects = async () => (await bindings.BUCKET.list({ prefix: `datasets/${datasetId}/` })).objects.length
    await remove(`/api/datasets/${datasetId}`, owner)
    expect(await catalog.claimGarbage(100)).not.toContainEqual(expect.stringContaining(datasetId))
    expect(await objects()).toBe(3)
    await catalog.configureDataset(datasetId, { kind: 'operator' }, { retentionSeconds: 0 })
    const garbage = (await catalog.claimGarbage(1000)).filter((key) => key.includes(datasetId))
    expect(garbage).toHaveLength(3)
  })

  test('what was deleted is listed, and who did it is in the audit', async () => {
    const datasetId = await filled()
    await remove(`/api/datasets/${datasetId}/tables/u`, owner)
    await remove(`/api/datasets/${datasetId}/tables/t`, OPERATOR)
    const { deletions } = await json<{ deletions: unknown[] }>(`/api/datasets/${datasetId}/deletions`, owner)
    expect(deletions).toMatchObject([
      { table: 't', periodTag: null, reason: 'request', files: 2 },
      { table: 'u', reason: 'request', files: 1 },
    ])
    const { entries } = await json<{ entries: unknown[] }>(`/api/audit?datasetId=${datasetId}`, owner)
    expect(entries).toMatchObject([
      { action: 'data.delete', actor: 'operator', before: { table: 't', files: 2 } },
      { action: 'data.delete', actor: 'user', userId: owner.id, before: { table: 'u', files: 1 } },
    ])
  })
})

test('all data of a user is deleted by that user, who keeps no key and no role', async () => {
  const [user, other] = [await signUp(), await signUp()]
  const datasetId = newDataset()
  await upload(user, FLIGHTS, { datasetId, tableId: 't' })
  const asJson = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const { key } = await json<{ key: string }>('/api/keys', {
    method: 'POST',
    token: user.token,
    ...asJson({ name: 'k', scopes: ['read', 'manage'] }),
  })
  const path = `/api/users/${user.id}/data`
  await expectProblem(call(path, { method: 'DELETE', ...other }), 'forbidden')
  await expectProblem(call(path, { method: 'DELETE', token: key }), 'forbidden')
  expect(await json(path, { method: 'DELETE', token: user.token })).toMatchObject({ datasets: 1, more: false })
  expect(await json(path, { method: 'DELETE', token: user.token })).toMatchObject({ datasets: 0, more: false })
  await expectProblem(call(`/api/datasets/${datasetId}`, { token: key }), 'unknown_dataset')
  expect(await json(`/api/datasets/${datasetId}`, user)).toMatchObject({ files: 0, deletedAt: expect.any(String) })
})

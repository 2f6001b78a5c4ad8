import { INSTALLATION_KEY } from '@fusou/catalog'
import { afterEach, describe, expect, test } from 'vitest'
import { bindings, call, catalog, expectProblem, json, OPERATOR, post } from './support/api.ts'
import { newUser } from './support/tokens.ts'

interface Status {
  installation: { id: string; problem: string | null; paused: { by: string } | null } | null
  health: { ok: boolean; reasons: string[] }
}
const status = () => json<Status>('/api/jobs/status', OPERATOR)
const accept = (problem: string) => post('/api/installation/accept', { problem, by: 'a test' }, OPERATOR)
const { BUCKET } = bindings

afterEach(async () => {
  await BUCKET.delete(INSTALLATION_KEY)
})

describe('a bucket of another installation', () => {
  const foreign = { id: '11111111-1111-4111-8111-111111111111', stamp: 41 }

  test('makes the health say why, and an operator takes it over', async () => {
    const own = (await status()).installation!.id
    await BUCKET.put(INSTALLATION_KEY, JSON.stringify(foreign))
    await catalog.checkInstallation(foreign)
    const before = await status()
    expect(before.installation).toMatchObject({ problem: 'foreign_bucket' })
    expect(before.health.ok).toBe(false)
    expect(before.health.reasons).toContainEqual(expect.stringContaining('foreign_bucket'))

    await expectProblem(accept('catalog_restored'), 'count_changed')
    expect(await (await accept('foreign_bucket')).json()).toEqual({ success: true, installationId: foreign.id })
    expect(own).not.toBe(foreign.id)
    expect((await status()).installation).toMatchObject({ id: foreign.id, problem: null })
    expect(await (await BUCKET.get(INSTALLATION_KEY))!.json()).toEqual({ id: foreign.id, stamp: 42 })
    expect(await catalog.checkInstallation({ id: foreign.id, stamp: 42 })).toMatchObject({ outcome: 'paired' })
  })

  test('is accepted by operators only, by the name of its problem', async () => {
    const body = { problem: 'foreign_bucket', by: 'me' }
    await expectProblem(post('/api/installation/accept', body), 'unauthenticated')
    await expectProblem(post('/api/installation/accept', body, await newUser()), 'forbidden')
    for (const wrong of [{}, { problem: 'foreign_bucket' }, { ...body, problem: 'none' }, { ...body, more: 1 }])
      await expectProblem(post('/api/installation/accept', wrong, OPERATOR), 'invalid_request')
  })
})

test('a user sees nothing of the installation', async () => {
  expect((await json<Status>('/api/jobs/status', await newUser())).installation).toBeNull()
})

test('an operator pauses deletions, and the status says who and why', async () => {
  try {
    const paused = await post('/api/vacuum/pause', { by: 'Ada', reason: 'a restore' }, OPERATOR)
    expect(await paused.json()).toEqual({ success: true, paused: true })
    expect((await status()).installation).toMatchObject({ paused: { by: 'Ada', reason: 'a restore' } })
    expect((await status()).health.reasons).toContainEqual(expect.stringContaining('deletions are paused'))
    expect(await catalog.claimGarbage(100)).toEqual([])
  } finally {
    const resumed = await call('/api/vacuum/pause', { ...OPERATOR, method: 'DELETE' })
    expect(await resumed.json()).toEqual({ success: true, paused: false })
  }
  expect((await status()).installation).toMatchObject({ paused: null })
  await expectProblem(post('/api/vacuum/pause', { by: 'Ada' }, await newUser()), 'forbidden')
  await expectProblem(post('/api/vacuum/pause', {}, OPERATOR), 'invalid_request')
})

test('an operator accepts exactly as many orphans as the last round has found', async () => {
  const sweep = await catalog.beginSweep('orphans')
  if (!sweep.due) throw new Error('no round is due')
  const oldKeys = Array.from({ length: 9 }, (_, index) => `lost/${index}`)
  const { round, cursor } = sweep
  const page = { round, cursor, nextCursor: null, objects: 10, oldKeys, pauseSeconds: 3600 }
  await catalog.recordSweepPage('orphans', page)
  expect((await status()).health.reasons).toContainEqual(expect.stringContaining('9 objects have no row'))
  const answer = await expectProblem(post('/api/vacuum/accept', { orphans: 8, by: 'Ada' }, OPERATOR), 'count_changed')
  expect(answer.detail).toContain('9 orphans')
  const accepted = await post('/api/vacuum/accept', { orphans: 9, by: 'Ada' }, OPERATOR)
  expect(await accepted.json()).toEqual({ success: true, orphans: 9, released: 0 })
  const next = await catalog.beginSweep('orphans')
  if (!next.due) throw new Error('accepting makes a round due')
  await catalog.recordSweepPage('orphans', { ...page, round: next.round, oldKeys: [] })
})

import { randomUUID } from 'node:crypto'
import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { anObject, DataSetUnderTest } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// Objects are deleted only while bucket and catalog prove that they belong together.

const database = await ownDatabase()
const { catalog } = database
const EMPTY = { objects: 0, truncated: false, oldestAt: null }
const statusOf = async () => (await catalog.jobStatus(AN_OPERATOR)).installation!
const ownId = async () => (await statusOf()).id
const stampOf = async () => (await database.query<{ stamp: number }>('select stamp::int from installation'))[0]!.stamp

/** A minute passes: the stamp is due again. */
const passMinute = () => database.query("update installation set stamped_at = stamped_at - interval '1 minute'")

/** The bucket says what the catalog last wrote to it. */
async function pair() {
  const checked = await catalog.checkInstallation({ id: await ownId(), stamp: await stampOf() })
  if (checked.outcome !== 'paired') throw new Error(checked.outcome)
  return checked
}

/** An object that vacuum would take. */
async function garbage(): Promise<string> {
  const key = `lost/${randomUUID()}`
  await catalog.markKeysForDeletion([key])
  return key
}

beforeEach(async () => {
  await database.query(`update installation set stamp = 0, stamped_at = null, paired_at = null, problem = null,
    problem_at = null, paused_at = null, paused_by = null, pause_reason = null, created_at = now()`)
})

describe('a catalog that was never paired', () => {
  test('claims an empty bucket, and is paired once the bucket has its id', async () => {
    await database.query('delete from files where true')
    expect(await catalog.checkInstallation(EMPTY)).toEqual({ outcome: 'claim', id: await ownId(), stamp: 0 })
    expect(await pair()).toMatchObject({ stamp: 1, write: true })
    expect(await statusOf()).toMatchObject({ problem: null })
  })

  test('claims a bucket whose objects came after it', async () => {
    const oldestAt = new Date(Date.now() + 1000).toISOString()
    expect(await catalog.checkInstallation({ objects: 3, truncated: false, oldestAt })).toMatchObject({
      outcome: 'claim',
    })
  })

  test.each([
    ['has older objects', { objects: 1, truncated: false, oldestAt: '2026-01-01T00:00:00Z' }],
    ['has more than a page of objects', { objects: 1000, truncated: true, oldestAt: new Date(2 ** 42).toISOString() }],
  ])('does not claim a bucket that %s', async (_what, look) => {
    expect(await catalog.checkInstallation(look)).toEqual({ outcome: 'problem', problem: 'unclaimed_bucket' })
    expect(await statusOf()).toMatchObject({ problem: 'unclaimed_bucket' })
  })

  test('does not claim an empty bucket if it has files', async () => {
    await new DataSetUnderTest(catalog).store()
    expect(await catalog.checkInstallation(EMPTY)).toEqual({ outcome: 'problem', problem: 'unclaimed_bucket' })
  })
})

describe('a paired catalog', () => {
  test('raises its stamp once a minute, before the bucket', async () => {
    const { id, stamp } = await pair()
    expect(await catalog.checkInstallation({ id, stamp })).toMatchObject({ stamp, write: false })
    await passMinute()
    expect(await catalog.checkInstallation({ id, stamp })).toMatchObject({ stamp: stamp + 1, write: true })
    // the write was lost: the bucket stays behind, which proves nothing
    await passMinute()
    expect(await catalog.checkInstallation({ id, stamp })).toMatchObject({ stamp: stamp + 2, write: true })
  })

  test('finds a bucket that lost its id, and one of another installation', async () => {
    await pair()
    expect(await catalog.checkInstallation(EMPTY)).toEqual({ outcome: 'problem', problem: 'missing_stamp' })
    const foreign = { id: randomUUID(), stamp: 0 }
    expect(await catalog.checkInstallation(foreign)).toEqual({ outcome: 'problem', problem: 'foreign_bucket' })
    expect(await statusOf()).toMatchObject({ problem: 'foreign_bucket', bucketId: foreign.id })
  })

  test('has no problem any more once the right bucket is back', async () => {
    await pair()
    await catalog.checkInstallation({ id: randomUUID(), stamp: 0 })
    await pair()
    expect(await statusOf()).toMatchObject({ problem: null, problemSince: null })
  })

  test('that was set back to an older state finds the bucket ahead of it', async () => {
    const { id, stamp } = await pair()
    await passMinute()
    const later = await pair()
    await database.query('update installation set stamp = $1', stamp)
    const look = { id, stamp: later.stamp }
    expect(await catalog.checkInstallation(look)).toEqual({ outcome: 'problem', problem: 'catalog_restored' })
  })
})

describe('while there is a problem', () => {
  test('vacuum, the sweep and aborts take nothing', async () => {
    const key = await garbage()
    const { stamp } = await pair()
    await catalog.checkInstallation({ id: randomUUID(), stamp: 0 })
    expect(await catalog.claimGarbage(1000)).toEqual([])
    expect(await catalog.listAbandonedUploads(1000)).toEqual([])
    expect(await catalog.markOrphans('orphans', 1000)).toBe(0)
    await pair()
    expect(await catalog.claimGarbage(1000, stamp)).toContain(key)
  })

  test('no job starts, and jobs start again when it is over', async () => {
    await pair()
    await catalog.checkInstallation({ id: randomUUID(), stamp: 0 })
    const dataset = new DataSetUnderTest(catalog)
    await dataset.upload()
    expect(await dataset.deliver(undefined)).toMatchObject({ outcome: 'waiting' })
    await pair()
    expect(await catalog.admitJobs()).toBe(1)
    expect(await dataset.deliver(undefined)).toMatchObject({ outcome: 'claimed' })
  })

  test.each([
    ['foreign_bucket', 'installation_mismatch', { id: randomUUID(), stamp: 0 }],
    ['missing_stamp', 'installation_mismatch', EMPTY],
    ['catalog_restored', 'catalog_restored', undefined],
  ] as const)('%s raises the alert %s', async (problem, kind, look) => {
    const { id, stamp } = await pair()
    expect(await catalog.checkInstallation(look ?? { id, stamp: stamp + 1 })).toMatchObject({ problem })
    const rules = {
      deadLettersWindowSeconds: 0,
      failureWindowSeconds: 0,
      failureRatio: 1,
      failureMinJobs: 1,
      waitingBoundSeconds: 3600,
      triggerBoundSeconds: 3600,
      silenceSeconds: 3600,
      newCausesSeconds: 900,
      quietSeconds: 0,
    }
    const { changes } = await catalog.raiseAlerts(rules, [], 'a test')
    expect(changes).toMatchObject([{ kind, change: 'raised' }])
    await catalog.acceptInstallation(AN_OPERATOR, problem, look ?? { id, stamp: stamp + 1 })
    expect((await catalog.raiseAlerts(rules, [], 'a test')).changes).toMatchObject([{ kind, change: 'resolved' }])
  })

  test('an operator accepts exactly the problem that stands; the catalog then has the id and is ahead', async () => {
    const { id, stamp } = await pair()
    const ahead = { id, stamp: stamp + 7 }
    await catalog.checkInstallation(ahead)
    expect(await catalog.acceptInstallation(AN_OPERATOR, 'foreign_bucket', ahead)).toEqual({
      outcome: 'changed',
      problem: 'catalog_restored',
    })
    expect(await catalog.acceptInstallation(AN_OPERATOR, 'catalog_restored', ahead)).toEqual({
      outcome: 'accepted',
      id,
      stamp: stamp + 8,
    })
    expect(await catalog.checkInstallation({ id, stamp: stamp + 8 })).toMatchObject({ outcome: 'paired' })
    const foreign = { id: randomUUID(), stamp: 2 }
    expect(await catalog.acceptInstallation(AN_OPERATOR, 'foreign_bucket', foreign)).toMatchObject({ id: foreign.id })
    expect(await ownId()).toBe(foreign.id)
  })
})

describe('a catalog that is set back in the middle of a run', () => {
  test('deletes nothing for a run that was paired before', async () => {
    await garbage()
    const before = await pair()
    await passMinute()
    const { stamp } = await pair()
    await database.query('update installation set stamp = $1', before.stamp)
    expect(await catalog.claimGarbage(1000, stamp)).toEqual([])
    expect((await catalog.claimGarbage(1000, before.stamp)).length).toBeGreaterThan(0)
  })
})

test('a pause stops every deletion until it is ended, and the status says who asked for it', async () => {
  const key = await garbage()
  await pair()
  await catalog.pauseDeletions(AN_OPERATOR, { by: 'an operator', reason: 'a migration' })
  expect(await catalog.claimGarbage(1000)).toEqual([])
  expect(await statusOf()).toMatchObject({ paused: { by: 'an operator', reason: 'a migration' } })
  await catalog.pauseDeletions(AN_OPERATOR, null)
  expect(await catalog.claimGarbage(1000)).toContain(key)
  expect(await statusOf()).toMatchObject({ paused: null })
})

test('uploads are registered and read whatever the problem', async () => {
  await pair()
  await catalog.checkInstallation({ id: randomUUID(), stamp: 0 })
  const dataset = new DataSetUnderTest(catalog)
  expect(await dataset.register(anObject([{}]))).toMatchObject({ outcome: 'stored' })
  expect(await dataset.rows()).toBe(10)
  await pair()
})

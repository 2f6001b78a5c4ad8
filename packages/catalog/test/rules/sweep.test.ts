import { randomUUID } from 'node:crypto'
import { AN_OPERATOR } from '@fusou/catalog'
import { beforeEach, describe, expect, test } from 'vitest'
import { anObject, DataSetUnderTest } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// An object that no row names is deleted only after two looks, hours apart, and never with many others without a person.

const database = await ownDatabase()
const { catalog } = database
const SWEEP = 'orphans'
const keys = (count: number) => Array.from({ length: count }, () => `lost/${randomUUID()}`)
const sweepStatus = async () => (await catalog.jobStatus(AN_OPERATOR)).installation!.sweep!

const passHours = (hours: number) =>
  database.query(`update orphan_suspects set first_seen_at = first_seen_at - make_interval(hours => ${hours})`)

async function begin() {
  const sweep = await catalog.beginSweep(SWEEP)
  if (!sweep.due) throw new Error('no page is due')
  return sweep
}

/** One whole round of one page. */
async function round(oldKeys: readonly string[], objects = 1000): Promise<number> {
  const { round, cursor } = await begin()
  const page = { round, cursor, nextCursor: null, objects, oldKeys, pauseSeconds: 0 }
  expect((await catalog.recordSweepPage(SWEEP, page)).outcome).toBe('recorded')
  const marked = await catalog.markOrphans(SWEEP, 1000)
  await database.nextTick()
  return marked
}

beforeEach(async () => {
  for (const table of ['orphan_suspects', 'garbage', 'sweeps', 'kept_objects'])
    await database.query(`delete from ${table} where true`)
})

describe('a walk over the bucket', () => {
  test('is one walker a page, goes on where it stopped and rests in between', async () => {
    const first = await begin()
    expect(first).toEqual({ due: true, cursor: null, round: 1 })
    expect(await catalog.beginSweep(SWEEP)).toEqual({ due: false })
    const page = { objects: 1, oldKeys: [], pauseSeconds: 0, round: 1 }
    await catalog.recordSweepPage(SWEEP, { ...page, cursor: null, nextCursor: 'page-2' })
    expect(await begin()).toEqual({ due: true, cursor: 'page-2', round: 1 })
    await catalog.recordSweepPage(SWEEP, { ...page, cursor: 'page-2', nextCursor: null, pauseSeconds: 3600 })
    expect(await catalog.beginSweep(SWEEP)).toEqual({ due: false })
    expect(await catalog.beginSweep('another')).toEqual({ due: true, cursor: null, round: 1 })
  })

  test('counts a page once, whoever comes late with it', async () => {
    const { round } = await begin()
    const page = { round, cursor: null, nextCursor: 'page-2', objects: 10, oldKeys: keys(2), pauseSeconds: 0 }
    expect(await catalog.recordSweepPage(SWEEP, page)).toEqual({ outcome: 'recorded', orphans: 2 })
    expect(await catalog.recordSweepPage(SWEEP, page)).toEqual({ outcome: 'stale', orphans: 0 })
    const last = { ...page, cursor: 'page-2', nextCursor: null, oldKeys: keys(1) }
    await catalog.recordSweepPage(SWEEP, last)
    expect(await catalog.recordSweepPage(SWEEP, last)).toEqual({ outcome: 'stale', orphans: 0 })
    expect(await sweepStatus()).toMatchObject({ objects: 20, orphans: 3 })
  })
})

describe('an orphan', () => {
  test('is marked by the second round that finds it, six hours after the first', async () => {
    const [key] = keys(1)
    expect(await round([key!])).toBe(0)
    expect(await round([key!])).toBe(0)
    await passHours(5)
    expect(await round([key!])).toBe(0)
    await passHours(2)
    expect(await round([key!])).toBe(1)
    expect(await catalog.claimGarbage(10)).toEqual([key])
  })

  test('is not marked by one round, however long ago it was', async () => {
    await round(keys(1))
    await passHours(1000)
    expect(await catalog.markOrphans(SWEEP, 10)).toBe(0)
  })

  test('begins again as a suspect if a round in between did not find it', async () => {
    const [key] = keys(1)
    await round([key!])
    await passHours(7)
    await round([])
    expect(await round([key!])).toBe(0)
    expect(await catalog.claimGarbage(10)).toEqual([])
  })

  test('that a file names by now is not marked', async () => {
    const object = anObject([{}])
    await round([object.r2Key])
    await passHours(7)
    const { round: number, cursor } = await begin()
    const page = { round: number, cursor, nextCursor: null, objects: 1, oldKeys: [object.r2Key], pauseSeconds: 0 }
    await catalog.recordSweepPage(SWEEP, page)
    await new DataSetUnderTest(catalog).register(object)
    expect(await catalog.markOrphans(SWEEP, 10)).toBe(0)
    expect(await catalog.claimGarbage(10)).toEqual([])
  })
})

describe('many orphans', () => {
  /** Two full looks. */
  async function look(orphans: readonly string[], objects: number): Promise<number> {
    await round(orphans, objects)
    await passHours(7)
    return round(orphans, objects)
  }

  test.each([
    { orphans: 5, objects: 5, marked: 5 },
    { orphans: 6, objects: 6, marked: 0 },
    { orphans: 20, objects: 2000, marked: 20 },
    { orphans: 21, objects: 2000, marked: 0 },
    { orphans: 1000, objects: 10_000_000, marked: 1000 },
    { orphans: 1001, objects: 10_000_000, marked: 0 },
  ])('$orphans of $objects objects: $marked are marked', async ({ orphans, objects, marked }) => {
    expect(await look(keys(orphans), objects)).toBe(marked)
    expect((await sweepStatus()).stoppedSince === null).toBe(marked > 0)
  })

  test('raise an alert, and wait until a person accepts exactly their number', async () => {
    const orphans = keys(40)
    expect(await look(orphans, 100)).toBe(0)
    expect(await catalog.acceptOrphans(AN_OPERATOR, SWEEP, 39, false)).toEqual({ outcome: 'changed', orphans: 40 })
    expect(await round(orphans, 100)).toBe(0)
    expect(await catalog.acceptOrphans(AN_OPERATOR, SWEEP, 40, false)).toMatchObject({ outcome: 'accepted' })
    expect(await catalog.markOrphans(SWEEP, 1000)).toBe(0)
    expect(await round(orphans, 100)).toBe(40)
    expect((await sweepStatus()).stoppedSince).toBeNull()
  })

  test('that are more than a person accepted stop the sweep again', async () => {
    const orphans = keys(40)
    await look(orphans, 100)
    await catalog.acceptOrphans(AN_OPERATOR, SWEEP, 40, false)
    expect(await round([...orphans, ...keys(6)], 100)).toBe(0)
    expect(await round(orphans, 100)).toBe(0)
  })

  test('are marked in bites', async () => {
    const orphans = keys(5)
    await round(orphans)
    await passHours(7)
    const { round: number, cursor } = await begin()
    const page = { round: number, cursor, nextCursor: null, objects: 1000, oldKeys: orphans, pauseSeconds: 0 }
    await catalog.recordSweepPage(SWEEP, page)
    for (const marked of [2, 2, 1, 0]) expect(await catalog.markOrphans(SWEEP, 2)).toBe(marked)
  })
})

test('an object that adoption left to a person is no orphan until the person releases it', async () => {
  const [key] = keys(1)
  await database.query('insert into kept_objects (r2_key, reason) values ($1, $2)', key, 'entangled')
  expect(await catalog.listOrphans([key!])).toEqual([])
  await round([key!])
  await passHours(7)
  expect(await round([key!])).toBe(0)
  expect(await catalog.acceptOrphans(AN_OPERATOR, SWEEP, 0, true)).toMatchObject({ released: 1 })
  await round([key!])
  await passHours(7)
  expect(await round([key!])).toBe(1)
})

import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { DataSetUnderTest, LEASE_SECONDS } from '../data-set-under-test.ts'
import { ownDatabase } from '../own-database.ts'

// The bytes at an address of a table never change. A version has one footer, which is vacuumed with it.

const database = await ownDatabase()
const { catalog } = database
const TABLE = 'ships'

const scopeOf = (dataset: DataSetUnderTest, periodTag?: string) => ({ datasetId: dataset.id, table: TABLE, periodTag })
const open = (
  dataset: DataSetUnderTest,
  how: { version?: number; pinned?: boolean; id?: string; periodTag?: string } = {},
) =>
  catalog.openTable(scopeOf(dataset, how.periodTag), asUser(dataset.owner), {
    version: how.version,
    pinned: how.pinned ?? false,
    id: how.id ?? randomUUID(),
  })

async function begin(dataset: DataSetUnderTest, how: Parameters<typeof open>[1] = {}) {
  const begun = await open(dataset, how)
  if (begun.outcome !== 'compose') throw new Error(begun.outcome)
  return begun
}

/** Opens a table file, and composes it if nobody has. */
async function compose(dataset: DataSetUnderTest, how: Parameters<typeof open>[1] = {}) {
  const opened = await open(dataset, how)
  if (opened.outcome === 'ready') return opened.footer
  if (opened.outcome !== 'compose') throw new Error(opened.outcome)
  const sizes = { address: opened.address ?? 5000, tailBytes: 300, layoutBytes: how.pinned ? 100 : 0, rows: 10 }
  const completed = await catalog.completeFooter(opened.id, sizes)
  if (completed.outcome !== 'ready') throw new Error(completed.outcome)
  return completed.footer
}

const read = (dataset: DataSetUnderTest, from: number, to: number, periodTag?: string) =>
  catalog.readAddresses(scopeOf(dataset, periodTag), asUser(dataset.owner), { from, to, limit: 100 })

const addressesOf = async (dataset: DataSetUnderTest) =>
  database.query<{ id: string; address: string; byte_length: string }>(
    'select id, address, byte_length from files where dataset_id = $1 order by address',
    dataset.id,
  )
const footersOf = async (dataset: DataSetUnderTest) =>
  database.query<{ r2_key: string }>('select r2_key from composed_footers where dataset_id = $1', dataset.id)

async function newDataSet(): Promise<DataSetUnderTest> {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.store({}, {})
  return dataset
}

describe('addresses', () => {
  test('are answered as far as they are asked for, and one thing more of each kind, however many there are', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store(...Array.from({ length: 40 }, () => ({})))
    const footer = await compose(dataset)
    const files = await addressesOf(dataset)
    const [from, to] = [Number(files[10]!.address) + 5, Number(files[12]!.address) + 5]
    const answer = await read(dataset, from, to)
    const expected = [...files.slice(10, 14).map(({ address }) => Number(address)), footer.address]
    expect(answer.outcome === 'ok' && answer.things.map(({ address }) => address)).toEqual(expected)
  })

  test('are given to each file when it comes, with a guard before it, and never again', async () => {
    const dataset = await newDataSet()
    await dataset.trigger()
    await dataset.compact()
    await dataset.store({})
    const placed = (await addressesOf(dataset)).map(({ address, byte_length }) => ({
      start: Number(address),
      end: Number(address) + Number(byte_length),
    }))
    expect(placed).toHaveLength(4)
    for (const [index, { start }] of placed.entries())
      expect(start - (placed[index - 1]?.end ?? 0)).toBeGreaterThanOrEqual(5 * 1024 * 1024)
  })

  test('of two tables are apart', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store({ table: 'a' }, { table: 'b' })
    const spaces = await database.query('select table_name from table_spaces where dataset_id = $1', dataset.id)
    expect(spaces).toHaveLength(2)
  })

  test('move on when a catalog that was set back is accepted', async () => {
    const dataset = await newDataSet()
    const next = async () =>
      Number(
        (
          await database.query<{ next_address: string }>(
            'select next_address from table_spaces where dataset_id = $1',
            dataset.id,
          )
        )[0]!.next_address,
      )
    const before = await next()
    const look = { id: randomUUID(), stamp: 5 }
    await database.query("update installation set paired_at = now(), problem = 'foreign_bucket', problem_at = now()")
    const accepted = await catalog.acceptInstallation(AN_OPERATOR, 'foreign_bucket', look)
    expect(accepted.outcome).toBe('accepted')
    expect(await next()).toBe(before + 2 ** 44)
  })

  test('that are used up leave pinned versions readable', async () => {
    const dataset = await newDataSet()
    await database.query(
      'update table_spaces set next_address = $2 where dataset_id = $1',
      dataset.id,
      String(2 ** 53 - 100),
    )
    await dataset.store({})
    expect(await dataset.files()).toHaveLength(3)
    expect(await open(dataset)).toEqual({ outcome: 'no_addresses' })
    const begun = await begin(dataset, { pinned: true })
    const [first] = await catalog.listFooterFiles(begun.id, undefined, 1)
    expect(await catalog.listFooterFiles(begun.id, first, 10)).toHaveLength(2)
  })
})

describe('opening a table', () => {
  test('gives the work to one, the others wait, and then all have the same footer', async () => {
    const dataset = await newDataSet()
    const begun = await begin(dataset)
    expect(await open(dataset)).toEqual({ outcome: 'busy' })
    expect(await open(dataset, { id: begun.id }), 'the call was repeated').toMatchObject({ id: begun.id })
    const sizes = { address: begun.address!, tailBytes: 300, layoutBytes: 0, rows: 20 }
    const completed = await catalog.completeFooter(begun.id, sizes)
    expect(completed).toMatchObject({ outcome: 'ready', footer: { id: begun.id, version: 1, rows: 20, leftOut: 0 } })
    expect(await catalog.completeFooter(begun.id, sizes), 'the call was repeated').toEqual(completed)
    expect(await open(dataset)).toEqual(completed)
  })

  test('gives it to somebody else when the composer has died, and its object goes', async () => {
    const dataset = await newDataSet()
    const begun = await begin(dataset)
    await database.query("update composed_footers set begun_at = now() - interval '61 seconds' where id = $1", begun.id)
    expect(await compose(dataset)).toMatchObject({ version: 1 })
    await database.query("update composed_footers set begun_at = now() - interval '61 minutes' where id = $1", begun.id)
    expect(await catalog.claimGarbage(1000)).toContain(begun.r2Key)
    expect(await footersOf(dataset)).toHaveLength(1)
  })

  test('has one footer of a version even if two have composed it', async () => {
    const dataset = await newDataSet()
    const slow = await begin(dataset)
    await database.query("update composed_footers set begun_at = now() - interval '61 seconds' where id = $1", slow.id)
    const first = await compose(dataset)
    const late = { address: slow.address!, tailBytes: 300, layoutBytes: 0, rows: 20 }
    expect(await catalog.completeFooter(slow.id, late)).toEqual({ outcome: 'changed' })
    expect(await open(dataset)).toMatchObject({ footer: { id: first.id } })
    expect(await catalog.claimGarbage(1000)).toContain(slow.r2Key)
  })

  test('begins again when a file was put into quarantine meanwhile, and leaves it out', async () => {
    const dataset = await newDataSet()
    await dataset.trigger()
    const begun = await begin(dataset)
    const attempt = await dataset.start()
    const [merge] = await dataset.plan(attempt)
    await catalog.openMerge(attempt, 1, { leaseSeconds: LEASE_SECONDS })
    await dataset.setAside(attempt, 1, merge!.ids[0]!)
    const sizes = { address: begun.address!, tailBytes: 300, layoutBytes: 0, rows: 20 }
    expect(await catalog.completeFooter(begun.id, sizes)).toEqual({ outcome: 'changed' })
    const again = await begin(dataset)
    expect(again.leftOut).toBe(1)
    expect((await catalog.listFooterFiles(again.id, undefined, 10)).map(({ id }) => id)).toEqual([merge!.ids[1]])
  })

  test('remembers that a version is refused, and forgets what may succeed later', async () => {
    const dataset = await newDataSet()
    const failed = await begin(dataset)
    await catalog.failFooter(failed.id)
    const refused = await begin(dataset)
    await catalog.failFooter(refused.id, { code: 'schema_mismatch', detail: 'a is text here and a number there' })
    expect(await open(dataset)).toEqual({
      outcome: 'refused',
      code: 'schema_mismatch',
      detail: 'a is text here and a number there',
    })
    await dataset.store({})
    expect(await open(dataset), 'the next version').toMatchObject({ outcome: 'compose', version: 2 })
  })

  test('is refused to strangers, for versions that are not there, and for what has no files', async () => {
    const dataset = await newDataSet()
    const stranger = asUser(randomUUID())
    const pinned = { pinned: true, id: randomUUID() }
    expect(await catalog.openTable(scopeOf(dataset), stranger, pinned)).toEqual({ outcome: 'unknown_dataset' })
    expect(await open(dataset, { version: 2 })).toEqual({ outcome: 'unknown_version' })
    expect(await open(dataset, { periodTag: 'never' })).toEqual({ outcome: 'unknown_table' })
    const elsewhere = { ...scopeOf(dataset), table: 'boats' }
    expect(await catalog.openTable(elsewhere, asUser(dataset.owner), pinned)).toEqual({ outcome: 'unknown_table' })
    expect(await read(dataset, 0, 4), 'nobody has opened it').toEqual({ outcome: 'not_open' })
  })

  test('of an earlier version finds the files that it had', async () => {
    const dataset = await newDataSet()
    await dataset.trigger()
    const earlier = (await dataset.files()).map(({ id }) => id).sort()
    await dataset.compact()
    const begun = await begin(dataset, { version: 1, pinned: true })
    expect((await catalog.listFooterFiles(begun.id, undefined, 10)).map(({ id }) => id).sort()).toEqual(earlier)
  })
})

describe('a range', () => {
  test('has the files in it, the footer, and what comes next', async () => {
    const dataset = await newDataSet()
    const [first, second] = await addressesOf(dataset)
    const footer = await compose(dataset)
    const end = footer.address + footer.tailBytes
    const from = Number(first!.address) + 10
    expect(await read(dataset, from, from + 1)).toMatchObject({
      length: end,
      things: [{ address: Number(first!.address) }, { address: Number(second!.address) }, { address: footer.address }],
    })
    expect(await read(dataset, footer.address + 5, end)).toMatchObject({
      things: [{ address: Number(second!.address) }, { address: footer.address, length: 300 }],
    })
  })

  test('of a period ends with the footer of the period', async () => {
    const dataset = new DataSetUnderTest(catalog)
    await dataset.store({ periodTag: '1' }, { periodTag: '2' })
    const one = await compose(dataset, { periodTag: '1' })
    const all = await compose(dataset)
    expect(await read(dataset, 0, 4, '1')).toMatchObject({ length: one.address + one.tailBytes })
    expect(await read(dataset, 0, 4)).toMatchObject({ length: all.address + all.tailBytes })
    expect(await read(dataset, 0, 4, '2')).toEqual({ outcome: 'not_open' })
  })
})

describe('footers', () => {
  test('go with their version, and their objects become garbage', async () => {
    const dataset = await newDataSet()
    await dataset.trigger()
    await Promise.all([compose(dataset), compose(dataset, { pinned: true, periodTag: '0' })])
    const keys = (await footersOf(dataset)).map(({ r2_key }) => r2_key)
    await dataset.compact()
    const kept = await compose(dataset)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { retentionSeconds: 0 })
    await database.nextTick()
    expect(await catalog.claimGarbage(1000)).toEqual(expect.arrayContaining(keys))
    expect(await footersOf(dataset)).toEqual([{ r2_key: kept.r2Key }])
  })

  test('are no orphans, and those of a catalog that is lost do not stop the sweep', async () => {
    const dataset = await newDataSet()
    const { r2Key } = await compose(dataset)
    await database.query("update sweeps set next_at = now() - interval '1 second' where name = 'orphans'")
    const sweep = await catalog.beginSweep('orphans')
    if (!sweep.due) throw new Error('no sweep is due')
    const lost = Array.from({ length: 20 }, () => `datasets/x/tables/${randomUUID()}.footer`)
    const recorded = await catalog.recordSweepPage('orphans', {
      round: sweep.round,
      cursor: sweep.cursor,
      nextCursor: 'next',
      objects: 21,
      oldKeys: [r2Key, ...lost],
      pauseSeconds: 0,
    })
    expect(recorded).toEqual({ outcome: 'recorded', orphans: 0 })
    const suspects = await database.query<{ r2_key: string }>('select r2_key from orphan_suspects')
    expect(suspects.map(({ r2_key }) => r2_key).sort()).toEqual(lost.sort())
  })
})

describe('the key of links', () => {
  const made = () => ({ id: randomUUID(), secretSha256: 'ab'.repeat(32) })

  test('of a user is made once for a dataset, and again when it was revoked', async () => {
    const dataset = await newDataSet()
    const owner = asUser(dataset.owner)
    const first = await catalog.linkKey(dataset.id, owner, made())
    expect(await catalog.linkKey(dataset.id, owner, { ...made(), secretSha256: 'cd'.repeat(32) })).toEqual(first)
    if (first.outcome !== 'ok') throw new Error(first.outcome)
    expect(await catalog.readLinkKey(first.keyId)).toMatchObject({
      outcome: 'valid',
      scopes: ['read'],
      userId: dataset.owner,
    })
    await catalog.revokeKey(owner, first.keyId)
    expect(await catalog.readLinkKey(first.keyId)).toEqual({ outcome: 'revoked' })
    expect(await catalog.linkKey(dataset.id, owner, made())).not.toMatchObject({ keyId: first.keyId })
  })

  test('is not for who may not read, nor for operators, who are no users', async () => {
    const dataset = await newDataSet()
    expect(await catalog.linkKey(dataset.id, asUser(randomUUID()), made())).toEqual({ outcome: 'unknown_dataset' })
    await expect(catalog.linkKey(dataset.id, AN_OPERATOR, made())).rejects.toMatchObject({ code: 'forbidden' })
    expect(await catalog.readLinkKey(randomUUID())).toEqual({ outcome: 'unknown_key' })
  })
})

import { randomUUID } from 'node:crypto'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 4: a reader that names a version sees exactly that version until vacuum removes it.

const { catalog } = new EmbeddedDatabase(inject('embedded'))
const newDataSet = () => new DataSetUnderTest(catalog)
const list = (dataset: DataSetUnderTest, version?: number) =>
  catalog.listFiles({ datasetId: dataset.id, requester: asUser(dataset.owner), version, limit: 1000 })

describe('a version', () => {
  test('lists the same files however many uploads and swaps come after it', async () => {
    const dataset = newDataSet()
    const seen = new Map<number, unknown>()
    const look = async () => seen.set(await dataset.version(), await dataset.files())
    for (const round of [1, 2, 3]) {
      await dataset.upload({}, {})
      await look()
      await dataset.upload({ table: 'other' }, { table: 'other' })
      await look()
      const attempt = await dataset.start()
      await dataset.swapAll(attempt)
      await look()
      await dataset.finish(attempt)
      expect(await dataset.rows()).toBe(round * 40)
    }
    expect(seen.size).toBe(9)
    for (const [version, files] of seen) expect(await dataset.files(version)).toEqual(files)
  })

  test('grows by one with each upload and each swap, and by nothing else', async () => {
    const dataset = newDataSet()
    await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    expect(await dataset.version()).toBe(1)
    await dataset.upload({ table: 'c' })
    expect(await dataset.version()).toBe(2)
    const attempt = await dataset.start()
    await dataset.swapAll(attempt)
    expect(await dataset.version()).toBe(4)
    await dataset.finish(attempt)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { retentionSeconds: 1 })
    expect(await dataset.version()).toBe(4)
  })

  test('holds every row once: the rows of a swap are those before it', async () => {
    const dataset = newDataSet()
    await dataset.upload({ rows: 1 }, { rows: 20 }, { rows: 300 })
    await dataset.compact()
    const before = (await dataset.version()) - 1
    expect([await dataset.rows(before), await dataset.rows()]).toEqual([321, 321])
    expect([(await dataset.files(before)).length, (await dataset.files()).length]).toEqual([3, 1])
  })

  test('before the first and after the last', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    expect(await dataset.files(0)).toEqual([])
    expect(await list(dataset, 2)).toEqual({ outcome: 'unknown_version' })
    expect(await list(newDataSet())).toEqual({ outcome: 'unknown_dataset' })
  })
})

describe('a listing', () => {
  test('comes in pages that together are the whole, in order, each of the version named', async () => {
    const dataset = newDataSet()
    for (const table of ['b', 'a'])
      for (const periodTag of ['2', '1']) await dataset.upload({ table, periodTag }, { table, periodTag })
    const version = await dataset.version()
    const whole = await dataset.files()
    const paged = []
    for (let after: (typeof whole)[number] | undefined; ; after = paged.at(-1)) {
      const page = await catalog.listFiles({ datasetId: dataset.id, requester: AN_OPERATOR, version, after, limit: 3 })
      if (page.outcome !== 'ok') throw new Error(page.outcome)
      if (page.files.length === 0) break
      paged.push(...page.files)
      if (paged.length === 3) await dataset.compact()
    }
    expect(paged).toEqual(whole)
    expect(whole.map((file) => file.table + file.periodTag)).toEqual(['a1', 'a1', 'a2', 'a2', 'b1', 'b1', 'b2', 'b2'])
  })

  test('can be of one table or one period', async () => {
    const dataset = newDataSet()
    await dataset.upload({ table: 'a' }, { table: 'a', periodTag: '1' }, { table: 'b' })
    const some = async (filter: { table?: string; periodTag?: string }) => {
      const page = await catalog.listFiles({
        datasetId: dataset.id,
        requester: asUser(dataset.owner),
        limit: 10,
        ...filter,
      })
      return page.outcome === 'ok' && page.files.map((file) => file.table + file.periodTag)
    }
    expect(await some({ table: 'a' })).toEqual(['a0', 'a1'])
    expect(await some({ periodTag: '0' })).toEqual(['a0', 'b0'])
    expect(await some({ table: 'a', periodTag: '1' })).toEqual(['a1'])
    expect(await some({ table: 'zzz' })).toEqual([])
  })
})

describe('a file', () => {
  test('is found by its id, as long as a readable version names it', async () => {
    const dataset = newDataSet()
    await dataset.upload({ length: 10 }, { length: 20 })
    const [first] = await dataset.files()
    await dataset.compact()
    expect(await catalog.getFile(first!.id, asUser(dataset.owner))).toMatchObject({
      id: first!.id,
      length: first!.bytes,
      offset: first!.bytes === 10 ? 0 : 10,
      sha256: first!.sha256,
    })
    expect(await catalog.getFile(randomUUID(), AN_OPERATOR)).toBeNull()
  })
})

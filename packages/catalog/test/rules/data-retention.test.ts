import { AN_OPERATOR } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Data that is older than its dataset keeps it: gone from the next version, restorable like any other deletion.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database

async function keptFor(days: number): Promise<DataSetUnderTest> {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.store()
  await catalog.configureDataset(dataset.id, AN_OPERATOR, { deleteAfterDays: days })
  return dataset
}
/** The look of the cron, an hour after the one before. */
async function look(): Promise<void> {
  await database.query(
    `update datasets set data_checked_at = now() - interval '61 minutes' where data_checked_at is not null`,
  )
  await catalog.deleteExpiredData(1000)
}
const age = (dataset: DataSetUnderTest, days: number) =>
  database.query(
    `update files set newest_upload_at = now() - make_interval(days => $1) where dataset_id = $2`,
    days,
    dataset.id,
  )
const periods = async (dataset: DataSetUnderTest) => (await dataset.files()).map(({ periodTag }) => periodTag).sort()

describe('data that is older than deleteAfterDays', () => {
  test('goes when its youngest upload is too old, not before', async () => {
    const dataset = await keptFor(30)
    await age(dataset, 30 - 1)
    await look()
    expect(await dataset.files()).toHaveLength(1)
    await age(dataset, 30 + 1)
    await dataset.store({ table: 'young' })
    await look()
    expect((await dataset.files()).map(({ table }) => table)).toEqual(['young'])
    const listed = await catalog.listDeletions(dataset.id, AN_OPERATOR, { limit: 10 })
    expect(listed).toMatchObject({ deletions: [{ reason: 'retention', files: 1, table: null }] })
  })

  test('is looked for once an hour, and at once when the age was changed', async () => {
    const dataset = await keptFor(30)
    await look()
    await age(dataset, 40)
    await catalog.deleteExpiredData(1000)
    expect(await dataset.files(), 'within the hour').toHaveLength(1)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { deleteAfterDays: 39 })
    await catalog.deleteExpiredData(1000)
    expect(await dataset.files()).toEqual([])
  })

  test('of a period that is a date goes when that date is over long enough, whenever it was uploaded', async () => {
    const dataset = await keptFor(365)
    const thisYear = new Date().getUTCFullYear()
    const tags = ['2001', '2001-12', '2001-02-28', `${thisYear}`, `${thisYear + 1}-01`, '2001-02-31', '2001-1', 'may']
    for (const periodTag of tags) await dataset.store({ periodTag })
    await look()
    expect(await periods(dataset)).toEqual(
      ['0', `${thisYear}`, `${thisYear + 1}-01`, '2001-02-31', '2001-1', 'may'].sort(),
    )
  })

  test.each([
    ['2026', '2027-01-01T00:00:00.000Z'],
    ['2026-12', '2027-01-01T00:00:00.000Z'],
    ['2026-02', '2026-03-01T00:00:00.000Z'],
    ['2028-02-29', '2028-03-01T00:00:00.000Z'],
    ['2026-02-29', null],
    ['0', null],
    ['2026-13', null],
    ['20261', null],
  ])('period %s is over at %s', async (tag, end) => {
    const [row] = await database.query<{ at: Date | null }>('select fusou.period_end($1) as at', tag)
    expect(row!.at === null ? null : new Date(row!.at).toISOString()).toBe(end)
  })

  test('stays where the dataset sets no age', async () => {
    const dataset = await keptFor(30)
    await age(dataset, 10_000)
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { deleteAfterDays: null })
    await look()
    expect(await dataset.files()).toHaveLength(1)
  })

  test('is as old in a merged file as its youngest upload', async () => {
    const dataset = await keptFor(30)
    await age(dataset, 100)
    await dataset.store()
    await dataset.trigger()
    await dataset.compact()
    await look()
    expect(await dataset.files()).toMatchObject([{ level: 1 }])
  })
})

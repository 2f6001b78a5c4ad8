import { AN_OPERATOR } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LARGE_FILE_BYTES, LEASE_SECONDS } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 2: compaction_needed is decided inside the transaction that changes files, never set blindly.

const { catalog } = new EmbeddedDatabase(inject('embedded'))
const newDataSet = () => new DataSetUnderTest(catalog)

describe('compaction is needed', () => {
  test.each([
    ['one file', [{}], false],
    ['two files', [{}, {}], true],
    ['files of two tables', [{ table: 'a' }, { table: 'b' }], false],
    ['files of two periods', [{ periodTag: '1' }, { periodTag: '2' }], false],
    ['files of two schemas', [{ fingerprint: 's1' }, { fingerprint: 's2' }], false],
    ['a small file beside a large one', [{}, { length: LARGE_FILE_BYTES }], false],
    ['two large files', [{ length: LARGE_FILE_BYTES }, { length: LARGE_FILE_BYTES }], false],
    ['two pairs', [{ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' }], true],
    ['files without rows', [{ rows: 0 }, { rows: 0 }], true],
  ])('for %s in one object: %#', async (_name, slices, needed) => {
    const dataset = newDataSet()
    await dataset.upload(...slices)
    expect(await dataset.compactionNeeded()).toBe(needed)
  })

  test('once a second file of the same partition and schema arrives', async () => {
    const dataset = newDataSet()
    await dataset.upload()
    await dataset.upload({ table: 'other' })
    expect(await dataset.compactionNeeded()).toBe(false)
    await dataset.upload()
    expect(await dataset.compactionNeeded()).toBe(true)
  })

  test('no more once the last swap has left one file of each kind', async () => {
    const dataset = newDataSet()
    await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    const attempt = await dataset.start()
    await dataset.plan(attempt)
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    expect(await dataset.compactionNeeded()).toBe(true)
    await catalog.commitMerge(attempt, 2, anOutput(20), LEASE_SECONDS)
    expect(await dataset.compactionNeeded()).toBe(false)
  })

  test('after a run during which two files arrived', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    await dataset.plan(attempt)
    await dataset.upload({}, {})
    await catalog.commitMerge(attempt, 1, anOutput(20, { bytes: LARGE_FILE_BYTES }), LEASE_SECONDS)
    expect(await dataset.compactionNeeded()).toBe(true)
    await dataset.finish(attempt)
    expect(await dataset.compactionNeeded()).toBe(true)
    await dataset.compact({ bytes: LARGE_FILE_BYTES })
    expect(await dataset.compactionNeeded()).toBe(false)
    expect(await dataset.rows()).toBe(40)
  })

  test('still, after a job that died before it merged anything', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    await dataset.fail(await dataset.start(), { transient: false })
    expect(await dataset.compactionNeeded()).toBe(true)
  })

  test('not for a file in quarantine', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    const attempt = await dataset.start()
    const [merge] = await dataset.plan(attempt)
    await dataset.setAside(attempt, 1, merge!.ids[0]!)
    await dataset.finish(attempt)
    expect(await dataset.compactionNeeded()).toBe(false)
    await dataset.upload()
    expect(await dataset.compactionNeeded()).toBe(true)
  })

  test('by the target of the dataset', async () => {
    const dataset = newDataSet()
    await dataset.upload({ length: 1000 }, { length: 1000 })
    await catalog.configureDataset(dataset.id, AN_OPERATOR, { targetFileBytes: 1000 })
    expect(await dataset.compactionNeeded()).toBe(false)
    await dataset.upload({ length: 750 }, { length: 749 })
    expect(await dataset.compactionNeeded()).toBe(false)
    await dataset.upload({ length: 749 })
    expect(await dataset.compactionNeeded()).toBe(true)
  })
})

test('a target or a retention out of range is refused and changes nothing', async () => {
  const dataset = newDataSet()
  await dataset.upload({}, {})
  for (const settings of [{ targetFileBytes: 0 }, { targetFileBytes: 1.5 }, { retentionSeconds: -1 }]) {
    await expect(catalog.configureDataset(dataset.id, AN_OPERATOR, settings)).rejects.toMatchObject({
      code: 'database_refused',
    })
  }
  expect((await dataset.mergeable(await dataset.start())).targetFileBytes).toBe(128 * 2 ** 20)
  expect(await catalog.configureDataset('nobody-made-this', AN_OPERATOR, {})).toEqual({ outcome: 'unknown_dataset' })
})

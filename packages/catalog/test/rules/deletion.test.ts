import { AN_OPERATOR } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { DataSetUnderTest } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// What was deleted comes back once: never twice, whatever came or was merged in between.

const { catalog } = new EmbeddedDatabase(inject('embedded'))

/** A dataset whose uploads of these contents are merged. */
async function merged(...contents: string[]): Promise<DataSetUnderTest> {
  const dataset = new DataSetUnderTest(catalog)
  for (const content of contents) await dataset.store({ content })
  await dataset.trigger()
  await dataset.compact()
  return dataset
}
async function deleteAll(dataset: DataSetUnderTest): Promise<number> {
  const deleted = await catalog.deleteData(dataset.id, AN_OPERATOR)
  if (deleted.outcome !== 'deleted' || deleted.deletion === null) throw new Error('nothing was deleted')
  return deleted.deletion.id
}
const restore = async (dataset: DataSetUnderTest, id: number) =>
  (await catalog.restoreDeletion(dataset.id, AN_OPERATOR, id)).outcome

describe('a merged file that was deleted', () => {
  test('comes back with its uploads known: sent again they are duplicates', async () => {
    const dataset = await merged('one', 'two')
    const id = await deleteAll(dataset)
    expect(await restore(dataset, id)).toBe('restored')
    expect(await dataset.files()).toMatchObject([{ level: 1, rows: 20 }])
    await expect(dataset.store({ content: 'one' })).rejects.toThrow('duplicate')
    expect(await dataset.rows()).toBe(20)
  })

  test('takes the place of an upload of its own that came again since', async () => {
    const dataset = await merged('one', 'two')
    const id = await deleteAll(dataset)
    await dataset.store({ content: 'one' })
    expect(await dataset.rows()).toBe(10)
    expect(await restore(dataset, id)).toBe('restored')
    expect(await dataset.files()).toMatchObject([{ level: 1, rows: 20 }])
  })

  test('stays deleted where an upload of its own came again and is merged with others by now', async () => {
    const dataset = await merged('one', 'two')
    const id = await deleteAll(dataset)
    await dataset.store({ content: 'one' })
    await dataset.store({ content: 'three' })
    await dataset.trigger()
    await dataset.compact()
    expect(await restore(dataset, id)).toBe('uploaded_again')
    expect(await dataset.rows()).toBe(20)
  })

  test('can be deleted and restored any number of times', async () => {
    const dataset = await merged('one', 'two')
    for (let time = 0; time < 3; time++) {
      const id = await deleteAll(dataset)
      expect(await dataset.rows()).toBe(0)
      expect(await restore(dataset, id)).toBe('restored')
      expect(await dataset.rows()).toBe(20)
    }
  })
})

test('a merge that runs while its inputs are deleted swaps nothing in, and the next job has nothing to do', async () => {
  const dataset = new DataSetUnderTest(catalog)
  for (const content of ['one', 'two']) await dataset.store({ content })
  await dataset.trigger()
  const attempt = await dataset.start()
  const [merge] = await dataset.plan(attempt)
  const id = await deleteAll(dataset)
  const output = {
    r2Key: `merged/${attempt.jobId}`,
    bytes: 1,
    rows: merge!.rows,
    rowGroups: 1,
    sha256: 'a'.repeat(64),
    fingerprint: 'schema-1',
  }
  expect(await catalog.commitMerge(attempt, 1, output, 60)).toEqual({ outcome: 'conflict' })
  expect(await catalog.openMerge(attempt, 1, { leaseSeconds: 60 })).toEqual({ outcome: 'nothing_left' })
  await dataset.finish(attempt)
  expect(await restore(dataset, id)).toBe('restored')
  expect(await dataset.rows()).toBe(20)
})

test('deleting a dataset cancels the job that waits for it', async () => {
  const dataset = new DataSetUnderTest(catalog)
  for (const content of ['one', 'two']) await dataset.store({ content })
  const { jobId } = await dataset.trigger()
  await deleteAll(dataset)
  expect((await dataset.job(jobId)).state).toBe('cancelled')
})

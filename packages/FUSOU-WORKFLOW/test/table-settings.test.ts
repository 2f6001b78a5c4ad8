import { AN_OPERATOR, factsKey, MergedFacts, type TableSettingsChanges } from '@fusou/catalog'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { planCompaction } from '../src/workflow/plan-compaction.ts'
import { runMerge } from '../src/workflow/run-merge.ts'
import { fragment, liveFiles, newDatasetId, newUserId, range, upload } from './fragments.ts'
import { catalog, env } from './test-env.ts'

// How merges write a table when its owner has configured it: in the real runtime, read back by hyparquet.

const user = newUserId()
type Changes = z.infer<typeof TableSettingsChanges>

async function configure(datasetId: string, settings: Changes, table = 't'): Promise<void> {
  const configured = await catalog.configureTable(datasetId, table, AN_OPERATOR, settings)
  if (configured.outcome !== 'configured') throw new Error(configured.outcome)
}

/** A whole job, asked for by hand. @returns what became of each merge */
async function compact(datasetId: string, rewrite = false) {
  const asked = await catalog.requestCompaction({ datasetId, requester: AN_OPERATOR, rewrite, sender: 'test' })
  if (asked.outcome !== 'requested') throw new Error(asked.outcome)
  const message = { datasetId, jobId: asked.jobId, priority: 'manual' as const }
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), message, 60)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  const { merges, more } = await planCompaction(catalog, accepted)
  const summaries = []
  for (let index = 1; index <= merges; index++) summaries.push(await runMerge(env, catalog, accepted, index, {}))
  await catalog.finishJob(accepted, { result: {}, more, sender: 'test' })
  return summaries
}

/** The rows of each live file, file by file, in their order. */
async function rowsByFile(datasetId: string): Promise<Record<string, unknown>[][]> {
  const files = await liveFiles(datasetId)
  return Promise.all(files.map(async ({ id }) => parquetReadObjects({ file: await bytesOf(id) })))
}
async function bytesOf(fileId: string): Promise<ArrayBuffer> {
  const { r2Key, offset, length } = (await catalog.getFile(fileId, AN_OPERATOR))!
  return (await env.BUCKET.get(r2Key, { range: { offset, length } }))!.arrayBuffer()
}
const idsOf = (rows: Record<string, unknown>[]) => rows.map(({ id }) => Number(id))

async function fragments(count: number, columns: (string | undefined)[] = [undefined]): Promise<string> {
  const datasetId = newDatasetId()
  for (let index = 0; index < count; index++) {
    // the youngest rows first
    const bytes = fragment((count - 1 - index) * 10, 10, columns[index % columns.length])
    await upload(datasetId, user, [{ table: 't', bytes }])
  }
  return datasetId
}

describe('sortBy', () => {
  test('puts the rows of a merged file in order', async () => {
    const datasetId = await fragments(4)
    await configure(datasetId, { sortBy: [{ column: 'id', descending: true, nullsFirst: false }] })
    expect(await compact(datasetId)).toMatchObject([{ outcome: 'committed', ordering: { applied: true } }])
    expect((await rowsByFile(datasetId)).map(idsOf)).toEqual([range(0, 40).reverse()])
  })

  test('that no file can follow leaves the rows as they came, merged all the same, and says why', async () => {
    const datasetId = await fragments(4)
    await configure(datasetId, { sortBy: [{ column: 'gone', descending: false, nullsFirst: false }] })
    expect(await compact(datasetId)).toMatchObject([
      { outcome: 'committed', ordering: { applied: false, reason: expect.stringContaining('no column gone') } },
    ])
    const [rows] = await rowsByFile(datasetId)
    expect(idsOf(rows!).sort((a, b) => a - b)).toEqual(range(0, 40))
  })
})

describe('dedupeBy', () => {
  test('keeps one of equal rows, and the catalog, the job and the origin count the others', async () => {
    const datasetId = newDatasetId()
    const name = (which: string) => (id: number) => `${which}-${id}`
    await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 10, undefined, name('old')) }])
    await upload(datasetId, user, [{ table: 't', bytes: fragment(5, 10, undefined, name('new')) }])
    await configure(datasetId, { dedupeBy: ['id'], sortBy: [{ column: 'id', descending: false, nullsFirst: false }] })
    expect(await compact(datasetId)).toMatchObject([{ report: { rowsOut: 15, duplicateRows: 5 } }])
    const [file] = await liveFiles(datasetId)
    expect(file).toMatchObject({ rows: 15, level: 1 })
    const [rows] = await rowsByFile(datasetId)
    expect(rows!.map(({ name }) => name)).toEqual([
      ...range(0, 5).map((id) => `old-${id}`),
      ...range(5, 10).map((id) => `new-${id}`),
    ])
    const receipt = await catalog.getReceipt(file!.id, AN_OPERATOR)
    expect(receipt).toMatchObject({ receipt: { rowsIn: 20, rowsOut: 15, duplicateRows: 5, inputsMissing: 0 } })

    // Merged once more, its origin still counts every upload.
    await upload(datasetId, user, [{ table: 't', bytes: fragment(100, 10) }])
    await compact(datasetId)
    const [merged] = await liveFiles(datasetId)
    expect(merged).toMatchObject({ rows: 25 })
    const { r2Key } = (await catalog.getFile(merged!.id, AN_OPERATOR))!
    const facts = MergedFacts.parse(await (await env.BUCKET.get(factsKey(r2Key)))!.json())
    expect([facts.duplicateRows, facts.leaves.map(([, leafRows]) => leafRows)]).toEqual([5, [10, 10, 10]])
  })

  test('keeps the first where the table says so', async () => {
    const datasetId = newDatasetId()
    for (const which of ['first', 'second'])
      await upload(datasetId, user, [{ table: 't', bytes: fragment(0, 5, undefined, () => which) }])
    await configure(datasetId, { dedupeBy: ['id'], keep: 'first' })
    await compact(datasetId)
    const [rows] = await rowsByFile(datasetId)
    expect(rows!.map(({ name }) => name)).toEqual(Array(5).fill('first'))
  })
})

test('codec and row groups are those of the table', async () => {
  const datasetId = newDatasetId()
  for (const first of [0, 3000]) await upload(datasetId, user, [{ table: 't', bytes: fragment(first, 3000) }])
  await configure(datasetId, { codec: 'zstd', rowGroupRows: 1000 })
  await compact(datasetId)
  const [file] = await liveFiles(datasetId)
  const { row_groups: groups } = parquetMetadata(await bytesOf(file!.id))
  // a row group ends with the page in which the number is reached
  const rows = groups.map(({ num_rows }) => Number(num_rows))
  expect(rows.length).toBeGreaterThan(2)
  expect(Math.max(...rows)).toBeLessThanOrEqual(2000)
  const codecs = groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data!.codec))
  expect(new Set(codecs)).toEqual(new Set(['ZSTD']))
})

describe('schema', () => {
  test('union merges files by the names of their columns; a column that one lacks is null there', async () => {
    const datasetId = await fragments(4, [undefined, 'extra'])
    expect(await compact(datasetId), 'apart at first').toHaveLength(2)
    await configure(datasetId, { schema: 'union' })
    expect(await compact(datasetId)).toMatchObject([{ outcome: 'committed' }])
    const [rows, ...more] = await rowsByFile(datasetId)
    expect(more).toEqual([])
    const byId = new Map(rows!.map((row) => [Number(row.id), row.extra]))
    expect([...byId.keys()].sort((a, b) => a - b)).toEqual(range(0, 40))
    expect(range(0, 40).filter((id) => byId.get(id) === null || byId.get(id) === undefined)).toHaveLength(20)
  })

  test('union leaves a schema apart that cannot be united, and merges the rest', async () => {
    const datasetId = await fragments(2)
    // the same name with another type
    const { parquetWriteBuffer } = await import('hyparquet-writer')
    const odd = (first: number) =>
      new Uint8Array(
        parquetWriteBuffer({ columnData: [{ name: 'id', data: [`${first}`, `${first + 1}`], type: 'STRING' }] }),
      )
    for (const first of [0, 2]) await upload(datasetId, user, [{ table: 't', bytes: odd(first) }])
    await configure(datasetId, { schema: 'union' })
    expect(await compact(datasetId)).toMatchObject([{ outcome: 'committed' }])
    expect(await compact(datasetId), 'the odd ones with each other').toMatchObject([{ outcome: 'committed' }])
    expect((await liveFiles(datasetId)).map(({ rows }) => rows).sort()).toEqual([20, 4])
    const described = await catalog.describeTable(datasetId, 't', AN_OPERATOR)
    if (described.outcome !== 'ok') throw new Error(described.outcome)
    const reasons = described.schemas.filter(({ files }) => files > 0).map(({ apartReason }) => apartReason)
    expect(reasons).toContainEqual(expect.stringContaining('id'))
    expect(await compact(datasetId), 'nothing is left to do').toEqual([])
  })
})

test('a rewrite applies new settings to what is merged already, once', async () => {
  const datasetId = await fragments(4)
  await compact(datasetId)
  await configure(datasetId, { sortBy: [{ column: 'id', descending: true, nullsFirst: false }] })
  expect(await compact(datasetId), 'a merge alone has nothing to do').toEqual([])
  expect(await compact(datasetId, true)).toMatchObject([{ outcome: 'committed' }])
  expect((await rowsByFile(datasetId)).map(idsOf)).toEqual([range(0, 40).reverse()])
  expect(await compact(datasetId, true)).toEqual([])
  const described = await catalog.describeTable(datasetId, 't', AN_OPERATOR)
  expect(described).toMatchObject({ files: { otherSettings: 0 } })
})

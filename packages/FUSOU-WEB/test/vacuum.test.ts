import { AN_OPERATOR } from '@fusou/catalog'
import { afterEach, expect, test, vi } from 'vitest'
import { previewVacuum } from '../src/vacuum/preview-vacuum.ts'
import { bindings, call, catalog, expectProblem, json, newDataset, OPERATOR, upload } from './support/api.ts'
import { CARRIERS, FLIGHTS, FLIGHTS_EMPTY, joinBytes } from './support/files.ts'
import { newUser } from './support/tokens.ts'

interface VacuumPage {
  items: { reason: string; action: string; r2Key: string; bytes: number | null; datasetId?: string }[]
  bytes: number
  nextCursor: string | null
}

const owner = await newUser()
const { BUCKET } = bindings

afterEach(() => {
  vi.useRealTimers()
})

/** All pages of a dry run that are about this dataset. */
async function dryRun(datasetId: string, limit = 200): Promise<VacuumPage['items']> {
  const items: VacuumPage['items'] = []
  for (let query = `limit=${limit}`; ; ) {
    const page = await json<VacuumPage>(`/api/vacuum?${query}`, OPERATOR)
    expect(page.items.length).toBeLessThanOrEqual(limit)
    items.push(...page.items)
    if (page.nextCursor === null) return items.filter(({ r2Key }) => r2Key.includes(datasetId))
    query = `limit=${limit}&cursor=${page.nextCursor}`
  }
}

const keysOf = async (datasetId: string) =>
  (await BUCKET.list({ prefix: `datasets/${datasetId}/uploads/` })).objects.map(({ key }) => key)

async function startJob(datasetId: string) {
  const accepted = await catalog.acceptMessage(crypto.randomUUID(), { datasetId, priority: 'manual' }, 600)
  if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
  return { jobId: accepted.jobId, attempt: accepted.attempt }
}

/** An object of two tables and one of one; the first table of both is merged, and its fragments are out of their time. */
async function mergedDataset() {
  const datasetId = newDataset()
  const slice = (table_name: string, start_byte: number, byte_length: number) => ({
    table_name,
    start_byte,
    byte_length,
  })
  const tableOffsets = [slice('flights', 0, FLIGHTS.length), slice('carriers', FLIGHTS.length, CARRIERS.length)]
  const query = { datasetId, tableOffsets: JSON.stringify(tableOffsets.map((one) => ({ ...one, format: 'parquet' }))) }
  expect((await upload(owner, joinBytes(FLIGHTS, CARRIERS), query)).status).toBe(202)
  expect((await upload(owner, FLIGHTS_EMPTY, { datasetId, tableId: 'flights' })).status).toBe(202)
  const attempt = await startJob(datasetId)
  const listed = await catalog.listMergeableFiles(attempt, 100)
  if (listed.outcome !== 'ok') throw new Error(listed.outcome)
  await catalog.savePlan(attempt, [listed.files.map(({ id }) => id)])
  const output = { r2Key: `datasets/${datasetId}/merged/1`, bytes: 1, rows: 3, rowGroups: 1, sha256: '0'.repeat(64) }
  const committed = await catalog.commitMerge(attempt, 1, { ...output, fingerprint: 'f' }, 60)
  expect(committed.outcome).toBe('committed')
  await catalog.configureDataset(datasetId, AN_OPERATOR, { retentionSeconds: 0 })
  return datasetId
}

test('a dry run names what was merged away, its size, and whether its object goes', async () => {
  const seen = async () => {
    const datasetId = await mergedDataset()
    const items = await dryRun(datasetId)
    expect(await keysOf(datasetId)).toHaveLength(2)
    return items.map(({ reason, action, bytes }) => ({ reason, action, bytes })).sort((a, b) => a.bytes! - b.bytes!)
  }
  // another test may vacuum everything in between
  await expect.poll(seen, { timeout: 20_000 }).toEqual(
    [
      { reason: 'superseded', action: 'delete_object', bytes: FLIGHTS_EMPTY.length },
      { reason: 'superseded', action: 'forget_file', bytes: FLIGHTS.length },
    ].sort((a, b) => a.bytes - b.bytes),
  )
})

test('a dry run names what was refused and what was begun, in pages, and changes nothing', async () => {
  const datasetId = newDataset()
  await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
  await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
  const attempt = await startJob(datasetId)
  const begun = `datasets/${datasetId}/merged/begun`
  await catalog.openMultipart(attempt, { r2Key: begun, uploadId: 'an upload' })
  expect((await dryRun(datasetId)).map(({ reason }) => reason)).toEqual(['refused'])

  await catalog.failAttempt(
    attempt,
    { code: 'storage_unavailable', step: 'compact-1', message: 'gone', transient: true },
    60,
    null,
  )
  const listed = await dryRun(datasetId)
  expect(listed).toEqual([
    expect.objectContaining({ reason: 'refused', action: 'delete_object', bytes: FLIGHTS.length }),
    expect.objectContaining({
      reason: 'incomplete_upload',
      action: 'abort_upload',
      r2Key: begun,
      bytes: null,
      ...attempt,
    }),
  ])
  expect(await dryRun(datasetId, 1)).toEqual(listed)
  expect(await keysOf(datasetId)).toHaveLength(2)
})

test('a dry run names objects that no row names, once they are a day old', async () => {
  const datasetId = newDataset()
  await upload(owner, FLIGHTS, { datasetId, tableId: 't' })
  const orphan = `datasets/${datasetId}/uploads/orphan.parquet`
  await BUCKET.put(orphan, 'left behind')
  const orphans = async () => {
    const found = []
    for (let after: Record<string, string> | null = null; ; ) {
      const page = await previewVacuum(catalog, BUCKET, { reason: 'orphan', after: after as { key: string } | null }, 5)
      found.push(...page.items.filter(({ r2Key }) => r2Key.includes(datasetId)))
      if (page.next === null) return found
      after = page.next.after
    }
  }
  expect(await orphans()).toEqual([])
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3600 * 1000 })
  expect(await orphans()).toMatchObject([{ reason: 'orphan', action: 'delete_object', r2Key: orphan, bytes: 11 }])
})

test('a dry run is for operators, and takes its own cursors only', async () => {
  await expectProblem(call('/api/vacuum'), 'unauthenticated')
  await expectProblem(call('/api/vacuum', owner), 'forbidden')
  for (const query of ['cursor=!', 'cursor=e30', 'limit=0', 'limit=201'])
    await expectProblem(call(`/api/vacuum?${query}`, OPERATOR), 'invalid_request')
})

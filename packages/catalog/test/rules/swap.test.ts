import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// Rule 3: a swap succeeds only if every input is still live and the attempt is current; otherwise nothing changes.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const newDataSet = () => new DataSetUnderTest(catalog)
const isGarbage = async (key: string) =>
  (await database.query('select 1 from garbage where r2_key = $1', key)).length > 0

async function plannedDataSet() {
  const dataset = newDataSet()
  await dataset.upload({}, {}, {})
  const attempt = await dataset.start()
  const [merge] = await dataset.plan(attempt)
  return { dataset, attempt, ids: merge!.ids, rows: merge!.rows }
}

describe('a swap', () => {
  test('puts the output in the place of its inputs, one version further', async () => {
    const { dataset, attempt, rows } = await plannedDataSet()
    const before = await dataset.version()
    const output = anOutput(rows, { bytes: 777, rowGroups: 3 })
    expect(await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).toEqual({
      outcome: 'committed',
      version: before + 1,
    })
    expect(await dataset.files()).toMatchObject([
      { level: 1, rows: 30, bytes: 777, rowGroups: 3, sha256: output.sha256, table: 'ships', periodTag: '0' },
    ])
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      progress: {
        mergesPlanned: 1,
        mergesCommitted: 1,
        filesIn: 3,
        filesOut: 1,
        rowsIn: 30,
        rowsOut: 30,
        bytesIn: 3000,
        bytesOut: 777,
      },
    })
    expect(await isGarbage(output.r2Key)).toBe(false)
  })

  test('counts levels: what is merged of a merged file is one level up', async () => {
    const dataset = newDataSet()
    await dataset.upload({}, {})
    await dataset.compact()
    await dataset.upload()
    await dataset.compact()
    expect(await dataset.files()).toMatchObject([{ level: 2, rows: 30 }])
  })

  test('asked for again with the same output is the same swap', async () => {
    const { dataset, attempt, rows } = await plannedDataSet()
    const output = anOutput(rows)
    const first = await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)
    expect(await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).toEqual(first)
    expect(await dataset.files()).toHaveLength(1)
    expect((await dataset.job(attempt.jobId)).progress).toMatchObject({ filesOut: 1, rowsIn: 30 })
    await dataset.finish(attempt)
    expect(await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).toEqual({ outcome: 'stale_attempt' })
    expect(await isGarbage(output.r2Key)).toBe(false)
  })

  test('with a second output of the same merge is superseded, and that output is garbage', async () => {
    const { dataset, attempt, rows } = await plannedDataSet()
    const [first, second] = [anOutput(rows), anOutput(rows)]
    await catalog.commitMerge(attempt, 1, first, LEASE_SECONDS)
    expect(await catalog.commitMerge(attempt, 1, second, LEASE_SECONDS)).toEqual({ outcome: 'superseded' })
    expect(await dataset.files()).toMatchObject([{ sha256: first.sha256 }])
    expect(await isGarbage(second.r2Key)).toBe(true)
    expect(await isGarbage(first.r2Key)).toBe(false)
  })

  test.each([
    [
      'an input that another merge took',
      'conflict',
      async (dataset: DataSetUnderTest, ids: string[]) => {
        await database.query(
          'update files set removed_version = created_version + 1, removed_at = now() where id = $1',
          ids[0],
        )
        return dataset
      },
      30,
    ],
    [
      'an input in quarantine',
      'conflict',
      (_: DataSetUnderTest, ids: string[]) =>
        database.query(
          "update files set quarantine_code = 'corrupt_file', quarantined_at = now() where id = $1",
          ids[1],
        ),
      30,
    ],
    ['a row too few', 'row_count_mismatch', () => {}, 29],
    ['a row too many', 'row_count_mismatch', () => {}, 31],
  ])('with %s changes nothing but to give its output to vacuum', async (_name, outcome, spoil, rows) => {
    const { dataset, attempt, ids } = await plannedDataSet()
    await spoil(dataset, ids)
    const [before, version] = [await dataset.files(), await dataset.version()]
    const output = anOutput(rows)
    expect(await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).toEqual({ outcome })
    expect(await dataset.files()).toEqual(before)
    expect(await dataset.version()).toBe(version)
    expect((await dataset.job(attempt.jobId)).progress).toMatchObject({ mergesCommitted: 0, filesOut: 0 })
    expect(await isGarbage(output.r2Key)).toBe(true)
  })

  test('of an attempt that a newer one has replaced: stale_attempt, and the new attempt can swap', async () => {
    const { dataset, attempt, rows } = await plannedDataSet()
    const retried = await dataset.fail(attempt)
    expect(retried).toMatchObject({ outcome: 'retrying', attempt: 2 })
    const output = anOutput(rows)
    expect(await catalog.commitMerge(attempt, 1, output, LEASE_SECONDS)).toEqual({ outcome: 'stale_attempt' })
    expect(await isGarbage(output.r2Key)).toBe(true)
    expect(await dataset.files()).toHaveLength(3)
    await dataset.swapAll({ jobId: attempt.jobId, attempt: 2 })
    expect(await dataset.files()).toHaveLength(1)
  })

  test('of an attempt that has not begun, or of a job that nobody knows', async () => {
    const { attempt, rows } = await plannedDataSet()
    const ahead = { ...attempt, attempt: 2 }
    expect(await catalog.commitMerge(ahead, 1, anOutput(rows), LEASE_SECONDS)).toEqual({ outcome: 'stale_attempt' })
    const unknown = { jobId: randomUUID(), attempt: 1 }
    expect(await catalog.commitMerge(unknown, 1, anOutput(rows), LEASE_SECONDS)).toEqual({ outcome: 'unknown_job' })
    expect(await catalog.commitMerge(attempt, 9, anOutput(rows), LEASE_SECONDS)).toEqual({ outcome: 'unknown_merge' })
  })
})

describe('every write of an attempt', () => {
  test('is refused once a newer attempt has taken over', async () => {
    const { dataset, attempt, ids } = await plannedDataSet()
    await dataset.fail(attempt)
    const step = { leaseSeconds: LEASE_SECONDS }
    const writes = {
      enterStep: await catalog.enterStep(attempt, 'get-metadata', step),
      renewLease: await catalog.renewLease(attempt, LEASE_SECONDS),
      listMergeableFiles: await catalog.listMergeableFiles(attempt, 10),
      savePlan: await catalog.savePlan(attempt, [ids]),
      openMerge: await catalog.openMerge(attempt, 1, step),
      setAsideInputs: await dataset.setAside(attempt, 1, ids[0]!),
      finishJob: await dataset.finish(attempt),
      failAttempt: await dataset.fail(attempt),
    }
    for (const [name, answer] of Object.entries(writes))
      expect({ name, ...answer }).toMatchObject({ name, outcome: 'stale_attempt' })
    expect(await dataset.job(attempt.jobId)).toMatchObject({ state: 'running', attempt: 2 })
    expect((await dataset.files()).map((file) => file.quarantine)).toEqual([null, null, null])
  })
})

describe('a plan', () => {
  test('stands once it is written: a second call of the same attempt gets it as it is', async () => {
    const { attempt, ids } = await plannedDataSet()
    expect(await catalog.savePlan(attempt, [ids.slice(0, 2)])).toEqual({ outcome: 'ok', merges: 1 })
    const opened = await catalog.openMerge(attempt, 1, { leaseSeconds: LEASE_SECONDS })
    expect(opened).toMatchObject({ outcome: 'ok', table: 'ships', periodTag: '0' })
    expect(opened.outcome === 'ok' && opened.inputs.map((input) => input.id)).toEqual(ids)
  })

  test('hands the inputs out in the order planned, each with the place of its bytes', async () => {
    const dataset = newDataSet()
    await dataset.upload({ length: 100 }, { length: 200 })
    const attempt = await dataset.start()
    const files = (await dataset.mergeable(attempt)).files
    const wanted = files.toSorted((a, b) => b.bytes - a.bytes)
    await catalog.savePlan(attempt, [wanted.map((file) => file.id)])
    const opened = await catalog.openMerge(attempt, 1, { leaseSeconds: LEASE_SECONDS })
    expect(opened).toMatchObject({
      inputs: [
        { id: wanted[0]!.id, offset: 100, length: 200 },
        { id: wanted[1]!.id, offset: 0, length: 100 },
      ],
    })
  })

  test('that names a file which is not live is a conflict, and none of it is kept', async () => {
    const dataset = newDataSet()
    await dataset.upload({ table: 'a' }, { table: 'a' }, { table: 'b' }, { table: 'b' })
    const attempt = await dataset.start()
    const ids = (await dataset.mergeable(attempt)).files.map((file) => file.id)
    const gone = [ids.slice(0, 2), [ids[2]!, randomUUID()]]
    expect(await catalog.savePlan(attempt, gone)).toEqual({ outcome: 'conflict' })
    expect((await dataset.job(attempt.jobId)).progress.mergesPlanned).toBe(0)
    expect(await catalog.savePlan(attempt, [ids.slice(0, 2), ids.slice(2)])).toEqual({ outcome: 'ok', merges: 2 })
  })

  test.each([
    ['tables', { table: 'a' }, { table: 'b' }],
    ['periods', { periodTag: '1' }, { periodTag: '2' }],
    ['schemas', { fingerprint: 's1' }, { fingerprint: 's2' }],
  ])('never mixes %s', async (_name, one, other) => {
    const dataset = newDataSet()
    await dataset.upload(one, one, other, other)
    const attempt = await dataset.start()
    const { files } = await dataset.mergeable(attempt)
    await expect(catalog.savePlan(attempt, [files.map((file) => file.id)])).rejects.toMatchObject({
      code: 'database_refused',
    })
    const foreign = newDataSet()
    await foreign.upload()
    const [stranger] = await foreign.files()
    expect(await catalog.savePlan(attempt, [[files[0]!.id, stranger!.id]])).toEqual({ outcome: 'conflict' })
  })

  test('is made of small live files in the scope of the job, every table, oldest first', async () => {
    const dataset = newDataSet()
    for (const table of ['a', 'b', 'a', 'c', 'b', 'a']) await dataset.upload({ table })
    const attempt = await dataset.start()
    const { files, more, mixedPartitions } = await dataset.mergeable(attempt)
    expect(files.map((file) => file.table)).toEqual(['a', 'a', 'a', 'b', 'b'])
    const uploaded = await database.query<{ id: string }>(
      "select id from files where dataset_id = $1 and table_name = 'a' order by created_version",
      dataset.id,
    )
    expect(files.slice(0, 3).map((file) => file.id)).toEqual(uploaded.map((row) => row.id))
    expect({ more, mixedPartitions }).toEqual({ more: false, mixedPartitions: [] })
    expect(await dataset.mergeable(attempt, 4)).toMatchObject({ more: true, files: files.slice(0, 4) })
    expect(await dataset.mergeable(attempt, 5)).toMatchObject({ more: false, files })
  })

  test('keeps to the table and period of its job', async () => {
    const dataset = newDataSet()
    const both = { table: 'a', periodTag: '1' }
    await dataset.upload(both, both, { table: 'a' }, { table: 'a' }, { table: 'b', periodTag: '1' })
    await dataset.finish(await dataset.start())
    const scope = { table: 'a', periodTag: '1' }
    const message = { datasetId: dataset.id, priority: 'manual' as const, ...scope }
    const accepted = await catalog.acceptMessage(randomUUID(), message, LEASE_SECONDS)
    if (accepted.outcome !== 'claimed') throw new Error(accepted.outcome)
    expect((await dataset.mergeable(accepted)).files).toMatchObject([scope, scope])
  })

  test('is told of partitions that hold more than one schema', async () => {
    const dataset = newDataSet()
    await dataset.upload({ fingerprint: 's1' }, { fingerprint: 's1' }, { fingerprint: 's2' }, { table: 'pure' })
    const { files, mixedPartitions } = await dataset.mergeable(await dataset.start())
    expect(files.map((file) => file.mergeGroup)).toEqual(['s1', 's1'])
    expect(mixedPartitions).toEqual([{ table: 'ships', periodTag: '0', schemas: 2 }])
  })
})

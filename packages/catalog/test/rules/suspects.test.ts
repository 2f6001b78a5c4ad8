import type { Attempt } from '@fusou/catalog'
import { AN_OPERATOR, asUser } from '@fusou/catalog'
import { describe, expect, inject, test } from 'vitest'
import { anOutput, DataSetUnderTest, LEASE_SECONDS, SENDER } from '../data-set-under-test.ts'
import { EmbeddedDatabase } from '../embedded-database.ts'

// A merge that ends its attempt without an error that names a file is cut in halves until the file is found.

const database = new EmbeddedDatabase(inject('embedded'))
const { catalog } = database
const step = { leaseSeconds: LEASE_SECONDS }

async function uploaded(count: number) {
  const dataset = new DataSetUnderTest(catalog)
  await dataset.upload(...Array.from({ length: count }, () => ({})))
  return { dataset, attempt: await dataset.start() }
}

/** Plans as the Workflow does: files that nobody suspects together, then each set of suspects, fewer ends first. */
async function plan(dataset: DataSetUnderTest, attempt: Attempt): Promise<string[][]> {
  return (await planMerges(dataset, attempt)).map((merge) => merge.map(({ id }) => id))
}

async function planMerges(dataset: DataSetUnderTest, attempt: Attempt) {
  const { files } = await dataset.mergeable(attempt)
  const sets = Map.groupBy(files, ({ suspect }) => suspect?.setId ?? '')
  const merges = [...sets.values()].sort((a, b) => (a[0]!.suspect?.ends ?? -1) - (b[0]!.suspect?.ends ?? -1))
  const chosen = merges.filter((merge) => merge.length > 1 || merge[0]!.suspect)
  const ids = chosen.map((merge) => merge.map(({ id }) => id))
  expect(await catalog.savePlan(attempt, ids)).toEqual({ outcome: 'ok', merges: ids.length })
  return chosen
}

const end = (attempt: Attempt, code = 'workflow_ended', stepName = 'rescue') =>
  catalog.failAttempt(attempt, { code, step: stepName, message: 'gone', transient: true }, LEASE_SECONDS, SENDER)

/** Runs attempts until the job ends; a merge with one of the killers ends its attempt. */
async function runUntilDone(dataset: DataSetUnderTest, first: Attempt, killers: ReadonlySet<string>) {
  let ends = 0
  const sizes: number[] = []
  for (let attempt = first; ; ) {
    const merges = await planMerges(dataset, attempt)
    let killed = false
    for (const [position, files] of merges.entries()) {
      await catalog.openMerge(attempt, position + 1, step)
      if (files.some(({ id }) => killers.has(id))) {
        sizes.push(files.length)
        killed = true
        break
      }
      const output = anOutput(files.reduce((rows, file) => rows + file.rows, 0))
      expect((await catalog.commitMerge(attempt, position + 1, output, LEASE_SECONDS)).outcome).toBe('committed')
    }
    if (!killed) return { ends, sizes, attempt, finished: await dataset.finish(attempt) }
    const ended = await end(attempt)
    ends++
    if (ended.outcome !== 'retrying') return { ends, sizes, attempt, finished: ended }
    attempt = { ...attempt, attempt: ended.attempt }
  }
}

const suspectsOf = (dataset: DataSetUnderTest) =>
  database.query('select 1 from suspects s join files f on f.id = s.file_id where f.dataset_id = $1', dataset.id)

describe('a merge that ends its attempt without an error', () => {
  test('once is made again as it was', async () => {
    const { dataset, attempt } = await uploaded(4)
    const [ids] = await plan(dataset, attempt)
    await catalog.openMerge(attempt, 1, step)
    expect(await end(attempt)).toMatchObject({ outcome: 'retrying', attempt: 2 })
    const next = { ...attempt, attempt: 2 }
    expect(await plan(dataset, next)).toEqual([ids])
    await catalog.commitMerge(next, 1, anOutput(40), LEASE_SECONDS)
    expect(await dataset.finish(next)).toMatchObject({ outcome: 'succeeded' })
    expect(await suspectsOf(dataset)).toEqual([])
    expect(await dataset.job(attempt.jobId)).toMatchObject({ attempt: 2, maxAttempts: 6, partial: false })
  })

  test('twice is cut in halves, until the file that does it is alone, and all others are merged', async () => {
    const { dataset, attempt } = await uploaded(16)
    const [ids] = await plan(dataset, attempt)
    const killer = ids![5]!
    const { ends, sizes, finished } = await runUntilDone(dataset, attempt, new Set([killer]))
    expect(finished).toMatchObject({ outcome: 'succeeded' })
    expect(sizes).toEqual([16, 16, 8, 4, 2, 1, 1])
    expect(ends).toBeLessThanOrEqual(4 + Math.log2(16))
    expect(await dataset.rows()).toBe(160)
    const files = await dataset.files()
    expect(files.filter(({ quarantine }) => quarantine).map(({ id, quarantine }) => [id, quarantine])).toEqual([
      [killer, 'merge_killed'],
    ])
    expect(files.filter(({ level }) => level === 0).map(({ id }) => id)).toEqual([killer])
    expect(await suspectsOf(dataset)).toEqual([])
    expect(await dataset.job(attempt.jobId)).toMatchObject({
      state: 'succeeded',
      partial: true,
      attempt: 8,
      maxAttempts: 12,
      setAside: { count: 1, files: [{ fileId: killer, code: 'merge_killed' }] },
    })
  })

  test('of half of the files is found out for each, in one job', async () => {
    const { dataset, attempt } = await uploaded(8)
    const [ids] = await plan(dataset, attempt)
    const killers = new Set(ids!.filter((_, place) => place % 2 === 0))
    const { finished } = await runUntilDone(dataset, attempt, killers)
    expect(finished).toMatchObject({ outcome: 'succeeded' })
    const aside = (await dataset.files()).filter(({ quarantine }) => quarantine === 'merge_killed')
    expect(new Set(aside.map(({ id }) => id))).toEqual(killers)
    expect(await dataset.rows()).toBe(80)
    expect(await suspectsOf(dataset)).toEqual([])
  })

  test('of every file ends with every file named, and the job does not end dead', async () => {
    const { dataset, attempt } = await uploaded(4)
    const [ids] = await plan(dataset, attempt)
    const { finished } = await runUntilDone(dataset, attempt, new Set(ids))
    expect(finished).toMatchObject({ outcome: 'succeeded' })
    expect((await dataset.files()).map(({ quarantine }) => quarantine)).toEqual(Array(4).fill('merge_killed'))
    expect(await dataset.compactionNeeded()).toBe(false)
  })

  test('in two attempts that other files joined between is not cut yet: it is another set', async () => {
    const { dataset, attempt } = await uploaded(2)
    await plan(dataset, attempt)
    await catalog.openMerge(attempt, 1, step)
    await end(attempt)
    await dataset.store({})
    const next = { ...attempt, attempt: 2 }
    const merges = await plan(dataset, next)
    expect(merges.map((ids) => ids.length)).toEqual([2])
    await catalog.openMerge(next, 1, step)
    await catalog.discardFile(merges[0]![0]!, AN_OPERATOR)
    await end(next)
    expect((await suspectsOf(dataset)).length).toBe(1)
    expect((await dataset.files()).map(({ quarantine }) => quarantine)).toEqual([null, null])
  })
})

describe('an end is no suspicion', () => {
  const cases: [string, string, string, string | null][] = [
    ['of the storage', 'storage_unavailable', 'compact-1', 'compact-1'],
    ['of the database', 'database_unavailable', 'compact-1', 'compact-1'],
    ['before the merges', 'workflow_ended', 'rescue', null],
    ['with an error of ours before the merges', 'internal', 'get-metadata', null],
    ['with an error of ours after the merges', 'internal', 'update-metadata', 'compact-1'],
  ]
  test.each(cases)('%s', async (_name, code, stepName, entered) => {
    const { dataset, attempt } = await uploaded(2)
    await plan(dataset, attempt)
    if (entered === null) await catalog.enterStep(attempt, 'get-metadata', step)
    else await catalog.openMerge(attempt, 1, step)
    expect(await end(attempt, code, stepName)).toMatchObject({ outcome: 'retrying' })
    expect(await suspectsOf(dataset)).toEqual([])
    expect(await dataset.job(attempt.jobId)).toMatchObject({ maxAttempts: 5 })
  })

  test('when the merge in which it came is committed already', async () => {
    const { dataset, attempt } = await uploaded(2)
    await plan(dataset, attempt)
    await catalog.openMerge(attempt, 1, step)
    await catalog.commitMerge(attempt, 1, anOutput(20), LEASE_SECONDS)
    await end(attempt)
    expect(await suspectsOf(dataset)).toEqual([])
  })
})

test.each([
  ['internal', true],
  ['row_count_mismatch', false],
])('an error that names no file (%s) counts like an end, whether it may pass or not', async (code, transient) => {
  const { dataset, attempt } = await uploaded(2)
  await plan(dataset, attempt)
  await catalog.openMerge(attempt, 1, step)
  const failure = { code, step: 'compact-1', message: 'no file to blame', transient }
  expect(await catalog.failAttempt(attempt, failure, LEASE_SECONDS, SENDER)).toMatchObject({ outcome: 'retrying' })
  expect(await suspectsOf(dataset)).toHaveLength(2)
})

test('ends that are excused are bounded: beyond them they are failures, and the next job goes on where this one stopped', async () => {
  const { dataset, attempt } = await uploaded(2)
  await database.query('update jobs set excused_ends = 64, attempt = 69 where id = $1', attempt.jobId)
  const last = { ...attempt, attempt: 69 }
  const [ids] = await plan(dataset, last)
  await catalog.openMerge(last, 1, step)
  expect(await end(last)).toMatchObject({ outcome: 'dead' })
  await catalog.retryJob(attempt.jobId, asUser(dataset.owner), SENDER)
  const next = await dataset.start()
  expect((await dataset.mergeable(next)).files.map(({ suspect }) => suspect?.ends)).toEqual([1, 1])
  const { sizes, finished } = await runUntilDone(dataset, next, new Set([ids![0]!]))
  expect(sizes).toEqual([2, 1, 1])
  expect(finished).toMatchObject({ outcome: 'succeeded' })
})

describe('a plan', () => {
  test('takes a file alone only if it is a suspect', async () => {
    const { dataset, attempt } = await uploaded(2)
    const [first] = (await dataset.mergeable(attempt)).files
    await expect(catalog.savePlan(attempt, [[first!.id]])).rejects.toMatchObject({ code: 'database_refused' })
  })

  test('has the suspects of its scope also where its reach would leave them', async () => {
    const { dataset, attempt } = await uploaded(2)
    await plan(dataset, attempt)
    await catalog.openMerge(attempt, 1, step)
    await end(attempt)
    await database.query("update jobs set reach = 'due' where id = $1", attempt.jobId)
    const next = { ...attempt, attempt: 2 }
    expect((await dataset.mergeable(next)).files).toHaveLength(2)
    await database.query("update jobs set table_name = 'another' where id = $1", attempt.jobId)
    expect((await dataset.mergeable(next)).files).toEqual([])
  })
})

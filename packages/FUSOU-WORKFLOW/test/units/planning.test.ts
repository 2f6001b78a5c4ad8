import { MAX_MERGE_WORK_BYTES, type MergeableFile } from '@fusou/catalog'
import { describe, expect, test } from 'vitest'
import { MAX_JOB_FILES, MAX_JOB_MERGES, planCompaction } from '../../src/workflow/plan-compaction.ts'
import { MAX_MERGE_INPUTS, planMerges, tierOf } from '../../src/workflow/plan-merges.ts'
import { fakeCatalog } from './fakes.ts'

const attempt = { jobId: 'j', attempt: 1 }
let ids = 0
const file = (more: Partial<MergeableFile> = {}): MergeableFile =>
  ({
    id: `f${ids++}`,
    table: 't',
    periodTag: '0',
    mergeGroup: 'x',
    bytes: 10,
    fragments: 1,
    workBytes: 0,
    suspect: null,
    ...more,
  }) as MergeableFile
const files = (count: number, more: Partial<MergeableFile> = {}) => Array.from({ length: count }, () => file(more))
const sizes = (groups: MergeableFile[][]) => groups.map((group) => group.length)

test.each([
  [1, 0],
  [2, 1],
  [15, 1],
  [16, 2],
  [127, 2],
  [128, 3],
  [1023, 3],
  [1024, 4],
])('a file of %i uploads is of tier %i', (fragments, tier) => {
  expect(tierOf(fragments)).toBe(tier)
})

describe('a merge of all', () => {
  const plan = (some: MergeableFile[], target: number) => planMerges(some, target, 'all')

  test('ends where the target is reached, to the byte, and needs two files', () => {
    expect(sizes(plan(files(6), 20))).toEqual([2, 2, 2])
    expect(sizes(plan(files(6), 21))).toEqual([3, 3])
    expect(sizes(plan(files(5), 20))).toEqual([2, 2])
    expect(sizes(plan(files(2, { bytes: 100 }), 20))).toEqual([2])
    expect(plan(files(1), 20)).toEqual([])
    expect(plan([], 20)).toEqual([])
  })

  test('takes as many files as a merge may have', () => {
    expect(sizes(plan(files(MAX_MERGE_INPUTS + 2), 1e9))).toEqual([MAX_MERGE_INPUTS, 2])
    expect(sizes(plan(files(MAX_MERGE_INPUTS), 1e9))).toEqual([MAX_MERGE_INPUTS])
    expect(MAX_MERGE_INPUTS).toBe(1000)
  })

  test.each(['table', 'periodTag', 'mergeGroup'] as const)('never joins two of another %s', (field) => {
    const [a, b, c, d] = [file(), file({ [field]: 'other' }), file(), file({ [field]: 'other' })]
    expect(plan([a!, b!, c!, d!], 1e9)).toEqual([
      [a, c],
      [b, d],
    ])
  })

  test('puts files of many uploads before those of few, and keeps their order otherwise', () => {
    const [a, b, c, d] = [file(), file({ fragments: 16 }), file({ fragments: 2 }), file({ fragments: 3 })]
    expect(plan([a!, b!, c!, d!], 1e9)).toEqual([[b, c, d, a]])
  })
})

describe('a merge of tiers', () => {
  const plan = (some: MergeableFile[], target = 1e9) => planMerges(some, target, 'tiers')

  test('joins two fragments, and merged files only eight at a time', () => {
    expect(sizes(plan(files(2)))).toEqual([2])
    expect(plan(files(1))).toEqual([])
    expect(plan(files(7, { fragments: 2 }))).toEqual([])
    expect(sizes(plan(files(8, { fragments: 2 })))).toEqual([8])
  })

  test('counts the merge of one tier as the eighth file of the next', () => {
    const upper = files(7, { fragments: 2 })
    const lower = files(2)
    expect(plan([...upper, ...lower])).toEqual([[...upper, ...lower]])
    expect(sizes(plan([...upper.slice(1), ...lower]))).toEqual([2])
  })

  test('goes through tiers only as far as an output may be large: 1¾ of the target', () => {
    const upper = files(7, { fragments: 2, bytes: 23 })
    const [small, large] = [files(2, { bytes: 7 }), files(2, { bytes: 7.5 })]
    expect(sizes(plan([...upper, ...small], 100))).toEqual([9])
    expect(sizes(plan([...upper, ...large], 100))).toEqual([2])
  })
})

describe('the work of a merge', () => {
  const third = { workBytes: MAX_MERGE_WORK_BYTES / 3 }

  test('is bounded to the byte, and any two files may be merged', () => {
    expect(sizes(planMerges(files(7, third), 1e9, 'all'))).toEqual([3, 3])
    expect(sizes(planMerges(files(7, { workBytes: MAX_MERGE_WORK_BYTES / 3 + 1 }), 1e9, 'all'))).toEqual([2, 2, 2])
    expect(sizes(planMerges(files(4, { workBytes: MAX_MERGE_WORK_BYTES }), 1e9, 'all'))).toEqual([2, 2])
  })

  test('keeps a tier from being joined with the one below', () => {
    const upper = (workBytes: number) => files(7, { fragments: 2, workBytes })
    const share = MAX_MERGE_WORK_BYTES / 8
    const lower = files(2, { workBytes: share / 2 })
    expect(sizes(planMerges([...upper(share), ...lower], 1e9, 'tiers'))).toEqual([9])
    expect(sizes(planMerges([...upper(share + 1), ...lower], 1e9, 'tiers'))).toEqual([2])
  })
})

test('suspects are merged set by set, after all others, those with fewer ends first', () => {
  const [one, two] = [crypto.randomUUID(), crypto.randomUUID()]
  const [a, b] = files(2)
  const [c, d] = files(2, { suspect: { setId: one, ends: 2 } })
  const e = file({ suspect: { setId: two, ends: 1 } })
  for (const reach of ['all', 'tiers'] as const) {
    expect(planMerges([c!, e, a!, d!, b!], 1e9, reach)).toEqual([[a, b], [e], [c, d]])
  }
})

describe('a plan', () => {
  const plan = async (mergeable: object, saved: object = { outcome: 'ok', merges: 5 }) => {
    const { catalog, calls } = fakeCatalog({ listMergeableFiles: () => mergeable, savePlan: () => saved })
    return { planned: planCompaction(catalog, attempt), calls }
  }
  const found = (some: MergeableFile[], more = false) => ({
    outcome: 'ok',
    files: some,
    targetFileBytes: 20,
    reach: 'all',
    more,
    mixedPartitions: [{ table: 't', periodTag: '0', schemas: 2 }],
  })

  test('is made of what can be merged, and written down', async () => {
    const some = files(4)
    const { planned, calls } = await plan(found(some))
    const mixedPartitions = [{ table: 't', periodTag: '0', schemas: 2 }]
    expect(await planned).toEqual({ merges: 5, more: false, mixedPartitions })
    const [a, b, c, d] = some.map(({ id }) => id)
    expect(calls).toEqual([
      ['listMergeableFiles', attempt, MAX_JOB_FILES],
      [
        'savePlan',
        attempt,
        [
          [a, b],
          [c, d],
        ],
      ],
    ])
    expect(MAX_JOB_FILES).toBe(3000)
  })

  test('leaves the rest to another job: files that were not listed, or outputs beyond two hundred', async () => {
    expect(await (await plan(found(files(2), true))).planned).toMatchObject({ more: true })
    const many = await plan(found(files(2 * MAX_JOB_MERGES)))
    expect(await many.planned).toMatchObject({ more: false })
    const tooMany = await plan(found(files(2 * MAX_JOB_MERGES + 2)))
    expect(await tooMany.planned).toMatchObject({ more: true })
    expect((tooMany.calls[1] as [string, object, string[][]])[2]).toHaveLength(200)
  })

  test('is not made by an attempt that is over', async () => {
    const listed = await plan({ outcome: 'stale_attempt' })
    await expect(listed.planned).rejects.toThrow('stale_attempt: the attempt may not go on')
    expect(listed.calls).toHaveLength(1)
    const saved = await plan(found(files(2)), { outcome: 'cancelled' })
    await expect(saved.planned).rejects.toThrow('cancelled: the plan could not be written')
  })
})

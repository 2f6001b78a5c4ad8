import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_MERGE_INPUTS, planMerges, tierOf } from '../src/workflow/plan-merges.ts'

const TARGET = 10_000
const SMALL = TARGET * 0.75

interface File {
  table: string
  periodTag: string
  mergeGroup: string
  bytes: number
  fragments: number
  workBytes: number
  /** How often a row of it was written again at the most. */
  level: number
}

const file = (bytes: number, fragments = 1, level = 0): File => ({
  table: 't',
  periodTag: '0',
  mergeGroup: 'a',
  bytes,
  fragments,
  workBytes: 0,
  level,
})
const small = (files: readonly File[]) => files.filter((one) => one.bytes < SMALL)
const sum = (files: readonly File[], what: 'bytes' | 'fragments') => files.reduce((total, one) => total + one[what], 0)

/** The rule by which the database sees work. */
function hasFullTier(files: readonly File[]): boolean {
  const tiers = Map.groupBy(small(files), (one) => tierOf(one.fragments))
  return [...tiers].some(([tier, members]) => members.length >= (tier === 0 ? 2 : 8))
}

/** What the first merge leaves of the bytes of fragments, and a later one of those of merged files. */
interface Shrinking {
  first: number
  later: number
}

/** A partition over time; merging as successors do, until there is nothing to do. */
class Partition {
  live: File[] = []
  uploads = 0
  written = 0
  readonly #shrinking: Shrinking

  constructor(shrinking: Shrinking = { first: 1, later: 1 }) {
    this.#shrinking = shrinking
  }

  upload(bytes: number): void {
    this.live.push(file(bytes))
    this.uploads++
  }

  merge(): void {
    while (hasFullTier(this.live)) {
      const merges = planMerges(small(this.live), TARGET, 'tiers')
      expect(merges.length, 'the planner finds the work that the database sees').toBeGreaterThan(0)
      this.#swap(merges)
    }
    expect(planMerges(small(this.live), TARGET, 'tiers'), 'and none where the database sees none').toEqual([])
  }

  mergeAll(): void {
    this.#swap(planMerges(small(this.live), TARGET, 'all'))
  }

  #swap(merges: readonly File[][]): void {
    for (const merge of merges) {
      expect(merge.length).toBeLessThanOrEqual(MAX_MERGE_INPUTS)
      expect(sum(merge, 'bytes')).toBeLessThanOrEqual(TARGET * 1.75)
      const bytes = merge.reduce(
        (total, one) => total + one.bytes * (one.level === 0 ? this.#shrinking.first : this.#shrinking.later),
        0,
      )
      this.live = this.live.filter((one) => !merge.includes(one))
      this.live.push(file(bytes, sum(merge, 'fragments'), 1 + Math.max(...merge.map((one) => one.level))))
      this.written += sum(merge, 'fragments')
    }
  }
}

const bound = (uploads: number) => 1 + Math.log2(uploads) / 3
const uploads = (maxBytes: number) => fc.integer({ min: 1, max: maxBytes })
const arrivals = (maxBytes: number) =>
  fc.array(fc.array(uploads(maxBytes), { minLength: 1, maxLength: 60 }), { maxLength: 40 })
const shrinking = fc.record({ first: fc.double({ min: 0.05, max: 1.2 }), later: fc.double({ min: 0.75, max: 1.1 }) })

describe('tiers', () => {
  test.each([
    ['as small as can be', 20],
    ['up to a tenth of the target', TARGET / 10],
    ['nearly large', SMALL - 1],
    ['some large from the start', TARGET],
  ])('write each row at most 1 + log8(uploads) times and keep few files, of uploads %s', (_name, maxBytes) => {
    fc.assert(
      fc.property(arrivals(maxBytes), shrinking, (batches, shrinking) => {
        const partition = new Partition(shrinking)
        for (const batch of batches) {
          for (const bytes of batch) partition.upload(bytes)
          partition.merge()
          expect(sum(partition.live, 'fragments')).toBe(partition.uploads)
          for (const { level } of partition.live) expect(level).toBeLessThanOrEqual(bound(partition.uploads) + 1e-9)
          const tiers = Math.floor(bound(partition.uploads))
          expect(small(partition.live).length).toBeLessThanOrEqual(1 + 7 * tiers)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('hold for one upload at a time, the dearest order there is', () => {
    const partition = new Partition()
    for (let count = 0; count < 5000; count++) {
      partition.upload(1)
      partition.merge()
    }
    expect(Math.max(...partition.live.map((one) => one.level))).toBeLessThanOrEqual(bound(5000))
    expect(partition.written / partition.uploads).toBeLessThanOrEqual(bound(5000))
  })

  test('hold for a backlog larger than a merge takes', () => {
    const partition = new Partition()
    for (let count = 0; count < 20 * MAX_MERGE_INPUTS + 1; count++) partition.upload(0.01)
    partition.merge()
    for (const { level } of partition.live) expect(level).toBeLessThanOrEqual(2)
  })

  test('leave a large file alone, however many come after it', () => {
    const partition = new Partition()
    partition.upload(SMALL)
    const [large] = partition.live
    for (let count = 0; count < 500; count++) {
      partition.upload(100)
      partition.merge()
    }
    expect(partition.live).toContain(large)
  })

  test('count a merge as one more file of the tier above: both are done at once', () => {
    const seven = Array.from({ length: 7 }, () => file(10, 2, 1))
    const fresh = [file(1), file(1)]
    expect(planMerges([...seven, ...fresh], TARGET, 'tiers')).toEqual([[...seven, ...fresh]])
    expect(planMerges([...seven.slice(1), ...fresh], TARGET, 'tiers')).toEqual([fresh])
  })

  test('keep rows in the order of their uploads: what was merged before comes first', () => {
    const fresh = [file(1), file(1)]
    const merged = Array.from({ length: 7 }, () => file(10, 2, 1))
    expect(planMerges([...fresh, ...merged], TARGET, 'tiers')).toEqual([[...merged, ...fresh]])
    const [older, newer] = [file(10, 20, 2), file(10, 2, 1)]
    expect(planMerges([...fresh, newer, older], TARGET, 'all')).toEqual([[older, newer, ...fresh]])
  })
})

describe('a merge of all', () => {
  test('leaves at most one small file, at one write more of each row', () => {
    const steps = fc.array(fc.tuple(fc.array(uploads(TARGET / 10), { maxLength: 40 }), fc.boolean()), { maxLength: 30 })
    fc.assert(
      fc.property(steps, (batches) => {
        const partition = new Partition()
        let manual = 0
        for (const [batch, all] of batches) {
          for (const bytes of batch) partition.upload(bytes)
          partition.merge()
          if (all) {
            manual++
            partition.mergeAll()
            expect(small(partition.live).length).toBeLessThanOrEqual(1)
          }
          for (const { level } of partition.live) {
            expect(level).toBeLessThanOrEqual(bound(Math.max(1, partition.uploads)) + manual + 1e-9)
          }
        }
      }),
    )
  })
})

test('a tier begins at 2·8^(t-1) uploads', () => {
  expect(tierOf(1)).toBe(0)
  for (let tier = 1; tier <= 12; tier++) {
    const first = 2 * 8 ** (tier - 1)
    expect([tierOf(first - 1), tierOf(first), tierOf(8 * first - 1)]).toEqual([tier - 1, tier, tier])
  }
})

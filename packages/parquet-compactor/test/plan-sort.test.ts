import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planSort, printSortPlan, type SortMember } from '../src/sort/rank/plan-sort.ts'

const member = (low: number, high: number, isInOrder: boolean | undefined = true): SortMember => ({
  rows: 10,
  range: { low: Uint8Array.of(low), high: Uint8Array.of(high) },
  isInOrder,
})
const plan = (...members: SortMember[]) =>
  planSort(members).map(({ members: own, isMerged }) => `${isMerged ? 'merge' : 'keep'} ${own}`)

test.each([
  ['disjoint ranges are put in order', [member(5, 9), member(0, 4)], ['keep 1', 'keep 0']],
  ['ranges that overlap are merged', [member(0, 5), member(8, 9), member(4, 6)], ['merge 0,2', 'keep 1']],
  ['a chain of overlaps is one cluster', [member(0, 5), member(4, 8), member(7, 9)], ['merge 0,1,2']],
  ['ranges may touch in the order of the inputs', [member(0, 5), member(5, 9)], ['keep 0', 'keep 1']],
  ['but not against it, as equal rows keep their order', [member(5, 9), member(0, 5)], ['merge 0,1']],
  ['equal constant ranges stay as they came', [member(5, 5), member(5, 5)], ['keep 0', 'keep 1']],
  ['a constant range at the start of another that came first', [member(5, 9), member(5, 5)], ['merge 0,1']],
  ['a constant range at the start of another that came later', [member(5, 5), member(5, 9)], ['keep 0', 'keep 1']],
  ['also against those that were thought to be done', [member(5, 9), member(5, 5), member(5, 5)], ['merge 0,1,2']],
  ['what is not sorted itself is merged alone', [member(0, 4, false), member(5, 9)], ['merge 0', 'keep 1']],
])('%s', (_name, members, expected) => {
  expect(plan(...members)).toEqual(expected)
})

test('clusters hold every row group once, do not overlap, and are as small as they can be', () => {
  const range = fc.tuple(fc.nat(30), fc.nat(6)).map(([low, width]) => member(low, low + width))
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (members) => {
      const clusters = planSort(members)
      expect(clusters.flatMap(({ members: own }) => own).sort((a, b) => a - b)).toEqual(members.map((_, i) => i))
      for (const [at, { range: own }] of clusters.entries()) {
        const next = clusters[at + 1]
        if (!next) continue
        expect(own.high[0]).toBeLessThanOrEqual(next.range.low[0]!)
        const last = Math.max(...clusters[at]!.members)
        if (own.high[0] === next.range.low[0]) expect(last).toBeLessThan(Math.min(...next.members))
      }
      for (const { members: own, isMerged } of clusters) expect(isMerged).toBe(own.length > 1)
    }),
  )
})

test('the plan prints', () => {
  const members = [member(0, 1), member(2, 3), member(3, 5), member(4, 6), member(8, 9)]
  expect(printSortPlan(planSort(members), members)).toBe(
    'in order: 2 row groups, 20 rows\nmerge values: 2 row groups, 20 rows\nin order: 1 row group, 10 rows',
  )
})

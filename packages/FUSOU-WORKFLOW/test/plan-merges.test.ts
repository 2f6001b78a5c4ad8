import { MAX_MERGE_WORK_BYTES, type MergeableFile } from '@fusou/catalog'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_MERGE_INPUTS, planMerges } from '../src/workflow/plan-merges.ts'

let next = 0
const file = (bytes: number, mergeGroup = 'a', table = 't', periodTag = '0'): MergeableFile => ({
  id: `file-${next++}`,
  table,
  periodTag,
  mergeGroup,
  bytes,
  rows: 1,
  fragments: 1,
  workBytes: 0,
  suspect: null,
})
const kind = (one: MergeableFile) => `${one.table}/${one.periodTag}/${one.mergeGroup}`

describe('planMerges', () => {
  test('joins files until the target is reached, in the order given', () => {
    const files = [40, 40, 40, 10, 10].map((bytes) => file(bytes))
    expect(planMerges(files, 100, 'all')).toEqual([files.slice(0, 3), files.slice(3)])
  })

  test('leaves a file without a partner alone', () => {
    expect(planMerges([file(1), file(1, 'b'), file(1, 'a', 'u'), file(1, 'a', 't', '1')], 100, 'all')).toEqual([])
  })

  test('never mixes schemas, tables or periods, and never stops mid-list', () => {
    const files = [file(60), file(60, 'b'), file(60), file(60, 'b'), file(60, 'a', 'u'), file(60, 'a', 'u')]
    expect(planMerges(files, 100, 'all')).toEqual([
      [files[0], files[2]],
      [files[1], files[3]],
      [files[4], files[5]],
    ])
  })

  test.each(['all', 'tiers'] as const)('keeps the work of a merge bounded, reach %s', (reach) => {
    const of = (...parts: number[]) => parts.map((part) => ({ ...file(1), workBytes: MAX_MERGE_WORK_BYTES * part }))
    const exactly = of(0.25, 0.25, 0.25, 0.25)
    expect(planMerges(exactly, 100, reach)).toEqual([exactly])
    const above = [...of(0.25, 0.25, 0.25), { ...file(1), workBytes: MAX_MERGE_WORK_BYTES / 4 + 1 }, file(1)]
    expect(planMerges(above, 100, reach)).toEqual([above.slice(0, 3), above.slice(3)])
    const largest = of(0.499, 0.499, 0.499, 0.499, 0.499, 0.499)
    expect(planMerges(largest, 100, reach)).toEqual([largest.slice(0, 2), largest.slice(2, 4), largest.slice(4)])
  })

  test('files that fill a tier by number but not by work go to the next tier in several merges', () => {
    const merged = Array.from({ length: 8 }, () => ({ ...file(1), fragments: 2, workBytes: MAX_MERGE_WORK_BYTES / 4 }))
    expect(planMerges(merged, 100, 'tiers')).toEqual([merged.slice(0, 4)])
    const fresh = [file(1), file(1)]
    for (const group of planMerges([...merged.slice(1), ...fresh], 100, 'tiers')) {
      expect(group.reduce((sum, one) => sum + one.workBytes, 0)).toBeLessThanOrEqual(MAX_MERGE_WORK_BYTES)
    }
  })

  test.each(['all', 'tiers', 'due'] as const)(
    'merges suspects set by set and last, fewer ends first, even one alone, with reach %s',
    (reach) => {
      const suspect = (setId: string, ends: number) => ({ ...file(1), suspect: { setId, ends } })
      const [a, b, c] = [suspect('first', 1), suspect('first', 1), suspect('second', 0)]
      const files = [a, file(1), b, c, file(1)]
      expect(planMerges(files, 100, reach)).toEqual([[files[1], files[4]], [c], [a, b]])
    },
  )

  test('keeps the number of inputs of a merge bounded', () => {
    const files = Array.from({ length: MAX_MERGE_INPUTS + 2 }, () => file(1))
    expect(planMerges(files, 1e9, 'all').map((group) => group.length)).toEqual([MAX_MERGE_INPUTS, 2])
  })

  test('takes each file at most once, leaves at most one of a kind, and keeps outputs below target plus one file', () => {
    const files = fc.array(
      fc.record({ bytes: fc.integer({ min: 1, max: 74 }), mergeGroup: fc.constantFrom('a', 'b', 'c') }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(files, (sizes) => {
        const input = sizes.map(({ bytes, mergeGroup }) => file(bytes, mergeGroup))
        const merges = planMerges(input, 100, 'all')
        const taken = merges.flat()
        expect(new Set(taken).size).toBe(taken.length)
        for (const merge of merges) {
          expect(merge.length).toBeGreaterThanOrEqual(2)
          expect(new Set(merge.map(kind)).size).toBe(1)
          const bytes = merge.reduce((sum, one) => sum + one.bytes, 0)
          expect(bytes).toBeLessThan(100 + 75)
        }
        const left = input.filter((one) => !taken.includes(one)).map(kind)
        expect(new Set(left).size).toBe(left.length)
      }),
    )
  })
})

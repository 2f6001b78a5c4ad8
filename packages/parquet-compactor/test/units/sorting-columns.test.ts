import { describe, expect, test } from 'vitest'
import { DropTally } from '../../src/drop-reasons.ts'
import type { Footer } from '../../src/footer/footer.ts'
import {
  encodeSortingColumns,
  mergeSorting,
  readSortingColumn,
  type SortingColumn,
} from '../../src/footer/sorting-columns.ts'
import { PHYSICAL } from '../../src/format/format.ts'
import { ThriftReader } from '../../src/format/thrift-reader.ts'
import type { LeafColumn, Schema } from '../../src/schema/schema.ts'

const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

interface Group {
  sorting?: SortingColumn[]
  min?: number
  max?: number
  nulls?: number
}

const leaf = (more: Partial<LeafColumn> = {}): LeafColumn => ({
  name: 'v',
  path: [],
  encodedPath: new Uint8Array(),
  physical: PHYSICAL.INT32,
  width: 4,
  maxDefinition: 0,
  maxRepetition: 0,
  repeatedFrom: [],
  convertedType: undefined,
  logicalType: undefined,
  isUnsigned: false,
  ...more,
})

/** Row groups of two columns; bounds and nulls are those of the second. */
function merge(groups: Group[], column: Partial<LeafColumn> = {}) {
  const schema = { leaves: [leaf(), leaf(column)] } as unknown as Schema
  const members = groups.map(({ sorting, min, max, nulls = 0 }) => {
    const bounds = min === undefined || max === undefined ? [] : [...int32(min), ...int32(max)]
    const footer = {
      sortingOfGroup: [sorting && encodeSortingColumns(sorting)],
      chunkNulls: Float64Array.of(0, nulls),
      boundsState: Uint8Array.of(0, bounds.length > 0 ? 1 | 64 : 0),
      boundsAt: Uint32Array.of(0, 0, 0, 4, 8),
      boundsBytes: Uint8Array.from(bounds),
    } as unknown as Footer
    return { footer, rowGroup: 0 }
  })
  const drops = new DropTally()
  const merged = mergeSorting(members, schema, drops)
  return { merged, dropped: drops.counts }
}

const by = (column: number, isDescending = false): SortingColumn => ({ column, isDescending, areNullsFirst: false })
const ONE = [by(1)]
const TWO = [by(1), by(0)]
const SORTED = (sorting: SortingColumn[]) => ({ merged: encodeSortingColumns(sorting), dropped: {} })
const DROPPED = { merged: undefined, dropped: { sorting_columns_unsure: 1 } }

test('a sorting column is read as it was written', () => {
  for (const sorting of [by(1), by(7, true), { ...by(0), areNullsFirst: true }]) {
    expect(readSortingColumn(new ThriftReader(encodeSortingColumns([sorting]).elements))).toEqual(sorting)
  }
})

describe('row groups behind one another are in order', () => {
  test('where each lies behind the last', () => {
    const groups = [
      { min: 0, max: 5 },
      { min: 6, max: 9 },
      { min: 10, max: 10 },
    ]
    for (const sorting of [ONE, TWO]) {
      expect(merge(groups.map((group) => ({ ...group, sorting })))).toEqual(SORTED(sorting))
    }
    const down = [by(1, true)]
    expect(merge(groups.toReversed().map((group) => ({ ...group, sorting: down })))).toEqual(SORTED(down))
    expect(merge(groups.map((group) => ({ ...group, sorting: down })))).toEqual(DROPPED)
    expect(merge(groups.toReversed().map((group) => ({ ...group, sorting: ONE })))).toEqual(DROPPED)
  })

  test('where a single column meets its last value again, and not where another column would decide', () => {
    const touching = (sorting: SortingColumn[]) =>
      merge([
        { sorting, min: 0, max: 5 },
        { sorting, min: 5, max: 9 },
      ])
    expect(touching(ONE)).toEqual(SORTED(ONE))
    expect(touching(TWO)).toEqual(DROPPED)
    const down = (sorting: SortingColumn[]) =>
      merge([
        { sorting, min: 5, max: 9 },
        { sorting, min: 0, max: 5 },
      ])
    expect(down([by(1, true)])).toEqual(SORTED([by(1, true)]))
    expect(down([by(1, true), by(0)])).toEqual(DROPPED)
  })

  test('not where they overlap by one', () => {
    expect(
      merge([
        { sorting: ONE, min: 0, max: 6 },
        { sorting: ONE, min: 5, max: 9 },
      ]),
    ).toEqual(DROPPED)
  })

  test('not where there are nulls, or nobody says how many', () => {
    const nullable = { maxDefinition: 1 }
    const groups = (nulls: number) => [
      { sorting: ONE, min: 0, max: 1 },
      { sorting: ONE, min: 2, max: 3, nulls },
    ]
    expect(merge(groups(0), nullable)).toEqual(SORTED(ONE))
    expect(merge(groups(1), nullable)).toEqual(DROPPED)
    expect(merge(groups(-1), nullable)).toEqual(DROPPED)
    expect(merge(groups(-1)), 'a required column has none').toEqual(SORTED(ONE))
  })

  test('not where one has no bounds, another order or none', () => {
    const first = { sorting: ONE, min: 0, max: 1 }
    expect(merge([first, { sorting: ONE }])).toEqual(DROPPED)
    expect(merge([first, { sorting: TWO, min: 2, max: 3 }])).toEqual(DROPPED)
    expect(merge([first, { sorting: [by(1, true)], min: 2, max: 3 }])).toEqual(DROPPED)
    expect(merge([first, { min: 2, max: 3 }])).toEqual(DROPPED)
    expect(
      merge([
        { min: 0, max: 1 },
        { ...first, min: 2, max: 3 },
      ]),
    ).toEqual(DROPPED)
  })

  test('not by a column of a list or of numbers with NaN', () => {
    const groups = [
      { sorting: ONE, min: 0, max: 1 },
      { sorting: ONE, min: 2, max: 3 },
    ]
    expect(merge(groups, { maxRepetition: 1 })).toEqual(DROPPED)
    expect(merge(groups, { physical: PHYSICAL.FLOAT })).toEqual(DROPPED)
  })

  test('where there is but one, whatever it says; nothing is dropped where nothing was', () => {
    expect(merge([{ sorting: TWO }])).toEqual(SORTED(TWO))
    expect(merge([{}, {}])).toEqual({ merged: undefined, dropped: {} })
    expect(merge([])).toEqual({ merged: undefined, dropped: {} })
  })
})

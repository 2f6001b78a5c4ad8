import type { DropTally } from '../drop-reasons.ts'
import { ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { Schema } from '../schema/schema.ts'
import { BoundOrder } from './bound-order.ts'
import type { Footer } from './footer.ts'

/** The SortingColumn list of a RowGroup. */
export interface SortingColumns {
  count: number
  /** as they are encoded */
  elements: Uint8Array
}

/** One of them (parquet.thrift, SortingColumn). */
export interface SortingColumn {
  column: number
  isDescending: boolean
  areNullsFirst: boolean
}

export function encodeSortingColumns(columns: readonly SortingColumn[]): SortingColumns {
  const writer = new ThriftWriter()
  for (const { column, isDescending, areNullsFirst } of columns) {
    writer.open()
    writer.i32(1, column)
    writer.boolean(2, isDescending)
    writer.boolean(3, areNullsFirst)
    writer.close()
  }
  return { count: columns.length, elements: writer.out.take() }
}

interface Member {
  footer: Footer
  rowGroup: number
}

/** @returns column -1 where the struct names none */
export function readSortingColumn(reader: ThriftReader): SortingColumn {
  const sorting = { column: -1, isDescending: false, areNullsFirst: false }
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) sorting.column = reader.i32()
    else if (id === 2) sorting.isDescending = reader.boolean()
    else if (id === 3) sorting.areNullsFirst = reader.boolean()
    else reader.skip()
  }
  return sorting
}

/**
 * The order that the rows of several row groups, one behind another, are in by what their footers say: their own where all
 * name the same and each one's values of the first column lie strictly behind the last one's. Equal bounds are not enough:
 * there the next columns would decide. So are nulls, whose place they would have to keep.
 */
export function mergeSorting(members: readonly Member[], schema: Schema, drops: DropTally): SortingColumns | undefined {
  const sorting = sortingOf(members, schema)
  if (!sorting && members.some(({ footer, rowGroup }) => footer.sortingOfGroup[rowGroup])) {
    drops.add('sorting_columns_unsure')
  }
  return sorting
}

function sortingOf(members: readonly Member[], schema: Schema): SortingColumns | undefined {
  const [first] = members
  const sorting = first?.footer.sortingOfGroup[first.rowGroup]
  if (!sorting || sorting.count === 0 || members.length === 1) return sorting
  const { column, isDescending } = readSortingColumn(new ThriftReader(sorting.elements))
  const leaf = schema.leaves[column]!
  const order = leaf.maxRepetition === 0 ? BoundOrder.of(leaf) : undefined
  if (!order) return undefined
  // no reader agrees with another on the place of NaN
  if (order.order === 'float' || order.order === 'double') return undefined
  let last: Uint8Array | undefined
  for (const { footer, rowGroup } of members) {
    const own = footer.sortingOfGroup[rowGroup]
    if (own?.count !== sorting.count || !isEqual(own.elements, sorting.elements)) return undefined
    const chunk = rowGroup * schema.leaves.length + column
    if (leaf.maxDefinition > 0 && footer.chunkNulls[chunk] !== 0) return undefined
    const bounds = order.usableOfChunk(footer, chunk)
    if (!bounds) return undefined
    const [from, to] = isDescending ? [bounds.max, bounds.min] : [bounds.min, bounds.max]
    if (last) {
      const step = order.compare(last, from)
      // a single column may meet its last value again
      const isBehind = isDescending ? step > 0 : step < 0
      if (!isBehind && !(step === 0 && sorting.count === 1)) return undefined
    }
    last = to
  }
  return sorting
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

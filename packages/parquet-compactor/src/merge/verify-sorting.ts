import { readSortingColumn, type SortingColumns } from '../footer/sorting-columns.ts'
import { ThriftReader } from '../format/thrift-reader.ts'
import { nameSource } from '../read/inspect.ts'
import { openChunk, type ReadSettings } from '../read/open-chunk.ts'
import type { Schema } from '../schema/schema.ts'
import { valueOrderOf } from '../schema/value-order.ts'
import { KeyColumn } from '../sort/keys/key-column.ts'
import type { SortKey } from '../sort/keys/key-order.ts'
import { lookAtKeys } from '../sort/keys/read-keys.ts'
import { compareKeys } from '../sort/keys/sort-range.ts'
import type { RowGroupSource } from '../splice/carry-chunk.ts'

/** part of what a page may take that the columns of one row group may take, compressed, to be looked at */
const LOOKED_AT_SHARE = 4

/**
 * Look at the columns by which row groups, one behind another, are said to be sorted. A wrong claim would be believed of the
 * rows of all of them.
 * @returns whether they are; false also for columns without an order, and those too large to be held
 */
export async function areRowsSorted(
  members: readonly RowGroupSource[],
  sorting: SortingColumns,
  schema: Schema,
  settings: ReadSettings,
): Promise<boolean> {
  const keys = keysOf(sorting, schema)
  if (!keys) return false
  let last: Uint8Array | undefined
  for (const { file, footer, rowGroup } of members) {
    const rows = footer.rowsOfGroup[rowGroup]!
    const first = rowGroup * schema.leaves.length
    const bytes = keys.reduce((sum, { column }) => sum + footer.chunkBytes[first + column]!, 0)
    if (bytes > settings.maxPageBytes / LOOKED_AT_SHARE) return false
    const columns = keys.map((key) => new KeyColumn(key, rows))
    try {
      for (const [at, { column, leaf }] of keys.entries()) {
        await openChunk(file, footer, rowGroup, column, leaf, settings).copyRows(rows, columns[at]!)
      }
    } catch (error) {
      throw nameSource(error, file.source.name)
    }
    const { range, isInOrder } = lookAtKeys(columns, rows)
    if (!isInOrder || (last && compareKeys(last, range.low) > 0)) return false
    last = range.high
  }
  return true
}

function keysOf({ count, elements }: SortingColumns, schema: Schema): SortKey[] | undefined {
  const reader = new ThriftReader(elements)
  const keys: SortKey[] = []
  for (let i = 0; i < count; i++) {
    const { column, isDescending, areNullsFirst } = readSortingColumn(reader)
    const leaf = schema.leaves[column]!
    const kind = valueOrderOf(leaf)
    if (!kind || leaf.maxRepetition > 0) return undefined
    keys.push({ column, leaf, kind, isDescending, areNullsFirst })
  }
  return keys
}

import { ParquetError } from '../../parquet-error.ts'
import type { LeafColumn, Schema } from '../../schema/schema.ts'
import { type ValueOrder, valueOrderOf } from '../../schema/value-order.ts'

/** A column to sort by: the names from below the root, joined by dots. */
export interface SortColumn {
  column: string
  /** greatest first; default false */
  descending?: boolean
  /** rows without a value come first, whichever way values are sorted; default false */
  nullsFirst?: boolean
}

export interface SortKey {
  /** number of the leaf */
  column: number
  leaf: LeafColumn
  kind: ValueOrder
  isDescending: boolean
  areNullsFirst: boolean
}

/** @throws ParquetError `bad_option` for a column that is not there, is repeated, or has no order */
export function resolveSortBy(schema: Schema, sortBy: readonly SortColumn[]): SortKey[] {
  return sortBy.map(({ column, descending = false, nullsFirst = false }) => {
    const at = findColumn(schema, column, 'sortBy')
    const leaf = schema.leaves[at]!
    const kind = valueOrderOf(leaf)
    if (!kind) throw new ParquetError('bad_option', `sortBy: values of column ${column} have no order`)
    return { column: at, leaf, kind, isDescending: descending, areNullsFirst: nullsFirst }
  })
}

/** Equality wants no order: what has none is compared byte by byte. */
export function resolveDedupeBy(schema: Schema, dedupeBy: readonly string[]): SortKey[] {
  return dedupeBy.map((name) => {
    const column = findColumn(schema, name, 'dedupeBy')
    const leaf = schema.leaves[column]!
    return { column, leaf, kind: valueOrderOf(leaf) ?? 'bytes', isDescending: false, areNullsFirst: false }
  })
}

function findColumn(schema: Schema, name: string, option: string): number {
  const at = schema.leaves.findIndex((leaf) => leaf.name === name)
  if (at < 0) throw new ParquetError('bad_option', `${option}: there is no column ${name}`)
  if (schema.leaves.findLastIndex((leaf) => leaf.name === name) !== at) {
    throw new ParquetError('bad_option', `${option}: several columns are named ${name}`)
  }
  if (schema.leaves[at]!.maxRepetition > 0) {
    throw new ParquetError('bad_option', `${option}: column ${name} has any number of values in a row`)
  }
  return at
}

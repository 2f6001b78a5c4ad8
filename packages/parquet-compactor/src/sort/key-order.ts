import { CONVERTED, LOGICAL, PHYSICAL } from '../format/format.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn, Schema } from '../schema/schema.ts'

/** A column to sort by: the names from below the root, joined by dots. */
export interface SortColumn {
  column: string
  /** greatest first; default false */
  descending?: boolean
  /** rows without a value come first, whichever way values are sorted; default false */
  nullsFirst?: boolean
}

/**
 * How values of a column are ordered:
 * `float16`, `float`, `double`  by number, -0 equal to +0, every NaN equal and greater than all numbers
 * `decimal`                     two's complement, most significant byte first, of any length
 * `int96`                       the timestamps of Impala: day, then nanoseconds of the day
 * `bytes`                       unsigned, byte by byte; a prefix comes first
 */
export type KeyKind =
  | 'boolean'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float'
  | 'double'
  | 'int96'
  | 'decimal'
  | 'bytes'

export interface SortKey {
  /** number of the leaf */
  column: number
  leaf: LeafColumn
  kind: KeyKind
  isDescending: boolean
  areNullsFirst: boolean
}

/** @returns undefined for intervals, and for types that the format gives no order */
export function keyKindOf(leaf: LeafColumn): KeyKind | undefined {
  const { convertedType: converted, logicalType: logical } = leaf
  switch (leaf.physical) {
    case PHYSICAL.BOOLEAN:
      return 'boolean'
    case PHYSICAL.INT32:
      return leaf.isUnsigned ? 'uint32' : 'int32'
    case PHYSICAL.INT64:
      return leaf.isUnsigned ? 'uint64' : 'int64'
    case PHYSICAL.FLOAT:
      return 'float'
    case PHYSICAL.DOUBLE:
      return 'double'
    case PHYSICAL.INT96:
      return 'int96'
  }
  if (logical === LOGICAL.DECIMAL || converted === CONVERTED.DECIMAL) return 'decimal'
  if (logical === LOGICAL.FLOAT16 && leaf.width === 2) return 'float16'
  if (converted === CONVERTED.INTERVAL) return undefined
  const bytewise: (number | undefined)[] = [
    undefined,
    LOGICAL.STRING,
    LOGICAL.ENUM,
    LOGICAL.JSON,
    LOGICAL.BSON,
    LOGICAL.UUID,
    LOGICAL.UNKNOWN,
  ]
  return bytewise.includes(logical) ? 'bytes' : undefined
}

/** @throws ParquetError `bad_option` for a column that is not there, is repeated, or has no order */
export function resolveSortBy(schema: Schema, sortBy: readonly SortColumn[]): SortKey[] {
  return sortBy.map(({ column, descending = false, nullsFirst = false }) => {
    const at = findColumn(schema, column, 'sortBy')
    const leaf = schema.leaves[at]!
    const kind = keyKindOf(leaf)
    if (!kind) throw new ParquetError('bad_option', `sortBy: values of column ${column} have no order`)
    return { column: at, leaf, kind, isDescending: descending, areNullsFirst: nullsFirst }
  })
}

/** Equality wants no order: what has none is compared byte by byte. */
export function resolveDedupeBy(schema: Schema, dedupeBy: readonly string[]): SortKey[] {
  return dedupeBy.map((name) => {
    const column = findColumn(schema, name, 'dedupeBy')
    const leaf = schema.leaves[column]!
    return { column, leaf, kind: keyKindOf(leaf) ?? 'bytes', isDescending: false, areNullsFirst: false }
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

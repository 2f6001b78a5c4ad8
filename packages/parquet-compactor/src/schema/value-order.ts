import { CONVERTED, LOGICAL, PHYSICAL } from '../format/format.ts'
import type { LeafColumn } from './schema.ts'

/**
 * How values of a column are ordered:
 * `float16`, `float`, `double`  by number, -0 equal to +0, every NaN equal and greater than all numbers
 * `decimal`                     two's complement, most significant byte first, of any length
 * `int96`                       the timestamps of Impala: day, then nanoseconds of the day
 * `bytes`                       unsigned, byte by byte; a prefix comes first
 */
export type ValueOrder =
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

const BYTEWISE = new Set<number | undefined>([
  undefined,
  LOGICAL.STRING,
  LOGICAL.ENUM,
  LOGICAL.JSON,
  LOGICAL.BSON,
  LOGICAL.UUID,
  LOGICAL.UNKNOWN,
])

/** @returns undefined for intervals, and for types that the format gives no order */
export function valueOrderOf(leaf: LeafColumn): ValueOrder | undefined {
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
  return BYTEWISE.has(logical) ? 'bytes' : undefined
}

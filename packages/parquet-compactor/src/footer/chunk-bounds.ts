import { THRIFT, type ThriftReader } from '../format/thrift-reader.ts'
import type { FooterTable } from './footer-table.ts'

/** Longer bounds are not kept: five thousand footers of them would fill the memory, and readers gain little. */
const MAX_KEPT_BYTES = 256

/** bits of `boundsState` */
export const HAS_BOUNDS = 1
export const EXACTNESS = 0b11110
const MIN_EXACTNESS = 0b00110
const MAX_EXACTNESS = 0b11000
const DEPRECATED = 32
/** the file says that bounds of the column are in the order of its type */
export const IN_TYPE_ORDER = 64

/** The Statistics struct of a chunk. */
export interface ChunkStatistics {
  /** -1 where not known */
  nulls: number
  /** number of NaN values of FLOAT and DOUBLE; -1 if not known */
  nans: number
  /** distinct values but null; -1 where not known */
  distinct: number
  min: Uint8Array | undefined
  max: Uint8Array | undefined
  /** whether min and max are values of the column; undefined where the writer does not say */
  minIsExact: boolean | undefined
  maxIsExact: boolean | undefined
  /** whether the bounds are in the order of signed numbers, whatever the type (parquet.thrift, Statistics) */
  areDeprecated: boolean
}

export const NO_STATISTICS: ChunkStatistics = {
  nulls: -1,
  nans: -1,
  distinct: -1,
  min: undefined,
  max: undefined,
  minIsExact: undefined,
  maxIsExact: undefined,
  areDeprecated: false,
}

/**
 * Read the Statistics struct of the chunk that was begun last. The deprecated bounds (fields 1 and 2) count where there are no
 * others.
 * @returns what the table has no arrays for, or undefined where nothing is said of it
 */
export function readStatistics(
  reader: ThriftReader,
  table: FooterTable,
  chunk: number,
): Pick<ChunkStatistics, 'nans' | 'distinct'> | undefined {
  let nans = -1
  let distinct = -1
  // where bounds are: a view of each would be made for each of thousands of chunks
  let [oldMinAt, oldMinBytes, oldMaxAt, oldMaxBytes] = [0, 0, 0, 0]
  let [minAt, minBytes, maxAt, maxBytes] = [0, 0, 0, 0]
  let exactness = 0
  reader.struct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) {
      oldMaxBytes = reader.skipBinary()
      oldMaxAt = reader.offset - oldMaxBytes
    } else if (id === 2) {
      oldMinBytes = reader.skipBinary()
      oldMinAt = reader.offset - oldMinBytes
    } else if (id === 3) table.chunkNulls[chunk] = reader.i64()
    else if (id === 4) distinct = reader.i64()
    else if (id === 5) {
      maxBytes = reader.skipBinary()
      maxAt = reader.offset - maxBytes
    } else if (id === 6) {
      minBytes = reader.skipBinary()
      minAt = reader.offset - minBytes
    } else if (id === 7) exactness = (exactness & ~MAX_EXACTNESS) | (flag(reader.boolean()) << 3)
    else if (id === 8) exactness = (exactness & ~MIN_EXACTNESS) | (flag(reader.boolean()) << 1)
    else if (id === 9) nans = reader.i64()
    else reader.skip()
  }
  if (minAt > 0 && maxAt > 0) {
    if (minBytes <= MAX_KEPT_BYTES && maxBytes <= MAX_KEPT_BYTES) {
      table.setBounds(chunk, HAS_BOUNDS | exactness, reader.bytes, minAt, minBytes, maxAt, maxBytes)
    }
  } else if (minAt === 0 && maxAt === 0 && oldMinAt > 0 && oldMaxAt > 0) {
    if (oldMinBytes <= MAX_KEPT_BYTES && oldMaxBytes <= MAX_KEPT_BYTES) {
      const state = HAS_BOUNDS | exactness | DEPRECATED
      table.setBounds(chunk, state, reader.bytes, oldMinAt, oldMinBytes, oldMaxAt, oldMaxBytes)
    }
  }
  return distinct >= 0 || nans >= 0 ? { nans, distinct } : undefined
}

function flag(isExact: boolean): number {
  return isExact ? 1 : 2
}

export interface PackedBounds {
  /** minimum and maximum of each chunk, one behind the other */
  boundsBytes: Uint8Array
  /** where they begin, two a chunk, and the end */
  boundsAt: Uint32Array
  /** bit 0 if there are bounds, two bits each for whether the minimum and the maximum are exact, bit 5 if deprecated, bit 6 for `IN_TYPE_ORDER` */
  boundsState: Uint8Array
}

export function boundsOf(
  packed: PackedBounds,
  chunk: number,
): Pick<ChunkStatistics, 'min' | 'max' | 'minIsExact' | 'maxIsExact' | 'areDeprecated'> {
  const state = packed.boundsState[chunk]!
  if ((state & HAS_BOUNDS) === 0) return NO_STATISTICS
  const from = packed.boundsAt[chunk * 2]!
  const middle = packed.boundsAt[chunk * 2 + 1]!
  const flag = (bits: number) => (bits === 0 ? undefined : bits === 1)
  return {
    min: packed.boundsBytes.subarray(from, middle),
    max: packed.boundsBytes.subarray(middle, packed.boundsAt[chunk * 2 + 2]!),
    minIsExact: flag((state >> 1) & 3),
    maxIsExact: flag((state >> 3) & 3),
    areDeprecated: (state & DEPRECATED) !== 0,
  }
}

/** Whether bounds of byte arrays and unsigned numbers are in the order of the type. */
export function haveTypeOrder(packed: PackedBounds, chunk: number): boolean {
  return (packed.boundsState[chunk]! & IN_TYPE_ORDER) !== 0
}

/** Read the list of EncodingStats of the chunk that was begun last. */
export function readEncodingStats(reader: ThriftReader, table: FooterTable, chunk: number): void {
  let pages = 0
  let versions = 0
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    let kind = -1
    let count = 0
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) kind = reader.i32()
      else if (id === 3) count = reader.i32()
      else reader.skip()
    }
    if (kind !== 0 && kind !== 3) continue
    pages += Math.max(0, count)
    versions |= kind === 0 ? 1 : 2
  }
  table.chunkPages[chunk] = pages
  table.chunkVersions[chunk] = versions
}

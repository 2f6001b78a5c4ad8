import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { BoundOrder, Bounds } from './bound-order.ts'
import type { SizeStatistics } from './size-statistics.ts'
import { readCounts } from './size-statistics.ts'

/** A ColumnIndex, one entry a page. */
export interface ColumnIndex {
  isNull: boolean[]
  bounds: (Bounds | undefined)[]
  nulls: number[] | undefined
  nans: number[] | undefined
  sizes: SizeStatistics[]
}

/**
 * Read a ColumnIndex.
 * @param order     undefined where no bounds of the column can be trusted
 * @param haveOrder whether the file says that its bounds are in the order of the type
 * @param pages     that the chunk has
 * @returns undefined where it is malformed, or of other pages: it is only a help to readers, and the chunk is good without
 */
export function readColumnIndex(
  bytes: Uint8Array,
  leaf: LeafColumn,
  order: BoundOrder | undefined,
  haveOrder: boolean,
  pages: number,
): ColumnIndex | undefined {
  return readable(() => {
    const reader: ThriftReader = new ThriftReader(bytes)
    const isNull: boolean[] = []
    let mins: Uint8Array[] = []
    let maxs: Uint8Array[] = []
    let nulls: number[] | undefined
    let nans: number[] | undefined
    let repetition: number[] | undefined
    let definition: number[] | undefined
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) for (let left = reader.list(THRIFT.TRUE); left > 0; left--) isNull.push(reader.elementBoolean())
      else if (id === 2) mins = readBinaries(reader)
      else if (id === 3) maxs = readBinaries(reader)
      else if (id === 5) nulls = readCounts(reader)
      else if (id === 6) repetition = readCounts(reader)
      else if (id === 7) definition = readCounts(reader)
      else if (id === 8) nans = readCounts(reader)
      else reader.skip()
    }
    const lists = [isNull, mins, maxs, nulls ?? isNull, nans ?? isNull]
    if (lists.some(({ length }) => length !== pages)) return undefined
    const histogram = (counts: number[] | undefined, maxLevel: number, page: number) =>
      counts?.length === pages * (maxLevel + 1)
        ? counts.slice(page * (maxLevel + 1), (page + 1) * (maxLevel + 1))
        : undefined
    return {
      isNull,
      bounds: mins.map((min, i) => (isNull[i] ? undefined : order?.usable(min, maxs[i], haveOrder))),
      nulls,
      nans,
      sizes: isNull.map((_, page) => ({
        repetition: histogram(repetition, leaf.maxRepetition, page),
        definition: histogram(definition, leaf.maxDefinition, page),
      })),
    }
  })
}

/** @returns lengths of the values of each page, from an OffsetIndex of so many pages that has them */
export function readUnencodedBytes(bytes: Uint8Array, pages: number): number[] | undefined {
  return readable(() => {
    const reader: ThriftReader = new ThriftReader(bytes)
    let lengths: number[] | undefined
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 2) lengths = readCounts(reader)
      else reader.skip()
    }
    return lengths?.length === pages ? lengths : undefined
  })
}

function readBinaries(reader: ThriftReader): Uint8Array[] {
  const binaries: Uint8Array[] = []
  for (let left = reader.list(THRIFT.BINARY); left > 0; left--) binaries.push(reader.elementBinary())
  return binaries
}

/** Reads an optional structure that only helps readers; undefined if it is malformed. */
export function readable<Result>(read: () => Result | undefined): Result | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ParquetError) return undefined
    throw error
  }
}

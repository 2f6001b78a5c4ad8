import { ThriftReader } from '../format/thrift-reader.ts'
import type { ThriftWriter } from '../format/thrift-writer.ts'

/** Optional metadata of a chunk. Bytes are views into the footer. */
export interface ChunkExtras {
  distinct: number
  nans: number
  columnIndex: Range | undefined
  offsetIndex: Range | undefined
  /** range of the bloom filter; 0 bytes if the file does not declare its length */
  bloomFilter: Range | undefined
  /** the values of these fields of ColumnMetaData as they are encoded */
  keyValues: Uint8Array | undefined
  sizes: Uint8Array | undefined
  geospatial: Uint8Array | undefined
}

export interface Range {
  offset: number
  bytes: number
}

export const NO_EXTRAS: ChunkExtras = {
  distinct: -1,
  nans: -1,
  columnIndex: undefined,
  offsetIndex: undefined,
  bloomFilter: undefined,
  keyValues: undefined,
  sizes: undefined,
  geospatial: undefined,
}

/** bits of `chunkExtras` */
export const EXTRA = {
  DISTINCT: 1,
  NANS: 2,
  COLUMN_INDEX: 4,
  OFFSET_INDEX: 8,
  BLOOM_FILTER: 16,
  KEY_VALUES: 32,
  SIZES: 64,
  GEOSPATIAL: 128,
} as const

export interface PackedExtras {
  /** which of the extras each chunk has: bits of `EXTRA` */
  chunkExtras: Uint8Array
  /** a thrift struct for each chunk that has any of them */
  extrasBytes: Uint8Array
  /** where each begins, and the end; without entries where no chunk has any */
  extrasAt: Uint32Array
}

/** Write extras as a struct. @returns which there are: bits of `EXTRA` */
export function writeExtras(writer: ThriftWriter, extras: ChunkExtras): number {
  let has = 0
  writer.open()
  const range = (bit: number, field: number, place: Range | undefined) => {
    if (!place) return
    has |= bit
    writer.i64(field, place.offset)
    writer.i64(field + 1, place.bytes)
  }
  const raw = (bit: number, field: number, bytes: Uint8Array | undefined) => {
    if (!bytes) return
    has |= bit
    writer.binary(field, bytes)
  }
  if (extras.distinct >= 0) {
    has |= EXTRA.DISTINCT
    writer.i64(1, extras.distinct)
  }
  if (extras.nans >= 0) {
    has |= EXTRA.NANS
    writer.i64(2, extras.nans)
  }
  range(EXTRA.COLUMN_INDEX, 3, extras.columnIndex)
  range(EXTRA.OFFSET_INDEX, 5, extras.offsetIndex)
  range(EXTRA.BLOOM_FILTER, 7, extras.bloomFilter)
  raw(EXTRA.KEY_VALUES, 9, extras.keyValues)
  raw(EXTRA.SIZES, 10, extras.sizes)
  raw(EXTRA.GEOSPATIAL, 11, extras.geospatial)
  writer.close()
  return has
}

export function extrasOf(packed: PackedExtras, chunk: number): ChunkExtras {
  if (packed.chunkExtras[chunk] === 0) return NO_EXTRAS
  const [from, to] = [packed.extrasAt[chunk]!, packed.extrasAt[chunk + 1]!]
  const extras = { ...NO_EXTRAS }
  const reader: ThriftReader = new ThriftReader(packed.extrasBytes, from, to)
  let offset = 0
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) extras.distinct = reader.i64()
    else if (id === 2) extras.nans = reader.i64()
    else if (id === 9) extras.keyValues = reader.binary()
    else if (id === 10) extras.sizes = reader.binary()
    else if (id === 11) extras.geospatial = reader.binary()
    else if (id % 2 === 1) offset = reader.i64()
    else {
      const range = { offset, bytes: reader.i64() }
      if (id === 4) extras.columnIndex = range
      else if (id === 6) extras.offsetIndex = range
      else extras.bloomFilter = range
    }
  }
  return extras
}

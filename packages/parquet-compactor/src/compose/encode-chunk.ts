import { CODEC_NUMBERS } from '../codecs/compression.ts'
import { EXTRA, extrasOf } from '../footer/chunk-extras.ts'
import type { FooterTable } from '../footer/footer-table.ts'
import { mergeGeospatial } from '../footer/geospatial.ts'
import { BoundsMerge } from '../footer/merge-bounds.ts'
import { readSizes, sumSizes } from '../footer/size-statistics.ts'
import { isFloat } from '../footer/statistics.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import { CODEC, ENCODING, PAGE, PHYSICAL } from '../format/format.ts'
import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { PageKind } from '../write/finished-chunk.ts'
import { writePageKind, writeSizes, writeStatistics } from '../write/write-chunk-metadata.ts'
import type { NullPages } from './null-pages.ts'

/** Field of ColumnMetaData behind which a stored chunk begins: type, encodings and path are written in the end. */
const PATH_FIELD = 3

/** What the table of a footer has no arrays for. */
export interface ChunkDetails {
  /** pages with their headers before compression, as the footer declares */
  uncompressedBytes: number
  pageKinds: PageKind[]
}

/** What is in `footer/` of a chunk of a file, and its details. */
export interface ComposedChunk {
  table: FooterTable
  chunk: number
  leaf: LeafColumn
  details: ChunkDetails
}

/**
 * Append what the composed footer says of a chunk, from the codec on, without the ends of the structs. Everything is encoded
 * anew: nothing that a file says reaches readers but by the rules for merged files. Left out are page indexes, whose offsets
 * are absolute, key-value metadata of the chunk, and index_page_offset, which no writer has.
 * @param address of the first byte of the file
 */
export function encodeChunk(out: ByteBuffer, { table, chunk, leaf, details }: ComposedChunk, address: number): void {
  const writer = new ThriftWriter(out, PATH_FIELD)
  const values = table.chunkValues[chunk]!
  const bytes = table.chunkBytes[chunk]!
  const offset = address + table.chunkOffset[chunk]!
  const dictionaryBytes = table.chunkDictionaryBytes[chunk]!
  writer.i32(4, table.chunkCodec[chunk]!)
  writer.i64(5, values)
  writer.i64(6, details.uncompressedBytes)
  writer.i64(7, bytes)
  writer.i64(9, offset + dictionaryBytes)
  if (dictionaryBytes > 0) writer.i64(11, offset)
  const extras = extrasOf(table, chunk)
  const bounds = new BoundsMerge(leaf)
  bounds.add(table, chunk)
  const merged = bounds.bounds()
  const { distinct, nans } = extras
  const filled = values - Math.max(0, bounds.nulls)
  writeStatistics(writer, 12, {
    nulls: bounds.nulls,
    nans: isFloat(leaf) && nans <= filled ? nans : -1,
    distinct: distinct <= filled && distinct > 0 === filled > 0 ? distinct : -1,
    min: merged?.min,
    max: merged?.max,
    minIsExact: merged?.minIsExact,
    maxIsExact: merged?.maxIsExact,
    areDeprecated: false,
  })
  if (details.pageKinds.length > 0) {
    writer.list(13, THRIFT.STRUCT, details.pageKinds.length)
    for (const kind of details.pageKinds) writePageKind(writer, kind)
  }
  // without a length nobody knows that it ends in its file; how a BOOLEAN is hashed, the format does not say
  if (extras.bloomFilter && extras.bloomFilter.bytes > 0 && leaf.physical !== PHYSICAL.BOOLEAN) {
    writer.i64(14, address + extras.bloomFilter.offset)
    writer.i32(15, extras.bloomFilter.bytes)
  }
  if (table.chunkExtras[chunk]! & EXTRA.SIZES) {
    const sizes = sumSizes(leaf, [readSizes(new ThriftReader(extras.sizes!))])
    if (sizes) writeSizes(writer, 16, sizes)
  }
  const geospatial = extras.geospatial && mergeGeospatial([extras.geospatial])
  if (geospatial) writer.raw(17, THRIFT.STRUCT, geospatial)
}

/** Append the same for a column that is null in all rows. */
export function encodeNullChunk(out: ByteBuffer, leaf: LeafColumn, rows: number, pages: NullPages): void {
  const writer = new ThriftWriter(out, PATH_FIELD)
  writer.i32(4, CODEC_NUMBERS.none)
  writer.i64(5, rows)
  writer.i64(6, pages.bytes)
  writer.i64(7, pages.bytes)
  writer.i64(9, pages.offset)
  // readers disagree whether an empty list is a null
  if (leaf.maxRepetition === 0) {
    writer.open(12)
    writer.i64(3, rows)
    writer.close()
  }
  writer.list(13, THRIFT.STRUCT, 1)
  writePageKind(writer, { kind: PAGE.DATA, encoding: ENCODING.PLAIN, count: pages.count })
}

/** Bits of `chunkEncodings` for pages of nulls. */
export const NULL_ENCODINGS = (1 << ENCODING.PLAIN) | (1 << ENCODING.RLE)

/** Append a ColumnChunk up to where `encodeChunk` and `encodeNullChunk` go on. @returns the writer, with two structs open */
export function openChunk(out: ByteBuffer, leaf: LeafColumn, encodings: number): ThriftWriter {
  const writer = new ThriftWriter(out)
  writer.open()
  // file_offset, which is deprecated
  writer.i64(2, 0)
  writer.open(3)
  writer.i32(1, leaf.physical)
  const numbers = Object.values(ENCODING).filter((encoding) => encodings & (1 << encoding))
  writer.list(2, THRIFT.I32, numbers.length)
  for (const encoding of numbers) writer.elementI32(encoding)
  writer.raw(PATH_FIELD, THRIFT.LIST, leaf.encodedPath)
  return writer
}

/** Whether pages of the chunk are compressed. */
export function isCompressed(table: FooterTable, chunk: number): boolean {
  return table.chunkCodec[chunk] !== CODEC.UNCOMPRESSED
}

/**
 * Read what the table of a footer has no arrays for.
 * @param metadata  FileMetaData that `readFooter` has checked
 * @param eachChunk is called for each chunk in the order of the footer; its argument is reused
 * @returns created_by
 */
export function readDetails(metadata: Uint8Array, eachChunk: (details: ChunkDetails) => void): Uint8Array {
  const reader: ThriftReader = new ThriftReader(metadata)
  const details: ChunkDetails = { uncompressedBytes: 0, pageKinds: [] }
  let createdBy: Uint8Array = new Uint8Array()
  const readChunk = () => {
    details.pageKinds = []
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 3) readMetadata(reader, details)
      else reader.skip()
    }
    eachChunk(details)
  }
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 4) {
      for (let groups = reader.list(THRIFT.STRUCT); groups > 0; groups--) {
        reader.enterStruct()
        for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
          if (field === 1) for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) readChunk()
          else reader.skip()
        }
      }
    } else if (id === 6) createdBy = reader.binary()
    else reader.skip()
  }
  return createdBy
}

function readMetadata(reader: ThriftReader, details: ChunkDetails): void {
  reader.struct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 6) details.uncompressedBytes = reader.i64()
    else if (id === 13) details.pageKinds = readPageKinds(reader)
    else reader.skip()
  }
}

const ENCODINGS: ReadonlySet<number> = new Set(Object.values(ENCODING))

/** @returns none where one of them is not of the format: readers decide by the whole list */
function readPageKinds(reader: ThriftReader): PageKind[] {
  const kinds: PageKind[] = []
  let areKnown = true
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    const own: PageKind = { kind: -1, encoding: -1, count: -1 }
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) own.kind = reader.i32()
      else if (id === 2) own.encoding = reader.i32()
      else if (id === 3) own.count = reader.i32()
      else reader.skip()
    }
    areKnown &&= own.kind >= PAGE.DATA && own.kind <= PAGE.DATA_V2 && ENCODINGS.has(own.encoding) && own.count >= 0
    if (areKnown) kinds.push(own)
  }
  return areKnown ? kinds : []
}

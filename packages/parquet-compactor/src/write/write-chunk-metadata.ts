import { CODEC_NUMBERS } from '../codecs/compression.ts'
import type { ChunkStatistics } from '../footer/chunk-bounds.ts'
import type { SizeStatistics } from '../footer/size-statistics.ts'
import { ENCODING, PAGE } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import type { ThriftWriter } from '../format/thrift-writer.ts'
import type { FinishedChunk, PageKind } from './finished-chunk.ts'

/**
 * Write the ColumnMetaData struct of a chunk.
 * @param offset       where its pages begin in the file
 * @param filterOffset where its bloom filter begins, if it has one
 */
export function writeChunkMetadata(
  writer: ThriftWriter,
  field: number,
  chunk: FinishedChunk,
  offset: number,
  filterOffset: number,
): void {
  const { leaf, dictionaryBytes } = chunk
  writer.open(field)
  writer.i32(1, leaf.physical)
  const encodings = encodingsOf(chunk)
  writer.list(2, THRIFT.I32, encodings.length)
  for (const encoding of encodings) writer.elementI32(encoding)
  writer.list(3, THRIFT.BINARY, leaf.path.length)
  for (const name of leaf.path) writer.elementBinary(name)
  writer.i32(4, CODEC_NUMBERS[chunk.codec])
  writer.i64(5, chunk.levels)
  writer.i64(6, chunk.uncompressedBytes)
  writer.i64(7, chunk.bytes)
  if (chunk.keyValues) writer.raw(8, THRIFT.LIST, chunk.keyValues)
  writer.i64(9, offset + dictionaryBytes)
  if (dictionaryBytes > 0) writer.i64(11, offset)
  writeStatistics(writer, 12, chunk.statistics)
  writer.list(13, THRIFT.STRUCT, chunk.pageKinds.length + (dictionaryBytes > 0 ? 1 : 0))
  if (dictionaryBytes > 0) writePageKind(writer, { kind: PAGE.DICTIONARY, encoding: ENCODING.PLAIN, count: 1 })
  for (const kind of chunk.pageKinds) writePageKind(writer, kind)
  if (chunk.bloomFilter) {
    writer.i64(14, filterOffset)
    writer.i32(15, chunk.bloomFilter.length)
  }
  if (chunk.sizes) writeSizes(writer, 16, chunk.sizes)
  if (chunk.geospatial) writer.raw(17, THRIFT.STRUCT, chunk.geospatial)
  writer.close()
}

function encodingsOf({ leaf, dictionaryBytes, pageKinds }: FinishedChunk): number[] {
  const encodings = new Set<number>()
  if (leaf.maxDefinition > 0 || leaf.maxRepetition > 0) encodings.add(ENCODING.RLE)
  // the dictionary page is PLAIN
  if (dictionaryBytes > 0) encodings.add(ENCODING.PLAIN)
  for (const { encoding } of pageKinds) encodings.add(encoding)
  return [...encodings]
}

export function writeStatistics(writer: ThriftWriter, field: number, statistics: ChunkStatistics): void {
  const { nulls, nans, distinct, min, max, minIsExact, maxIsExact } = statistics
  const hasBounds = min !== undefined && max !== undefined
  if (nulls < 0 && nans < 0 && distinct < 0 && !hasBounds) return
  writer.open(field)
  if (nulls >= 0) writer.i64(3, nulls)
  if (distinct >= 0) writer.i64(4, distinct)
  if (hasBounds) {
    writer.binary(5, max)
    writer.binary(6, min)
    if (maxIsExact !== undefined) writer.boolean(7, maxIsExact)
    if (minIsExact !== undefined) writer.boolean(8, minIsExact)
  }
  if (nans >= 0) writer.i64(9, nans)
  writer.close()
}

export function writePageKind(writer: ThriftWriter, { kind, encoding, count }: PageKind): void {
  writer.open()
  writer.i32(1, kind)
  writer.i32(2, encoding)
  writer.i32(3, count)
  writer.close()
}

export function writeSizes(writer: ThriftWriter, field: number, sizes: SizeStatistics): void {
  const histogram = (id: number, counts: readonly number[] | undefined) => {
    if (!counts) return
    writer.list(id, THRIFT.I64, counts.length)
    for (const count of counts) writer.elementI64(count)
  }
  writer.open(field)
  if (sizes.unencodedBytes !== undefined) writer.i64(1, sizes.unencodedBytes)
  histogram(2, sizes.repetition)
  histogram(3, sizes.definition)
  writer.close()
}

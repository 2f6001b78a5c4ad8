import { CODEC, ENCODING } from '../format/format.ts'
import { THRIFT, type ThriftReader } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { readEncodingStats, readStatistics } from './chunk-bounds.ts'
import { type ChunkExtras, NO_EXTRAS, type Range } from './chunk-extras.ts'
import { MAX_VALUES_PER_BYTE } from './declared-work.ts'
import type { FooterTable } from './footer-table.ts'
import { readGeospatial } from './geospatial.ts'
import { readKeyValue } from './read-key-value.ts'
import { readSizes } from './size-statistics.ts'

/** Read a ColumnChunk, the next one of the row group, into the table. */
export function readChunk(reader: ThriftReader, leaf: LeafColumn, dataEnd: number, table: FooterTable): void {
  const { name } = leaf
  const chunk = table.beginChunk()
  let isFound = false
  let extras: ChunkExtras | undefined
  let [columnIndexAt, columnIndexBytes, offsetIndexAt, offsetIndexBytes] = [0, 0, 0, 0]
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) {
      if (reader.binary().length > 0) reader.fail(`column ${name} is in another file`)
    } else if (id === 3) {
      if (isFound) reader.fail(`column ${name} has its metadata twice`)
      isFound = true
      extras = readChunkMetadata(reader, leaf, dataEnd, table, chunk)
    } else if (id === 4) offsetIndexAt = reader.i64()
    else if (id === 5) offsetIndexBytes = reader.i32()
    else if (id === 6) columnIndexAt = reader.i64()
    else if (id === 7) columnIndexBytes = reader.i32()
    else if (id === 8 || id === 9) {
      throw new ParquetError('encrypted', `column ${name} is encrypted`, { column: name })
    } else {
      reader.skip()
    }
  }
  if (!isFound) reader.fail(`column ${name} has no metadata`)
  if (table.chunkValues[chunk] === 0) {
    table.addChunk(undefined)
    return
  }
  if (columnIndexBytes !== 0) {
    extras ??= { ...NO_EXTRAS }
    extras.columnIndex = placed(columnIndexAt, columnIndexBytes, 'column index')
  }
  if (offsetIndexBytes !== 0) {
    extras ??= { ...NO_EXTRAS }
    extras.offsetIndex = placed(offsetIndexAt, offsetIndexBytes, 'offset index')
  }
  if (extras?.bloomFilter?.bytes) placed(extras.bloomFilter.offset, extras.bloomFilter.bytes, 'bloom filter')
  table.addChunk(extras)

  function placed(offset: number, bytes: number, what: string): Range {
    if (offset < 4 || bytes < 0 || offset + bytes > dataEnd) {
      reader.fail(
        `the ${what} of column ${name} has ${bytes} bytes at ${offset} in a file of ${dataEnd} before the footer`,
      )
    }
    return { offset, bytes }
  }
}

/** @returns what the table has no arrays for */
function readChunkMetadata(
  reader: ThriftReader,
  leaf: LeafColumn,
  dataEnd: number,
  table: FooterTable,
  chunk: number,
): ChunkExtras | undefined {
  let [physical, codec, values, uncompressed, compressed, dataOffset, dictionaryOffset] = [-1, -1, -1, -1, -1, -1, 0]
  let encodings = 0
  let counts: ReturnType<typeof readStatistics>
  let extras: ChunkExtras | undefined
  let [filterAt, filterBytes] = [0, 0]
  reader.struct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) physical = reader.i32()
    else if (id === 2) encodings = readEncodings(reader)
    else if (id === 3) checkPath(reader, leaf)
    else if (id === 4) codec = reader.i32()
    else if (id === 5) values = reader.i64()
    else if (id === 6) uncompressed = reader.i64()
    else if (id === 7) compressed = reader.i64()
    else if (id === 9) dataOffset = reader.i64()
    else if (id === 11) dictionaryOffset = reader.i64()
    else if (id === 12) counts = readStatistics(reader, table, chunk)
    else if (id === 13) readEncodingStats(reader, table, chunk)
    else if (id === 14) filterAt = reader.i64()
    else if (id === 15) filterBytes = reader.i32()
    else if (id === 8 || id === 16 || id === 17) {
      extras ??= { ...NO_EXTRAS }
      if (id === 8) extras.keyValues = readRawKeyValues(reader)
      else if (id === 16) extras.sizes = readRaw(reader, 'size', readSizes)
      else extras.geospatial = readRaw(reader, 'geospatial', readGeospatial)
    } else reader.skip()
  }
  if (physical !== leaf.physical) reader.fail(`column ${leaf.name} has physical type ${physical}, not ${leaf.physical}`)
  if (codec < 0 || codec > CODEC.LZ4_RAW) reader.fail(`column ${leaf.name} has an unknown codec`)
  if (values < 0 || uncompressed < 0 || compressed < 0)
    reader.fail(`column ${leaf.name} has a size missing or negative`)
  if (values > compressed * MAX_VALUES_PER_BYTE) {
    const detail = `column ${leaf.name}: ${values} values in ${compressed} bytes`
    throw new ParquetError('over_limit', `${detail}, where ${MAX_VALUES_PER_BYTE} a byte are allowed`, {
      column: leaf.name,
    })
  }
  // some writers leave 0 where there is no dictionary page
  const offset = dictionaryOffset > 0 && dictionaryOffset < dataOffset ? dictionaryOffset : dataOffset
  // where a chunk without values would be does not matter, and Arrow writes 0
  if (values === 0) {
    table.chunkCodec[chunk] = codec
    table.chunkValues[chunk] = 0
    return undefined
  }
  // Readers disagree which of the two offsets such a chunk begins at.
  if (dictionaryOffset > dataOffset)
    reader.fail(`column ${leaf.name} has its dictionary at ${dictionaryOffset}, behind its data at ${dataOffset}`)
  if (offset < 4) reader.fail(`column ${leaf.name} begins at ${offset}`)
  if (dataOffset >= offset + compressed) reader.fail(`column ${leaf.name} has its data pages past its end`)
  if (offset + compressed > dataEnd) {
    reader.fail(`column ${leaf.name} ends at ${offset + compressed}, past the data area, which ends at ${dataEnd}`)
  }
  if (counts || filterAt > 0) {
    extras ??= { ...NO_EXTRAS }
    if (counts) Object.assign(extras, counts)
    if (filterAt > 0) extras.bloomFilter = { offset: filterAt, bytes: filterBytes }
  }
  // some writers name the dictionary page as the first data page, and only the encodings tell
  const mayHaveDictionary = (encodings & ((1 << ENCODING.PLAIN_DICTIONARY) | (1 << ENCODING.RLE_DICTIONARY))) !== 0
  table.chunkOffset[chunk] = offset
  table.chunkBytes[chunk] = compressed
  table.chunkValues[chunk] = values
  table.values += values
  // some writers declare no more than the compressed length
  table.uncompressedBytes += Math.max(uncompressed, compressed)
  table.chunkCodec[chunk] = codec
  table.chunkEncodings[chunk] = encodings
  table.chunkHasDictionary[chunk] = offset < dataOffset || mayHaveDictionary ? 1 : 0
  table.chunkDictionaryBytes[chunk] = Math.max(0, dataOffset - offset)
  return extras
}

/** Values that are carried as they are encoded are read all the same, so that a malformed one is found here. */
function readRawKeyValues(reader: ThriftReader): Uint8Array {
  const start = reader.offset
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) readKeyValue(reader)
  return reader.bytes.subarray(start, reader.offset)
}

function readRaw(reader: ThriftReader, what: string, read: (reader: ThriftReader) => unknown): Uint8Array {
  const start = reader.offset
  if (reader.fieldType !== THRIFT.STRUCT) reader.fail(`${what} statistics that are no struct`)
  read(reader)
  return reader.bytes.subarray(start, reader.offset)
}

function readEncodings(reader: ThriftReader): number {
  let encodings = 0
  for (let left = reader.list(THRIFT.I32); left > 0; left--) {
    const encoding = reader.elementI32()
    encodings |= 1 << (encoding >= 0 && encoding < 15 ? encoding : 15)
  }
  return encodings
}

function checkPath(reader: ThriftReader, { path, encodedPath, name }: LeafColumn): void {
  if (reader.fieldType === THRIFT.LIST && reader.skipIfEqual(encodedPath)) return
  // it may be encoded in another way
  const size = reader.list(THRIFT.BINARY)
  let same = size === path.length
  for (let i = 0; i < size; i++) {
    const part = reader.elementBinary()
    const wanted = path[i]
    same &&= wanted !== undefined && part.length === wanted.length && part.every((byte, at) => byte === wanted[at])
  }
  if (!same) reader.fail(`the chunk in the place of column ${name} has another path`)
}

import { CODEC, ENCODING, MAGIC, MAGIC_ENCRYPTED, uint32At } from '../format/format.ts'
import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import { type LeafColumn, nameText, readSchema, type Schema } from '../schema/schema.ts'
import type { ColumnAdaptation } from './adapt-footer.ts'
import { ChunkBounds, NO_STATISTICS, type PackedBounds, readEncodingStats, readStatistics } from './chunk-bounds.ts'
import { type ChunkExtras, ExtrasPacker, NO_EXTRAS, type PackedExtras, type Range } from './chunk-extras.ts'
import { readGeospatial } from './geospatial.ts'
import { readSizes } from './size-statistics.ts'
import { readSortingColumn, type SortingColumns } from './sorting-columns.ts'

/** "PAR1", the length of the metadata, "PAR1": the least a Parquet file has. */
export const MIN_FILE_BYTES = 12
/** length of the metadata and "PAR1", at the end of the file */
export const TAIL_BYTES = 8

/**
 * A checked footer. Numbers of column chunks are in typed arrays, `leaves` entries a row group: with objects, thousands
 * of small files would not fit in a Worker.
 */
export interface Footer extends PackedBounds, PackedExtras {
  schema: Schema
  rowCount: number
  rowGroupCount: number
  /** bytes of metadata, length and magic */
  footerBytes: number
  rowsOfGroup: Float64Array
  /** first byte of the chunk, its dictionary page included */
  chunkOffset: Float64Array
  chunkBytes: Float64Array
  /** levels in the chunk: values, nulls and empty lists */
  chunkValues: Float64Array
  chunkCodec: Uint8Array
  /** nulls by the statistics; -1 where they do not say */
  chunkNulls: Float64Array
  /** bit e stands for encoding e of the chunk, bit 15 for any that is not known */
  chunkEncodings: Uint16Array
  /** data pages by the encoding statistics; 0 where there are none */
  chunkPages: Uint32Array
  /** page versions by the encoding statistics: bit 0 for version 1, bit 1 for version 2 */
  chunkVersions: Uint8Array
  /** 1 where the chunk has a dictionary page */
  chunkHasDictionary: Uint8Array
  /** bytes of the chunk before its first data page, as far as the footer tells */
  chunkDictionaryBytes: Float64Array
  /** SortingColumn lists of the row groups as they are encoded; undefined where there is none */
  sortingOfGroup: (SortingColumns | undefined)[]
  /** whether bounds of byte arrays and unsigned numbers are in the order of the type */
  boundsHaveOrder: boolean
  keyValues: { key: Uint8Array; value: Uint8Array | undefined }[]
  /** where the file has another schema than `schema`: its own footer, and how the columns that differ are read */
  adapted?: { source: Footer; columns: readonly (ColumnAdaptation | undefined)[] }
}

/**
 * @param tail the last 8 bytes of the file or more
 * @returns bytes of the footer: metadata, length and magic
 * @throws ParquetError `not_parquet`, `encrypted`, or `bad_footer` when it would not fit in the file
 */
export function footerLength(fileLength: number, tail: Uint8Array): number {
  if (fileLength === 0) throw new ParquetError('not_parquet', 'the file is empty')
  if (fileLength < MIN_FILE_BYTES) throw new ParquetError('not_parquet', `a file of ${fileLength} bytes is too short`)
  if (tail.byteLength < TAIL_BYTES)
    throw new ParquetError('bad_option', `a tail of ${tail.byteLength} bytes is too short`)
  const magic = uint32At(tail, tail.byteLength - 4)
  if (magic === MAGIC_ENCRYPTED) throw new ParquetError('encrypted', 'the footer is encrypted')
  if (magic !== MAGIC) throw new ParquetError('not_parquet', 'the file does not end with PAR1')
  const length = uint32At(tail, tail.byteLength - TAIL_BYTES) + TAIL_BYTES
  if (length > fileLength - 4) {
    throw new ParquetError('bad_footer', `a footer of ${length} bytes in a file of ${fileLength}`)
  }
  return length
}

/**
 * Parse and check a footer.
 * @param footer exactly the last `footerLength` bytes of the file
 * @param known  a schema that this one may be, element by element: then it is not read again
 * @throws ParquetError `bad_footer` or `encrypted`
 */
export function readFooter(fileLength: number, footer: Uint8Array, known?: Schema): Footer {
  const dataEnd = fileLength - footer.byteLength
  const reader: ThriftReader = new ThriftReader(footer, 0, footer.byteLength - TAIL_BYTES, dataEnd)
  let schema: Schema | undefined
  let rowCount: number | undefined
  let groups: RowGroups | undefined
  const keyValues: Footer['keyValues'] = []
  let createdBy = ''
  let orders: boolean | undefined
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 2) {
      if (schema) reader.fail('two schemas')
      schema = readSchema(reader, known)
    } else if (id === 3) {
      rowCount = reader.i64()
    } else if (id === 4) {
      if (groups) reader.fail('two lists of row groups')
      if (!schema) reader.fail('row groups before the schema')
      groups = readRowGroups(reader, schema, dataEnd)
    } else if (id === 5) {
      for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) keyValues.push(readKeyValue(reader))
    } else if (id === 6) {
      createdBy = nameText(reader.binary())
    } else if (id === 7) {
      orders = readColumnOrders(reader)
    } else if (id === 8) {
      throw new ParquetError('encrypted', 'the file has encrypted columns')
    } else {
      reader.skip()
    }
  }
  if (!schema) reader.fail('no schema')
  if (!groups) reader.fail('no row groups')
  if (rowCount === undefined || rowCount < 0) reader.fail('num_rows missing or negative')
  const rowsInGroups = groups.rows.reduce((sum, rows) => sum + rows, 0)
  if (rowsInGroups !== rowCount) {
    throw new ParquetError('bad_footer', `num_rows is ${rowCount} but the row groups have ${rowsInGroups}`)
  }
  return {
    schema,
    rowCount,
    rowGroupCount: groups.rows.length,
    footerBytes: footer.byteLength,
    ...packChunks(groups),
    // DuckDB leaves the orders out and yet keeps to them
    boundsHaveOrder: orders ?? createdBy.startsWith('DuckDB'),
    keyValues,
  }
}

/** All numbers of a footer in one buffer, widest first: a buffer for each array would weigh more than what is in it. */
function packChunks(groups: RowGroups) {
  const chunks = groups.values.length
  const bounds = groups.bounds.finish()
  const extras = groups.extras.finish()
  const wideBytes = 8 * (groups.rows.length + 5 * chunks)
  const mediumBytes = 4 * (chunks + bounds.at.length + extras.at.length)
  const buffer = new ArrayBuffer(wideBytes + mediumBytes + 7 * chunks + bounds.bytes.length + extras.bytes.length)
  let at = 0
  const place = <View extends ArrayBufferView & { set(values: ArrayLike<number>): void }>(
    type: new (buffer: ArrayBuffer, offset: number, length: number) => View,
    values: ArrayLike<number>,
  ): View => {
    const view = new type(buffer, at, values.length)
    view.set(values)
    at += view.byteLength
    return view
  }
  return {
    rowsOfGroup: place(Float64Array, groups.rows),
    chunkOffset: place(Float64Array, groups.offset),
    chunkBytes: place(Float64Array, groups.bytes),
    chunkValues: place(Float64Array, groups.values),
    chunkNulls: place(Float64Array, groups.nulls),
    chunkDictionaryBytes: place(Float64Array, groups.dictionaryBytes),
    chunkPages: place(Uint32Array, groups.pages),
    boundsAt: place(Uint32Array, bounds.at),
    extrasAt: place(Uint32Array, extras.at),
    chunkEncodings: place(Uint16Array, groups.encodings),
    chunkCodec: place(Uint8Array, groups.codec),
    chunkVersions: place(Uint8Array, groups.versions),
    chunkHasDictionary: place(Uint8Array, groups.hasDictionary),
    boundsState: place(Uint8Array, bounds.state),
    chunkExtras: place(Uint8Array, extras.has),
    boundsBytes: place(Uint8Array, bounds.bytes),
    extrasBytes: place(Uint8Array, extras.bytes),
    sortingOfGroup: groups.sorting,
  }
}

interface RowGroups {
  rows: number[]
  offset: number[]
  bytes: number[]
  values: number[]
  codec: number[]
  nulls: number[]
  encodings: number[]
  pages: number[]
  versions: number[]
  hasDictionary: number[]
  dictionaryBytes: number[]
  bounds: ChunkBounds
  extras: ExtrasPacker
  /** empty where no row group has a list */
  sorting: (SortingColumns | undefined)[]
}

/** @returns whether every column has the order of its type, which is the first of the union ColumnOrder */
function readColumnOrders(reader: ThriftReader): boolean {
  let areKnown = true
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id !== 1) areKnown = false
      reader.skip()
    }
  }
  return areKnown
}

function readRowGroups(reader: ThriftReader, schema: Schema, dataEnd: number): RowGroups {
  const groups: RowGroups = {
    rows: [],
    offset: [],
    bytes: [],
    values: [],
    codec: [],
    nulls: [],
    encodings: [],
    pages: [],
    versions: [],
    hasDictionary: [],
    dictionaryBytes: [],
    bounds: new ChunkBounds(),
    extras: new ExtrasPacker(),
    sorting: [],
  }
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) {
    const firstChunk = groups.values.length
    let rows: number | undefined
    let chunks = -1
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) {
        if (chunks >= 0) reader.fail('two lists of columns')
        chunks = reader.list(THRIFT.STRUCT)
        if (chunks !== schema.leaves.length) {
          reader.fail(`a row group has ${chunks} column chunks, the schema ${schema.leaves.length} leaves`)
        }
        for (let column = 0; column < chunks; column++) readChunk(reader, schema, column, dataEnd, groups)
      } else if (id === 3) {
        rows = reader.i64()
      } else if (id === 4) {
        groups.sorting[groups.rows.length] = readSorting(reader, schema.leaves.length)
      } else {
        reader.skip()
      }
    }
    if (chunks < 0) reader.fail('a row group without columns')
    if (rows === undefined || rows < 0) reader.fail('num_rows of a row group missing or negative')
    for (let column = 0; column < chunks; column++) {
      const values = groups.values[firstChunk + column]!
      const { maxRepetition, name } = schema.leaves[column]!
      if (maxRepetition === 0 ? values !== rows : values < rows) {
        reader.fail(`column ${name} has ${values} values in a row group of ${rows} rows`)
      }
    }
    groups.rows.push(rows)
  }
  // also keeps a small file from naming the same bytes many times over
  const total = groups.bytes.reduce((sum, bytes) => sum + bytes, 0)
  if (total > dataEnd) reader.fail(`column chunks of ${total} bytes in ${dataEnd} bytes of data`)
  return groups
}

function readChunk(reader: ThriftReader, schema: Schema, column: number, dataEnd: number, into: RowGroups): void {
  const { name } = schema.leaves[column]!
  let extras: ChunkExtras | undefined
  let [columnIndexAt, columnIndexBytes, offsetIndexAt, offsetIndexBytes] = [0, 0, 0, 0]
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) {
      if (reader.binary().length > 0) reader.fail(`column ${name} is in another file`)
    } else if (id === 3) {
      if (extras) reader.fail(`column ${name} has its metadata twice`)
      extras = readChunkMetadata(reader, schema, column, dataEnd, into)
    } else if (id === 4) offsetIndexAt = reader.i64()
    else if (id === 5) offsetIndexBytes = reader.i32()
    else if (id === 6) columnIndexAt = reader.i64()
    else if (id === 7) columnIndexBytes = reader.i32()
    else if (id === 8 || id === 9) {
      throw new ParquetError('encrypted', `column ${name} is encrypted`)
    } else {
      reader.skip()
    }
  }
  if (!extras) reader.fail(`column ${name} has no metadata`)
  if (columnIndexBytes !== 0) extras.columnIndex = placed(columnIndexAt, columnIndexBytes, 'column index')
  if (offsetIndexBytes !== 0) extras.offsetIndex = placed(offsetIndexAt, offsetIndexBytes, 'offset index')
  if (extras.bloomFilter?.bytes) placed(extras.bloomFilter.offset, extras.bloomFilter.bytes, 'bloom filter')
  into.extras.add(extras)

  function placed(offset: number, bytes: number, what: string): Range {
    if (offset < 4 || bytes < 0 || offset + bytes > dataEnd) {
      reader.fail(
        `the ${what} of column ${name} has ${bytes} bytes at ${offset} in a file of ${dataEnd} before the footer`,
      )
    }
    return { offset, bytes }
  }
}

function readChunkMetadata(
  reader: ThriftReader,
  schema: Schema,
  column: number,
  dataEnd: number,
  into: RowGroups,
): ChunkExtras {
  const leaf = schema.leaves[column]!
  let [physical, codec, values, uncompressed, compressed, dataOffset, dictionaryOffset] = [-1, -1, -1, -1, -1, -1, 0]
  let encodings = 0
  let statistics = NO_STATISTICS
  let pages = { pages: 0, versions: 0 }
  const extras = { ...NO_EXTRAS }
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
    else if (id === 8) extras.keyValues = readRawKeyValues(reader)
    else if (id === 9) dataOffset = reader.i64()
    else if (id === 11) dictionaryOffset = reader.i64()
    else if (id === 12) statistics = readStatistics(reader)
    else if (id === 13) pages = readEncodingStats(reader)
    else if (id === 14) filterAt = reader.i64()
    else if (id === 15) filterBytes = reader.i32()
    else if (id === 16) extras.sizes = readRawSizes(reader)
    else if (id === 17) extras.geospatial = readRawGeospatial(reader)
    else reader.skip()
  }
  if (physical !== leaf.physical) reader.fail(`column ${leaf.name} has physical type ${physical}, not ${leaf.physical}`)
  if (codec < 0 || codec > CODEC.LZ4_RAW) reader.fail(`column ${leaf.name} has an unknown codec`)
  if (values < 0 || uncompressed < 0 || compressed < 0)
    reader.fail(`column ${leaf.name} has a size missing or negative`)
  // some writers leave 0 where there is no dictionary page
  const offset = dictionaryOffset > 0 && dictionaryOffset < dataOffset ? dictionaryOffset : dataOffset
  if (compressed > 0 || values > 0) {
    if (offset < 4) reader.fail(`column ${leaf.name} begins at ${offset}`)
    if (dataOffset >= offset + compressed) reader.fail(`column ${leaf.name} has its data pages past its end`)
    if (offset + compressed > dataEnd) {
      reader.fail(`column ${leaf.name} ends at ${offset + compressed}, past the data area, which ends at ${dataEnd}`)
    }
  }
  into.offset.push(offset)
  into.bytes.push(compressed)
  into.values.push(values)
  into.codec.push(codec)
  into.nulls.push(statistics.nulls)
  into.encodings.push(encodings)
  into.pages.push(pages.pages)
  into.versions.push(pages.versions)
  // some writers name the dictionary page as the first data page, and only the encodings tell
  const mayHaveDictionary = (encodings & ((1 << ENCODING.PLAIN_DICTIONARY) | (1 << ENCODING.RLE_DICTIONARY))) !== 0
  into.hasDictionary.push(offset < dataOffset || mayHaveDictionary ? 1 : 0)
  into.dictionaryBytes.push(Math.max(0, dataOffset - offset))
  into.bounds.add(statistics)
  extras.distinct = statistics.distinct
  extras.nans = statistics.nans
  if (filterAt > 0) extras.bloomFilter = { offset: filterAt, bytes: filterBytes }
  return extras
}

/** Values that are carried as they are encoded are read all the same, so that a malformed one is found here. */
function readRawKeyValues(reader: ThriftReader): Uint8Array {
  const start = reader.offset
  for (let left = reader.list(THRIFT.STRUCT); left > 0; left--) readKeyValue(reader)
  return reader.bytes.subarray(start, reader.offset)
}

function readRawSizes(reader: ThriftReader): Uint8Array {
  const start = reader.offset
  if (reader.fieldType !== THRIFT.STRUCT) reader.fail('size statistics that are no struct')
  readSizes(reader)
  return reader.bytes.subarray(start, reader.offset)
}

function readRawGeospatial(reader: ThriftReader): Uint8Array {
  const start = reader.offset
  if (reader.fieldType !== THRIFT.STRUCT) reader.fail('geospatial statistics that are no struct')
  readGeospatial(reader)
  return reader.bytes.subarray(start, reader.offset)
}

function readSorting(reader: ThriftReader, columns: number): SortingColumns {
  const count = reader.list(THRIFT.STRUCT)
  const start = reader.offset
  for (let left = count; left > 0; left--) {
    const { column } = readSortingColumn(reader)
    if (column < 0 || column >= columns) reader.fail(`rows sorted by column ${column} of ${columns}`)
  }
  return { count, elements: reader.bytes.slice(start, reader.offset) }
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

function readKeyValue(reader: ThriftReader): Footer['keyValues'][number] {
  let key: Uint8Array | undefined
  let value: Uint8Array | undefined
  reader.enterStruct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id === 1) key = reader.binary().slice()
    else if (id === 2) value = reader.binary().slice()
    else reader.skip()
  }
  if (!key) reader.fail('key-value metadata without a key')
  return { key, value }
}

export function keyText(key: Uint8Array): string {
  return nameText(key)
}

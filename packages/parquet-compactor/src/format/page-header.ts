import { ParquetError, type ParquetErrorCode } from '../parquet-error.ts'
import { PAGE } from './format.ts'
import { ThriftReader } from './thrift-reader.ts'

/** A parsed page header. Fields that a kind of page lacks are 0. */
export interface PageHeader {
  /** number in `PAGE` */
  kind: number
  uncompressedBytes: number
  compressedBytes: number
  crc: number | undefined
  /** levels of a data page, entries of a dictionary page */
  values: number
  /** number in `ENCODING` */
  encoding: number
  definitionEncoding: number
  repetitionEncoding: number
  /** version 2 only: levels stand outside the compressed part */
  /** as the writer counted them: some count too few, or write -1; levels are authoritative */
  nulls: number
  rows: number
  definitionBytes: number
  repetitionBytes: number
  isCompressed: boolean
  /** length of the header itself */
  headerBytes: number
}

/**
 * @param place of the first of `bytes` in the file, for messages
 * @throws ParquetError `corrupt_data`
 */
export function readPageHeader(bytes: Uint8Array, offset: number, place = 0): PageHeader {
  const header: PageHeader = {
    kind: -1,
    uncompressedBytes: -1,
    compressedBytes: -1,
    crc: undefined,
    values: 0,
    encoding: 0,
    definitionEncoding: 3,
    repetitionEncoding: 3,
    nulls: 0,
    rows: 0,
    definitionBytes: 0,
    repetitionBytes: 0,
    isCompressed: true,
    headerBytes: 0,
  }
  const reader: ThriftReader = new ThriftReader(bytes, offset, bytes.length, place)
  let details = -1
  let detailFields = 0
  try {
    reader.enterStruct()
    for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
      if (id === 1) header.kind = reader.i32()
      else if (id === 2) header.uncompressedBytes = reader.i32()
      else if (id === 3) header.compressedBytes = reader.i32()
      else if (id === 4) header.crc = reader.i32() >>> 0
      else if (id === 5 || id === 7 || id === 8) {
        details = id
        detailFields = readDetails(reader, id, header)
      } else reader.skip()
    }
  } catch (cause) {
    const detail = cause instanceof ParquetError ? cause.detail : String(cause)
    throw new ParquetError('corrupt_data', `page header: ${detail}`, { cause })
  }
  header.headerBytes = reader.offset - offset
  const expected =
    header.kind === PAGE.DATA ? 5 : header.kind === PAGE.DICTIONARY ? 7 : header.kind === PAGE.DATA_V2 ? 8 : -1
  if (header.uncompressedBytes < 0 || header.compressedBytes < 0) corrupt('page header without sizes')
  if (details !== expected && header.kind !== PAGE.INDEX) corrupt(`page of kind ${header.kind} without its header`)
  if (details >= 0 && (detailFields & REQUIRED[details]!) !== REQUIRED[details])
    corrupt(`page of kind ${header.kind} without a field that it must have`)
  if (header.values < 0) corrupt('page header with wrong counts')
  if (header.definitionBytes < 0 || header.repetitionBytes < 0) corrupt('page header with negative lengths')
  const levelBytes = header.definitionBytes + header.repetitionBytes
  if (levelBytes > header.compressedBytes || levelBytes > header.uncompressedBytes)
    corrupt('levels longer than their page')
  return header
}

/** Fields that parquet.thrift requires in the header of each kind of page, by its field: bit n stands for field n. */
const REQUIRED: Readonly<Record<number, number>> = { 5: 0b11110, 7: 0b110, 8: 0b1111110 }

/** @returns the fields that were there, as bits */
function readDetails(reader: ThriftReader, kind: number, header: PageHeader): number {
  let fields = 0
  reader.struct()
  for (let id = reader.nextField(); id !== 0; id = reader.nextField()) {
    if (id < 8) fields |= 1 << id
    if (id === 1) header.values = reader.i32()
    else if (kind === 8) {
      if (id === 2) header.nulls = reader.i32()
      else if (id === 3) header.rows = reader.i32()
      else if (id === 4) header.encoding = reader.i32()
      else if (id === 5) header.definitionBytes = reader.i32()
      else if (id === 6) header.repetitionBytes = reader.i32()
      else if (id === 7) header.isCompressed = reader.boolean()
      else reader.skip()
    } else if (id === 2) header.encoding = reader.i32()
    else if (kind === 5 && id === 3) header.definitionEncoding = reader.i32()
    else if (kind === 5 && id === 4) header.repetitionEncoding = reader.i32()
    else reader.skip()
  }
  return fields
}

export function corrupt(detail: string): never {
  throw new ParquetError('corrupt_data', detail)
}

/** Say where in the file the page begins that failed. */
export function atPage(error: unknown, offset: number): unknown {
  const isNamed = !(error instanceof ParquetError) || !PAGE_ERRORS.has(error.code) || error.pageOffset !== undefined
  return isNamed ? error : error.at(`page at byte ${offset}`, { pageOffset: offset })
}

const PAGE_ERRORS = new Set<ParquetErrorCode>(['corrupt_data', 'page_too_large', 'unsupported_column'])

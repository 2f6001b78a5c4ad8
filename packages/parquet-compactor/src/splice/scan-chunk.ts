import type { Codecs } from '../codecs/codec.ts'
import { checkSnappyLength, decompress } from '../codecs/compression.ts'
import { checkZstdFrame } from '../codecs/zstd-frame.ts'
import { checksum } from '../format/checksum.ts'
import { CODEC, ENCODING, PAGE, PHYSICAL, uint32At } from '../format/format.ts'
import { bitWidth, decodeHybridRuns, isOneRun } from '../format/hybrid-runs.ts'
import { atPage, corrupt, type PageHeader, readPageHeader } from '../format/page-header.ts'
import { ParquetError } from '../parquet-error.ts'
import type { PlanReason } from '../plan/plan-merge.ts'
import type { ChunkPlace } from '../read/chunk-reader.ts'
import { checkLevels, checkNesting, countValues, readLevels } from '../read/chunk-reader.ts'
import type { LeafColumn } from '../schema/schema.ts'

/** A page of a chunk that is in memory. */
export interface ScannedPage {
  header: PageHeader
  /** header and body */
  bytes: Uint8Array
  body: Uint8Array
  /** where it begins in its file; left out where it was rewritten */
  offset?: number
  /** rows of a data page; left out where it begins within one */
  rows?: number
}

export interface ScannedChunk {
  dictionary: ScannedPage | undefined
  /** data pages that hold levels; empty ones and index pages are left out */
  pages: ScannedPage[]
}

/** Why a chunk cannot be spliced, though it may be sound; decoding it will tell. */
export class NotSpliceable {
  readonly reason: PlanReason
  constructor(reason: PlanReason) {
    this.reason = reason
  }
}

/** Pages that pass are held as objects; a column chunk of the output with more, as only tiny pages make, is rewritten. */
export const MAX_SPLICED_PAGES = 16_384

/**
 * Walk the page headers of a chunk. No page is decompressed, but that of nested columns in version 1, whose rows nothing
 * else tells: one row too many in a chunk would shift the rows of all chunks behind it.
 * @param bytes        exactly the chunk
 * @param maxPageBytes bound on what any page may declare
 * @throws ParquetError `corrupt_data`, `page_too_large`, `row_count_mismatch` where chunk and footer contradict
 */
export async function scanChunk(
  bytes: Uint8Array,
  leaf: LeafColumn,
  place: ChunkPlace,
  rows: number,
  codecs: Codecs,
  maxPageBytes: number,
): Promise<ScannedChunk | NotSpliceable> {
  const walk = { at: 0 }
  try {
    return await walkPages(bytes, leaf, place, rows, codecs, maxPageBytes, walk)
  } catch (error) {
    throw atPage(error, place.offset + walk.at)
  }
}

/** @param walk `at` is where the page in hand begins in the chunk */
async function walkPages(
  bytes: Uint8Array,
  leaf: LeafColumn,
  place: ChunkPlace,
  rows: number,
  codecs: Codecs,
  maxPageBytes: number,
  walk: { at: number },
): Promise<ScannedChunk | NotSpliceable> {
  const pages: ScannedPage[] = []
  let dictionary: ScannedPage | undefined
  let values = 0
  let rowsSeen = 0
  for (let at = 0; values < place.values; ) {
    walk.at = at
    if (at >= bytes.length) corrupt('the pages end before the values the footer names')
    const header = readPageHeader(bytes, at, place.offset)
    const start = at + header.headerBytes
    const end = start + header.compressedBytes
    if (end > bytes.length) corrupt(`a page of ${header.compressedBytes} bytes exceeds its chunk`)
    if (Math.max(header.uncompressedBytes, header.compressedBytes) > maxPageBytes) {
      throw new ParquetError('page_too_large', `a page declares ${header.uncompressedBytes} bytes`)
    }
    const offset = place.offset + at
    const page: ScannedPage = { header, bytes: bytes.subarray(at, end), body: bytes.subarray(start, end), offset }
    at = end
    if (header.kind === PAGE.INDEX) continue
    if (header.crc !== undefined && checksum(page.body) !== header.crc) corrupt('the checksum of a page does not match')
    if (header.kind === PAGE.DICTIONARY) {
      if (dictionary || pages.length > 0) return new NotSpliceable('page_order')
      if (header.encoding !== ENCODING.PLAIN && header.encoding !== ENCODING.PLAIN_DICTIONARY) {
        return new NotSpliceable('unknown_encoding')
      }
      // readers make room for as many entries as it names
      const leastBytes = leaf.physical === PHYSICAL.BOOLEAN ? 1 / 8 : leaf.width || 4
      if (header.values * leastBytes > header.uncompressedBytes) {
        corrupt(`a dictionary of ${header.values} entries in ${header.uncompressedBytes} bytes`)
      }
      checkBody(place.codec, page.body, header.uncompressedBytes)
      dictionary = page
      continue
    }
    if (header.values === 0) continue
    if (!passes(header, leaf, dictionary !== undefined)) return new NotSpliceable('unknown_encoding')
    const levelBytes = header.definitionBytes + header.repetitionBytes
    checkBody(
      header.isCompressed ? place.codec : CODEC.UNCOMPRESSED,
      page.body.subarray(levelBytes),
      header.uncompressedBytes - levelBytes,
    )
    values += header.values
    // readers that allocate by `num_nulls` would stumble over a page that passes with a wrong one
    if (header.kind === PAGE.DATA_V2) {
      const nulls = countNulls(page, leaf, maxPageBytes)
      if (header.nulls > nulls) corrupt(`a page of ${nulls} nulls declares ${header.nulls}`)
      if (header.nulls < nulls) return new NotSpliceable('unexpected_pages')
    }
    if (leaf.maxRepetition === 0) {
      page.rows = header.values
      rowsSeen += header.values
    } else {
      const counted = await countRows(page, leaf, place, codecs, pages.length === 0, maxPageBytes)
      if (counted.hasSurplus) return new NotSpliceable('unexpected_pages')
      if (counted.isWhole) page.rows = counted.rows
      rowsSeen += counted.rows
    }
    pages.push(page)
    if (pages.length > MAX_SPLICED_PAGES) return new NotSpliceable('small_pages')
  }
  if (values !== place.values) corrupt('the pages hold more values than the footer says')
  if (rowsSeen !== rows) {
    throw new ParquetError('row_count_mismatch', `the chunk has ${rowsSeen} rows in a row group of ${rows}`)
  }
  return { dictionary, pages }
}

/** whether the page means the same in a chunk with other pages */
function passes(header: PageHeader, leaf: LeafColumn, hasDictionary: boolean): boolean {
  if (usesDictionary(header)) {
    if (!hasDictionary) return false
  } else if (!fitsType(header.encoding, leaf.physical)) return false
  if (header.kind === PAGE.DATA_V2) return leaf.maxRepetition > 0 || header.rows === header.values
  if (leaf.maxDefinition > 0 && header.definitionEncoding !== ENCODING.RLE) return false
  return leaf.maxRepetition === 0 || header.repetitionEncoding === ENCODING.RLE
}

function fitsType(encoding: number, physical: number): boolean {
  const { BOOLEAN, INT32, INT64, INT96, BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY } = PHYSICAL
  switch (encoding) {
    case ENCODING.PLAIN:
      return true
    case ENCODING.RLE:
      return physical === BOOLEAN
    case ENCODING.DELTA_BINARY_PACKED:
      return physical === INT32 || physical === INT64
    case ENCODING.DELTA_LENGTH_BYTE_ARRAY:
      return physical === BYTE_ARRAY
    case ENCODING.DELTA_BYTE_ARRAY:
      return physical === BYTE_ARRAY || physical === FIXED_LEN_BYTE_ARRAY
    case ENCODING.BYTE_STREAM_SPLIT:
      return physical !== BOOLEAN && physical !== INT96 && physical !== BYTE_ARRAY
    default:
      return false
  }
}

export function usesDictionary({ encoding }: { encoding: number }): boolean {
  return encoding === ENCODING.RLE_DICTIONARY || encoding === ENCODING.PLAIN_DICTIONARY
}

/** Refuses a compressed body whose own length contradicts its page header. */
function checkBody(codec: number, body: Uint8Array, length: number): void {
  if (codec === CODEC.UNCOMPRESSED) {
    if (body.length !== length) corrupt(`an uncompressed page of ${body.length} bytes declares ${length}`)
    return
  }
  // some writers store nothing at all for an empty page
  if (length === 0 && body.length === 0) return
  if (codec === CODEC.SNAPPY) {
    checkSnappyLength(body, length)
  } else if (codec === CODEC.ZSTD) {
    checkZstdFrame(body, length)
  } else if (codec === CODEC.GZIP) {
    if (body.length < 18 || body[0] !== 31 || body[1] !== 139) corrupt('gzip page without a gzip header')
    if (uint32At(body, body.length - 4) > length) corrupt('gzip member longer than its page')
  }
}

/** Count the levels of a page of version 2 that are no value. */
function countNulls({ header, body }: ScannedPage, leaf: LeafColumn, maxPageBytes: number): number {
  const { values, repetitionBytes, definitionBytes } = header
  const { maxDefinition } = leaf
  const end = repetitionBytes + definitionBytes
  if (maxDefinition === 0 || isOneRun(body, repetitionBytes, end, values, maxDefinition)) return 0
  if (values > maxPageBytes) throw new ParquetError('page_too_large', `a page of ${values} values`)
  const definition = new Uint8Array(values)
  decodeHybridRuns(body, repetitionBytes, end, bitWidth(maxDefinition), definition)
  checkLevels(definition, maxDefinition)
  return values - countValues(definition, 0, values, maxDefinition)
}

async function countRows(
  { header, body }: ScannedPage,
  leaf: LeafColumn,
  place: ChunkPlace,
  codecs: Codecs,
  isFirst: boolean,
  maxPageBytes: number,
): Promise<{ rows: number; isWhole: boolean; hasSurplus: boolean }> {
  if (header.values * 2 > maxPageBytes) throw new ParquetError('page_too_large', `a page of ${header.values} values`)
  const { maxRepetition, maxDefinition } = leaf
  const repetition = new Uint8Array(header.values)
  const definition = new Uint8Array(header.values)
  if (header.kind === PAGE.DATA_V2) {
    const { repetitionBytes, definitionBytes } = header
    decodeHybridRuns(body, 0, repetitionBytes, bitWidth(maxRepetition), repetition)
    decodeHybridRuns(body, repetitionBytes, repetitionBytes + definitionBytes, bitWidth(maxDefinition), definition)
  } else {
    const data = await decompress(place.codec, body, header.uncompressedBytes, codecs)
    const repetitionBytes = readLevels(data, header.repetitionEncoding, maxRepetition, repetition)
    readLevels(data.subarray(repetitionBytes), header.definitionEncoding, maxDefinition, definition)
  }
  checkLevels(repetition, maxRepetition)
  checkLevels(definition, maxDefinition)
  // nulls that readers take for several rows are rewritten
  const hasSurplus = checkNesting(repetition, definition, leaf) > 0
  if (isFirst && repetition[0] !== 0) corrupt('a chunk begins within a row')
  let rows = 0
  for (let i = 0; i < repetition.length; i++) if (repetition[i] === 0) rows++
  return { rows, isWhole: repetition[0] === 0, hasSurplus }
}

import type { Codecs } from '../codecs/codec.ts'
import { decompress } from '../codecs/compression.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import { checksum } from '../format/checksum.ts'
import { CODEC, ENCODING, PAGE, uint32At } from '../format/format.ts'
import { bitWidth, decodeBitPacked, decodeHybridRuns, isOneRun } from '../format/hybrid-runs.ts'
import { atPage, corrupt, type PageHeader, readPageHeader } from '../format/page-header.ts'
import type { PageValues, ValueTable } from '../format/value-table.ts'
import { ParquetError } from '../parquet-error.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { decodePlain, decodeValues } from './decode-values.ts'
import type { FileReader } from './file-reader.ts'
import type { RowReader, RowSink } from './row-stream.ts'

/** bytes asked for at a time when a chunk is not in memory */
const WINDOW_BYTES = 1024 * 1024
/** first guess at the length of a page header; statistics in it can make it long */
const HEADER_BYTES = 4096
/** levels copied between two looks at the open page of the output */
const BATCH_LEVELS = 8192
/** bytes of values in the same */
const BATCH_BYTES = 1024 * 1024

/** Where a column chunk is and what the footer says of it. */
export interface ChunkPlace {
  offset: number
  bytes: number
  values: number
  codec: number
}

interface DataPage {
  /** where its header begins, from the start of the chunk */
  position: number
  /** by its header */
  levelsInFile: number
  levels: number
  /** left out where every level is the highest: nothing is null */
  definition: Uint8Array | undefined
  repetition: Uint8Array | undefined
  values: PageValues
  levelAt: number
  valueAt: number
}

/**
 * Reads one column chunk page by page and hands its rows on. Between two calls nothing need be held: after `release` the
 * dictionary and the page in hand are read again. Pages are decompressed into `scratch`, which all readers of a merge share:
 * only one of them may be between its first `copyRows` and `release`.
 */
export class ChunkReader implements RowReader {
  readonly #file: FileReader
  readonly #leaf: LeafColumn
  readonly #place: ChunkPlace
  readonly #codecs: Codecs
  readonly #maxPageBytes: number
  readonly #scratch: ByteBuffer
  /** next page header, from the start of the chunk */
  #position = 0
  /** whether a page had one */
  #hasChecksums = false
  /** levels of the pages before `#position`, the page in hand included */
  #levelsRead = 0
  #dictionary: ValueTable | undefined
  /** bytes of the longest entry of the dictionary */
  #longest = 0
  #page: DataPage | undefined
  #resumeAt: { position: number; levelAt: number; valueAt: number } | undefined
  #window: Uint8Array = new Uint8Array()
  #windowPosition = 0

  constructor(
    file: FileReader,
    leaf: LeafColumn,
    place: ChunkPlace,
    codecs: Codecs,
    maxPageBytes: number,
    scratch: ByteBuffer,
  ) {
    this.#file = file
    this.#leaf = leaf
    this.#place = place
    this.#codecs = codecs
    this.#maxPageBytes = maxPageBytes
    this.#scratch = scratch
  }

  /**
   * Append the next `rows` rows to `writer`.
   * @throws ParquetError `corrupt_data`, `page_too_large`, `unsupported_column`, `row_count_mismatch`
   */
  async copyRows(rows: number, writer: RowSink): Promise<void> {
    try {
      await this.#copyRows(rows, writer)
    } catch (error) {
      throw inColumn(error, this.#leaf)
    }
  }

  async #copyRows(rows: number, writer: RowSink): Promise<void> {
    let left = rows
    while (left > 0 || this.#leaf.maxRepetition > 0) {
      const page = await this.#currentPage()
      if (!page) {
        if (left > 0) throw new ParquetError('row_count_mismatch', `the chunk ends ${left} rows early`)
        break
      }
      const { repetition } = page
      if (this.#hasChecksums) writer.addChecksums?.()
      const from = page.levelAt
      const batch = this.#batchLevels(page)
      let to = Math.min(page.levels, from + batch)
      if (repetition) {
        if (repetition[from] === 0) {
          if (left === 0) break
          if (writer.isPageFull) await writer.flushPage()
        } else if (left === rows) corrupt('a chunk begins within a row')
        to = from
        while (to < page.levels) {
          if (repetition[to] === 0) {
            if (left === 0 || to - from >= batch) break
            left--
          }
          to++
        }
      } else {
        if (writer.isPageFull) await writer.flushPage()
        to = Math.min(to, from + left)
        left -= to - from
      }
      const valueTo = page.valueAt + countValues(page.definition, from, to, this.#leaf.maxDefinition)
      writer.append({
        definition: page.definition,
        repetition,
        levelFrom: from,
        levelTo: to,
        values: page.values,
        valueFrom: page.valueAt,
        valueTo,
      })
      page.levelAt = to
      page.valueAt = valueTo
    }
    if (writer.isPageFull) await writer.flushPage()
  }

  /** @returns levels that are handed on together: few where entries of the dictionary are long, as they may be written plain */
  #batchLevels({ values: { indices } }: DataPage): number {
    if (!indices || this.#longest * BATCH_LEVELS <= BATCH_BYTES) return BATCH_LEVELS
    return Math.max(1, Math.floor(BATCH_BYTES / this.#longest))
  }

  /** false when every level has been handed on */
  get mayHaveMore(): boolean {
    return this.#levelsRead < this.#place.values || (this.#page !== undefined && this.#page.levelAt < this.#page.levels)
  }

  /** @throws ParquetError `row_count_mismatch` when the chunk has more rows than the row group */
  async expectEnd(): Promise<void> {
    if (await this.#currentPage()) {
      const { name } = this.#leaf
      throw new ParquetError('row_count_mismatch', `column ${name}: the chunk has more rows than its row group`, {
        column: name,
      })
    }
  }

  /** Let go of pages and windows until the next call. */
  release(): void {
    const page = this.#page
    if (page && page.levelAt < page.levels) {
      this.#resumeAt = { position: page.position, levelAt: page.levelAt, valueAt: page.valueAt }
      this.#levelsRead -= page.levelsInFile
      this.#position = page.position
    } else {
      this.#resumeAt = { position: this.#position, levelAt: 0, valueAt: 0 }
    }
    this.#page = undefined
    this.#dictionary = undefined
    this.#window = new Uint8Array()
  }

  /** the page that has levels left, or undefined at the end of the chunk */
  async #currentPage(): Promise<DataPage | undefined> {
    if (this.#page && this.#page.levelAt < this.#page.levels) return this.#page
    this.#codecs.work?.reading(this.#file.source.name)
    const resumeAt = this.#resumeAt
    if (resumeAt) {
      this.#resumeAt = undefined
      this.#position = 0
      if (resumeAt.position > 0 && this.#levelsRead < this.#place.values) {
        const { header } = await this.#header()
        if (header.kind === PAGE.DICTIONARY) await this.#readDictionary(header)
      }
      this.#position = resumeAt.position
    }
    this.#page = undefined
    while (this.#levelsRead < this.#place.values) {
      const position = this.#position
      let page: DataPage | undefined
      try {
        page = await this.#nextPage()
      } catch (error) {
        throw atPage(error, this.#place.offset + position)
      }
      if (!page) continue
      if (resumeAt) {
        page.levelAt = resumeAt.levelAt
        page.valueAt = resumeAt.valueAt
      }
      if (page.levelAt < page.levels) {
        this.#page = page
        return page
      }
    }
    return undefined
  }

  /** @returns the next page, or undefined if it held no levels */
  async #nextPage(): Promise<DataPage | undefined> {
    const { header, position } = await this.#header()
    if (header.kind === PAGE.DICTIONARY) {
      if (this.#dictionary) corrupt('two dictionary pages in a chunk')
      await this.#readDictionary(header)
      return undefined
    }
    const bytes = await this.#body(header)
    if (header.kind === PAGE.INDEX || header.values === 0) return undefined
    this.#levelsRead += header.values
    if (this.#levelsRead > this.#place.values) corrupt('the pages hold more values than the footer says')
    return await this.#decode(header, bytes, position)
  }

  async #readDictionary(header: PageHeader): Promise<void> {
    const bytes = await this.#body(header)
    if (header.encoding !== ENCODING.PLAIN && header.encoding !== ENCODING.PLAIN_DICTIONARY) {
      throw new ParquetError('unsupported_column', `dictionary of encoding ${header.encoding}`)
    }
    const page = await decompress(this.#place.codec, bytes, header.uncompressedBytes, this.#codecs)
    this.#dictionary = decodePlain(this.#leaf, page, header.values)
    this.#longest = this.#leaf.width
    for (const length of this.#dictionary.lengths ?? []) if (length > this.#longest) this.#longest = length
  }

  async #decode(header: PageHeader, bytes: Uint8Array, position: number): Promise<DataPage> {
    const { maxDefinition, maxRepetition } = this.#leaf
    let count = header.values
    const perValue = (maxDefinition > 0 ? 1 : 0) + (maxRepetition > 0 ? 1 : 0) + 4
    if (count * perValue > this.#maxPageBytes) {
      throw new ParquetError('page_too_large', `a page of ${count} values; ${this.#maxPageBytes} bytes may be held`)
    }
    let definition: Uint8Array | undefined
    let repetition = maxRepetition > 0 ? new Uint8Array(count) : undefined
    let data: Uint8Array
    if (header.kind === PAGE.DATA_V2) {
      const { repetitionBytes, definitionBytes } = header
      const levelBytes = repetitionBytes + definitionBytes
      if (repetition) decodeHybridRuns(bytes, 0, repetitionBytes, bitWidth(maxRepetition), repetition)
      if (maxDefinition > 0 && !isOneRun(bytes, repetitionBytes, levelBytes, count, maxDefinition)) {
        definition = new Uint8Array(count)
        decodeHybridRuns(bytes, repetitionBytes, levelBytes, bitWidth(maxDefinition), definition)
      }
      const codec = header.isCompressed ? this.#place.codec : CODEC.UNCOMPRESSED
      const page = decompress(
        codec,
        bytes.subarray(levelBytes),
        header.uncompressedBytes - levelBytes,
        this.#codecs,
        this.#scratch,
      )
      data = page instanceof Promise ? await page : page
    } else {
      const page = decompress(this.#place.codec, bytes, header.uncompressedBytes, this.#codecs, this.#scratch)
      data = page instanceof Promise ? await page : page
      if (repetition) data = data.subarray(readLevels(data, header.repetitionEncoding, maxRepetition, repetition))
      if (maxDefinition > 0 && header.definitionEncoding === ENCODING.RLE && data.length >= 4) {
        const end = 4 + uint32At(data, 0)
        if (end <= data.length && isOneRun(data, 4, end, count, maxDefinition)) {
          data = data.subarray(end)
        } else {
          definition = new Uint8Array(count)
        }
      } else if (maxDefinition > 0) {
        definition = new Uint8Array(count)
      }
      if (definition) data = data.subarray(readLevels(data, header.definitionEncoding, maxDefinition, definition))
    }
    checkLevels(definition, maxDefinition)
    checkLevels(repetition, maxRepetition)
    if (repetition && definition) {
      const surplus = checkNesting(repetition, definition, this.#leaf)
      if (surplus > 0) {
        ;[repetition, definition] = foldNulls(repetition, definition, surplus, this.#leaf)
        count -= surplus
      }
    }
    const present = countValues(definition, 0, count, maxDefinition)
    const nulls = header.values - present
    if (header.kind === PAGE.DATA_V2 && header.nulls > nulls)
      corrupt(`a page of ${nulls} nulls declares ${header.nulls}`)
    const values = decodeValues(this.#leaf, header.encoding, data, present, this.#dictionary, this.#maxPageBytes)
    return {
      position,
      levelsInFile: header.values,
      levels: count,
      definition,
      repetition,
      values,
      levelAt: 0,
      valueAt: 0,
    }
  }

  /** Read the header at `#position` and move behind it. */
  async #header(): Promise<{ header: PageHeader; position: number }> {
    const position = this.#position
    const left = this.#place.bytes - position
    if (left <= 0) corrupt('the pages end before the values the footer names')
    for (let size = Math.min(HEADER_BYTES, left); ; size = Math.min(size * 16, left)) {
      const at = this.#at(position, size)
      const bytes = at instanceof Uint8Array ? at : await at
      let header: PageHeader
      try {
        header = readPageHeader(bytes, 0, this.#place.offset + position)
      } catch (error) {
        // perhaps only cut off
        if (size < left && size < WINDOW_BYTES) continue
        throw error
      }
      if (header.headerBytes + header.compressedBytes > left)
        corrupt(`a page of ${header.compressedBytes} bytes exceeds its chunk`)
      const larger = Math.max(header.compressedBytes, header.uncompressedBytes)
      if (larger > this.#maxPageBytes) {
        throw new ParquetError('page_too_large', `a page declares ${larger} bytes; ${this.#maxPageBytes} may be held`)
      }
      this.#position = position + header.headerBytes
      return { header, position }
    }
  }

  /** Read the body at `#position` and move behind it. */
  async #body(header: PageHeader): Promise<Uint8Array> {
    const at = this.#at(this.#position, header.compressedBytes)
    const bytes = at instanceof Uint8Array ? at : await at
    if (header.crc !== undefined) {
      if (checksum(bytes) !== header.crc) corrupt('the checksum of a page does not match')
      this.#hasChecksums = true
    }
    this.#position += header.compressedBytes
    return bytes
  }

  /** a promise only where it must be read */
  #at(position: number, length: number): Uint8Array | Promise<Uint8Array> {
    const from = position - this.#windowPosition
    if (from >= 0 && from + length <= this.#window.byteLength) return this.#window.subarray(from, from + length)
    const offset = this.#place.offset + position
    return this.#file.held(offset, length) ?? this.#readWindow(position, length)
  }

  async #readWindow(position: number, length: number): Promise<Uint8Array> {
    const offset = this.#place.offset + position
    const size = Math.min(Math.max(length, WINDOW_BYTES), this.#place.bytes - position)
    this.#window = await this.#file.read(offset, size)
    this.#windowPosition = position
    return this.#window.subarray(0, length)
  }
}

/** Name the column in an error that names none yet. */
export function inColumn(error: unknown, { name }: LeafColumn): unknown {
  const isNamed = !(error instanceof ParquetError) || error.code === 'aborted' || error.column !== undefined
  return isNamed ? error : error.at(`column ${name}`, { column: name })
}

/** @returns bytes read */
export function readLevels(data: Uint8Array, encoding: number, max: number, output: Uint8Array): number {
  if (encoding === ENCODING.BIT_PACKED) return decodeBitPacked(data, 0, data.length, bitWidth(max), output)
  if (encoding !== ENCODING.RLE) throw new ParquetError('unsupported_column', `levels of encoding ${encoding}`)
  if (data.length < 4) corrupt('levels end early')
  const length = uint32At(data, 0)
  if (length > data.length - 4) corrupt('levels exceed their page')
  decodeHybridRuns(data, 4, 4 + length, bitWidth(max), output)
  return 4 + length
}

export function checkLevels(levels: Uint8Array | undefined, max: number): void {
  if (!levels) return
  for (let i = 0; i < levels.length; i++)
    if (levels[i]! > max) corrupt(`a level of ${levels[i]} where ${max} is the highest`)
}

/**
 * A level of repetition goes on with a list, so there must be one: of levels that contradict each other every reader makes
 * something else, down to rows too many. The exception is a null that goes on as the same null: DuckDB writes a fixed-size
 * array that is null as one such entry for each of its elements.
 * @returns how many entries such nulls have beyond their first
 * @throws ParquetError `corrupt_data`
 */
export function checkNesting(repetition: Uint8Array, definition: Uint8Array, leaf: LeafColumn): number {
  const { repeatedFrom } = leaf
  let surplus = 0
  for (let i = 0; i < repetition.length; i++) {
    const level = repetition[i]!
    if (level === 0) continue
    const least = repeatedFrom[level - 1]!
    const own = definition[i]!
    // the entry before the first of a page is in another page
    const before = i > 0 ? definition[i - 1]! : own
    if (own >= least && before >= least) continue
    if (own !== before) corrupt('a list goes on where there is none')
    surplus++
  }
  return surplus
}

/** Leave out the entries that `checkNesting` counts: readers that do not know of them make rows of them. */
function foldNulls(
  repetition: Uint8Array,
  definition: Uint8Array,
  surplus: number,
  { repeatedFrom }: LeafColumn,
): [repetition: Uint8Array<ArrayBuffer>, definition: Uint8Array<ArrayBuffer>] {
  const count = repetition.length - surplus
  const folded: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] = [new Uint8Array(count), new Uint8Array(count)]
  for (let i = 0, to = 0; i < repetition.length; i++) {
    const level = repetition[i]!
    if (level > 0 && definition[i]! < repeatedFrom[level - 1]!) continue
    folded[0][to] = level
    folded[1][to++] = definition[i]!
  }
  return folded
}

export function countValues(definition: Uint8Array | undefined, from: number, to: number, max: number): number {
  if (!definition) return to - from
  let count = 0
  for (let i = from; i < to; i++) if (definition[i] === max) count++
  return count
}

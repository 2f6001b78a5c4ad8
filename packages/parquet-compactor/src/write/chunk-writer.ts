import type { CodecName, Codecs } from '../codecs/codec.ts'
import { compress } from '../codecs/compression.ts'
import { BloomBuilder } from '../footer/bloom-filter.ts'
import type { CarriedColumn } from '../footer/carried-columns.ts'
import { NO_STATISTICS } from '../footer/chunk-bounds.ts'
import type { SizeStatistics } from '../footer/size-statistics.ts'
import { sumSizes } from '../footer/size-statistics.ts'
import { isFloat, Statistics } from '../footer/statistics.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { checksum } from '../format/checksum.ts'
import { ENCODING, PAGE, PHYSICAL } from '../format/format.ts'
import { bitWidth, encodeHybridRuns } from '../format/hybrid-runs.ts'
import type { PageValues, ValueTable } from '../format/value-table.ts'
import type { LevelBatch, RowSink } from '../read/row-stream.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { Dictionary } from './dictionary.ts'
import { dictionaryLimitBytes, isTrialLost } from './dictionary-policy.ts'
import type { FinishedChunk, FinishedPage, PageKind } from './finished-chunk.ts'
import { appendLevels, appendOneRun, appendPlainValues, countRows, histogram } from './page-body.ts'
import { dataPageHeader, dictionaryPageHeader, type PageLengths } from './write-page-header.ts'

/** Entries up to this length are counted as the longest of them. */
const SHORT_BYTES = 48

export interface ChunkWriterLimits {
  /** wanted bytes of a page before compression */
  pageBytes: number
  /** levels of a page at most, as readers hold a page decoded */
  pageLevels: number
  /** bytes of distinct values from which on values are written plain */
  dictionaryBytes: number
  /** for the page that is being encoded; chunks of a row group share it, as they encode one page at a time */
  scratch: ByteBuffer
  /** for the same page, compressed */
  compressed: ByteBuffer
}

/**
 * Builds one column chunk. Pages are encoded and compressed as soon as they are full, so what is held is compressed
 * pages, one open page and the dictionary. Values are dictionary-encoded as long as that pays.
 */
export class ChunkWriter implements RowSink {
  readonly #leaf: LeafColumn
  readonly #codec: CodecName
  readonly #codecs: Codecs
  readonly #limits: ChunkWriterLimits
  readonly #countsSizes: boolean
  /** collects values written PLAIN; entries of the dictionary are added when it is written */
  readonly #bloom: BloomBuilder | undefined
  #hasChecksums = false
  /** content bytes of the BYTE_ARRAY values of the open page */
  #unencodedBytes = 0
  readonly #statistics: Statistics
  /** statistics of the open page; values of the dictionary are added when the page ends */
  #pageStatistics: Statistics
  #dictionary: Dictionary | undefined
  /** false once values are written plain, even if pages before them use the dictionary */
  #usesDictionary: boolean
  #pages: Uint8Array[] = []
  #pagesBytes = 0
  #uncompressedBytes = 0
  #dataPages: FinishedPage[] = []
  /** those of `#dataPages` that use the dictionary, which come first */
  #dictionaryPages = 0
  #levels = 0
  #values = 0
  // the open page
  #definition = new ByteBuffer()
  /** false while every definition level of the open page is the highest; then `#definition` is empty */
  #hasNulls = false
  #repetition = new ByteBuffer()
  #indices = new Uint32Array(16)
  #indexCount = 0
  #plain = new ByteBuffer()
  #pageLevels = 0
  #pageRows = 0
  #pageValues = 0
  /** bytes of the values of the open page in PLAIN encoding */
  #pagePlainBytes = 0
  // indices of the input's dictionary translated to ours, for the table last seen
  #translated: ValueTable | undefined
  #translation = new Uint32Array()
  /** longest entry of that table; 0 where the width is fixed */
  #longest = 0

  constructor(leaf: LeafColumn, codec: CodecName, codecs: Codecs, limits: ChunkWriterLimits, carried: CarriedColumn) {
    this.#leaf = leaf
    this.#codec = codec
    this.#codecs = codecs
    this.#limits = limits
    this.#countsSizes = carried.sizes
    this.#bloom = carried.bloomFilter ? new BloomBuilder(leaf) : undefined
    this.#statistics = new Statistics(leaf)
    this.#pageStatistics = new Statistics(leaf)
    this.#usesDictionary = leaf.physical !== PHYSICAL.BOOLEAN
    if (this.#usesDictionary) this.#dictionary = new Dictionary(leaf)
  }

  /** bytes of the chunk so far, the open page estimated */
  get estimatedBytes(): number {
    const open = this.#usesDictionary ? this.#indexCount * 2 : this.#plain.length
    return this.#pagesBytes + (this.#dictionary?.plain.length ?? 0) + open + (this.#definition.length >> 3)
  }

  /** bytes of memory held beside finished pages */
  get heldBytes(): number {
    return (
      this.#indices.length * 4 +
      this.#plain.bytes.length +
      (this.#dictionary?.heldBytes ?? 0) +
      (this.#bloom?.heldBytes ?? 0)
    )
  }

  /** true when the open page should end at the next row */
  get isPageFull(): boolean {
    if (this.#pageLevels >= this.#limits.pageLevels) return true
    // a page of indices is small, but it must stay possible to write it plain
    return this.#pagePlainBytes >= this.#limits.pageBytes * (this.#usesDictionary ? 4 : 1)
  }

  /** Give pages from the open one on a checksum. */
  addChecksums(): void {
    this.#hasChecksums = true
  }

  append(batch: LevelBatch): void {
    const { values, valueFrom, valueTo } = batch
    if (batch.definition) {
      this.#writeOutDefinition()
      this.#definition.append(batch.definition, batch.levelFrom, batch.levelTo)
    } else if (this.#hasNulls) {
      this.#definition.fill(this.#leaf.maxDefinition, batch.levelTo - batch.levelFrom)
    }
    if (batch.repetition) this.#repetition.append(batch.repetition, batch.levelFrom, batch.levelTo)
    this.#levels += batch.levelTo - batch.levelFrom
    this.#pageLevels += batch.levelTo - batch.levelFrom
    this.#values += valueTo - valueFrom
    this.#pageValues += valueTo - valueFrom
    this.#pageRows += batch.repetition
      ? countRows(batch.repetition, batch.levelFrom, batch.levelTo)
      : batch.levelTo - batch.levelFrom
    if (this.#usesDictionary) {
      this.#appendToDictionary(values, valueFrom, valueTo)
      this.#judgeDictionary(values)
    } else {
      this.#appendPlain(values, valueFrom, valueTo)
    }
  }

  /** From the first batch with levels of its own, the levels of the open page are kept one by one. */
  #writeOutDefinition(): void {
    if (this.#hasNulls) return
    this.#hasNulls = true
    this.#definition.fill(this.#leaf.maxDefinition, this.#pageLevels)
  }

  #appendToDictionary(values: PageValues, from: number, to: number): void {
    const dictionary = this.#dictionary!
    const { table, indices } = values
    const { width } = this.#leaf
    if (this.#indexCount + to - from > this.#indices.length) {
      const grown = new Uint32Array(Math.max(this.#indexCount + to - from, this.#indices.length * 2))
      grown.set(this.#indices.subarray(0, this.#indexCount))
      this.#indices = grown
    }
    if (indices && this.#translated !== table) {
      this.#translated = table
      this.#translation = new Uint32Array(table.count).fill(0xffffffff)
      this.#longest = 0
      if (table.lengths) for (const length of table.lengths) if (length > this.#longest) this.#longest = length
    }
    const own = this.#indices
    const first = this.#indexCount
    const { starts, lengths, bytes } = table
    if (indices) {
      const translation = this.#translation
      for (let i = from, out = first; i < to; i++, out++) {
        const at = indices[i]!
        let index = translation[at]!
        if (index === 0xffffffff) {
          index = dictionary.intern(bytes, starts ? starts[at]! : at * width, lengths ? lengths[at]! : width)
          translation[at] = index
        }
        own[out] = index
      }
    } else {
      for (let i = from, out = first; i < to; i++, out++) {
        own[out] = dictionary.intern(bytes, starts ? starts[i]! : i * width, lengths ? lengths[i]! : width)
      }
    }
    this.#indexCount = first + to - from
    let plainBytes = (to - from) * (width || 4)
    // short texts need no exact sum
    if (indices && this.#longest <= SHORT_BYTES) plainBytes += (to - from) * this.#longest
    else if (lengths) for (let i = from; i < to; i++) plainBytes += lengths[indices ? indices[i]! : i]!
    this.#pagePlainBytes += plainBytes
  }

  #judgeDictionary(values: PageValues): void {
    const dictionary = this.#dictionary!
    const inputDictionaryBytes = values.indices ? values.table.bytes.length : 0
    const limitBytes = dictionaryLimitBytes(this.#limits.dictionaryBytes, inputDictionaryBytes)
    if (dictionary.plain.length <= limitBytes && !isTrialLost(dictionary.count, this.#values)) return
    const indices = this.#indices.subarray(0, this.#indexCount)
    this.#usesDictionary = false
    this.#pagePlainBytes = 0
    this.#appendPlain({ count: indices.length, table: dictionary.table(), indices }, 0, indices.length)
    if (this.#dictionaryPages === 0) this.#dictionary = undefined
    this.#indices = new Uint32Array()
    this.#indexCount = 0
    this.#translated = undefined
    this.#translation = new Uint32Array()
  }

  #appendPlain(values: PageValues, from: number, to: number): void {
    const { table, indices } = values
    const { width } = this.#leaf
    const out = this.#plain
    const before = out.length
    if (!indices) {
      this.#pageStatistics.add(table, from, to)
      this.#bloom?.add(table, from, to)
      if (table.lengths) for (let i = from; i < to; i++) this.#unencodedBytes += table.lengths[i]!
      if (width > 0) out.append(table.bytes, from * width, to * width)
    } else if (table.count <= (to - from) * 4) {
      this.#addReferenced(table, indices, from, to)
    } else {
      this.#addCopied(table, indices, from, to)
    }
    if (indices || width === 0) {
      for (let i = from; i < to; i++) {
        const at = indices ? indices[i]! : i
        const start = table.starts ? table.starts[at]! : at * width
        const length = table.lengths ? table.lengths[at]! : width
        if (width === 0) out.uint32(length)
        out.append(table.bytes, start, start + length)
      }
    }
    this.#pagePlainBytes += out.length - before
  }

  /** Entries of a dictionary count for the bounds only if a value refers to them. */
  #addReferenced(table: ValueTable, indices: Uint32Array, from: number, to: number): void {
    const references = new Uint32Array(table.count)
    for (let i = from; i < to; i++) references[indices[i]!]!++
    this.#pageStatistics.add(table, 0, table.count, references)
    if (!this.#usesDictionary) this.#bloom?.add(table, 0, table.count, references)
    const { lengths } = table
    if (!lengths) return
    for (let entry = 0; entry < table.count; entry++) this.#unencodedBytes += lengths[entry]! * references[entry]!
  }

  /** The same where the dictionary has many more entries than there are values: looking at each would take longer. */
  #addCopied({ bytes, starts, lengths }: ValueTable, indices: Uint32Array, from: number, to: number): void {
    const { width } = this.#leaf
    const count = to - from
    const own: ValueTable = { count, bytes }
    if (starts && lengths) {
      own.starts = new Uint32Array(count)
      own.lengths = new Uint32Array(count)
      for (let i = 0; i < count; i++) {
        const at = indices[from + i]!
        own.starts[i] = starts[at]!
        own.lengths[i] = lengths[at]!
        this.#unencodedBytes += lengths[at]!
      }
    } else {
      own.bytes = new Uint8Array(count * width)
      for (let i = 0; i < count; i++) {
        const at = indices[from + i]! * width
        own.bytes.set(bytes.subarray(at, at + width), i * width)
      }
    }
    this.#pageStatistics.add(own, 0, count)
    this.#bloom?.add(own, 0, count)
  }

  /** End the open page, which must be at the end of a row. */
  async flushPage(): Promise<void> {
    if (this.#pageLevels === 0) return
    const body = this.#limits.scratch
    body.clear()
    const { maxRepetition, maxDefinition } = this.#leaf
    if (maxRepetition > 0) appendLevels(this.#repetition.view(), bitWidth(maxRepetition), body)
    if (maxDefinition > 0 && this.#hasNulls) appendLevels(this.#definition.view(), bitWidth(maxDefinition), body)
    else if (maxDefinition > 0) appendOneRun(this.#pageLevels, maxDefinition, body)
    if (this.#usesDictionary) {
      const width = bitWidth(Math.max(1, this.#dictionary!.count - 1))
      body.push(width)
      encodeHybridRuns(this.#indices.subarray(0, this.#indexCount), width, body)
      this.#dictionaryPages++
      this.#addReferenced(this.#dictionary!.table(), this.#indices, 0, this.#indexCount)
    } else {
      appendPlainValues(this.#leaf, this.#plain, body)
    }
    const encoding = this.#usesDictionary ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
    const levels = this.#pageLevels
    const page = await this.#encodePage(body.view(), (lengths) => dataPageHeader(levels, encoding, lengths))
    this.#pages.push(page)
    this.#dataPages.push({
      bytes: page.byteLength,
      levels,
      rows: this.#pageRows,
      nulls: levels - this.#pageValues,
      sizes: this.#pageSizes(),
      nans: isFloat(this.#leaf) ? this.#pageStatistics.nans : undefined,
      ...this.#pageStatistics.bounds(),
    })
    this.#statistics.include(this.#pageStatistics)
    this.#pageStatistics = new Statistics(this.#leaf)
    this.#pageRows = 0
    this.#pageValues = 0
    this.#definition.clear()
    this.#hasNulls = false
    this.#repetition.clear()
    this.#plain.clear()
    this.#indexCount = 0
    this.#pageLevels = 0
    this.#pagePlainBytes = 0
  }

  /** The dictionary if it has all values, or else a filter of all values. */
  #knownValues(dictionary: Dictionary | undefined): Pick<FinishedChunk, 'dictionary' | 'bloomFilter'> {
    if (dictionary && this.#dictionaryPages === this.#dataPages.length) return { dictionary: dictionary.values() }
    if (dictionary && this.#dictionaryPages > 0) this.#bloom?.add(dictionary.table(), 0, dictionary.count)
    return { bloomFilter: this.#bloom?.build() }
  }

  #pageSizes(): SizeStatistics | undefined {
    const unencodedBytes = this.#leaf.physical === PHYSICAL.BYTE_ARRAY ? this.#unencodedBytes : undefined
    this.#unencodedBytes = 0
    if (!this.#countsSizes) return undefined
    const { maxRepetition, maxDefinition } = this.#leaf
    const definition = histogram(this.#definition.view(), maxDefinition)
    if (!this.#hasNulls) definition[maxDefinition] = this.#pageLevels
    return {
      unencodedBytes,
      // one level says no more than the counts of values and nulls (SizeStatistics)
      repetition: maxRepetition > 0 ? histogram(this.#repetition.view(), maxRepetition) : undefined,
      definition: maxRepetition > 0 || maxDefinition > 1 ? definition : undefined,
    }
  }

  async #encodePage(
    body: Uint8Array<ArrayBuffer>,
    headerOf: (lengths: PageLengths) => Uint8Array,
  ): Promise<Uint8Array> {
    const compressed = await compress(this.#codec, body, this.#codecs, this.#limits.compressed)
    const header = headerOf({
      uncompressedBytes: body.byteLength,
      compressedBytes: compressed.byteLength,
      crc: this.#hasChecksums ? checksum(compressed) : undefined,
    })
    this.#uncompressedBytes += header.length + body.byteLength
    const page = new Uint8Array(header.length + compressed.byteLength)
    page.set(header)
    page.set(compressed, header.length)
    this.#pagesBytes += page.byteLength
    this.#codecs.work?.write(body.byteLength, this.#pagesBytes)
    return page
  }

  async finish(): Promise<FinishedChunk> {
    await this.flushPage()
    const dictionary = this.#dictionary
    let dictionaryBytes = 0
    if (dictionary && this.#dictionaryPages > 0) {
      const plain = dictionary.plain.view()
      const page = await this.#encodePage(plain, (lengths) => dictionaryPageHeader(dictionary.count, lengths))
      this.#pages.unshift(page)
      dictionaryBytes = page.byteLength
    }
    const pageKinds: PageKind[] = []
    const addKind = (encoding: number, count: number) => {
      if (count > 0) pageKinds.push({ kind: PAGE.DATA, encoding, count })
    }
    // the dictionary is given up at most once
    addKind(ENCODING.RLE_DICTIONARY, this.#dictionaryPages)
    addKind(ENCODING.PLAIN, this.#dataPages.length - this.#dictionaryPages)
    const nulls = this.#levels - this.#values
    const bounds = this.#statistics.bounds()
    return {
      leaf: this.#leaf,
      codec: this.#codec,
      pages: this.#pages,
      bytes: this.#pagesBytes,
      uncompressedBytes: this.#uncompressedBytes,
      levels: this.#levels,
      dictionaryBytes,
      pageKinds,
      statistics: {
        ...NO_STATISTICS,
        nulls,
        nans: isFloat(this.#leaf) ? this.#statistics.nans : -1,
        ...bounds,
        // a zero bound may have the other sign
        ...(bounds && !isFloat(this.#leaf) ? { minIsExact: true, maxIsExact: true } : {}),
      },
      dataPages: this.#dataPages,
      sizes: this.#countsSizes
        ? sumSizes(
            this.#leaf,
            this.#dataPages.map(({ sizes }) => sizes),
          )
        : undefined,
      ...this.#knownValues(dictionary),
    }
  }
}

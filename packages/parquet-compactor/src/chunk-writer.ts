import { ByteBuffer } from './byte-buffer.ts'
import { CODEC_NUMBERS, compress } from './compression.ts'
import { Dictionary } from './dictionary.ts'
import { ENCODING, PAGE, PHYSICAL } from './format.ts'
import { bitWidth, encodeHybridRuns } from './hybrid-runs.ts'
import type { Codec, CodecName } from './merge-options.ts'
import type { LevelBatch, RowSink } from './row-stream.ts'
import type { LeafColumn } from './schema.ts'
import { Statistics } from './statistics.ts'
import { THRIFT } from './thrift-reader.ts'
import { ThriftWriter } from './thrift-writer.ts'
import type { PageValues, ValueTable } from './value-table.ts'

/** A dictionary is judged after so many values … */
const DICTIONARY_TRIAL_VALUES = 4096
/** … and dropped if more than this part of them were distinct. */
const DICTIONARY_MAX_DISTINCT = 0.6

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

/** A column chunk that is complete but for its place in the file. */
export interface FinishedChunk {
  /** dictionary page if any, then data pages, headers included */
  pages: Uint8Array[]
  /** write the ColumnMetaData struct for a chunk that begins at `offset` */
  writeMetadata(writer: ThriftWriter, field: number, offset: number): void
  bytes: number
  uncompressedBytes: number
}

/**
 * Builds one column chunk. Pages are encoded and compressed as soon as they are full, so what is held is compressed
 * pages, one open page and the dictionary. Values are dictionary-encoded as long as that pays.
 */
export class ChunkWriter implements RowSink {
  readonly #leaf: LeafColumn
  readonly #codec: CodecName
  readonly #codecs: Partial<Record<CodecName, Codec>>
  readonly #limits: ChunkWriterLimits
  readonly #statistics: Statistics
  #dictionary: Dictionary | undefined
  /** false once values are written plain, even if pages before them use the dictionary */
  #usesDictionary: boolean
  #pages: Uint8Array[] = []
  #pagesBytes = 0
  #uncompressedBytes = 0
  #hasDictionaryPages = false
  #hasPlainPages = false
  #levels = 0
  #values = 0
  // the open page
  #definition = new ByteBuffer()
  /** false while every definition level of the open page is the highest; then `#definition` is empty */
  #hasNulls = false
  #repetition = new ByteBuffer()
  #indices = new Uint32Array(256)
  #indexCount = 0
  #plain = new ByteBuffer()
  #pageLevels = 0
  /** what the values of the open page would take in PLAIN encoding */
  #pagePlainBytes = 0
  // indices of the input's dictionary translated to ours, for the table last seen
  #translated: ValueTable | undefined
  #translation = new Uint32Array()
  /** longest entry of that table; 0 where the width is fixed */
  #longest = 0

  constructor(
    leaf: LeafColumn,
    codec: CodecName,
    codecs: Partial<Record<CodecName, Codec>>,
    limits: ChunkWriterLimits,
  ) {
    this.#leaf = leaf
    this.#codec = codec
    this.#codecs = codecs
    this.#limits = limits
    this.#statistics = new Statistics(leaf)
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
    return this.#indices.length * 4 + this.#plain.bytes.length + (this.#dictionary?.heldBytes ?? 0)
  }

  /** true when the open page should end at the next row */
  get isPageFull(): boolean {
    if (this.#pageLevels >= this.#limits.pageLevels) return true
    // a page of indices is small, but it must stay possible to write it plain
    return this.#pagePlainBytes >= this.#limits.pageBytes * (this.#usesDictionary ? 4 : 1)
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
    if (this.#usesDictionary) {
      this.#appendToDictionary(values, valueFrom, valueTo)
      this.#judgeDictionary(values)
    } else {
      this.#appendPlain(values, valueFrom, valueTo, true)
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
    // a dictionary that the input could afford is worth having
    const limit = Math.max(this.#limits.dictionaryBytes, values.indices ? values.table.bytes.length * 1.5 : 0)
    const isTooLarge = dictionary.plain.length > limit
    const isTooDistinct =
      this.#values > DICTIONARY_TRIAL_VALUES && dictionary.count > this.#values * DICTIONARY_MAX_DISTINCT
    if (!isTooLarge && !isTooDistinct) return
    const indices = this.#indices.subarray(0, this.#indexCount)
    this.#usesDictionary = false
    this.#pagePlainBytes = 0
    this.#appendPlain({ count: indices.length, table: dictionary.table(), indices }, 0, indices.length, false)
    if (!this.#hasDictionaryPages) {
      this.#statistics.add(dictionary.table(), 0, dictionary.count)
      this.#dictionary = undefined
    }
    this.#indices = new Uint32Array()
    this.#indexCount = 0
    this.#translated = undefined
    this.#translation = new Uint32Array()
  }

  #appendPlain(values: PageValues, from: number, to: number, isNew: boolean): void {
    const { table, indices } = values
    const { width } = this.#leaf
    const out = this.#plain
    const before = out.length
    if (!indices) {
      if (isNew) this.#statistics.add(table, from, to)
      if (width > 0) out.append(table.bytes, from * width, to * width)
    } else if (isNew) {
      this.#addReferenced(table, indices, from, to)
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
    const seen = new Uint8Array(table.count)
    for (let i = from; i < to; i++) seen[indices[i]!] = 1
    for (let entry = 0; entry < table.count; entry++) if (seen[entry]) this.#statistics.add(table, entry, entry + 1)
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
      this.#hasDictionaryPages = true
    } else {
      appendPlainValues(this.#leaf, this.#plain, body)
      this.#hasPlainPages = true
    }
    const encoding = this.#usesDictionary ? ENCODING.RLE_DICTIONARY : ENCODING.PLAIN
    const levels = this.#pageLevels
    const page = await this.#encodePage(body.view(), PAGE.DATA, 5, (header) => {
      header.i32(1, levels)
      header.i32(2, encoding)
      header.i32(3, ENCODING.RLE)
      header.i32(4, ENCODING.RLE)
    })
    this.#pages.push(page)
    this.#definition.clear()
    this.#hasNulls = false
    this.#repetition.clear()
    this.#plain.clear()
    this.#indexCount = 0
    this.#pageLevels = 0
    this.#pagePlainBytes = 0
  }

  async #encodePage(
    body: Uint8Array<ArrayBuffer>,
    kind: number,
    field: number,
    details: (header: ThriftWriter) => void,
  ): Promise<Uint8Array> {
    const compressed = await compress(this.#codec, body, this.#codecs, this.#limits.compressed)
    const header = new ThriftWriter()
    header.open()
    header.i32(1, kind)
    header.i32(2, body.byteLength)
    header.i32(3, compressed.byteLength)
    header.open(field)
    details(header)
    header.close()
    header.close()
    this.#uncompressedBytes += header.out.length + body.byteLength
    const page = new Uint8Array(header.out.length + compressed.byteLength)
    page.set(header.out.view())
    page.set(compressed, header.out.length)
    this.#pagesBytes += page.byteLength
    return page
  }

  async finish(): Promise<FinishedChunk> {
    await this.flushPage()
    const dictionary = this.#dictionary
    let dictionaryBytes = 0
    if (dictionary && this.#hasDictionaryPages) {
      this.#statistics.add(dictionary.table(), 0, dictionary.count)
      const page = await this.#encodePage(dictionary.plain.view(), PAGE.DICTIONARY, 7, (header) => {
        header.i32(1, dictionary.count)
        header.i32(2, ENCODING.PLAIN)
      })
      this.#pages.unshift(page)
      dictionaryBytes = page.byteLength
    }
    const leaf = this.#leaf
    const encodings: number[] = [ENCODING.RLE]
    if (this.#hasPlainPages || dictionaryBytes > 0) encodings.push(ENCODING.PLAIN)
    if (this.#hasDictionaryPages) encodings.push(ENCODING.RLE_DICTIONARY)
    const bounds = this.#statistics.bounds()
    const [codec, levels, values, bytes, uncompressedBytes] = [
      this.#codec,
      this.#levels,
      this.#values,
      this.#pagesBytes,
      this.#uncompressedBytes,
    ]
    return {
      pages: this.#pages,
      bytes,
      uncompressedBytes,
      writeMetadata(writer, field, offset) {
        writer.open(field)
        writer.i32(1, leaf.physical)
        writer.list(2, THRIFT.I32, encodings.length)
        for (const encoding of encodings) writer.elementI32(encoding)
        writer.list(3, THRIFT.BINARY, leaf.path.length)
        for (const name of leaf.path) writer.elementBinary(name)
        writer.i32(4, CODEC_NUMBERS[codec])
        writer.i64(5, levels)
        writer.i64(6, uncompressedBytes)
        writer.i64(7, bytes)
        writer.i64(9, offset + dictionaryBytes)
        if (dictionaryBytes > 0) writer.i64(11, offset)
        writer.open(12)
        writer.i64(3, levels - values)
        if (bounds) {
          writer.binary(5, bounds.max)
          writer.binary(6, bounds.min)
        }
        writer.close()
        writer.close()
      },
    }
  }
}

function appendLevels(levels: Uint8Array, width: number, body: ByteBuffer): void {
  const start = body.length
  body.uint32(0)
  encodeHybridRuns(levels, width, body)
  const end = body.length
  body.length = start
  body.uint32(end - start - 4)
  body.length = end
}

/** The same for levels that are all `level`, which fits one byte. */
function appendOneRun(count: number, level: number, body: ByteBuffer): void {
  const start = body.length
  body.uint32(0)
  body.varint(count * 2)
  body.push(level)
  const end = body.length
  body.length = start
  body.uint32(end - start - 4)
  body.length = end
}

function appendPlainValues(leaf: LeafColumn, values: ByteBuffer, body: ByteBuffer): void {
  if (leaf.physical !== PHYSICAL.BOOLEAN) {
    body.append(values.view())
    return
  }
  for (let i = 0; i < values.length; i += 8) {
    let byte = 0
    for (let bit = 0; bit < 8 && i + bit < values.length; bit++) byte |= values.bytes[i + bit]! << bit
    body.push(byte)
  }
}

import type { CodecName, Codecs } from '../codecs/codec.ts'
import { compress, decompress } from '../codecs/compression.ts'
import type { ByteBuffer } from '../format/byte-buffer.ts'
import { checksum } from '../format/checksum.ts'
import { CODEC, ENCODING, PAGE } from '../format/format.ts'
import { bitWidth, decodeHybridRuns, encodeHybridRuns } from '../format/hybrid-runs.ts'
import { corrupt } from '../format/page-header.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import { ParquetError } from '../parquet-error.ts'
import { countValues, readLevels } from '../read/chunk-reader.ts'
import { decodePlain } from '../read/decode-values.ts'
import type { LeafColumn } from '../schema/schema.ts'
import { Dictionary } from '../write/dictionary.ts'
import { dictionaryLimitBytes, isTooDistinct } from '../write/dictionary-policy.ts'
import type { ScannedPage } from './scan-chunk.ts'
import type { PageLimits } from './stored-pages.ts'
import { writtenPage } from './written-page.ts'

export interface SpliceSettings {
  codec: CodecName
  codecs: Codecs
  minPageBytes: number
  /** bounds of joined pages */
  limits: PageLimits
  /** bound on the joined dictionary before compression */
  dictionaryBytes: number
  maxPageBytes: number
  /** receives the rewritten page; the caller copies what it keeps */
  scratch: ByteBuffer
  compressed: ByteBuffer
  /** for the values of a page whose indices change */
  remapped: ByteBuffer
}

/** The dictionaries of several chunks joined, the first one's entries first. */
export class DictionaryUnion {
  readonly dictionary: Dictionary
  /** for each dictionary added, the new index of each entry; undefined where no index changes */
  readonly mappings: (Uint32Array | undefined)[] = []
  firstPage!: ScannedPage
  /** whether any of the pages has one */
  hasChecksum = false
  readonly #leaf: LeafColumn
  readonly #settings: SpliceSettings
  #firstCount = 0
  #largestBytes = 0
  #lastBody: Uint8Array | undefined

  constructor(leaf: LeafColumn, settings: SpliceSettings) {
    this.#leaf = leaf
    this.#settings = settings
    this.dictionary = new Dictionary(leaf)
  }

  async add(page: ScannedPage, codec: number): Promise<void> {
    if (page.header.crc !== undefined) this.hasChecksum = true
    if (this.#lastBody && sameBytes(this.#lastBody, page.body)) {
      this.mappings.push(this.mappings.at(-1))
      return
    }
    this.#lastBody = page.body
    const { leaf, codecs } = { leaf: this.#leaf, codecs: this.#settings.codecs }
    const bytes = await decompress(codec, page.body, page.header.uncompressedBytes, codecs, this.#settings.scratch)
    const table = decodePlain(leaf, bytes, page.header.values)
    const mapping = new Uint32Array(table.count)
    let isSame = true
    for (let i = 0; i < table.count; i++) {
      const start = table.starts ? table.starts[i]! : i * leaf.width
      const index = this.dictionary.intern(table.bytes, start, table.lengths ? table.lengths[i]! : leaf.width)
      mapping[i] = index
      if (index !== i) isSame = false
    }
    if (this.mappings.length === 0) {
      this.firstPage = page
      this.#firstCount = isSame ? table.count : -1
    }
    this.#largestBytes = Math.max(this.#largestBytes, bytes.length)
    this.mappings.push(isSame ? undefined : mapping)
  }

  isTooLarge(values: number): boolean {
    const { plain, count } = this.dictionary
    const limitBytes = dictionaryLimitBytes(this.#settings.dictionaryBytes, this.#largestBytes)
    return plain.length > limitBytes || isTooDistinct(count, values)
  }

  /** the first page, if the others brought nothing new */
  firstPageIfWhole(): ScannedPage | undefined {
    return this.dictionary.count === this.#firstCount ? this.firstPage : undefined
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * Write a page of indices again for another dictionary. Levels are copied as they are.
 * @param entries of the new dictionary
 * @throws ParquetError `corrupt_data`, `page_too_large`
 */
export async function remapPage(
  page: ScannedPage,
  leaf: LeafColumn,
  mapping: Uint32Array,
  entries: number,
  codec: number,
  settings: SpliceSettings,
): Promise<ScannedPage> {
  const { header, body } = page
  const { maxDefinition, maxRepetition } = leaf
  const isV2 = header.kind === PAGE.DATA_V2
  if (header.values * 5 > settings.maxPageBytes)
    throw new ParquetError('page_too_large', `a page of ${header.values} values`)
  const outsideBytes = header.definitionBytes + header.repetitionBytes
  const data = await decompress(
    header.isCompressed ? codec : CODEC.UNCOMPRESSED,
    body.subarray(outsideBytes),
    header.uncompressedBytes - outsideBytes,
    settings.codecs,
    settings.scratch,
  )
  let insideBytes = 0
  let count = header.values
  if (maxDefinition > 0) {
    const definition = new Uint8Array(header.values)
    if (isV2) {
      decodeHybridRuns(body, header.repetitionBytes, outsideBytes, bitWidth(maxDefinition), definition)
    } else {
      if (maxRepetition > 0) {
        const repetition = new Uint8Array(header.values)
        insideBytes += readLevels(data, ENCODING.RLE, maxRepetition, repetition)
      }
      insideBytes += readLevels(data.subarray(insideBytes), ENCODING.RLE, maxDefinition, definition)
    }
    count = countValues(definition, 0, definition.length, maxDefinition)
  }
  const indices = new Uint32Array(count)
  if (count > 0) {
    const width = data[insideBytes] ?? corrupt('no dictionary indices')
    if (width > 32) corrupt(`dictionary indices of ${width} bits`)
    decodeHybridRuns(data, insideBytes + 1, data.length, width, indices)
    const known = mapping.length
    for (let i = 0; i < count; i++) {
      const index = indices[i]!
      if (index >= known) corrupt('dictionary index out of range')
      indices[i] = mapping[index]!
    }
  }
  const out = settings.remapped
  out.clear()
  out.append(data, 0, insideBytes)
  const width = bitWidth(Math.max(1, entries - 1))
  out.push(width)
  encodeHybridRuns(indices, width, out)
  const compressed =
    isV2 && !header.isCompressed
      ? out.view()
      : await compress(settings.codec, out.view(), settings.codecs, settings.compressed)
  const joined = outsideBytes > 0 ? joinBytes(body.subarray(0, outsideBytes), compressed) : compressed
  const writer = new ThriftWriter()
  const uncompressedBytes = outsideBytes + out.length
  writer.open()
  writer.i32(1, header.kind)
  writer.i32(2, uncompressedBytes)
  writer.i32(3, joined.length)
  if (header.crc !== undefined) writer.i32(4, checksum(joined) | 0)
  writer.open(isV2 ? 8 : 5)
  writer.i32(1, header.values)
  if (isV2) {
    writer.i32(2, header.nulls)
    writer.i32(3, header.rows)
    writer.i32(4, header.encoding)
    writer.i32(5, header.definitionBytes)
    writer.i32(6, header.repetitionBytes)
    writer.boolean(7, header.isCompressed)
  } else {
    writer.i32(2, header.encoding)
    writer.i32(3, ENCODING.RLE)
    writer.i32(4, ENCODING.RLE)
  }
  writer.close()
  writer.close()
  return writtenPage(writer.out.view(), joined, { ...header, uncompressedBytes, crc: undefined })
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

import type { CodecName } from '../codecs/codec.ts'
import { BoundOrder } from '../footer/bound-order.ts'
import { sumSizes } from '../footer/size-statistics.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { ENCODING, PAGE, PHYSICAL, uint32At } from '../format/format.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedPage } from '../write/finished-chunk.ts'
import { appendOneRun } from '../write/page-body.ts'
import { dataPageHeader } from '../write/write-page-header.ts'
import type { ScannedPage } from './scan-chunk.ts'

/** Readers take some microseconds a page; larger ones are left as they are. */
const SMALL_PAGE_BYTES = 64 * 1024

/** Bounds of a joined page. */
export interface PageLimits {
  pageBytes: number
  pageLevels: number
}

interface Joined {
  page: ScannedPage
  finished: FinishedPage
  /** slices of its values in PLAIN encoding */
  values: Uint8Array[]
}

/**
 * Joins small pages whose values the codec stored as they are, one after another: their values stay where they are, and only
 * what frames them is written. Noise, which no codec makes smaller, is most of what telemetry weighs.
 */
export class StoredPages {
  readonly #leaf: LeafColumn
  readonly #codec: CodecName
  readonly #limits: PageLimits
  readonly #put: (pieces: Uint8Array[], headerBytes: number, bodyBytes: number, page: FinishedPage) => void
  #open: Joined[] = []
  #bytes = 0
  #levels = 0

  /** @param put takes a page that is complete, headers and bodies before and after compression in bytes */
  constructor(
    leaf: LeafColumn,
    codec: CodecName,
    limits: PageLimits,
    put: (pieces: Uint8Array[], headerBytes: number, bodyBytes: number, page: FinishedPage) => void,
  ) {
    this.#leaf = leaf
    this.#codec = codec
    this.#limits = limits
    this.#put = put
  }

  /** @returns false where the page is to be put as it is, behind those that were added before */
  add(page: ScannedPage, finished: FinishedPage): boolean {
    const values = this.#storedValues(page)
    if (!values) {
      this.flush()
      return false
    }
    const { uncompressedBytes, values: levels } = page.header
    const isFull =
      this.#bytes + uncompressedBytes > this.#limits.pageBytes || this.#levels + levels > this.#limits.pageLevels
    if (isFull) this.flush()
    this.#open.push({ page, finished, values })
    this.#bytes += uncompressedBytes
    this.#levels += levels
    return true
  }

  flush(): void {
    const joined = this.#open
    this.#open = []
    this.#bytes = 0
    this.#levels = 0
    const [first] = joined
    if (!first) return
    if (joined.length === 1) {
      const { header, bytes } = first.page
      this.#put([bytes], header.headerBytes, header.uncompressedBytes, first.finished)
      return
    }
    const finished = this.#finish(joined.map((own) => own.finished))
    const { pieces, uncompressedBytes } = this.#body(joined, finished.levels)
    const bodyBytes = pieces.reduce((sum, { length }) => sum + length, 0)
    const lengths = { uncompressedBytes, compressedBytes: bodyBytes }
    const header = dataPageHeader(finished.levels, ENCODING.PLAIN, lengths)
    finished.bytes = header.length + bodyBytes
    this.#put([header, ...pieces], header.length, uncompressedBytes, finished)
  }

  #finish(pages: readonly FinishedPage[]): FinishedPage {
    const sum = (of: (page: FinishedPage) => number) => pages.reduce((total, page) => total + of(page), 0)
    const areNansKnown = pages.every(({ nans }) => nans !== undefined)
    return {
      bytes: 0,
      levels: sum(({ levels }) => levels),
      rows: sum(({ rows }) => rows),
      nulls: 0,
      nans: areNansKnown ? sum(({ nans }) => nans!) : undefined,
      ...this.#bounds(pages),
      sizes: sumSizes(
        this.#leaf,
        pages.map(({ sizes }) => sizes),
      ),
    }
  }

  #bounds(pages: readonly FinishedPage[]): Pick<FinishedPage, 'min' | 'max'> {
    const order = BoundOrder.of(this.#leaf)
    let { min, max } = pages[0]!
    for (const page of pages) {
      if (!order || !page.min || !page.max || !min || !max) return {}
      if (order.compare(page.min, min) < 0) min = page.min
      if (order.compare(page.max, max) > 0) max = page.max
    }
    return { min, max }
  }

  /** Levels of values of which none is null, then the values of all. */
  #body(joined: readonly Joined[], levels: number): { pieces: Uint8Array[]; uncompressedBytes: number } {
    const all = joined.flatMap(({ values }) => values)
    const front = new ByteBuffer()
    if (this.#leaf.maxDefinition > 0) appendOneRun(levels, this.#leaf.maxDefinition, front)
    const uncompressedBytes = front.length + all.reduce((sum, { length }) => sum + length, 0)
    if (this.#codec === 'none') return { pieces: [front.take(), ...all], uncompressedBytes }
    const stream = new ByteBuffer()
    stream.varint(uncompressedBytes)
    if (front.length > 0) {
      literalTag(stream, front.length)
      stream.append(front.view())
    }
    const pieces: Uint8Array[] = []
    for (const values of all) {
      literalTag(stream, values.length)
      pieces.push(stream.take(), values)
    }
    return { pieces, uncompressedBytes }
  }

  #storedValues({ header, bytes, body }: ScannedPage): Uint8Array[] | undefined {
    const { maxRepetition, maxDefinition, physical } = this.#leaf
    const isUsual = header.kind === PAGE.DATA && header.encoding === ENCODING.PLAIN && header.crc === undefined
    // booleans are bits, which end within a byte
    if (!isUsual || maxRepetition > 0 || physical === PHYSICAL.BOOLEAN || bytes.length > SMALL_PAGE_BYTES)
      return undefined
    const pieces = this.#codec === 'none' ? [body] : this.#codec === 'snappy' ? literalsOf(body) : undefined
    const first = pieces?.[0]
    if (!pieces || !first) return undefined
    if (maxDefinition > 0) {
      const levelBytes = oneRunBytes(first, header.values, maxDefinition)
      if (levelBytes === 0) return undefined
      pieces[0] = first.subarray(levelBytes)
    }
    const values = pieces.filter(({ length }) => length > 0)
    return areAllValues(values, header.values, this.#leaf.width) ? values : undefined
  }
}

/**
 * Whether bytes are so many values and nothing else. fastparquet pads its pages, which readers pass over at the end of a page, but not
 * between values.
 * @param width of a value; 0 for byte arrays
 */
function areAllValues(pieces: readonly Uint8Array[], count: number, width: number): boolean {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  if (width > 0) return bytes === count * width
  const [first = new Uint8Array()] = pieces
  const data = pieces.length > 1 ? concatenate(pieces, bytes) : first
  let at = 0
  for (let value = 0; value < count; value++) {
    if (at + 4 > bytes) return false
    at += 4 + uint32At(data, at)
  }
  return at === bytes
}

function concatenate(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const data = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    data.set(piece, at)
    at += piece.length
  }
  return data
}

/**
 * The stored bytes of a snappy block that has nothing else (snappy's format_description.txt).
 * @param block whose length was compared with that of its page
 */
function literalsOf(block: Uint8Array): Uint8Array[] | undefined {
  let at = 0
  let length = 0
  for (let shift = 0; at === 0 || block[at - 1]! > 127; shift += 7) {
    if (at === block.length) return undefined
    length += (block[at++]! & 127) * 2 ** shift
  }
  const literals: Uint8Array[] = []
  while (at < block.length) {
    const tag = block[at++]!
    if ((tag & 3) !== 0) return undefined
    let size = (tag >> 2) + 1
    if (size > 60) {
      const bytes = size - 60
      size = 1
      for (let i = 0; i < bytes; i++) size += (block[at++] ?? 0) * 2 ** (8 * i)
    }
    if (at + size > block.length) return undefined
    literals.push(block.subarray(at, at + size))
    at += size
    length -= size
  }
  return length === 0 ? literals : undefined
}

/** @returns bytes of levels, with their own length before them, that are one run of `count` at their most; 0 where they are not */
function oneRunBytes(data: Uint8Array, count: number, maxDefinition: number): number {
  if (data.length < 6) return 0
  const end = 4 + uint32At(data, 0)
  let at = 4
  let run = 0
  for (let shift = 0; shift < 35 && at < Math.min(end, data.length); shift += 7) {
    const byte = data[at++]!
    run += (byte & 127) * 2 ** shift
    if (byte < 128) return run === count * 2 && at + 1 === end && data[at] === maxDefinition ? end : 0
  }
  return 0
}

function literalTag(out: ByteBuffer, length: number): void {
  const last = length - 1
  if (last < 60) {
    out.push(last << 2)
    return
  }
  const bytes = last < 2 ** 8 ? 1 : last < 2 ** 16 ? 2 : last < 2 ** 24 ? 3 : 4
  out.push((59 + bytes) << 2)
  for (let i = 0; i < bytes; i++) out.push(Math.floor(last / 2 ** (8 * i)) & 255)
}

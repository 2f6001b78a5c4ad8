import { ByteBuffer } from '../format/byte-buffer.ts'
import { ENCODING } from '../format/format.ts'
import { dataPageHeader } from '../write/write-page-header.ts'
import { refuseTail } from './row-group-store.ts'

/** Rows of a page at the most: readers make room for the values of a page. */
const MAX_PAGE_ROWS = 2 ** 20

/** Where the pages of a column chunk of nulls are. */
export interface NullPages {
  /** address of the first one */
  offset: number
  /** pages with their headers; they follow one another */
  bytes: number
  count: number
}

/**
 * Pages of nulls, which all columns share that are missing in row groups of the same number of rows. Level 0 takes one run in
 * one byte whatever the highest level is, so that a page serves columns of any depth; those below a list have repetition
 * levels before it.
 */
export class NullPageSet {
  readonly #pages = new ByteBuffer()
  /** offsets are those in `#pages` */
  readonly #places = new Map<number, NullPages>()
  readonly #maxBytes: number

  /** @param maxBytes of all pages: row groups of many rows take many */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * @param isRepeated whether a node on the path of the column is repeated
   * @throws ParquetError `over_limit`
   */
  place(rows: number, isRepeated: boolean): NullPages {
    const key = isRepeated ? -rows : rows
    const known = this.#places.get(key)
    if (known) return known
    const offset = this.#pages.length
    let count = 0
    for (let left = rows; left > 0; left -= MAX_PAGE_ROWS, count++) {
      writePage(this.#pages, Math.min(left, MAX_PAGE_ROWS), isRepeated)
      if (this.#pages.length > this.#maxBytes) refuseTail(this.#pages.length, this.#maxBytes)
    }
    const place = { offset, bytes: this.#pages.length - offset, count }
    this.#places.set(key, place)
    return place
  }

  get bytes(): Uint8Array {
    return this.#pages.view()
  }
}

/** Append a page of version 1, the one that every reader reads, without compression. */
function writePage(out: ByteBuffer, rows: number, isRepeated: boolean): void {
  const level = new ByteBuffer()
  level.varint(rows * 2)
  level.push(0)
  const levels = new ByteBuffer()
  for (let lists = isRepeated ? 2 : 1; lists > 0; lists--) {
    levels.uint32(level.length)
    levels.append(level.view())
  }
  out.append(dataPageHeader(rows, ENCODING.PLAIN, { uncompressedBytes: levels.length, compressedBytes: levels.length }))
  out.append(levels.view())
}

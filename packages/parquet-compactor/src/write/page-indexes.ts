import { BoundOrder, type Bounds } from '../footer/bound-order.ts'
import { shortBounds } from '../footer/short-bounds.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { PHYSICAL } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { LeafColumn } from '../schema/schema.ts'
import type { FinishedChunk, FinishedPage } from './finished-chunk.ts'

const BOUNDARY = { UNORDERED: 0, ASCENDING: 1, DESCENDING: 2 } as const

/**
 * The page indexes of a file, encoded as its chunks come: as objects they would weigh more. They stand together before the
 * footer, all ColumnIndexes first, so that a reader gets them with one read (PageIndex.md).
 */
export class PageIndexes {
  readonly columnIndexes = new ByteBuffer()
  readonly offsetIndexes = new ByteBuffer()
  /** for each chunk in file order, bytes of its ColumnIndex and of its OffsetIndex, 0 for none */
  readonly lengths: number[] = []
  readonly #maxBytes: number
  /** chunks whose indexes did not fit */
  overflows = 0

  /** @param maxBytes of all indexes together; later chunks get none */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @param offset where the pages of the chunk begin in the file */
  add(chunk: FinishedChunk, offset: number): void {
    const pages = chunk.dataPages
    const column = this.columnIndexes.length
    const offsets = this.offsetIndexes.length
    if (pages && pages.length > 0 && pages.every(({ rows }) => rows > 0)) {
      writeColumnIndex(this.columnIndexes, chunk.leaf, pages)
      writeOffsetIndex(this.offsetIndexes, chunk.leaf, pages, offset + chunk.dictionaryBytes)
      if (this.columnIndexes.length + this.offsetIndexes.length > this.#maxBytes) {
        this.columnIndexes.length = column
        this.offsetIndexes.length = offsets
        this.overflows++
      }
    }
    this.lengths.push(this.columnIndexes.length - column, this.offsetIndexes.length - offsets)
  }
}

/** Writes nothing where a page has values without bounds. */
function writeColumnIndex(out: ByteBuffer, leaf: LeafColumn, pages: readonly FinishedPage[]): void {
  const order = BoundOrder.of(leaf)
  if (!order) return
  const bounds: (Bounds | undefined)[] = []
  for (const { min, max, nulls, levels } of pages) {
    if (nulls !== levels && !(min && max)) return
    bounds.push(min && max && nulls !== levels ? shortBounds(leaf, { min, max }) : undefined)
  }
  const none = new Uint8Array()
  const writer = new ThriftWriter(out)
  writer.open()
  writer.list(1, THRIFT.TRUE, pages.length)
  for (const own of bounds) out.push(own ? THRIFT.FALSE : THRIFT.TRUE)
  writer.list(2, THRIFT.BINARY, pages.length)
  for (const own of bounds) writer.elementBinary(own?.min ?? none)
  writer.list(3, THRIFT.BINARY, pages.length)
  for (const own of bounds) writer.elementBinary(own?.max ?? none)
  writer.i32(4, boundaryOrder(order, bounds))
  if (pages.every(({ nulls }) => nulls >= 0)) {
    writer.list(5, THRIFT.I64, pages.length)
    for (const { nulls } of pages) writer.elementI64(nulls)
  }
  writeHistograms(writer, 6, pages, leaf.maxRepetition, 'repetition')
  writeHistograms(writer, 7, pages, leaf.maxDefinition, 'definition')
  if (pages.every(({ nans }) => nans !== undefined)) {
    writer.list(8, THRIFT.I64, pages.length)
    for (const { nans } of pages) writer.elementI64(nans!)
  }
  writer.close()
}

function writeHistograms(
  writer: ThriftWriter,
  field: number,
  pages: readonly FinishedPage[],
  maxLevel: number,
  levels: 'repetition' | 'definition',
): void {
  if (maxLevel === 0 || !pages.every(({ sizes }) => sizes?.[levels]?.length === maxLevel + 1)) return
  writer.list(field, THRIFT.I64, pages.length * (maxLevel + 1))
  for (const { sizes } of pages) for (const count of sizes![levels]!) writer.elementI64(count)
}

/** The order of minima and maxima alike, pages of nulls passed over. */
function boundaryOrder(order: BoundOrder, bounds: readonly (Bounds | undefined)[]): number {
  let [ascends, descends] = [true, true]
  let last: Bounds | undefined
  for (const own of bounds) {
    if (!own) continue
    if (last) {
      const [min, max] = [order.compare(last.min, own.min), order.compare(last.max, own.max)]
      if (min > 0 || max > 0) ascends = false
      if (min < 0 || max < 0) descends = false
      if (!ascends && !descends) return BOUNDARY.UNORDERED
    }
    last = own
  }
  return ascends ? BOUNDARY.ASCENDING : BOUNDARY.DESCENDING
}

/** @param start where the first data page begins in the file */
function writeOffsetIndex(out: ByteBuffer, leaf: LeafColumn, pages: readonly FinishedPage[], start: number): void {
  const writer = new ThriftWriter(out)
  writer.open()
  writer.list(1, THRIFT.STRUCT, pages.length)
  let [offset, row] = [start, 0]
  for (const { bytes, rows } of pages) {
    writer.open()
    writer.i64(1, offset)
    writer.i32(2, bytes)
    writer.i64(3, row)
    writer.close()
    offset += bytes
    row += rows
  }
  if (leaf.physical === PHYSICAL.BYTE_ARRAY && pages.every(({ sizes }) => sizes?.unencodedBytes !== undefined)) {
    writer.list(2, THRIFT.I64, pages.length)
    for (const { sizes } of pages) writer.elementI64(sizes!.unencodedBytes!)
  }
  writer.close()
}

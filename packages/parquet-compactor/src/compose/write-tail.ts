import type { KeyValue } from '../footer/footer.ts'
import { encodeSortingColumns, readSortingColumn, type SortingColumns } from '../footer/sorting-columns.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { THRIFT, ThriftReader } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { Schema } from '../schema/schema.ts'
import { beginFileMetadata, endFileMetadata } from '../write/write-file-metadata.ts'
import { encodeNullChunk, NULL_ENCODINGS, openChunk } from './encode-chunk.ts'
import { NullPageSet, type NullPages } from './null-pages.ts'
import { type RowGroupStore, refuseTail } from './row-group-store.ts'

export interface TailParts {
  store: RowGroupStore
  schema: Schema
  /** for each column of the schema, its number in the store */
  columns: readonly number[]
  keyValues: readonly KeyValue[]
  tailAddress: number
  maxBytes: number
  /** estimate, so that the buffer need not grow */
  expectedBytes: number
}

/** Write pages of nulls and the footer. @throws ParquetError `over_limit` */
export function writeTail(parts: TailParts): { bytes: Uint8Array; footerBytes: number; nullChunkCount: number } {
  const { store, schema, keyValues, maxBytes, tailAddress } = parts
  const pages = new NullPageSet(maxBytes)
  const padding = placeNullPages(parts, pages)
  const pagesAddress = tailAddress + padding
  const out = new ByteBuffer(parts.expectedBytes + padding + pages.bytes.length)
  out.fill(0, padding)
  out.append(pages.bytes)
  const footerStart = out.length
  const writer = new ThriftWriter(out)
  beginFileMetadata(writer, schema, store.rowCount, store.rowGroups.length)
  let nullChunkCount = 0
  const finalColumns = Uint32Array.from(parts.columns)
  for (const [at, number] of parts.columns.entries()) finalColumns[number] = at
  eachRowGroup(parts, (rowGroup, chunkOf) => {
    const { rows, uncompressedBytes, compressedBytes, start, sorting } = store.rowGroups[rowGroup]!
    let [nullBytes, firstStart] = [0, 0]
    const group = new ThriftWriter(out)
    group.open()
    group.list(1, THRIFT.STRUCT, schema.leaves.length)
    for (const [column, leaf] of schema.leaves.entries()) {
      const chunk = chunkOf(column)
      let chunkStart: number
      if (chunk >= 0) {
        chunkStart = store.chunkStart[chunk]!
        const open = openChunk(out, leaf, store.chunkEncodings[chunk]!)
        out.append(store.encoded.bytes, chunk > 0 ? store.chunkEnd[chunk - 1]! : 0, store.chunkEnd[chunk]!)
        open.close()
        open.close()
      } else {
        const place = pages.place(rows, leaf.maxRepetition > 0)
        chunkStart = pagesAddress + place.offset
        const open = openChunk(out, leaf, NULL_ENCODINGS)
        encodeNullChunk(out, leaf, rows, { ...place, offset: chunkStart })
        open.close()
        open.close()
        nullBytes += place.bytes
        nullChunkCount++
      }
      if (column === 0) firstStart = chunkStart
    }
    group.i64(2, uncompressedBytes + nullBytes)
    group.i64(3, rows)
    const sorted = sorting && renumber(sorting, finalColumns)
    if (sorted && sorted.count > 0) {
      group.list(4, THRIFT.STRUCT, sorted.count)
      out.append(sorted.elements)
    }
    group.i64(5, start)
    // parquet-java assigns a row group to the part of a file that has its middle, which it computes from the place of the first
    // chunk and this length. Where that chunk is in the tail, the sum may lie behind the end, and the rows would be missing.
    group.i64(6, Math.min(compressedBytes + nullBytes, (tailAddress + footerStart - firstStart) * 2))
    group.close()
    if (out.length > maxBytes) refuseTail(out.length, maxBytes)
  })
  endFileMetadata(writer, schema, keyValues, -footerStart)
  if (out.length > maxBytes) refuseTail(out.length, maxBytes)
  return { bytes: out.view(), footerBytes: out.length - footerStart, nullChunkCount }
}

/**
 * Decide which pages of nulls there are.
 * @returns bytes to leave out before them: DuckDB refuses row groups whose chunks are longer together than the span that they lie
 *   in, as many chunks of one shared page close behind a small file would be
 */
function placeNullPages(parts: TailParts, pages: NullPageSet): number {
  const { store, schema, tailAddress } = parts
  let padding = 0
  eachRowGroup(parts, (rowGroup, chunkOf) => {
    const { rows, compressedBytes, start, end } = store.rowGroups[rowGroup]!
    let [nullBytes, last] = [0, 0]
    for (const [column, leaf] of schema.leaves.entries()) {
      if (chunkOf(column) >= 0) continue
      const place: NullPages = pages.place(rows, leaf.maxRepetition > 0)
      nullBytes += place.bytes
      last = Math.max(last, place.offset + place.bytes)
    }
    if (nullBytes === 0) return
    const chunkBytes = Math.min(compressedBytes, end - start) + nullBytes
    padding = Math.max(padding, chunkBytes - (tailAddress + last - start))
  })
  return padding
}

/** @param each gets the chunk of a column of the schema, or -1 where the row group has none */
function eachRowGroup(
  { store, schema, columns }: TailParts,
  each: (rowGroup: number, chunkOf: (column: number) => number) => void,
): void {
  const chunks = new Int32Array(schema.leaves.length)
  for (const [rowGroup, { firstChunk }] of store.rowGroups.entries()) {
    chunks.fill(-1)
    const end = store.lastChunk(rowGroup)
    for (let chunk = firstChunk; chunk < end; chunk++) chunks[store.chunkColumn[chunk]!] = chunk
    each(rowGroup, (column) => chunks[columns[column]!]!)
  }
}

function renumber({ count, elements }: SortingColumns, finalColumns: Uint32Array): SortingColumns {
  const reader = new ThriftReader(elements)
  const sorting = Array.from({ length: count }, () => readSortingColumn(reader))
  return encodeSortingColumns(sorting.map((own) => ({ ...own, column: finalColumns[own.column]! })))
}

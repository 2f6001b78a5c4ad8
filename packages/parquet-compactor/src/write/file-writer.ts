import type { KeyValue } from '../footer/footer.ts'
import type { SortingColumns } from '../footer/sorting-columns.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { MAGIC } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import { ParquetError } from '../parquet-error.ts'
import { reason, type Sink } from '../read/source.ts'
import type { Schema } from '../schema/schema.ts'
import type { FinishedChunk } from './finished-chunk.ts'
import { PageIndexes } from './page-indexes.ts'
import { writeChunkMetadata } from './write-chunk-metadata.ts'

const CREATED_BY = new TextEncoder().encode('fusou-compaction')

const FIRST_PART_BYTES = 16 * 1024

/** of ColumnChunk */
const META_DATA_FIELD = 3

/** Writes the frame of a file around column chunks: magic, row groups, footer. */
export class FileWriter {
  readonly #sink: Sink
  readonly #schema: Schema
  /** the part that is being filled; it grows to `#partBytes`, which a small file never takes */
  #part: Uint8Array
  readonly #partBytes: number
  #filled = 0
  /** RowGroup structs, written as they come: as objects they would weigh more */
  readonly #rowGroups = new ByteBuffer()
  /** where in `#rowGroups` each ColumnChunk ends but for the places of its page indexes, which are not known yet */
  readonly #chunkEnds: number[] = []
  readonly #indexes: PageIndexes
  /** the row group that is being written */
  #open!: { start: number; uncompressedBytes: number; chunks: { chunk: FinishedChunk; offset: number }[] }
  rowGroupCount = 0
  rowCount = 0
  /** bytes of the file so far */
  offset = 0

  /**
   * @param partBytes  what the sink gets at a time
   * @param indexBytes bound on the page indexes of all chunks, which are held until the end
   */
  constructor(sink: Sink, schema: Schema, partBytes: number, indexBytes: number) {
    this.#sink = sink
    this.#partBytes = partBytes
    this.#part = new Uint8Array(Math.min(partBytes, FIRST_PART_BYTES))
    this.#schema = schema
    this.#indexes = new PageIndexes(indexBytes)
  }

  /** chunks that got no page index, for want of memory */
  get chunksWithoutIndex(): number {
    return this.#indexes.overflows
  }

  async begin(): Promise<void> {
    const magic = new ByteBuffer(4)
    magic.uint32(MAGIC)
    await this.#write(magic.take())
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength
    let from = 0
    // most pieces fit, and are worth no promise
    while (from < bytes.byteLength) {
      if (this.#filled + bytes.byteLength - from > this.#part.length) this.#grow(this.#filled + bytes.byteLength - from)
      const to = Math.min(bytes.byteLength, from + this.#part.length - this.#filled)
      this.#part.set(from === 0 && to === bytes.byteLength ? bytes : bytes.subarray(from, to), this.#filled)
      this.#filled += to - from
      from = to
      if (this.#filled === this.#partBytes) await this.#flush()
    }
  }

  #grow(wanted: number): void {
    if (this.#part.length === this.#partBytes) return
    const grown = new Uint8Array(Math.min(this.#partBytes, Math.max(wanted, this.#part.length * 4)))
    grown.set(this.#part.subarray(0, this.#filled))
    this.#part = grown
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return
    try {
      await this.#sink.write(this.#part.subarray(0, this.#filled))
    } catch (cause) {
      throw new ParquetError('write_failed', reason(cause), { cause })
    }
    this.#filled = 0
  }

  async writeRowGroup(rows: number, chunks: FinishedChunk[], sorting?: SortingColumns): Promise<void> {
    this.beginRowGroup()
    for (const chunk of chunks) await this.writeChunk(chunk)
    await this.endRowGroup(rows, sorting)
  }

  beginRowGroup(): void {
    this.#open = { start: this.offset, uncompressedBytes: 0, chunks: [] }
  }

  /** Write the next chunk of the row group; its pages are let go of as they are written. */
  async writeChunk(chunk: FinishedChunk): Promise<void> {
    this.#indexes.add(chunk, this.offset)
    this.#open.uncompressedBytes += chunk.uncompressedBytes
    const { dataPages: _, dictionary: __, ...kept } = chunk
    this.#open.chunks.push({ chunk: { ...kept, pages: [] }, offset: this.offset })
    for (const page of chunk.pages.splice(0)) await this.#write(page)
  }

  /** @param sorting elements of the SortingColumn list as the inputs have them */
  async endRowGroup(rows: number, sorting?: SortingColumns): Promise<void> {
    const { start, uncompressedBytes, chunks } = this.#open
    const chunkBytes = this.offset - start
    const writer = new ThriftWriter(this.#rowGroups)
    writer.open()
    writer.list(1, THRIFT.STRUCT, chunks.length)
    for (const { chunk, offset } of chunks) {
      const filterOffset = this.offset
      if (chunk.bloomFilter) await this.#write(chunk.bloomFilter)
      writer.open()
      writer.i64(2, 0)
      writeChunkMetadata(writer, META_DATA_FIELD, chunk, offset, filterOffset)
      this.#chunkEnds.push(this.#rowGroups.length)
      writer.close()
    }
    writer.i64(2, uncompressedBytes)
    writer.i64(3, rows)
    if (sorting && sorting.count > 0) {
      writer.list(4, THRIFT.STRUCT, sorting.count)
      writer.out.append(sorting.elements)
    }
    writer.i64(5, start)
    writer.i64(6, chunkBytes)
    writer.close()
    this.rowGroupCount++
    this.rowCount += rows
  }

  async end(keyValues: KeyValue[]): Promise<void> {
    const columnIndexAt = this.offset
    await this.#write(this.#indexes.columnIndexes.view())
    const offsetIndexAt = this.offset
    await this.#write(this.#indexes.offsetIndexes.view())
    const writer = new ThriftWriter()
    writer.open()
    writer.i32(1, 2)
    writer.list(2, THRIFT.STRUCT, this.#schema.elementCount)
    writer.out.append(this.#schema.elementBytes)
    writer.i64(3, this.rowCount)
    writer.list(4, THRIFT.STRUCT, this.rowGroupCount)
    this.#appendRowGroups(writer.out, columnIndexAt, offsetIndexAt)
    if (keyValues.length > 0) {
      writer.list(5, THRIFT.STRUCT, keyValues.length)
      for (const { key, value } of keyValues) {
        writer.open()
        writer.binary(1, key)
        if (value) writer.binary(2, value)
        writer.close()
      }
    }
    writer.binary(6, CREATED_BY)
    // without an order readers ignore min_value and max_value
    writer.list(7, THRIFT.STRUCT, this.#schema.leaves.length)
    for (let i = 0; i < this.#schema.leaves.length; i++) {
      writer.open()
      writer.open(1)
      writer.close()
      writer.close()
    }
    writer.close()
    const length = writer.out.length
    writer.out.uint32(length)
    writer.out.uint32(MAGIC)
    await this.#write(writer.out.take())
    await this.#flush()
  }

  /** Append the RowGroup structs, with the places of the page indexes in the ColumnChunks. */
  #appendRowGroups(out: ByteBuffer, columnIndexAt: number, offsetIndexAt: number): void {
    let from = 0
    let [columnIndex, offsetIndex] = [columnIndexAt, offsetIndexAt]
    for (const [chunk, end] of this.#chunkEnds.entries()) {
      out.append(this.#rowGroups.bytes, from, end)
      from = end
      const columnBytes = this.#indexes.lengths[chunk * 2]!
      const offsetBytes = this.#indexes.lengths[chunk * 2 + 1]!
      const writer = new ThriftWriter(out, META_DATA_FIELD)
      if (offsetBytes > 0) {
        writer.i64(4, offsetIndex)
        writer.i32(5, offsetBytes)
      }
      if (columnBytes > 0) {
        writer.i64(6, columnIndex)
        writer.i32(7, columnBytes)
      }
      columnIndex += columnBytes
      offsetIndex += offsetBytes
    }
    out.append(this.#rowGroups.bytes, from, this.#rowGroups.length)
  }
}

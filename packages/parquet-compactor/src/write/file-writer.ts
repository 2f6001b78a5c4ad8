import { addWork, type DeclaredWork, NO_WORK } from '../footer/declared-work.ts'
import type { KeyValue } from '../footer/footer.ts'
import type { SortingColumns } from '../footer/sorting-columns.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { MAGIC } from '../format/format.ts'
import { THRIFT } from '../format/thrift-reader.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { Schema } from '../schema/schema.ts'
import type { FinishedChunk } from './finished-chunk.ts'
import { PageIndexes } from './page-indexes.ts'
import type { PartWriter } from './part-writer.ts'
import { writeChunkMetadata } from './write-chunk-metadata.ts'
import { beginFileMetadata, endFileMetadata } from './write-file-metadata.ts'

/** bytes of the footer that are written at a time */
const FOOTER_PIECE_BYTES = 64 * 1024

/** field id of `meta_data` in ColumnChunk */
const META_DATA_FIELD = 3

/** Writes the frame of a file around column chunks: magic, row groups, footer. */
export class FileWriter {
  readonly #parts: PartWriter
  readonly #schema: Schema
  /** RowGroup structs, written as they come: as objects they would weigh more */
  readonly #rowGroups = new ByteBuffer()
  /** where in `#rowGroups` each ColumnChunk ends but for the places of its page indexes, which are not known yet */
  readonly #chunkEnds: number[] = []
  readonly #indexes: PageIndexes
  readonly #maxDescriptionBytes: number
  #descriptionBytes = 0
  /** chunks whose bounds and metadata did not fit */
  chunksWithoutDescription = 0
  /** the row group that is being written */
  #open!: { start: number; uncompressedBytes: number; chunks: { chunk: FinishedChunk; offset: number }[] }
  rowGroupCount = 0
  rowCount = 0
  #work = NO_WORK

  /**
   * @param indexBytes          bound on the page indexes of all chunks, which are held until the end
   * @param maxDescriptionBytes bound on what the footer says of chunks beyond numbers: bounds, key-value metadata, geometry
   */
  constructor(parts: PartWriter, schema: Schema, indexBytes: number, maxDescriptionBytes: number) {
    this.#maxDescriptionBytes = maxDescriptionBytes
    this.#parts = parts
    this.#schema = schema
    this.#indexes = new PageIndexes(indexBytes)
  }

  /** bytes of the file so far */
  get offset(): number {
    return this.#parts.offset
  }

  /** chunks that got no page index, for want of memory */
  get chunksWithoutIndex(): number {
    return this.#indexes.overflows
  }

  /** declared work of the file; complete once it has ended */
  get work(): DeclaredWork {
    return this.#work
  }

  async begin(): Promise<void> {
    const magic = new ByteBuffer(4)
    magic.uint32(MAGIC)
    await this.#parts.write(magic.take())
  }

  async writeRowGroup(rows: number, chunks: FinishedChunk[], sorting?: SortingColumns): Promise<void> {
    this.beginRowGroup()
    for (const chunk of chunks) await this.writeChunk(chunk)
    await this.endRowGroup(rows, sorting)
  }

  beginRowGroup(): void {
    this.#open = { start: this.offset, uncompressedBytes: 0, chunks: [] }
  }

  /** Write the next chunk of the row group; each page is released once it is written. */
  async writeChunk(chunk: FinishedChunk): Promise<void> {
    this.#indexes.add(chunk, this.offset)
    const { levels: values, uncompressedBytes } = chunk
    this.#open.uncompressedBytes += uncompressedBytes
    this.#work = addWork(this.#work, { footerBytes: 0, columnChunks: 1, values, uncompressedBytes })
    const { dataPages: _, dictionary: __, ...kept } = chunk
    this.#open.chunks.push({ chunk: this.#describe({ ...kept, pages: [] }), offset: this.offset })
    for (const page of chunk.pages.splice(0)) await this.#parts.write(page)
  }

  /** @returns the chunk without what any writer may leave out, if that does not fit */
  #describe(chunk: FinishedChunk): FinishedChunk {
    const { keyValues, geospatial, statistics } = chunk
    const bytes = [keyValues, geospatial, statistics.min, statistics.max].reduce(
      (sum, own) => sum + (own?.length ?? 0),
      0,
    )
    this.#descriptionBytes += bytes
    if (bytes === 0 || this.#descriptionBytes <= this.#maxDescriptionBytes) return chunk
    this.#descriptionBytes -= bytes
    this.chunksWithoutDescription++
    const bare = { ...statistics, min: undefined, max: undefined, minIsExact: undefined, maxIsExact: undefined }
    return { ...chunk, keyValues: undefined, geospatial: undefined, statistics: bare }
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
      if (chunk.bloomFilter) await this.#parts.write(chunk.bloomFilter)
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
    await this.#parts.write(this.#indexes.columnIndexes.view())
    const offsetIndexAt = this.offset
    await this.#parts.write(this.#indexes.offsetIndexes.view())
    const footerAt = this.offset
    const writer = new ThriftWriter()
    beginFileMetadata(writer, this.#schema, this.rowCount, this.rowGroupCount)
    await this.#writeRowGroups(writer.out, columnIndexAt, offsetIndexAt)
    endFileMetadata(writer, this.#schema, keyValues, this.offset - footerAt)
    const rowsAlone = this.#schema.leaves.length === 0 ? this.rowCount : 0
    await this.#parts.write(writer.out.view())
    this.#work = addWork(this.#work, { ...NO_WORK, footerBytes: this.offset - footerAt, values: rowsAlone })
    await this.#parts.end()
  }

  /**
   * Append the RowGroup structs, with the places of the page indexes in the ColumnChunks; what has been appended is written
   * piece by piece, since a wide file has megabytes of them, which are held once already.
   */
  async #writeRowGroups(out: ByteBuffer, columnIndexAt: number, offsetIndexAt: number): Promise<void> {
    let from = 0
    let [columnIndex, offsetIndex] = [columnIndexAt, offsetIndexAt]
    for (const [chunk, end] of this.#chunkEnds.entries()) {
      if (out.length >= FOOTER_PIECE_BYTES) {
        await this.#parts.write(out.view())
        out.clear()
      }
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

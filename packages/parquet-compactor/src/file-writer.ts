import { ByteBuffer } from './byte-buffer.ts'
import type { FinishedChunk } from './chunk-writer.ts'
import type { Footer } from './footer.ts'
import { MAGIC } from './format.ts'
import { ParquetError } from './parquet-error.ts'
import type { Schema } from './schema.ts'
import { reason, type Sink } from './source.ts'
import { THRIFT } from './thrift-reader.ts'
import { ThriftWriter } from './thrift-writer.ts'

/** Smaller pieces are joined before they go to the sink. */
const WRITE_BYTES = 256 * 1024

const CREATED_BY = new TextEncoder().encode('fusou-compaction')

/** How the rows of every row group are sorted (parquet.thrift, SortingColumn). */
export interface SortingColumn {
  column: number
  isDescending: boolean
  areNullsFirst: boolean
}

/** Writes the frame of a file around column chunks: magic, row groups, footer. */
export class FileWriter {
  readonly #sink: Sink
  readonly #schema: Schema
  readonly #sortingColumns: readonly SortingColumn[]
  #pending = new ByteBuffer(WRITE_BYTES)
  /** RowGroup structs, written as they come: as objects they would weigh more */
  readonly #rowGroups = new ByteBuffer()
  /** the row group that is being written */
  #open!: { writer: ThriftWriter; start: number; uncompressedBytes: number }
  rowGroupCount = 0
  rowCount = 0
  /** bytes of the file so far */
  offset = 0

  constructor(sink: Sink, schema: Schema, sortingColumns: readonly SortingColumn[] = []) {
    this.#sink = sink
    this.#schema = schema
    this.#sortingColumns = sortingColumns
  }

  async begin(): Promise<void> {
    const magic = new ByteBuffer(4)
    magic.uint32(MAGIC)
    await this.#write(magic.take())
  }

  /** Copies, so that the sink owns what it gets and its parts are of one size. */
  async #write(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength
    let from = 0
    while (from < bytes.byteLength) {
      const to = Math.min(bytes.byteLength, from + WRITE_BYTES - this.#pending.length)
      this.#pending.append(bytes, from, to)
      from = to
      if (this.#pending.length === WRITE_BYTES) await this.#flush()
    }
  }

  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return
    const pending = this.#pending
    this.#pending = new ByteBuffer(WRITE_BYTES)
    await this.#send(pending.view())
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#sink.write(bytes)
    } catch (cause) {
      throw new ParquetError('write_failed', reason(cause), { cause })
    }
  }

  async writeRowGroup(rows: number, chunks: FinishedChunk[]): Promise<void> {
    this.beginRowGroup(chunks.length)
    for (const chunk of chunks) await this.writeChunk(chunk)
    await this.endRowGroup(rows)
  }

  beginRowGroup(columns: number): void {
    const writer = new ThriftWriter(this.#rowGroups)
    writer.open()
    writer.list(1, THRIFT.STRUCT, columns)
    this.#open = { writer, start: this.offset, uncompressedBytes: 0 }
  }

  /** Write the next chunk of the row group; its pages are let go of as they are written. */
  async writeChunk(chunk: FinishedChunk): Promise<void> {
    const { writer } = this.#open
    writer.open()
    writer.i64(2, 0)
    chunk.writeMetadata(writer, 3, this.offset)
    writer.close()
    this.#open.uncompressedBytes += chunk.uncompressedBytes
    for (const page of chunk.pages.splice(0)) await this.#write(page)
  }

  async endRowGroup(rows: number): Promise<void> {
    const { writer, start, uncompressedBytes } = this.#open
    writer.i64(2, uncompressedBytes)
    writer.i64(3, rows)
    if (this.#sortingColumns.length > 0) {
      writer.list(4, THRIFT.STRUCT, this.#sortingColumns.length)
      for (const { column, isDescending, areNullsFirst } of this.#sortingColumns) {
        writer.open()
        writer.i32(1, column)
        writer.boolean(2, isDescending)
        writer.boolean(3, areNullsFirst)
        writer.close()
      }
    }
    writer.i64(5, start)
    writer.i64(6, this.offset - start)
    writer.close()
    this.rowGroupCount++
    this.rowCount += rows
  }

  async end(keyValues: Footer['keyValues']): Promise<void> {
    const writer = new ThriftWriter()
    writer.open()
    writer.i32(1, 2)
    writer.list(2, THRIFT.STRUCT, this.#schema.elementCount)
    writer.out.append(this.#schema.elementBytes)
    writer.i64(3, this.rowCount)
    writer.list(4, THRIFT.STRUCT, this.rowGroupCount)
    writer.out.append(this.#rowGroups.view())
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
}

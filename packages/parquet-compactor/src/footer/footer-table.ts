import { ENCODING } from '../format/format.ts'
import { ThriftWriter } from '../format/thrift-writer.ts'
import type { Schema } from '../schema/schema.ts'
import { IN_TYPE_ORDER } from './chunk-bounds.ts'
import { type ChunkExtras, writeExtras } from './chunk-extras.ts'
import type { Footer } from './footer.ts'
import type { SortingColumns } from './sorting-columns.ts'

/** bit of `chunkEncodings` */
const UNKNOWN_ENCODING = 1 << 15

/** bytes that the arrays take for each chunk, without its bounds */
const BYTES_OF_CHUNK = 5 * 8 + 3 * 4 + 2 + 5
/** the same with bounds as most chunks have them */
export const USUAL_BYTES_OF_CHUNK = 80

/** Row groups of files of one schema, in arrays that grow: with arrays of their own, tiny files would take twice as much. */
export class FooterTable implements Footer {
  readonly schema: Schema
  rowGroups = 0
  chunks = 0
  /** declared bytes of all pages and their headers before compression */
  uncompressedBytes = 0
  /** levels of all chunks */
  values = 0
  rowsOfGroup: Float64Array = new Float64Array(1)
  readonly sortingOfGroup: (SortingColumns | undefined)[] = []
  chunkOffset: Float64Array
  chunkBytes: Float64Array
  chunkValues: Float64Array
  chunkNulls: Float64Array
  chunkDictionaryBytes: Float64Array
  chunkPages: Uint32Array
  chunkEncodings: Uint16Array
  chunkCodec: Uint8Array
  chunkVersions: Uint8Array
  chunkHasDictionary: Uint8Array
  boundsState: Uint8Array
  boundsAt: Uint32Array
  boundsBytes: Uint8Array
  chunkExtras: Uint8Array
  /** made with the first chunk that has any */
  extrasAt: Uint32Array = new Uint32Array()
  #extras: ThriftWriter | undefined

  /**
   * @param chunks     how many there is room for at first
   * @param boundBytes bytes of their bounds that there is room for at first
   */
  constructor(schema: Schema, chunks: number, boundBytes = 256) {
    this.schema = schema
    this.boundsBytes = new Uint8Array(boundBytes)
    this.chunkOffset = new Float64Array(chunks)
    this.chunkBytes = new Float64Array(chunks)
    this.chunkValues = new Float64Array(chunks)
    this.chunkNulls = new Float64Array(chunks)
    this.chunkDictionaryBytes = new Float64Array(chunks)
    this.chunkPages = new Uint32Array(chunks)
    this.chunkEncodings = new Uint16Array(chunks)
    this.chunkCodec = new Uint8Array(chunks)
    this.chunkVersions = new Uint8Array(chunks)
    this.chunkHasDictionary = new Uint8Array(chunks)
    this.boundsState = new Uint8Array(chunks)
    this.boundsAt = new Uint32Array(chunks * 2 + 1)
    this.chunkExtras = new Uint8Array(chunks)
  }

  get extrasBytes(): Uint8Array {
    return this.#extras?.out.bytes ?? new Uint8Array()
  }

  /** that all of its arrays take */
  get byteLength(): number {
    return (
      this.chunkOffset.length * BYTES_OF_CHUNK +
      this.boundsBytes.length +
      this.extrasAt.byteLength +
      this.extrasBytes.length
    )
  }

  /** @returns the number that the next chunk has; nothing is known of it yet */
  beginChunk(): number {
    const chunk = this.chunks
    if (chunk === this.chunkOffset.length) this.#grow(Math.max(16, chunk * 2))
    this.chunkNulls[chunk] = -1
    this.chunkPages[chunk] = 0
    this.chunkVersions[chunk] = 0
    this.chunkEncodings[chunk] = 0
    this.boundsState[chunk] = 0
    this.boundsAt[chunk * 2 + 1] = this.boundsAt[chunk * 2]!
    this.boundsAt[chunk * 2 + 2] = this.boundsAt[chunk * 2]!
    return chunk
  }

  /** Take the chunk that was begun last as another one is, but for its bounds and extras. */
  setNumbers(chunk: number, from: Footer, own: number): void {
    this.chunkOffset[chunk] = from.chunkOffset[own]!
    this.chunkBytes[chunk] = from.chunkBytes[own]!
    this.chunkValues[chunk] = from.chunkValues[own]!
    this.chunkNulls[chunk] = from.chunkNulls[own]!
    this.chunkDictionaryBytes[chunk] = from.chunkDictionaryBytes[own]!
    this.chunkPages[chunk] = from.chunkPages[own]!
    this.chunkEncodings[chunk] = from.chunkEncodings[own]!
    this.chunkCodec[chunk] = from.chunkCodec[own]!
    this.chunkVersions[chunk] = from.chunkVersions[own]!
    this.chunkHasDictionary[chunk] = from.chunkHasDictionary[own]!
  }

  /**
   * Set the bounds of the chunk that was begun last.
   * @param state `boundsState`
   * @param bytes in which both are
   */
  setBounds(
    chunk: number,
    state: number,
    bytes: Uint8Array,
    minAt: number,
    minBytes: number,
    maxAt: number,
    maxBytes: number,
  ): void {
    const at = this.boundsAt[chunk * 2]!
    const end = at + minBytes + maxBytes
    if (end > this.boundsBytes.length) this.boundsBytes = grown(this.boundsBytes, Math.max(end, at * 2))
    copyBytes(bytes, minAt, minBytes, this.boundsBytes, at)
    copyBytes(bytes, maxAt, maxBytes, this.boundsBytes, at + minBytes)
    this.boundsState[chunk] = state
    this.boundsAt[chunk * 2 + 1] = at + minBytes
    this.boundsAt[chunk * 2 + 2] = end
  }

  /** Set the bounds of the chunk that was begun last to those of another one. */
  setBoundsOf(chunk: number, from: Footer, own: number): void {
    const [minAt, maxAt, end] = [from.boundsAt[own * 2]!, from.boundsAt[own * 2 + 1]!, from.boundsAt[own * 2 + 2]!]
    this.setBounds(chunk, from.boundsState[own]!, from.boundsBytes, minAt, maxAt - minAt, maxAt, end - maxAt)
  }

  /** The chunk that was begun last is complete. */
  addChunk(extras: ChunkExtras | undefined): void {
    const chunk = this.chunks++
    if (extras) {
      this.#extras ??= new ThriftWriter()
      if (this.extrasAt.length === 0) this.extrasAt = new Uint32Array(this.chunkOffset.length + 1)
      this.chunkExtras[chunk] = writeExtras(this.#extras, extras)
    }
    if (this.#extras) this.extrasAt[chunk + 1] = this.#extras.out.length
  }

  /** End a row group, whose chunks were added before. */
  addRowGroup(rows: number, sorting: SortingColumns | undefined): void {
    if (this.rowGroups === this.rowsOfGroup.length) this.rowsOfGroup = grown(this.rowsOfGroup, this.rowGroups * 2)
    if (sorting) this.sortingOfGroup[this.rowGroups] = sorting
    this.rowsOfGroup[this.rowGroups++] = rows
  }

  /** The bounds of chunks from `first` on are in the order of their type, as what comes last in a footer tells. */
  markOrder(first: number): void {
    for (let chunk = first; chunk < this.chunks; chunk++) this.boundsState[chunk]! |= IN_TYPE_ORDER
  }

  /** Pages of DELTA_BYTE_ARRAY of chunks from `first` on mean something else in another file: they are not to pass. */
  markDeltaPages(first: number): void {
    for (let chunk = first; chunk < this.chunks; chunk++) {
      if (this.chunkEncodings[chunk]! & (1 << ENCODING.DELTA_BYTE_ARRAY))
        this.chunkEncodings[chunk]! |= UNKNOWN_ENCODING
    }
  }

  #grow(chunks: number): void {
    this.chunkOffset = grown(this.chunkOffset, chunks)
    this.chunkBytes = grown(this.chunkBytes, chunks)
    this.chunkValues = grown(this.chunkValues, chunks)
    this.chunkNulls = grown(this.chunkNulls, chunks)
    this.chunkDictionaryBytes = grown(this.chunkDictionaryBytes, chunks)
    this.chunkPages = grown(this.chunkPages, chunks)
    this.chunkEncodings = grown(this.chunkEncodings, chunks)
    this.chunkCodec = grown(this.chunkCodec, chunks)
    this.chunkVersions = grown(this.chunkVersions, chunks)
    this.chunkHasDictionary = grown(this.chunkHasDictionary, chunks)
    this.boundsState = grown(this.boundsState, chunks)
    this.boundsAt = grown(this.boundsAt, chunks * 2 + 1)
    this.chunkExtras = grown(this.chunkExtras, chunks)
    if (this.extrasAt.length > 0) this.extrasAt = grown(this.extrasAt, chunks + 1)
  }
}

/** Bounds are a few bytes long: a call of `set` would take longer. */
function copyBytes(from: Uint8Array, fromAt: number, length: number, to: Uint8Array, toAt: number): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!
}

type Numbers = Float64Array | Uint32Array | Uint16Array | Uint8Array

function grown<Values extends Numbers>(values: Values, length: number): Values {
  const larger = new (values.constructor as new (length: number) => Values)(length)
  larger.set(values)
  return larger
}

/** After so many chunks a table takes no more files: it is released when they are done. */
const FULL_CHUNKS = 4096

/** Tables for footers as they come, those of one schema together. Those that are full are held by who uses them, not here. */
export class FooterTables {
  readonly #open = new Map<string, FooterTable>()
  #fullBytes = 0

  /** Bytes of all tables so far. */
  get byteLength(): number {
    let bytes = this.#fullBytes
    for (const { byteLength } of this.#open.values()) bytes += byteLength
    return bytes
  }

  /** @returns one with room for the row groups of a file */
  tableFor(schema: Schema): FooterTable {
    const open = this.#open.get(schema.canonical)
    if (open && open.chunks < FULL_CHUNKS) return open
    if (open) this.#fullBytes += open.byteLength
    const table = open ? likeFull(open) : new FooterTable(schema, schema.leaves.length)
    this.#open.set(schema.canonical, table)
    return table
  }
}

/** @returns one that need not grow for files like those before */
function likeFull({ schema, chunks, rowGroups, boundsAt }: FooterTable): FooterTable {
  const room = FULL_CHUNKS + schema.leaves.length
  const table = new FooterTable(schema, room, Math.ceil((boundsAt[chunks * 2]! / chunks) * room * 1.05))
  table.rowsOfGroup = new Float64Array(rowGroups + 1)
  return table
}

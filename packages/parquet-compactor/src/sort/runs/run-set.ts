import { FooterTable } from '../../footer/footer-table.ts'
import { ByteBuffer } from '../../format/byte-buffer.ts'
import { CODEC } from '../../format/format.ts'
import type { ScratchRoom } from '../../read/scratch.ts'
import type { Schema } from '../../schema/schema.ts'
import { compareKeys } from '../keys/sort-range.ts'
import type { Piece, PieceOrigin } from '../keys/value-piece.ts'

/** bytes held for a piece of a run, without those of its columns and its key */
const BYTES_OF_PIECE = 8 + 3 * 4 + 4
const BYTES_OF_NUMBER = 4

/** A column of a piece. */
export interface RunChunk {
  bytes: number
  /** values, nulls and empty lists */
  levels: number
}

/**
 * Runs of sorted rows in the scratch, each cut into pieces: column chunks one behind another, without any footer. What is known of a
 * piece is kept here, in a few bytes.
 */
export class RunSet {
  readonly #schema: Schema
  /** columns of lists, of which the levels are counted, too */
  readonly #lists: number[]
  readonly #numbersOfPiece: number
  readonly #room: ScratchRoom
  /** first piece of each run */
  readonly #firsts: number[] = []
  readonly #origins: PieceOrigin[] = []
  #pieces = 0
  #offsets: Float64Array
  #rows: Uint32Array
  #originOf: Uint32Array
  /** for each piece, bytes of its chunks, then level counts of the columns with lists */
  #numbers: Uint32Array
  /** where the key of each piece ends in `#keys` */
  #keyEnds: Uint32Array
  readonly #keys = new ByteBuffer()

  /** @param pieces that are expected */
  constructor(schema: Schema, room: ScratchRoom, pieces: number) {
    this.#schema = schema
    this.#lists = schema.leaves.flatMap(({ maxRepetition }, column) => (maxRepetition > 0 ? [column] : []))
    this.#numbersOfPiece = schema.leaves.length + this.#lists.length
    this.#room = room
    this.#offsets = new Float64Array(pieces)
    this.#rows = new Uint32Array(pieces)
    this.#originOf = new Uint32Array(pieces)
    this.#numbers = new Uint32Array(pieces * this.#numbersOfPiece)
    this.#keyEnds = new Uint32Array(pieces)
  }

  /** Bytes held for a piece. */
  static bytesOfPiece({ leaves }: Schema, keyBytes: number): number {
    const numbers = leaves.reduce((sum, { maxRepetition }) => sum + (maxRepetition > 0 ? 2 : 1), 0)
    return BYTES_OF_PIECE + numbers * BYTES_OF_NUMBER + keyBytes
  }

  get count(): number {
    return this.#firsts.length
  }

  beginRun(): void {
    this.#firsts.push(this.#pieces)
  }

  /**
   * Add the next rows of the run in hand.
   * @param chunks bytes and levels of each column
   * @param key           no row of the piece has a lesser one, nor has the piece before
   */
  add(offset: number, rows: number, chunks: readonly RunChunk[], origin: PieceOrigin, key: Uint8Array): void {
    const piece = this.#pieces++
    if (piece === this.#offsets.length) this.#grow(Math.ceil(piece * 1.25) + 16)
    if (this.#origins.at(-1) !== origin) this.#origins.push(origin)
    this.#offsets[piece] = offset
    this.#rows[piece] = rows
    this.#originOf[piece] = this.#origins.length - 1
    let at = piece * this.#numbersOfPiece
    for (const { bytes } of chunks) this.#numbers[at++] = bytes
    for (const column of this.#lists) this.#numbers[at++] = chunks[column]!.levels
    this.#keys.append(key)
    this.#keyEnds[piece] = this.#keys.length
  }

  /** Add a run of another set of the same schema, as it is. */
  addRun(other: RunSet, run: number): void {
    this.beginRun()
    const { from, to } = other.piecesOf(run)
    const { leaves } = this.#schema
    for (let piece = from; piece < to; piece++) {
      const at = piece * this.#numbersOfPiece
      const chunks = leaves.map((_, column): RunChunk => ({ bytes: other.#numbers[at + column]!, levels: 0 }))
      for (const [i, column] of this.#lists.entries()) chunks[column]!.levels = other.#numbers[at + leaves.length + i]!
      const origin = other.#origins[other.#originOf[piece]!]!
      this.add(other.#offsets[piece]!, other.#rows[piece]!, chunks, origin, other.leastKey(piece))
    }
  }

  #grow(pieces: number): void {
    const grown = (old: Uint32Array, length: number): Uint32Array => {
      const larger = new Uint32Array(length)
      larger.set(old)
      return larger
    }
    const offsets = new Float64Array(pieces)
    offsets.set(this.#offsets)
    this.#offsets = offsets
    this.#rows = grown(this.#rows, pieces)
    this.#originOf = grown(this.#originOf, pieces)
    this.#numbers = grown(this.#numbers, pieces * this.#numbersOfPiece)
    this.#keyEnds = grown(this.#keyEnds, pieces)
  }

  /** @returns the first piece of the run, and the one behind its last */
  piecesOf(run: number): { from: number; to: number } {
    return { from: this.#firsts[run]!, to: this.#firsts[run + 1] ?? this.#pieces }
  }

  /** @param runs the first, and the one behind the last */
  rowsOfRuns(runs: { from: number; to: number }): number {
    const [from, to] = [this.#firsts[runs.from]!, this.piecesOf(runs.to - 1).to]
    return this.#rows.subarray(from, to).reduce((sum, rows) => sum + rows, 0)
  }

  /** a key that none of the piece's rows is less than; a view */
  leastKey(piece: number): Uint8Array {
    return this.#keys.bytes.subarray(piece === 0 ? 0 : this.#keyEnds[piece - 1]!, this.#keyEnds[piece]!)
  }

  /** by their least keys; of equal ones the one that comes first */
  comparePieces(a: number, b: number): number {
    return compareKeys(this.leastKey(a), this.leastKey(b)) || a - b
  }

  /** @returns it with a footer of its own, made as it is wanted */
  piece(piece: number): Piece {
    const { leaves } = this.#schema
    const footer = new FooterTable(this.#schema, leaves.length)
    const rows = this.#rows[piece]!
    const first = this.#offsets[piece]!
    let offset = first
    const at = piece * this.#numbersOfPiece
    let nextLevels = at + leaves.length
    for (const [column, { maxDefinition, maxRepetition }] of leaves.entries()) {
      const bytes = this.#numbers[at + column]!
      const chunk = footer.beginChunk()
      footer.chunkOffset[chunk] = offset
      footer.chunkBytes[chunk] = bytes
      footer.chunkValues[chunk] = maxRepetition > 0 ? this.#numbers[nextLevels++]! : rows
      footer.chunkCodec[chunk] = CODEC.UNCOMPRESSED
      footer.chunkNulls[chunk] = maxDefinition > 0 ? -1 : 0
      footer.addChunk(undefined)
      offset += bytes
    }
    footer.addRowGroup(rows, undefined)
    const origin = this.#origins[this.#originOf[piece]!]!
    return {
      source: this.#room,
      footer,
      rowGroup: 0,
      rows,
      bytes: offset - first,
      firstRow: 0,
      held: undefined,
      origin,
    }
  }
}

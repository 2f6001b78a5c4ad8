import type { Kernel } from '../../kernel/kernel.ts'
import type { FileReader } from '../../read/file-reader.ts'
import type { Schema } from '../../schema/schema.ts'
import { type Piece, type PieceOrigin, type PieceSettings, readColumn } from '../keys/value-piece.ts'
import type { RankedPiece } from '../rank/rank-rows.ts'
import { GatheredLists, type PickedRows } from './gathered-lists.ts'
import { GatheredSlots } from './gathered-slots.ts'

export type GatheredColumn = GatheredSlots | GatheredLists

/** part of the room that columns with lists get, where there are any beside others */
const LISTS_SHARE = 0.5

/** Rows of the output that are being filled, from the first on, with rows of inputs in any order. */
export class GatheredGroup {
  /** places that there are, and how many of the first are complete */
  readonly rows: number
  filled = 0
  /** whether rows found no room although places are left */
  isFull = false
  readonly roomBytes: number
  /** rows of one piece that may be taken at a time */
  readonly mostPicks: number
  readonly columns: readonly GatheredColumn[]
  readonly #pieces = new Set<Piece>()
  readonly #origins = new Set<PieceOrigin>()
  readonly #kernel: Kernel
  readonly #hasRoom: boolean
  readonly #listBytes: number

  /**
   * @param roomBytes for all that is held
   * @param mostPicks rows that are taken of one piece, at the most
   */
  constructor({ leaves }: Schema, rows: number, roomBytes: number, mostPicks: number, kernel: Kernel) {
    this.rows = rows
    this.roomBytes = roomBytes
    this.mostPicks = mostPicks
    this.#kernel = kernel
    const lists = leaves.filter(({ maxRepetition }) => maxRepetition > 0).length
    this.#listBytes = lists === 0 ? 0 : roomBytes * (lists === leaves.length ? 0.75 : LISTS_SHARE)
    this.#hasRoom = kernel.beginSlots(Math.floor(roomBytes - this.#listBytes), leaves.length, rows, mostPicks)
    this.columns = leaves.map((leaf, column) =>
      leaf.maxRepetition > 0 ? new GatheredLists(leaf, rows) : new GatheredSlots(leaf, column, kernel),
    )
  }

  get heldBytes(): number {
    return this.#kernel.slots.arenaUsed() + this.#heldByLists()
  }

  #heldByLists(): number {
    return this.columns.reduce((sum, column) => sum + (column instanceof GatheredLists ? column.heldBytes : 0), 0)
  }

  /**
   * Take those rows of a piece whose ranks are among `count` from `first` on, to the places behind those that are filled.
   * @returns false where there is no room for them
   */
  async take(
    ranked: RankedPiece,
    file: FileReader,
    first: number,
    count: number,
    settings: PieceSettings,
  ): Promise<boolean> {
    if (!this.#hasRoom) return false
    const { piece } = ranked
    const picked = this.#pick(ranked, first, count)
    this.#remember(piece)
    for (const [number, column] of this.columns.entries()) {
      if (column instanceof GatheredLists) {
        column.begin(picked)
        await readColumn(piece, file, number, column.leaf, column, settings)
      } else if (!(await column.take(piece, file, number, settings))) return false
    }
    return this.#heldByLists() <= this.#listBytes
  }

  /** row groups of the inputs that its rows come from */
  get pieces(): Piece[] {
    const pieces = new Set(this.#pieces)
    for (const origin of this.#origins) for (const piece of origin.pieces) pieces.add(piece)
    return [...pieces]
  }

  #remember(piece: Piece): void {
    const { origin } = piece
    if (!origin) {
      this.#pieces.add(piece)
      return
    }
    if (this.#origins.has(origin)) return
    this.#origins.add(origin)
    for (const [number, column] of this.columns.entries()) {
      column.hasChecksums ||= origin.hasChecksums[number]!
      if (column instanceof GatheredLists) continue
      column.inputDictionaryBytes = Math.max(column.inputDictionaryBytes, origin.dictionaryBytes[number]!)
    }
  }

  /** @returns which rows of the piece go where */
  #pick({ rows: own, ranks }: RankedPiece, first: number, count: number): PickedRows {
    // a piece has no more rows in the group than there is room for
    const most = Math.min(ranks.length, this.rows)
    const [rows, places] = [new Uint32Array(most), new Uint32Array(most)]
    const shift = this.filled - first
    let picks = 0
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[i]!
      if (rank < first || rank >= first + count) continue
      rows[picks] = own ? own[i]! : i
      places[picks++] = rank + shift
    }
    const picked = { rows: rows.subarray(0, picks), places: places.subarray(0, picks) }
    this.#kernel.putPicks(picked.rows, picked.places)
    return picked
  }

  /** All places that count are filled. */
  finish(): void {
    for (const column of this.columns) if (column instanceof GatheredLists) column.finish()
  }
}

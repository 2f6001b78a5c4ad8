import { ParquetError } from '../../parquet-error.ts'
import { KeyColumn } from '../keys/key-column.ts'
import type { SortKey } from '../keys/key-order.ts'
import { encodeKey, readKeys } from '../keys/read-keys.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import type { KeptRows } from './kept-rows.ts'
import { SORT_BYTES_OF_ROW, sortRows } from './sort-rows.ts'

/** The rank of a row that is left out. */
export const LEFT_OUT = -1

/** Rows of a piece, ascending; all of them where `rows` is left out. */
export interface RankedPiece {
  piece: Piece
  rows: Uint32Array | undefined
  /** where each goes, or `LEFT_OUT` */
  ranks: Int32Array
}

/** Where rows of several pieces go. */
export interface RankedRows {
  pieces: RankedPiece[]
  /** rows that stay; their ranks count up from 0 */
  kept: number
}

/** Rows that are to become part of a run. */
export interface SampledRows extends RankedRows {
  /** keys of the rows of ranks 0, `every`, twice that … as `encodeKey` has them */
  keys: Uint8Array[]
}

/** Bytes that the keys of a row take while they are sorted. */
export function keyBytesOfRow(pieces: readonly Piece[], keys: readonly SortKey[]): number {
  return keys.reduce((sum, { kind, column }) => {
    const mayBeNull = pieces.some(({ footer, rowGroup }) => {
      return footer.chunkNulls[rowGroup * footer.schema.leaves.length + column] !== 0
    })
    return sum + KeyColumn.bytesOfRow(kind) + (mayBeNull ? 1 : 0)
  }, SORT_BYTES_OF_ROW)
}

/** @throws ParquetError `memory_budget` when the keys of the rows of one piece cannot be held together */
export function checkKeyMemory(pieces: readonly Piece[], keys: readonly SortKey[], memoryBudgetBytes: number): void {
  for (const piece of pieces) {
    const bytes = piece.rows * keyBytesOfRow([piece], keys)
    if (bytes <= memoryBudgetBytes) continue
    throw new ParquetError(
      'memory_budget',
      `${piece.rows} rows of one row group of ${piece.source.name} want ${bytes} bytes to be sorted: ` +
        `raise memoryBudgetBytes (${memoryBudgetBytes})`,
    )
  }
}

/**
 * Read the keys of pieces that overlap and sort their rows; rows of equal keys stay in the order of the pieces.
 * @param every of so many rows the key of one is returned
 */
export async function rankTogether(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
  every = Number.POSITIVE_INFINITY,
): Promise<SampledRows> {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const textRoom = Math.min(settings.memoryBudgetBytes, settings.keyBytes - rows * keyBytesOfRow(pieces, keys))
  const columns = await readKeys(pieces, keys, settings, textRoom)
  for (const column of columns) column.finish()
  const order = sortRows(columns, wantedRows(pieces, keptRows))
  return { pieces: ranksOf(pieces, order), kept: order.length, keys: sampleKeys(columns, order, 0, every) }
}

/** @returns the keys of some rows: the one at `first`, and each `every`th behind it */
export function sampleKeys(
  columns: readonly KeyColumn[],
  order: Uint32Array,
  first: number,
  every: number,
): Uint8Array[] {
  const keys: Uint8Array[] = []
  for (let at = first; at < order.length; at += every) keys.push(encodeKey(columns, order[at]!))
  return keys
}

/** Rows in the order of the pieces, without those that are left out. */
export async function* rankInOrder(
  pieces: readonly Piece[],
  keptRows: KeptRows | undefined,
): AsyncGenerator<RankedRows> {
  const order = wantedRows(pieces, keptRows)
  yield { pieces: ranksOf(pieces, order), kept: order.length }
}

export function ranksOf(pieces: readonly Piece[], order: Uint32Array): RankedPiece[] {
  const ranks = new Int32Array(pieces.reduce((sum, piece) => sum + piece.rows, 0)).fill(LEFT_OUT)
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]!] = rank
  let before = 0
  return pieces.map((piece) => {
    const own = ranks.subarray(before, before + piece.rows)
    before += piece.rows
    return { piece, rows: undefined, ranks: own }
  })
}

/** @returns numbers of the rows that stay, counted over the pieces */
function wantedRows(pieces: readonly Piece[], keptRows: KeptRows | undefined): Uint32Array {
  const wanted = new Uint32Array(pieces.reduce((sum, piece) => sum + piece.rows, 0))
  let count = 0
  let before = 0
  for (const { rows, firstRow } of pieces) {
    for (let row = 0; row < rows; row++) if (!keptRows || keptRows.has(firstRow + row)) wanted[count++] = before + row
    before += rows
  }
  return wanted.subarray(0, count)
}

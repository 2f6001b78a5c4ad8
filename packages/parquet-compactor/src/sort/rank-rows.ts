import { ParquetError } from '../parquet-error.ts'
import type { KeptRows } from './kept-rows.ts'
import { KeyColumn } from './key-column.ts'
import type { SortKey } from './key-order.ts'
import { compareKeys, type SortRange } from './plan-sort.ts'
import { encodeKey, readKeys } from './read-keys.ts'
import { SORT_BYTES_OF_ROW, sortRows } from './sort-rows.ts'
import type { Piece, PieceSettings } from './value-piece.ts'

/** The rank of a row that is left out. */
export const LEFT_OUT = -1

/** Where the rows of several pieces go, one piece's behind another's. */
export interface RankedRows {
  ranks: Int32Array
  /** rows that stay; their ranks count up from 0 */
  kept: number
}

/** @throws ParquetError `memory_budget` when the keys of so many rows cannot be held together */
export function checkKeyMemory(pieces: readonly Piece[], keys: readonly SortKey[], memoryBudgetBytes: number): void {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const bytesOfRow = keys.reduce((sum, { kind, column }) => {
    const mayBeNull = pieces.some(({ footer, rowGroup }) => {
      return footer.chunkNulls[rowGroup * footer.schema.leaves.length + column] !== 0
    })
    return sum + KeyColumn.bytesOfRow(kind) + (mayBeNull ? 1 : 0)
  }, SORT_BYTES_OF_ROW)
  const bytes = rows * bytesOfRow
  if (bytes <= memoryBudgetBytes) return
  throw new ParquetError(
    'memory_budget',
    `${rows} rows whose ranges overlap want ${bytes} bytes to be sorted: ` +
      `raise memoryBudgetBytes (${memoryBudgetBytes}) or merge fewer files at a time`,
  )
}

/**
 * Read the keys of pieces that overlap and sort their rows; rows of equal keys stay in the order of the pieces.
 * @param range what was planned for: keys outside of it would stand in the wrong place
 */
export async function rankBySort(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  range: SortRange,
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
): Promise<RankedRows> {
  const columns = await readKeys(pieces, keys, settings)
  for (const column of columns) column.finish()
  const order = sortRows(columns, wantedRows(pieces, keptRows))
  const [first, last] = [order[0], order.at(-1)]
  if (first !== undefined && last !== undefined) {
    if (
      compareKeys(encodeKey(columns, first), range.low) < 0 ||
      compareKeys(encodeKey(columns, last), range.high) > 0
    ) {
      const names = keys.map(({ leaf }) => leaf.name).join(', ')
      throw new ParquetError('corrupt_data', `${pieces[0]!.source.name}: bounds of ${names} in a footer are wrong`)
    }
  }
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const ranks = new Int32Array(rows).fill(LEFT_OUT)
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]!] = rank
  return { ranks, kept: order.length }
}

/** Rows in the order of the pieces, without those that are left out. */
export function rankInOrder(pieces: readonly Piece[], keptRows: KeptRows | undefined): RankedRows {
  const wanted = wantedRows(pieces, keptRows)
  const ranks = new Int32Array(pieces.reduce((sum, piece) => sum + piece.rows, 0)).fill(LEFT_OUT)
  for (let rank = 0; rank < wanted.length; rank++) ranks[wanted[rank]!] = rank
  return { ranks, kept: wanted.length }
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

import { ParquetError } from '../parquet-error.ts'
import { throwIfAborted } from '../read/file-reader.ts'
import { readAhead } from '../read/read-ahead.ts'
import type { RowReader } from '../read/row-stream.ts'
import type { LeafColumn, Schema } from '../schema/schema.ts'
import { type GatheredColumn, gatherColumn, type PickedRows } from './gathered-column.ts'
import { LEFT_OUT, type RankedRows } from './rank-rows.ts'
import { openPiece, type Piece, type PieceSettings, piecesAhead, readColumn } from './value-piece.ts'

/** Takes rows, all columns of them. */
export interface RowTarget {
  append(rows: number, readers: RowReader[]): Promise<void>
}

export interface GatherSettings extends PieceSettings {
  targetRowGroupBytes: number
}

/** part of the budget for rows that are being gathered; the rest is for pages of the output that are open */
const GATHER_SHARE = 0.75
/** part of what is expected to fit, as rows differ */
const SAFE_SHARE = 0.9
const WORTH_GROWING = 1.2
/** a piece whose rows do not fit in such small numbers has huge values */
const LEAST_ROWS = 16

/** A stretch of places in the output, and the pieces that have rows there. */
interface Member {
  piece: Piece
  ranks: Int32Array
  least: number
  greatest: number
}

/**
 * Write the rows of pieces in the order of their ranks, a range of ranks at a time: of all pieces that have rows in it, which
 * are then read whole, so that wide overlaps are read as often as there are ranges. Values are moved as bytes.
 * @throws ParquetError `memory_budget` when a few rows do not fit
 */
export async function gatherRows(
  pieces: readonly Piece[],
  { ranks, kept }: RankedRows,
  schema: Schema,
  target: RowTarget,
  settings: GatherSettings,
): Promise<void> {
  const members = membersOf(pieces, ranks)
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const budget = Math.max(settings.memoryBudgetBytes * GATHER_SHARE - ranks.byteLength, settings.memoryBudgetBytes / 4)
  let rowsOfRange = Math.max(LEAST_ROWS, Math.min(kept, Math.floor(budget / bytesOfRow(schema.leaves, bytes / kept))))
  let columns: GatheredColumn[] = []
  let room = 0
  for (let first = 0; first < kept; ) {
    const rows = Math.min(rowsOfRange, kept - first)
    // of ranges that are no larger the room is used again; the old one must not be held beside the new
    if (rows <= room) for (const column of columns) column.restart(rows)
    else columns = schema.leaves.map((leaf) => gatherColumn(leaf, rows))
    room = Math.max(room, rows)
    const isWhole = await gather(members, first, rows, columns, schema, budget, settings)
    const held = columns.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
    if (!isWhole) {
      columns = []
      room = 0
      if (rows <= LEAST_ROWS) {
        throw new ParquetError('memory_budget', `${rows} rows take more than ${Math.floor(budget)} bytes`)
      }
      rowsOfRange = Math.ceil(rows / 2)
      continue
    }
    // a row group may end within the range
    const slices = Math.max(1, Math.ceil(((bytes / kept) * rows) / (settings.targetRowGroupBytes / 4)))
    const rowsOfSlice = Math.ceil(rows / slices)
    for (let done = 0; done < rows; done += rowsOfSlice) {
      throwIfAborted(settings.signal)
      await target.append(Math.min(rowsOfSlice, rows - done), columns)
    }
    first += rows
    // now it is known what a row takes; small gains are not worth new room
    const fitting = Math.floor(((rows * budget) / held) * SAFE_SHARE)
    if (fitting > rowsOfRange * WORTH_GROWING) rowsOfRange = fitting
  }
}

function membersOf(pieces: readonly Piece[], ranks: Int32Array): Member[] {
  let before = 0
  return pieces.map((piece) => {
    const own = ranks.subarray(before, before + piece.rows)
    before += piece.rows
    let [least, greatest] = [Number.POSITIVE_INFINITY, -1]
    for (const rank of own) {
      if (rank === LEFT_OUT) continue
      if (rank < least) least = rank
      if (rank > greatest) greatest = rank
    }
    return { piece, ranks: own, least, greatest }
  })
}

/** A guess, as texts may be of any length; what turns out larger is tried again with fewer rows. */
function bytesOfRow(leaves: readonly LeafColumn[], compressedBytes: number): number {
  const slots = leaves.reduce((sum, { width, maxDefinition, maxRepetition }) => {
    const value = width === 0 ? 8 : Math.max(4, width)
    return sum + value + (maxDefinition > 0 ? 1 : 0) + (maxRepetition > 0 ? 24 : 0)
  }, 0)
  return slots + compressedBytes / 2
}

/** @returns false where the range takes more than `budget` bytes */
async function gather(
  members: readonly Member[],
  first: number,
  rows: number,
  columns: readonly GatheredColumn[],
  schema: Schema,
  budget: number,
  settings: GatherSettings,
): Promise<boolean> {
  const wanted = members.filter(({ least, greatest }) => least < first + rows && greatest >= first)
  const open = async (member: Member) => ({ ...member, file: await openPiece(member.piece, settings) })
  const ahead = piecesAhead(
    wanted.map(({ piece }) => piece),
    settings,
  )
  for await (const { piece, ranks, file } of readAhead(wanted, ahead, open)) {
    throwIfAborted(settings.signal)
    const picked = pickRows(ranks, first, rows)
    for (const [column, leaf] of schema.leaves.entries()) {
      columns[column]!.begin(picked)
      await readColumn(piece, file, column, leaf, columns[column]!, settings)
    }
    const held = columns.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
    if (held > budget) return false
  }
  for (const column of columns) column.finish()
  return true
}

function pickRows(ranks: Int32Array, first: number, count: number): PickedRows {
  const rows = new Int32Array(ranks.length)
  const places = new Int32Array(ranks.length)
  let picks = 0
  for (let row = 0; row < ranks.length; row++) {
    const place = ranks[row]! - first
    if (place < 0 || place >= count) continue
    rows[picks] = row
    places[picks++] = place
  }
  return { rows: rows.subarray(0, picks), places: places.subarray(0, picks) }
}

import type { Schema } from '../schema/schema.ts'
import type { SortKey } from './key-order.ts'
import { compareKeys, type SortRange } from './plan-sort.ts'
import { keyBytesOfRow } from './rank-rows.ts'
import { RunSet } from './run-set.ts'
import type { Piece, PieceSettings } from './value-piece.ts'

/** Where pieces would be read more often than this on average, runs are written. */
const MOST_READS = 3
/** part of the budget for what is known of pieces of runs; twice that while runs are merged into longer ones */
const INDEX_SHARE = 1 / 16
/** part of the budget for the keys of a part while it is sorted, beside rows that are being gathered */
const PART_SHARE = 0.3
/** numbers of a row of a part, and its rank */
const PART_BYTES_OF_ROW = 8
/** of the rows of a part that those of the pieces are which are read for it and end behind it */
const READ_TOO_MUCH = 0.25
const LEAST_ROWS_OF_PIECE = 64
const MOST_ROWS_OF_PIECE = 8192
/** of a key of byte arrays, where the length is not known */
const UNFOLDED = 1.5
const ENCODED_BYTES = 13

/** How rows are sorted in the scratch. */
export interface RunPlan {
  /** pieces of each run, to begin with */
  runs: Piece[][]
  rowsOfPiece: number
  /** rows that are ranked at one time */
  rowsOfPart: number
  /** runs that are merged at one time */
  mostRuns: number
}

/**
 * Decide whether pieces that overlap are worth being sorted in the scratch.
 * @param rows        of them that stay
 * @param rowsAtATime that are gathered together
 * @returns undefined where it costs less to read the pieces several times, or the memory does not suffice
 */
export function planRuns(
  schema: Schema,
  pieces: readonly Piece[],
  ranges: readonly SortRange[],
  keys: readonly SortKey[],
  rows: number,
  rowsAtATime: number,
  settings: PieceSettings,
): RunPlan | undefined {
  const bytesOfRow = keyBytesOfRow(pieces, keys)
  const rowsOfRun = Math.min(rowsAtATime, Math.floor(settings.keyBytes / bytesOfRow))
  const most = (settings.memoryBudgetBytes * PART_SHARE) / (bytesOfRow + PART_BYTES_OF_ROW) / (1 + 2 * READ_TOO_MUCH)
  const rowsOfPart = Math.floor(rowsAtATime / Math.ceil(rowsAtATime / most))
  const runs = cutRuns(pieces, rowsOfRun)
  const bytesOfPiece = RunSet.bytesOfPiece(schema, guessKeyBytes(pieces, keys))
  const mostPieces = (settings.memoryBudgetBytes * INDEX_SHARE) / bytesOfPiece
  const least = Math.max(LEAST_ROWS_OF_PIECE, Math.ceil(rows / mostPieces))
  const wanted = Math.floor((rowsOfPart * READ_TOO_MUCH) / runs.length)
  const rowsOfPiece = Math.max(least, Math.min(MOST_ROWS_OF_PIECE, wanted))
  const mostRuns = Math.floor((rowsOfPart * READ_TOO_MUCH) / rowsOfPiece)
  if (mostRuns < 2) return undefined
  const passes = Math.max(1, Math.ceil(Math.log(runs.length) / Math.log(mostRuns)))
  if (countReads(pieces, ranges, rowsAtATime) <= MOST_READS * passes) return undefined
  return { runs, rowsOfPiece, rowsOfPart, mostRuns }
}

/** Put pieces that follow one another together as long as their rows can be gathered together. */
function cutRuns(pieces: readonly Piece[], rowsOfRun: number): Piece[][] {
  const runs: Piece[][] = []
  let run: Piece[] = []
  let rows = 0
  for (const piece of pieces) {
    if (run.length > 0 && rows + piece.rows > rowsOfRun) {
      runs.push(run)
      run = []
      rows = 0
    }
    run.push(piece)
    rows += piece.rows
  }
  if (run.length > 0) runs.push(run)
  return runs
}

/** How often a byte is read on average if rows are gathered right from pieces: for each group that it may have rows in. */
export function countReads(pieces: readonly Piece[], ranges: readonly SortRange[], rowsAtATime: number): number {
  const ends = (end: 'low' | 'high') => {
    const order = pieces.map((_, i) => i).sort((a, b) => compareKeys(ranges[a]![end], ranges[b]![end]))
    let before = 0
    const sums = order.map((i) => {
      before += pieces[i]!.rows
      return before
    })
    return { order, sums }
  }
  const [lows, highs] = [ends('low'), ends('high')]
  const rows = lows.sums.at(-1)!
  /** rows of pieces that are done before `key`, or begin at it or before */
  const countUpTo = (
    { order, sums }: typeof lows,
    end: 'low' | 'high',
    key: Uint8Array,
    isIncluded: boolean,
  ): number => {
    let [low, high] = [0, order.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const compared = compareKeys(ranges[order[middle]!]![end], key)
      if (compared < 0 || (compared === 0 && isIncluded)) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : sums[low - 1]!
  }
  let [read, bytes] = [0, 0]
  for (const [i, piece] of pieces.entries()) {
    const { low, high } = ranges[i]!
    const before = countUpTo(highs, 'high', low, false)
    const among = Math.min(rows, countUpTo(lows, 'low', high, true)) - before
    read += piece.bytes * Math.min(piece.rows, 1 + (among - 1) / rowsAtATime)
    bytes += piece.bytes
  }
  return read / Math.max(1, bytes)
}

function guessKeyBytes(pieces: readonly Piece[], keys: readonly SortKey[]): number {
  let bytes = 0
  for (const { kind, column } of keys) {
    bytes += ENCODED_BYTES
    if (kind !== 'bytes') continue
    const [packed, rows] = pieces.reduce(
      ([sum, count], { footer, rowGroup, rows: own }) => [
        sum + footer.chunkBytes[rowGroup * footer.schema.leaves.length + column]!,
        count + own,
      ],
      [0, 0],
    )
    bytes += (packed / rows) * UNFOLDED
  }
  return bytes
}

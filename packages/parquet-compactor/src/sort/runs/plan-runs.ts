import type { Schema } from '../../schema/schema.ts'
import type { SortKey } from '../keys/key-order.ts'
import { compareKeys, type SortRange } from '../keys/sort-range.ts'
import { guessTextBytes } from '../keys/text-bytes.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import { keyBytesOfRow } from '../rank/rank-rows.ts'
import { RunSet } from './run-set.ts'

/**
 * To write a value to the scratch and to read it again takes about as long as to read so many bytes of the inputs, of which few rows
 * are taken.
 */
const BYTES_OF_VALUE = 9
/** part of the budget for what is known of pieces of runs; twice that while runs are merged into longer ones */
const INDEX_SHARE = 1 / 16
/** part of the budget for the keys of a part while it is sorted, beside rows that are being gathered */
const PART_SHARE = 0.3
/** numbers of a row of a part, and its rank */
const PART_BYTES_OF_ROW = 8
/**
 * Rows that are read for a part and end behind it, of its own: a piece of each run. The second where the first would mean that runs
 * are merged more than once.
 */
const READ_TOO_MUCH = [0.25, 0.75]
/** pieces need not be smaller than this, nor of fewer rows */
const LEAST_BYTES_OF_PIECE = 16 * 1024
const LEAST_ROWS_OF_PIECE = 64
const MOST_ROWS_OF_PIECE = 8192
/** part of the budget that a piece takes at the most, as three of them are held while they are written */
const PIECE_SHARE = 1 / 64
/** estimated bytes of an encoded key of variable length */
const ENCODED_BYTES = 13

/** How rows are sorted in the scratch. */
export interface RunPlan {
  /** pieces of each run, to begin with */
  runs: Piece[][]
  /** bytes that ranking takes a row */
  rankingBytesOfRow: number
  rowsOfPiece: number
  /** that are ranked at one time, at the most */
  rowsOfKeys: number
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
  const textBytes = guessTextBytes(pieces, keys)
  const bytesOfRow = keyBytesOfRow(pieces, keys) + textBytes.held
  const runs = cutRuns(pieces, Math.min(rowsAtATime, Math.floor(settings.keyBytes / bytesOfRow)))
  const bytesOfPiece = RunSet.bytesOfPiece(schema, keys.length * ENCODED_BYTES + textBytes.encoded)
  const mostPieces = (settings.memoryBudgetBytes * INDEX_SHARE) / bytesOfPiece
  const bytesOfGatheredRow = settings.memoryBudgetBytes / 2 / rowsAtATime
  const efficient = Math.min(LEAST_ROWS_OF_PIECE, Math.ceil(LEAST_BYTES_OF_PIECE / bytesOfGatheredRow))
  const largest = Math.floor((settings.memoryBudgetBytes * PIECE_SHARE) / bytesOfGatheredRow)
  const mostRows = Math.max(1, Math.min(MOST_ROWS_OF_PIECE, largest))
  const least = Math.max(efficient, Math.ceil(rows / mostPieces))
  const rankingBytesOfRow = bytesOfRow + PART_BYTES_OF_ROW
  const rowsOfKeys = (settings.memoryBudgetBytes * PART_SHARE) / rankingBytesOfRow
  const plans = READ_TOO_MUCH.map((tooMuch) => {
    const most = rowsOfKeys / (1 + 2 * tooMuch)
    const rowsOfPart = rowsOfParts(rowsAtATime, most)
    const wanted = Math.floor((rowsOfPart * tooMuch) / runs.length)
    const rowsOfPiece = Math.max(least, Math.min(mostRows, wanted))
    return {
      runs,
      rankingBytesOfRow,
      rowsOfPiece,
      rowsOfKeys: Math.floor(most),
      mostRuns: Math.floor((rowsOfPart * tooMuch) / rowsOfPiece),
    }
  })
  const plan = plans.find(({ mostRuns }) => mostRuns >= runs.length) ?? plans.at(-1)!
  if (plan.mostRuns < 2) return undefined
  // otherwise all texts of keys are held together
  if (rows * textBytes.held > settings.memoryBudgetBytes) return plan
  const passes = Math.max(1, Math.ceil(Math.log(runs.length) / Math.log(plan.mostRuns)))
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const bytesByRuns = bytes + passes * rows * schema.leaves.length * BYTES_OF_VALUE
  return countReads(pieces, ranges, rowsAtATime) * bytes > bytesByRuns ? plan : undefined
}

/** @returns rows of parts of equal size that make up a group, of `most` rows each */
export function rowsOfParts(rowsAtATime: number, most: number): number {
  return Math.max(1, Math.floor(rowsAtATime / Math.ceil(rowsAtATime / most)))
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

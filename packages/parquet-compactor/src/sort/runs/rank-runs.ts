import type { KeyColumn } from '../keys/key-column.ts'
import type { SortKey } from '../keys/key-order.ts'
import { encodeKey, readKeys } from '../keys/read-keys.ts'
import { compareKeys } from '../keys/sort-range.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import { LEFT_OUT, ranksOf, type SampledRows, sampleKeys } from '../rank/rank-rows.ts'
import { sortRows } from '../rank/sort-rows.ts'
import type { RunSet } from './run-set.ts'

/** A piece of a run of which rows are still to be ranked. */
interface OpenPiece {
  number: number
  run: number
  piece: Piece
  /** rows that have been ranked, from the first on */
  done: number
}

export interface RunRanking {
  /** rows that are ranked at one time, but for the last */
  rowsOfPart: number
  rowsOfPiece: number
  /** sample one key every `every` rows */
  every: number
}

/**
 * Rank the rows of some runs, part by part: the parts follow each other in the output. Rows of equal keys stay in the order of the
 * runs. The next piece is always the one with the least keys, so that keys are read hardly more than once.
 * @param runs the first, and the one behind the last
 */
export async function* rankRuns(
  set: RunSet,
  runs: { from: number; to: number },
  keys: readonly SortKey[],
  { rowsOfPart, rowsOfPiece, every }: RunRanking,
  settings: PieceSettings,
): AsyncGenerator<SampledRows> {
  const waiting = piecesInOrder(set, runs)
  const runOf = (number: number): number => {
    let run = runs.from
    while (number >= set.piecesOf(run).to) run++
    return run
  }
  let next = 0
  let open: OpenPiece[] = []
  let before = 0
  // each run may contribute up to one more piece whose rows follow those that are not open yet
  const usual = rowsOfPart + (runs.to - runs.from) * rowsOfPiece
  let wanted = usual
  for (;;) {
    let rows = open.reduce((sum, { piece, done }) => sum + piece.rows - done, 0)
    for (; next < waiting.length && rows < wanted; next++) {
      const number = waiting[next]!
      const piece = set.piece(number)
      open.push({ number, run: runOf(number), piece, done: 0 })
      rows += piece.rows
    }
    if (rows === 0) return
    open.sort((a, b) => a.number - b.number)
    const limit = waiting[next]
    const bound = limit === undefined ? undefined : { key: set.leastKey(limit), run: runOf(limit) }
    const part = await rankOpen(
      open,
      rows,
      keys,
      bound,
      rowsOfPart,
      (every - (before % every)) % every,
      every,
      settings,
    )
    if (part.kept === 0) {
      wanted *= 2
      continue
    }
    wanted = usual
    before += part.kept
    for (const [at, { ranks }] of part.pieces.entries()) {
      const own = open[at]!
      while (own.done < ranks.length && ranks[own.done] !== LEFT_OUT) own.done++
    }
    open = open.filter(({ piece, done }) => done < piece.rows)
    yield { ...part, pieces: part.pieces.filter(({ ranks }) => ranks.some((rank) => rank !== LEFT_OUT)) }
  }
}

/**
 * Rank the least of the rows of open pieces.
 * @param bound where rows that are not open begin
 * @param most  rows that are ranked
 * @param first of these rows of which the key is returned
 */
async function rankOpen(
  open: readonly OpenPiece[],
  rows: number,
  keys: readonly SortKey[],
  bound: { key: Uint8Array; run: number } | undefined,
  most: number,
  first: number,
  every: number,
  settings: PieceSettings,
): Promise<SampledRows> {
  const pieces = open.map(({ piece }) => piece)
  const columns = await readKeys(pieces, keys, settings)
  for (const column of columns) column.finish()
  const order = sortRows(columns, rowsToRank(open, rows))
  const sure = bound ? countBefore(bound.key, bound.run, open, columns, order) : rows
  const ranked = order.subarray(0, Math.min(sure, most))
  return { pieces: ranksOf(pieces, ranked), kept: ranked.length, keys: sampleKeys(columns, ranked, first, every) }
}

function piecesInOrder(set: RunSet, runs: { from: number; to: number }): Uint32Array {
  const first = set.piecesOf(runs.from).from
  const pieces = Uint32Array.from({ length: set.piecesOf(runs.to - 1).to - first }, (_, i) => first + i)
  return pieces.sort((a, b) => set.comparePieces(a, b))
}

/** @returns numbers of the rows that have not been ranked yet, counted over the pieces */
function rowsToRank(open: readonly OpenPiece[], rows: number): Uint32Array {
  const numbers = new Uint32Array(rows)
  let [count, before] = [0, 0]
  for (const { piece, done } of open) {
    for (let row = done; row < piece.rows; row++) numbers[count++] = before + row
    before += piece.rows
  }
  return numbers
}

/** @returns how many of the first rows in `order` come before any row of a run that is not less than `key` */
function countBefore(
  key: Uint8Array,
  run: number,
  open: readonly OpenPiece[],
  columns: readonly KeyColumn[],
  order: Uint32Array,
): number {
  const ends: number[] = []
  for (const { piece } of open) ends.push((ends.at(-1) ?? 0) + piece.rows)
  let [low, high] = [0, order.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const row = order[middle]!
    const own = open[ends.findIndex((end) => row < end)]!
    // rows of its own run that are open stand before it
    const isBefore = (compareKeys(encodeKey(columns, row), key) || own.run - run) <= 0
    if (isBefore) low = middle + 1
    else high = middle
  }
  return low
}

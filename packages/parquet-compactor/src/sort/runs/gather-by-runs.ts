import type { ScratchRoom } from '../../read/scratch.ts'
import type { Schema } from '../../schema/schema.ts'
import type { ChunkWriterLimits } from '../../write/chunk-writer.ts'
import type { RowGatherer, RowTarget } from '../gather/gather-rows.ts'
import type { SortKey } from '../keys/key-order.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import type { KeptRows } from '../rank/kept-rows.ts'
import { rankTogether } from '../rank/rank-rows.ts'
import { type RunPlan, rowsOfParts } from './plan-runs.ts'
import { rankRuns } from './rank-runs.ts'
import { RunSet } from './run-set.ts'
import { RunWriter } from './run-writer.ts'

/** Resources for writing runs. */
export interface RunRoom {
  schema: Schema
  room: ScratchRoom
  limits: ChunkWriterLimits
}

/** Row groups that overlap, and how they are to be sorted. */
export interface SortedCluster {
  pieces: readonly Piece[]
  keys: readonly SortKey[]
  keptRows: KeptRows | undefined
}

/**
 * Sort the rows of pieces by an external merge: as many at a time as can be gathered become sorted runs in the scratch, and these are
 * merged. So each piece is read once, and each run once and a little. Where there are more runs than can be merged at one time, some
 * that follow one another become one, as often as need be.
 */
export async function gatherByRuns(
  cluster: SortedCluster,
  plan: RunPlan,
  { schema, room, limits }: RunRoom,
  gatherer: RowGatherer,
  target: RowTarget,
  settings: PieceSettings,
): Promise<void> {
  const { keys } = cluster
  const { rowsOfPiece, rowsOfKeys, mostRuns } = plan
  const rows = countRows(cluster)
  const expected = Math.ceil(rows / rowsOfPiece) + plan.runs.length
  const newSet = () => new RunSet(schema, room, expected)
  const writerOf = (set: RunSet) => new RunWriter(set, room, rowsOfPiece, limits, settings.signal)
  const rankBy = (set: RunSet, runs: { from: number; to: number }, every: number) => (rowsAtATime: number) => {
    const rowsOfPart = rowsOfParts(rowsAtATime, rowsOfKeys)
    return rankRuns(set, runs, keys, { rowsOfPart, rowsOfPiece, every }, settings)
  }
  const sortPieces = async () => {
    const sorted = newSet()
    const writer = writerOf(sorted)
    for (const pieces of plan.runs) {
      const { keptRows } = cluster
      writer.beginRun(countRows({ pieces, keptRows }))
      const rank = async function* () {
        yield await rankTogether(pieces, keys, keptRows, settings, rowsOfPiece)
      }
      const rankingBytes = pieces.reduce((sum, piece) => sum + piece.rows, 0) * plan.rankingBytesOfRow
      await gatherer.gather(() => writer.note(rank()), rankingBytes, writer)
      await gatherer.flush()
    }
    await room.settle()
    return sorted
  }
  const mergeSome = async (set: RunSet) => {
    const merged = newSet()
    const writer = writerOf(merged)
    for (const own of runsToMerge(set.count, mostRuns)) {
      if (own.to === own.from + 1) {
        merged.addRun(set, own.from)
        continue
      }
      writer.beginRun(set.rowsOfRuns(own))
      const rank = rankBy(set, own, rowsOfPiece)
      await gatherer.gather((rowsAtATime) => writer.note(rank(rowsAtATime)), 0, writer)
      await gatherer.flush()
    }
    await room.settle()
    return merged
  }
  let set = await sortPieces()
  while (set.count > mostRuns) set = await mergeSome(set)
  await gatherer.gather(rankBy(set, { from: 0, to: set.count }, Number.POSITIVE_INFINITY), 0, target)
}

/**
 * Choose which runs are to become one, so that no more than `most` are left, or as few as one pass can leave.
 * @returns all runs, in order; those that stay as they are alone
 */
export function runsToMerge(count: number, most: number): { from: number; to: number }[] {
  const groups: { from: number; to: number }[] = []
  // each merge leaves one run of those that it takes
  let tooMany = count - most
  for (let from = 0; from < count; ) {
    const taken = Math.min(count - from, most, Math.max(0, tooMany) + 1)
    groups.push({ from, to: from + taken })
    tooMany -= taken - 1
    from += taken
  }
  return groups
}

/** rows that stay */
export function countRows({ pieces, keptRows }: Pick<SortedCluster, 'pieces' | 'keptRows'>): number {
  return pieces.reduce((sum, { firstRow, rows }) => sum + (keptRows?.count(firstRow, rows) ?? rows), 0)
}

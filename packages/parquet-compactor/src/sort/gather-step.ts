import { RANKING_BYTES_OF_ROW, type RowGatherer, type RowTarget } from './gather/gather-rows.ts'
import type { SortRange } from './keys/sort-range.ts'
import type { Piece, PieceSettings } from './keys/value-piece.ts'
import type { KeptRows } from './rank/kept-rows.ts'
import { rankBySort } from './rank/rank-by-sort.ts'
import { rankInOrder } from './rank/rank-rows.ts'
import { countRows, gatherByRuns, type RunRoom, type SortedCluster } from './runs/gather-by-runs.ts'
import { planRuns } from './runs/plan-runs.ts'

/** Resources and bounds for gathering rows. */
export interface Gathering {
  gatherer: RowGatherer
  target: RowTarget
  /** where the caller gives a scratch */
  runRoom: RunRoom | undefined
}

/** Hands rows on in the wanted order. */
export type Gather = (gathering: Gathering) => Promise<void>

/** As they come. */
export function gatherInOrder(pieces: readonly Piece[], kept: KeptRows | undefined): Gather {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  return ({ gatherer, target }) => gatherer.gather(() => rankInOrder(pieces, kept), rows * RANKING_BYTES_OF_ROW, target)
}

/**
 * By their keys: in the scratch, where that costs less than to read the pieces for each group of rows.
 * @param ranges of the keys of each piece, as far as footers tell, for an estimate
 */
export async function gatherSorted(
  cluster: SortedCluster,
  ranges: readonly SortRange[],
  { gatherer, target, runRoom }: Gathering,
  settings: PieceSettings,
): Promise<void> {
  const { pieces, keys, keptRows } = cluster
  // an estimate that is too low would show only when it is too late to write runs
  if (runRoom) await gatherer.measure(pieces)
  const plan =
    runRoom && planRuns(runRoom.schema, pieces, ranges, keys, countRows(cluster), gatherer.rowsAtATime, settings)
  if (plan) {
    await gatherByRuns(cluster, plan, runRoom, gatherer, target, settings)
    return
  }
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const rank = (rowsAtATime: number) => rankBySort(pieces, keys, keptRows, settings, rowsAtATime)
  await gatherer.gather(rank, rows * RANKING_BYTES_OF_ROW, target)
}

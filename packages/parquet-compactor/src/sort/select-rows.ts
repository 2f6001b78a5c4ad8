import type { SortingColumn } from '../footer/sorting-columns.ts'
import { ParquetError } from '../parquet-error.ts'
import type { InputFile } from '../read/input-file.ts'
import type { Schema } from '../schema/schema.ts'
import { type Gather, gatherInOrder, gatherSorted } from './gather-step.ts'
import { resolveDedupeBy, resolveSortBy, type SortColumn, type SortKey } from './keys/key-order.ts'
import { footerRange, keysOfPieces, lookAtKeys } from './keys/read-keys.ts'
import type { Piece, PieceSettings } from './keys/value-piece.ts'
import { findKeptRows } from './rank/find-duplicates.ts'
import type { KeptRows } from './rank/kept-rows.ts'
import { planSort, type SortCluster, type SortMember } from './rank/plan-sort.ts'
import { checkKeyMemory } from './rank/rank-rows.ts'

/** Pieces in the order of the output; of those that stay as they are, as many as follow one another. */
type Step = { kind: 'in_order'; pieces: Piece[] } | { kind: 'gather'; pieces: Piece[]; gather: Gather }

/** Which rows of the inputs are written, and in which order. */
export interface Selection {
  steps: Step[]
  /** rows of the output */
  rows: number
  /** row groups of the inputs that stay as they are, and those whose rows are gathered */
  kept: number
  merged: number
  sortingColumns: SortingColumn[]
}

interface SelectSettings extends Omit<PieceSettings, 'maxPageBytes'> {
  targetRowGroupBytes: number
}

/** The part of the options that says which rows go where. */
export interface SelectionOptions {
  sortBy?: readonly SortColumn[]
  dedupeBy?: readonly string[]
  keep?: 'first' | 'last'
}

/**
 * Decide what `sortBy` and `dedupeBy` make of the inputs. Reads nothing but the columns that these name, and of them only what
 * footers do not tell for sure.
 * @returns undefined where all rows stay as they are
 * @throws ParquetError `memory_budget`, `bad_option`
 */
export async function selectRows(
  inputs: readonly InputFile[],
  schema: Schema,
  { sortBy = [], dedupeBy = [], keep = 'last' }: SelectionOptions,
  given: SelectSettings,
): Promise<Selection | undefined> {
  if (keep !== 'first' && keep !== 'last') throw new ParquetError('bad_option', `keep must be first or last`)
  const sortKeys = resolveSortBy(schema, sortBy)
  const dedupeKeys = resolveDedupeBy(schema, dedupeBy)
  if (sortKeys.length === 0 && dedupeKeys.length === 0) return undefined
  const settings = { ...given, maxPageBytes: given.memoryBudgetBytes / 2 }
  const pieces = cutPieces(inputs)
  const keptRows = dedupeKeys.length > 0 ? await findKeptRows(pieces, dedupeKeys, keep, settings) : undefined
  const counts = pieces.map(({ firstRow, rows }) => keptRows?.count(firstRow, rows) ?? rows)
  const wanted = pieces.filter((_, i) => counts[i]! > 0)
  const areWhole = wanted.map(({ firstRow, rows }) => !keptRows || keptRows.count(firstRow, rows) === rows)
  const found = sortKeys.length > 0 ? await findClusters(wanted, areWhole, sortKeys, settings) : undefined
  const clusters = found?.clusters
  for (const { members, isMerged } of clusters ?? []) {
    if (!isMerged) continue
    const own = members.map((index) => wanted[index]!)
    checkKeyMemory(own, sortKeys, settings.memoryBudgetBytes)
  }
  const merged = clusters
    ? clusters.reduce((sum, { members, isMerged }) => sum + (isMerged ? members.length : 0), 0)
    : areWhole.filter((isWhole) => !isWhole).length
  return {
    steps: found
      ? stepsBySort(found, wanted, sortKeys, keptRows, settings)
      : stepsInOrder(wanted, areWhole, keptRows!, given.targetRowGroupBytes),
    rows: counts.reduce((sum, count) => sum + count, 0),
    kept: wanted.length - merged,
    merged,
    sortingColumns: sortKeys,
  }
}

function cutPieces(inputs: readonly InputFile[]): Piece[] {
  const pieces: Piece[] = []
  let firstRow = 0
  for (const { source, range, bytes: held } of inputs) {
    if (!range) {
      throw new ParquetError('memory_budget', `the footers of ${inputs.length} sources are too much to choose rows by`)
    }
    const { footer, from, to } = range
    const columns = footer.schema.leaves.length
    for (let rowGroup = from; rowGroup < to; rowGroup++) {
      const rows = footer.rowsOfGroup[rowGroup]!
      if (rows === 0) continue
      let bytes = 0
      for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) bytes += footer.chunkBytes[chunk]!
      pieces.push({ source, footer, rowGroup, rows, bytes, firstRow, held })
      firstRow += rows
    }
  }
  // places of rows are signed numbers of 32 bits
  if (firstRow >= 2 ** 31) throw new ParquetError('memory_budget', `${firstRow} rows are too many to be sorted`)
  return pieces
}

interface FoundClusters {
  clusters: SortCluster[]
  members: SortMember[]
}

/**
 * Plan with what the footers tell; then look at the keys wherever something depends on it that they tell the truth, until
 * the plan stands on what was seen. That is for pieces that are to stay as they are, and where there are several clusters:
 * a key outside of its cluster would stand in the wrong place. In a single cluster, whose rows are all sorted, ranges decide
 * nothing.
 */
async function findClusters(
  pieces: readonly Piece[],
  areWhole: readonly boolean[],
  keys: readonly SortKey[],
  settings: PieceSettings,
): Promise<FoundClusters> {
  const members: SortMember[] = []
  const seen = new Set<number>()
  const look = async (indices: readonly number[]) => {
    let next = 0
    const unseen = indices.map((index) => pieces[index]!)
    for await (const { piece, columns } of keysOfPieces(unseen, keys, settings)) {
      const { range, isInOrder } = lookAtKeys(columns, piece.rows)
      const index = indices[next++]!
      members[index] = { rows: piece.rows, range, isInOrder: isInOrder && areWhole[index]! }
      seen.add(index)
    }
  }
  const unknown: number[] = []
  for (const [index, piece] of pieces.entries()) {
    const range = footerRange(piece, keys)
    if (range) members[index] = { rows: piece.rows, range, isInOrder: areWhole[index] ? undefined : false }
    else unknown.push(index)
  }
  await look(unknown)
  for (;;) {
    const clusters = planSort(members)
    const unseen = clusters
      .filter(({ isMerged }) => !isMerged || clusters.length > 1)
      .flatMap(({ members: own }) => own.filter((index) => !seen.has(index)))
    if (unseen.length === 0) return { clusters, members }
    await look(unseen)
  }
}

/** Join what goes the same way. */
function stepsInOrder(pieces: readonly Piece[], areWhole: readonly boolean[], kept: KeptRows, target: number): Step[] {
  const steps: Step[] = []
  let bytes = 0
  for (const [index, piece] of pieces.entries()) {
    const kind = areWhole[index] ? 'in_order' : 'gather'
    const last = steps.at(-1)
    if (last?.kind === kind && (kind === 'in_order' || bytes + piece.bytes <= target)) {
      last.pieces.push(piece)
      bytes += piece.bytes
      continue
    }
    bytes = piece.bytes
    const own = [piece]
    steps.push(kind === 'in_order' ? { kind, pieces: own } : { kind, pieces: own, gather: gatherInOrder(own, kept) })
  }
  return steps
}

function stepsBySort(
  { clusters, members: all }: FoundClusters,
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
): Step[] {
  const steps: Step[] = []
  for (const { members, isMerged } of clusters) {
    const own = members.map((index) => pieces[index]!)
    const last = steps.at(-1)
    if (isMerged) {
      const ranges = members.map((index) => all[index]!.range)
      const cluster = { pieces: own, keys, keptRows }
      steps.push({
        kind: 'gather',
        pieces: own,
        gather: (gathering) => gatherSorted(cluster, ranges, gathering, settings),
      })
    } else if (last?.kind === 'in_order') last.pieces.push(...own)
    else steps.push({ kind: 'in_order', pieces: own })
  }
  return steps
}

import { ParquetError } from '../../parquet-error.ts'
import { KeyColumn } from '../keys/key-column.ts'
import type { SortKey } from '../keys/key-order.ts'
import { encodeKey, keysOfPieces, lookAtKeys } from '../keys/read-keys.ts'
import { compareKeys, type SortRange } from '../keys/sort-range.ts'
import { guessTextBytes } from '../keys/text-bytes.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import type { KeptRows } from './kept-rows.ts'
import { keyBytesOfRow, type RankedPiece, type RankedRows, rankTogether } from './rank-rows.ts'
import { sortRows } from './sort-rows.ts'

/** part of the budget for the keys of a part while it is sorted, beside rows that are being gathered */
const PART_SHARE = 0.3
/** numbers of a row of a part, and its rank */
const PART_BYTES_OF_ROW = 8
/** keys looked at for each part, to find where it is to end */
const SAMPLES_OF_PART = 4096
/** parts are made so much smaller, as samples do not tell for sure */
const EVEN_SHARE = 0.96

/** A row between two parts: it is the first of the second. */
interface Splitter {
  coarse: number
  key: Uint8Array
  /** counted over the pieces: rows of equal keys stay in their order */
  row: number
}

/**
 * Sort the rows of pieces that overlap by their keys, all of them at once where their keys fit into the budget, and else part
 * by part: the parts follow each other in the output, and for each the keys of all pieces are read again.
 * @param rowsAtATime that are gathered together: a part is a multiple of them where that can be
 * @throws ParquetError `memory_budget` when the texts among the keys do not fit
 */
export async function* rankBySort(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
  rowsAtATime: number,
): AsyncGenerator<RankedRows> {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const keyBytes = keyBytesOfRow(pieces, keys)
  const together = rows * keyBytes <= settings.keyBytes && (await rankIfTextsFit(pieces, keys, keptRows, settings))
  if (together) {
    yield together
    return
  }
  const bytesOfRow = keyBytes + guessTextBytes(pieces, keys).held
  const most = (settings.memoryBudgetBytes * PART_SHARE) / (bytesOfRow + PART_BYTES_OF_ROW)
  const multiple = Math.floor(most / rowsAtATime) * rowsAtATime * EVEN_SHARE
  const rowsOfPart = multiple > 0 ? multiple : most
  const { splitters, ranges } = await findSplitters(pieces, keys, Math.ceil(rows / rowsOfPart), keptRows, settings)
  for (let part = 0; part <= splitters.length; part++) {
    const [low, high] = [splitters[part - 1], splitters[part]]
    const members = pieces.filter((_, i) => {
      const own = ranges[i]!
      return !(low && compareKeys(own.high, low.key) < 0) && !(high && compareKeys(own.low, high.key) > 0)
    })
    yield await rankPart(pieces, members, keys, low, high, keptRows, settings)
  }
}

/** @returns undefined where there are texts among the keys that do not fit: only reading them tells how often they repeat */
async function rankIfTextsFit(...cluster: Parameters<typeof rankTogether>): Promise<RankedRows | undefined> {
  try {
    return await rankTogether(...cluster)
  } catch (error) {
    if (error instanceof ParquetError && error.code === 'memory_budget') return undefined
    throw error
  }
}

/**
 * Find where parts of about as many rows end, by some of the keys.
 * @returns also the range of the keys of each piece, which its footer may tell wrong
 */
async function findSplitters(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  parts: number,
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
): Promise<{ splitters: Splitter[]; ranges: SortRange[] }> {
  const ranges: SortRange[] = []
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const stride = Math.ceil(rows / (parts * SAMPLES_OF_PART))
  const samples: Splitter[] = []
  let before = 0
  let next = 0
  for await (const { piece, columns } of keysOfPieces(pieces, keys, settings)) {
    ranges.push(lookAtKeys(columns, piece.rows).range)
    for (; next < before + piece.rows; next += stride) {
      const row = next - before
      if (keptRows && !keptRows.has(piece.firstRow + row)) continue
      samples.push({ coarse: columns[0]!.coarse(row), key: encodeKey(columns, row), row: next })
    }
    before += piece.rows
  }
  samples.sort((a, b) => a.coarse - b.coarse || compareKeys(a.key, b.key) || a.row - b.row)
  const splitters: Splitter[] = []
  for (let part = 1; part < parts && samples.length > 0; part++) {
    const splitter = samples[Math.floor((part * samples.length) / parts)]!
    if (splitter !== splitters.at(-1)) splitters.push(splitter)
  }
  return { splitters, ranges }
}

/** Rank the rows from one splitter to the next. */
async function rankPart(
  pieces: readonly Piece[],
  members: readonly Piece[],
  keys: readonly SortKey[],
  low: Splitter | undefined,
  high: Splitter | undefined,
  keptRows: KeptRows | undefined,
  settings: PieceSettings,
): Promise<RankedRows> {
  const firstRows = new Map<Piece, number>()
  let before = 0
  for (const piece of pieces) {
    firstRows.set(piece, before)
    before += piece.rows
  }
  const joined = keys.map((key) => new KeyColumn(key, 1024))
  const ranked: RankedPiece[] = []
  let kept = 0
  for await (const { piece, columns } of keysOfPieces(members, keys, settings)) {
    const first = firstRows.get(piece)!
    const own = new Uint32Array(piece.rows)
    let count = 0
    for (let row = 0; row < piece.rows; row++) {
      if (low && isBefore(columns, row, first + row, low)) continue
      if (high && !isBefore(columns, row, first + row, high)) continue
      if (!keptRows || keptRows.has(piece.firstRow + row)) own[count++] = row
    }
    if (count === 0) continue
    const rows = own.slice(0, count)
    for (const [at, column] of joined.entries()) column.appendRows(columns[at]!, rows)
    ranked.push({ piece, rows, ranks: new Int32Array() })
    kept += count
    const textBytes = joined.reduce((sum, column) => sum + column.textBytes, 0)
    if (textBytes > settings.memoryBudgetBytes) {
      const names = keys.map(({ leaf }) => leaf.name).join(', ')
      throw new ParquetError('memory_budget', `the distinct values of ${names} do not fit: raise memoryBudgetBytes`)
    }
  }
  for (const column of joined) column.finish()
  const order = sortRows(
    joined,
    Uint32Array.from({ length: kept }, (_, row) => row),
  )
  const ranks = new Int32Array(kept)
  for (let rank = 0; rank < kept; rank++) ranks[order[rank]!] = rank
  let at = 0
  for (const own of ranked) {
    own.ranks = ranks.subarray(at, at + own.rows!.length)
    at += own.rows!.length
  }
  return { pieces: ranked, kept }
}

function isBefore(columns: readonly KeyColumn[], row: number, place: number, splitter: Splitter): boolean {
  const coarse = columns[0]!.coarse(row)
  if (coarse !== splitter.coarse) return coarse < splitter.coarse
  const order = compareKeys(encodeKey(columns, row), splitter.key)
  return order === 0 ? place < splitter.row : order < 0
}

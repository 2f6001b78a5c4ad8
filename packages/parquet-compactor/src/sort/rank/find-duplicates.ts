import { ByteBuffer } from '../../format/byte-buffer.ts'
import { ParquetError } from '../../parquet-error.ts'
import { Dictionary } from '../../write/dictionary.ts'
import type { SortKey } from '../keys/key-order.ts'
import { keysOfPieces } from '../keys/read-keys.ts'
import type { Piece, PieceSettings } from '../keys/value-piece.ts'
import { KeptRows } from './kept-rows.ts'

/** The keys are read so often at most; then there are too many of them. */
const MAX_PASSES = 64

/**
 * Find the rows that stay when of those equal in `keys` only one does. Keys are held once each and compared byte by byte; those
 * that do not fit in half of the budget together are looked at in several passes, each over a part of them.
 * @throws ParquetError `memory_budget`
 */
export async function findKeptRows(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  keep: 'first' | 'last',
  settings: PieceSettings,
): Promise<KeptRows> {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  for (let passes = 1; passes <= MAX_PASSES; passes *= 2) {
    const kept = new KeptRows(rows)
    let pass = 0
    while (pass < passes && (await lookForKeys(pieces, keys, keep, pass, passes, kept, settings))) pass++
    if (pass === passes) return kept
  }
  throw new ParquetError(
    'memory_budget',
    `dedupeBy: the distinct keys of ${rows} rows do not fit: raise memoryBudgetBytes or merge fewer files at a time`,
  )
}

/** @returns false when the keys of this pass do not fit */
async function lookForKeys(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  keep: 'first' | 'last',
  pass: number,
  passes: number,
  kept: KeptRows,
  settings: PieceSettings,
): Promise<boolean> {
  const seen = new Dictionary({ width: 0 })
  let lastRows = new Float64Array(1024)
  const key = new ByteBuffer(256)
  for await (const { piece, columns } of keysOfPieces(pieces, keys, settings)) {
    for (let row = 0; row < piece.rows; row++) {
      key.clear()
      for (const column of columns) column.encode(row, key)
      if (passes > 1 && partOf(key, passes) !== pass) continue
      const known = seen.count
      const number = seen.intern(key.bytes, 0, key.length)
      if (keep === 'first') {
        if (number === known) kept.keep(piece.firstRow + row)
        continue
      }
      if (number === lastRows.length) {
        const grown = new Float64Array(lastRows.length * 2)
        grown.set(lastRows)
        lastRows = grown
      }
      lastRows[number] = piece.firstRow + row
    }
    if (seen.heldBytes + lastRows.byteLength > settings.memoryBudgetBytes / 2) return false
  }
  if (keep === 'last') for (let number = 0; number < seen.count; number++) kept.keep(lastRows[number]!)
  return true
}

/** Any spread that is not the one of the table. */
function partOf({ bytes, length }: ByteBuffer, parts: number): number {
  let hash = 7
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return (hash >>> 8) % parts
}

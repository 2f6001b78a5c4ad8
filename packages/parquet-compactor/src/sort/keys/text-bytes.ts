import type { SortKey } from './key-order.ts'
import type { Piece } from './value-piece.ts'

/** estimated bytes of byte arrays for each compressed byte */
const UNFOLDED = 1.25
/** the same for tables that double when they grow */
const GROWN = 1.6
/** bytes of a byte array in such a table beside its content: its place and its numbers */
const BYTES_OF_TEXT = 48
/** bytes of an entry of a dictionary at the least, as far as they matter */
const LEAST_ENTRY_BYTES = 8

/** Estimated bytes a row that the byte arrays of keys take, from footers alone. */
export interface TextBytes {
  /** as they are written */
  encoded: number
  /** while they are sorted, each distinct text of a row group once */
  held: number
}

export function guessTextBytes(pieces: readonly Piece[], keys: readonly SortKey[]): TextBytes {
  const texts = keys.filter(({ kind }) => kind === 'bytes' || kind === 'decimal')
  let [rows, encoded, held] = [0, 0, 0]
  for (const { footer, rowGroup, rows: own } of pieces) {
    rows += own
    for (const { column } of texts) {
      const chunk = rowGroup * footer.schema.leaves.length + column
      const bytes = footer.chunkBytes[chunk]! * UNFOLDED
      const dictionaryBytes = footer.chunkDictionaryBytes[chunk]! * UNFOLDED
      const hasDictionary = footer.chunkHasDictionary[chunk] === 1 && dictionaryBytes > 0
      const distinct = hasDictionary ? Math.min(own, dictionaryBytes / LEAST_ENTRY_BYTES) : own
      encoded += bytes
      held += (hasDictionary ? dictionaryBytes : bytes) * GROWN + distinct * BYTES_OF_TEXT
    }
  }
  return { encoded: encoded / Math.max(1, rows), held: held / Math.max(1, rows) }
}

import type { LeafColumn } from '../../schema/schema.ts'
import type { Piece } from '../keys/value-piece.ts'

/** so many pieces stand for all */
const LOOKED_AT = 64
const INDEX_BYTES = 2
/** where a byte array is, and its length */
const TEXT_BYTES = 8
/** levels of lists are held twice while they are put in order */
const LIST_BYTES = 32
/** estimated bytes of byte arrays for each compressed byte */
const UNFOLDED = 1.5

/** Estimated bytes of a row while it is gathered. If it turns out larger, the group is tried again with fewer rows. */
export function guessBytesOfRow(leaves: readonly LeafColumn[], pieces: readonly Piece[]): number {
  const stride = Math.ceil(pieces.length / LOOKED_AT)
  let [bytes, rows] = [0, 0]
  for (let i = 0; i < pieces.length; i += stride) {
    const piece = pieces[i]!
    rows += piece.rows
    for (const [column, leaf] of leaves.entries()) bytes += guessBytes(piece, column, leaf)
  }
  return bytes / Math.max(1, rows)
}

/** Whether values have no known length, nor few distinct ones. */
export function isHardToGuess(leaves: readonly LeafColumn[], { footer, rowGroup }: Piece): boolean {
  return leaves.some(({ width, maxRepetition }, column) => {
    return maxRepetition > 0 || (width === 0 && !footer.chunkHasDictionary[rowGroup * leaves.length + column])
  })
}

function guessBytes({ footer, rowGroup, rows }: Piece, column: number, leaf: LeafColumn): number {
  const chunk = rowGroup * footer.schema.leaves.length + column
  const packed = footer.chunkBytes[chunk]!
  const levels = leaf.maxRepetition > 0 ? rows * LIST_BYTES : footer.chunkNulls[chunk] !== 0 ? rows : 0
  if (footer.chunkHasDictionary[chunk] && leaf.maxRepetition === 0) {
    return levels + rows * INDEX_BYTES + footer.chunkDictionaryBytes[chunk]!
  }
  return levels + (leaf.width > 0 ? rows * leaf.width : rows * TEXT_BYTES + packed * UNFOLDED)
}

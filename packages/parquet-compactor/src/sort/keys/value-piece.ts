import type { Footer } from '../../footer/footer.ts'
import { FileReader } from '../../read/file-reader.ts'
import { nameSource } from '../../read/inspect.ts'
import { chunkPlace, openChunk, type ReadSettings } from '../../read/open-chunk.ts'
import type { RowSink } from '../../read/row-stream.ts'
import type { Source } from '../../read/source.ts'
import type { LeafColumn } from '../../schema/schema.ts'

/** Where rows in the spill file come from. */
export interface PieceOrigin {
  pieces: readonly Piece[]
  /** per column, bytes of the largest input dictionary; beside it, whether some page had a checksum */
  dictionaryBytes: readonly number[]
  hasChecksums: readonly boolean[]
}

/** A row group of an input whose values may be read, or rows of some of them in the scratch. */
export interface Piece {
  source: Source
  footer: Footer
  rowGroup: number
  rows: number
  /** compressed */
  bytes: number
  /** rows of all inputs before it */
  firstRow: number
  /** all of the file, where it is in memory */
  held: Uint8Array | undefined
  /** present for rows in the spill file */
  origin?: PieceOrigin
}

export interface PieceSettings extends ReadSettings {
  memoryBudgetBytes: number
  /** for keys that are sorted at one time, before any row is gathered */
  keyBytes: number
  maxReadsInFlight: number
  signal: AbortSignal | undefined
}

/** bytes of one column that are read ahead */
const aheadBytes = ({ memoryBudgetBytes, maxReadsInFlight }: PieceSettings): number =>
  memoryBudgetBytes / 8 / maxReadsInFlight

/** Make some columns of a piece ready: each in one read, unless it is large. */
export async function openColumns(
  piece: Piece,
  columns: readonly number[],
  settings: PieceSettings,
): Promise<FileReader[]> {
  const { source, footer, rowGroup } = piece
  const files: FileReader[] = []
  for (const column of columns) {
    const file = new FileReader(source, settings.signal)
    files.push(file)
    if (piece.held) {
      file.hold(0, piece.held)
      continue
    }
    const { offset, bytes } = chunkPlace(footer, rowGroup * footer.schema.leaves.length + column)
    if (bytes <= aheadBytes(settings)) await named(source, () => file.prime(offset, bytes))
  }
  return files
}

/** how many whole pieces may be under way or wait at one time */
export function piecesAhead(pieces: readonly Piece[], { memoryBudgetBytes, maxReadsInFlight }: PieceSettings): number {
  const largest = pieces.reduce((most, { bytes }) => Math.max(most, bytes), 1)
  return Math.max(1, Math.min(maxReadsInFlight, Math.floor(memoryBudgetBytes / 8 / largest)))
}

/** Make a whole piece ready: in one read, if its chunks stand together and it is not large. */
export async function openPiece(piece: Piece, settings: PieceSettings): Promise<FileReader> {
  const { source, footer, rowGroup, bytes, held } = piece
  const file = new FileReader(source, settings.signal)
  if (held) {
    file.hold(0, held)
    return file
  }
  const columns = footer.schema.leaves.length
  let [start, end] = [Number.POSITIVE_INFINITY, 0]
  for (let chunk = rowGroup * columns; chunk < (rowGroup + 1) * columns; chunk++) {
    const place = chunkPlace(footer, chunk)
    if (place.bytes === 0) continue
    start = Math.min(start, place.offset)
    end = Math.max(end, place.offset + place.bytes)
  }
  if (end > start && end - start <= Math.min(settings.memoryBudgetBytes / 8, bytes * 1.25)) {
    await named(source, () => file.prime(start, end - start))
  }
  return file
}

/** Hand all rows of a column of a piece to `sink`. */
export async function readColumn(
  piece: Piece,
  file: FileReader,
  column: number,
  leaf: LeafColumn,
  sink: RowSink,
  settings: PieceSettings,
): Promise<void> {
  const reader = openChunk(file, piece.footer, piece.rowGroup, column, leaf, settings)
  try {
    await reader.copyRows(piece.rows, sink)
    if (reader.mayHaveMore) await reader.expectEnd()
  } catch (error) {
    throw nameSource(error, piece.source.name)
  }
}

async function named<Result>(source: Source, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw nameSource(error, source.name)
  }
}

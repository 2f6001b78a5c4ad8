import { boundsOf, haveTypeOrder } from '../../footer/chunk-bounds.ts'
import { ByteBuffer } from '../../format/byte-buffer.ts'
import type { ValueTable } from '../../format/value-table.ts'
import { ParquetError } from '../../parquet-error.ts'
import { throwIfAborted } from '../../read/file-reader.ts'
import { readAhead } from '../../read/read-ahead.ts'
import { KeyColumn } from './key-column.ts'
import type { SortKey } from './key-order.ts'
import type { SortRange } from './sort-range.ts'
import { openColumns, type Piece, type PieceSettings, readColumn } from './value-piece.ts'

/**
 * Read the keys of pieces, one after another, into columns that are not finished yet.
 * @param textRoom bytes that texts among them may take
 * @throws ParquetError `memory_budget` when the texts among them do not fit
 */
export async function readKeys(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  settings: PieceSettings,
  textRoom = settings.memoryBudgetBytes,
): Promise<KeyColumn[]> {
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const columns = keys.map((key) => new KeyColumn(key, rows))
  const numbers = keys.map(({ column }) => column)
  const open = async (piece: Piece) => ({ piece, files: await openColumns(piece, numbers, settings) })
  for await (const { piece, files } of readAhead(pieces, settings.maxReadsInFlight, open)) {
    throwIfAborted(settings.signal)
    for (const [at, { column, leaf }] of keys.entries()) {
      await readColumn(piece, files[at]!, column, leaf, columns[at]!, settings)
    }
    const textBytes = columns.reduce((sum, column) => sum + column.textBytes, 0)
    if (textBytes > textRoom) {
      const names = keys.map(({ leaf }) => leaf.name).join(', ')
      throw new ParquetError(
        'memory_budget',
        `the distinct values of ${names} in rows that overlap take more than ${Math.floor(textRoom)} bytes: ` +
          'raise memoryBudgetBytes or merge fewer files at a time',
      )
    }
  }
  return columns
}

export function encodeKey(columns: readonly KeyColumn[], row: number): Uint8Array {
  const out = new ByteBuffer(64)
  for (const column of columns) column.encode(row, out)
  return out.take()
}

function compareRows(columns: readonly KeyColumn[], a: number, b: number): number {
  for (const column of columns) {
    const order = column.compare(a, b)
    if (order !== 0) return order
  }
  return 0
}

/** Read the keys of pieces, each into columns of its own. */
export async function* keysOfPieces(
  pieces: readonly Piece[],
  keys: readonly SortKey[],
  settings: PieceSettings,
): AsyncGenerator<{ piece: Piece; columns: KeyColumn[] }> {
  const numbers = keys.map(({ column }) => column)
  const open = async (piece: Piece) => ({ piece, files: await openColumns(piece, numbers, settings) })
  for await (const { piece, files } of readAhead(pieces, settings.maxReadsInFlight, open)) {
    throwIfAborted(settings.signal)
    const columns = keys.map((key) => new KeyColumn(key, piece.rows))
    for (const [at, { column, leaf }] of keys.entries()) {
      await readColumn(piece, files[at]!, column, leaf, columns[at]!, settings)
    }
    yield { piece, columns }
  }
}

/** @returns the least and the greatest key of a piece, and whether its rows are in order */
export function lookAtKeys(columns: readonly KeyColumn[], rows: number): { range: SortRange; isInOrder: boolean } {
  let [least, greatest, isInOrder] = [0, 0, true]
  for (let row = 1; row < rows; row++) {
    if (isInOrder && compareRows(columns, row, row - 1) >= 0) {
      greatest = row
      continue
    }
    isInOrder = false
    if (compareRows(columns, row, least) < 0) least = row
    if (compareRows(columns, row, greatest) > 0) greatest = row
  }
  return { range: { low: encodeKey(columns, least), high: encodeKey(columns, greatest) }, isInOrder }
}

/** Kinds whose bounds in a footer are not sure: NaN is outside of them, or writers disagree on the order. */
const UNSURE_KINDS = ['float', 'double', 'float16', 'decimal', 'int96']

/** Greater than whatever follows the values of the keys before it. */
const BEYOND = 255

/** @returns a range that holds every key of a piece as far as its footer tells; undefined where it does not */
export function footerRange({ footer, rowGroup, rows }: Piece, keys: readonly SortKey[]): SortRange | undefined {
  const low = new ByteBuffer(64)
  const high = new ByteBuffer(64)
  for (const key of keys) {
    const { leaf, kind, isDescending, areNullsFirst } = key
    const chunk = rowGroup * footer.schema.leaves.length + key.column
    const nulls = leaf.maxDefinition === 0 ? 0 : footer.chunkNulls[chunk]!
    const ends = new KeyColumn(key, 3)
    const isAllNull = nulls === rows
    if (!isAllNull) {
      const { min, max } = boundsOf(footer, chunk)
      const isSigned = kind === 'int32' || kind === 'int64' || kind === 'boolean'
      if (!min || !max || UNSURE_KINDS.includes(kind) || (!isSigned && !haveTypeOrder(footer, chunk))) return undefined
      if (leaf.width > 0 && (min.length !== leaf.width || max.length !== leaf.width)) return undefined
      appendValue(ends, isDescending ? max : min)
      appendValue(ends, isDescending ? min : max)
      if (ends.compare(0, 1) > 0) return undefined
    } else {
      appendNull(ends)
      appendNull(ends)
    }
    const isConstant = isAllNull || (nulls === 0 && ends.compare(0, 1) === 0)
    if (!isAllNull && nulls !== 0) appendNull(ends)
    ends.encode(ends.rows === 3 && areNullsFirst ? 2 : 0, low)
    ends.encode(ends.rows === 3 && !areNullsFirst ? 2 : 1, high)
    if (!isConstant) {
      high.push(BEYOND)
      break
    }
  }
  return { low: low.take(), high: high.take() }
}

function appendValue(column: KeyColumn, bytes: Uint8Array): void {
  const table: ValueTable = { count: 1, bytes, starts: Uint32Array.of(0), lengths: Uint32Array.of(bytes.length) }
  const values = { count: 1, table }
  const levels = { definition: undefined, repetition: undefined, levelFrom: 0, levelTo: 1 }
  column.append({ ...levels, values, valueFrom: 0, valueTo: 1 })
}

function appendNull(column: KeyColumn): void {
  const values = { count: 0, table: { count: 0, bytes: new Uint8Array() } }
  const levels = { definition: Uint8Array.of(0), repetition: undefined, levelFrom: 0, levelTo: 1 }
  column.append({ ...levels, values, valueFrom: 0, valueTo: 0 })
}

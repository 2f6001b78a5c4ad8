import type { FooterTable } from '../footer/footer-table.ts'
import { encodeSortingColumns, readSortingColumn, type SortingColumns } from '../footer/sorting-columns.ts'
import { mayMisstateCompression, mayUnderstateChunks } from '../footer/written-by.ts'
import { ThriftReader } from '../format/thrift-reader.ts'
import { ParquetError } from '../parquet-error.ts'
import { nameText } from '../schema/schema.ts'
import { encodeChunk, isCompressed, readDetails } from './encode-chunk.ts'
import type { RowGroupStore, StoredRowGroup } from './row-group-store.ts'

/** bit of `chunkEncodings` for any that is not known, and for pages of DELTA_BYTE_ARRAY that only readers of their writer read */
const UNKNOWN_ENCODING = 1 << 15

/** What readers see in `created_by` of a file, and not in that of the composed one. */
interface WriterQuirks {
  hasDictionary: boolean
  isCompressed: boolean
}

/** The row groups of one file. */
export interface FileRowGroups {
  table: FooterTable
  /** FileMetaData, which the table was read from */
  metadata: Uint8Array
  /** of the first byte of the file */
  address: number
  /** for each column of the file, its number in the store */
  columns: readonly number[]
}

/**
 * Put the row groups of a file into the store; those without rows are left out.
 * @throws ParquetError `unsupported_column`, `over_limit`
 */
export function encodeRowGroups(store: RowGroupStore, { table, metadata, address, columns }: FileRowGroups): void {
  const { leaves } = table.schema
  const quirks: WriterQuirks = { hasDictionary: false, isCompressed: false }
  let [chunk, rowGroup] = [0, 0]
  let open: StoredRowGroup | undefined
  let sorting: { from: SortingColumns; to: SortingColumns | undefined } | undefined
  const createdBy = readDetails(metadata, (details) => {
    const column = chunk % leaves.length
    const leaf = leaves[column]!
    const rows = table.rowsOfGroup[rowGroup]!
    if (column === 0) {
      const own = table.sortingOfGroup[rowGroup]
      if (own && !isSameSorting(own, sorting?.from)) sorting = { from: own, to: renumber(own, columns) }
      open = {
        rows,
        firstChunk: store.chunkColumn.length,
        uncompressedBytes: 0,
        compressedBytes: 0,
        start: Number.POSITIVE_INFINITY,
        end: 0,
        sorting: own && sorting?.to,
      }
    }
    if (rows > 0) {
      const encodings = table.chunkEncodings[chunk]!
      if (encodings & UNKNOWN_ENCODING) {
        const detail = `column ${leaf.name} has an encoding that is not known, or DELTA_BYTE_ARRAY of parquet-mr before 1.8.1`
        throw new ParquetError('unsupported_column', `${detail} (PARQUET-246)`, { column: leaf.name })
      }
      quirks.hasDictionary ||= table.chunkHasDictionary[chunk] === 1
      quirks.isCompressed ||= isCompressed(table, chunk)
      encodeChunk(store.encoded, { table, chunk, leaf, details }, address)
      const start = address + table.chunkOffset[chunk]!
      const bytes = table.chunkBytes[chunk]!
      store.addChunk(columns[column]!, encodings, start)
      open!.uncompressedBytes += details.uncompressedBytes
      open!.compressedBytes += bytes
      open!.start = Math.min(open!.start, start)
      open!.end = Math.max(open!.end, start + bytes)
    }
    chunk++
    if (column < leaves.length - 1) return
    if (rows > 0) {
      if (!Number.isSafeInteger(open!.uncompressedBytes)) {
        throw new ParquetError('over_limit', `a row group of ${open!.uncompressedBytes} uncompressed bytes`)
      }
      store.addRowGroup(open!)
    }
    rowGroup++
  })
  checkWriter(nameText(createdBy), quirks)
}

function checkWriter(createdBy: string, { hasDictionary, isCompressed: isAnyCompressed }: WriterQuirks): void {
  const refuse = (detail: string): never => {
    throw new ParquetError('unsupported_column', `${detail}: compact the file first`)
  }
  if (hasDictionary && mayUnderstateChunks(createdBy)) {
    refuse(
      'column chunks with a dictionary may be longer than the footer says, as parquet-mr before 1.2.9 wrote (PARQUET-816)',
    )
  }
  if (isAnyCompressed && mayMisstateCompression(createdBy)) {
    refuse('pages may be compressed and say that they are not, as Arrow before 3.0 wrote them (ARROW-10353)')
  }
}

/** @returns undefined where the list is longer than a row group has columns */
function renumber({ count, elements }: SortingColumns, columns: readonly number[]): SortingColumns | undefined {
  if (count > columns.length) return undefined
  const reader = new ThriftReader(elements)
  const sorting = Array.from({ length: count }, () => readSortingColumn(reader))
  return encodeSortingColumns(sorting.map((own) => ({ ...own, column: columns[own.column]! })))
}

function isSameSorting(own: SortingColumns, other: SortingColumns | undefined): boolean {
  return own.count === other?.count && own.elements.every((byte, at) => byte === other.elements[at])
}

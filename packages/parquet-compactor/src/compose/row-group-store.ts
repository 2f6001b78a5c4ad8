import type { SortingColumns } from '../footer/sorting-columns.ts'
import { ByteBuffer } from '../format/byte-buffer.ts'
import { ParquetError } from '../parquet-error.ts'

/** What helps where a composed file would be larger than its limits. */
const ADVICE = 'compact the files first, or compose those of one period'

/** @throws ParquetError `over_limit`, without a source: the files together are too many */
export function refuseLimit(detail: string): never {
  throw new ParquetError('over_limit', `${detail}: ${ADVICE}`)
}

export function refuseTail(bytes: number, maxBytes: number): never {
  refuseLimit(`a composed footer of ${bytes} bytes, where ${maxBytes} are allowed`)
}

/** One row group, but for its chunks. */
export interface StoredRowGroup {
  rows: number
  /** chunks of all row groups before it */
  firstChunk: number
  /** of its file */
  uncompressedBytes: number
  compressedBytes: number
  /** addresses of its first byte and of the end of its last chunk */
  start: number
  end: number
  /** columns are numbers in the composed file */
  sorting: SortingColumns | undefined
}

/**
 * Row groups as the composed footer will have them, in the order of the files. What is not known before all files were seen is
 * written in the end: the place of a column among the others and its path. Chunks are numbers in arrays and encoded bytes, since
 * objects for them would take ten times the footer.
 */
export class RowGroupStore {
  readonly rowGroups: StoredRowGroup[] = []
  /** number of the column of each chunk, in the order in which columns were first seen */
  readonly chunkColumn: number[] = []
  /** bits of `chunkEncodings` in `Footer` */
  readonly chunkEncodings: number[] = []
  /** address of the first byte of each chunk */
  readonly chunkStart: number[] = []
  /** where each one ends in `bytes` */
  readonly chunkEnd: number[] = []
  readonly encoded = new ByteBuffer()
  rowCount = 0
  sortingBytes = 0

  /** The chunk whose metadata were appended to `encoded` is complete. */
  addChunk(column: number, encodings: number, start: number): void {
    this.chunkColumn.push(column)
    this.chunkEncodings.push(encodings)
    this.chunkStart.push(start)
    this.chunkEnd.push(this.encoded.length)
  }

  addRowGroup(rowGroup: StoredRowGroup): void {
    this.rowGroups.push(rowGroup)
    this.rowCount += rowGroup.rows
    this.sortingBytes += rowGroup.sorting?.elements.length ?? 0
  }

  /** Take back everything that comes behind a mark, as of a file that is refused. */
  mark(): () => void {
    const { rowCount, sortingBytes } = this
    const [rowGroups, chunks, bytes] = [this.rowGroups.length, this.chunkColumn.length, this.encoded.length]
    return () => {
      this.rowGroups.length = rowGroups
      for (const numbers of [this.chunkColumn, this.chunkEncodings, this.chunkStart, this.chunkEnd]) {
        numbers.length = chunks
      }
      this.encoded.length = bytes
      this.rowCount = rowCount
      this.sortingBytes = sortingBytes
    }
  }

  /** Chunks of a row group are those from `firstChunk` up to this one. */
  lastChunk(rowGroup: number): number {
    return this.rowGroups[rowGroup + 1]?.firstChunk ?? this.chunkColumn.length
  }
}

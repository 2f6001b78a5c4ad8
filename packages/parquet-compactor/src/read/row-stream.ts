import type { PageValues } from '../format/value-table.ts'

/** Levels and values that are appended together. */
export interface LevelBatch {
  /** left out where every level is the highest */
  definition: Uint8Array | undefined
  repetition: Uint8Array | undefined
  levelFrom: number
  levelTo: number
  values: PageValues
  valueFrom: number
  valueTo: number
}

/** Takes the rows of a column. What it is handed is only lent: the next batch may stand in the same bytes. */
export interface RowSink {
  /** true when the open page should end at the next row */
  readonly isPageFull: boolean
  append(batch: LevelBatch): void
  /** end the open page, which must be at the end of a row */
  flushPage(): Promise<void>
  /** told of pages that have a checksum, where that matters */
  addChecksums?(): void
}

/** Hands on the rows of a column, in order. */
export interface RowReader {
  copyRows(rows: number, sink: RowSink): Promise<void>
  /** release what can be read again */
  release(): void
  /** false when every row has been handed on for sure */
  readonly mayHaveMore: boolean
  /** @throws ParquetError `row_count_mismatch` when there are more rows */
  expectEnd(): Promise<void>
}

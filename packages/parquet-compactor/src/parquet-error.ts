/**
 * Every way this library fails, and whether trying again can help.
 * `permanent`: the same bytes fail the same way each time.
 */
export const PARQUET_ERRORS = {
  /** no PAR1 at the head or the tail, or no bytes at all */
  not_parquet: 'permanent',
  /** too short to hold what it says, or a read returned fewer bytes than asked */
  truncated: 'permanent',
  /** the footer is malformed, contradicts itself, or points outside the file */
  bad_footer: 'permanent',
  /** the footer or a column is encrypted */
  encrypted: 'permanent',
  /** a column, codec or encoding that cannot be carried over exactly */
  unsupported_column: 'permanent',
  /** a source whose schema differs from the first source's */
  schema_mismatch: 'permanent',
  /** a page, its checksum, its levels or its values contradict the format or the footer */
  corrupt_data: 'permanent',
  /** a page that declares more bytes than may be held in memory */
  page_too_large: 'permanent',
  /** fewer or more rows were found than the footers declare */
  row_count_mismatch: 'permanent',
  /** the keys of rows that must be sorted or compared together exceed `memoryBudgetBytes` */
  memory_budget: 'permanent',
  /** an option out of its range */
  bad_option: 'permanent',
  /** the caller's signal fired */
  aborted: 'transient',
  /** a source's `read` failed */
  read_failed: 'transient',
  /** the sink's `write` failed */
  write_failed: 'transient',
} as const

export type ParquetErrorCode = keyof typeof PARQUET_ERRORS

/** The one error class. The message opens with the code: some callers keep nothing but the message. */
export class ParquetError extends Error {
  readonly code: ParquetErrorCode
  readonly permanent: boolean

  constructor(code: ParquetErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.name = 'ParquetError'
    this.code = code
    this.permanent = PARQUET_ERRORS[code] === 'permanent'
  }
}

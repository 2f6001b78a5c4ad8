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
  /** a file, or the files of a merge together, declare or turn out to be more than a limit allows; the message has both figures */
  over_limit: 'permanent',
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

/** Codes that tell of the bytes of a source: the others tell of the call, the memory, the storage or the sink. */
const SOURCE_FAULTS: ReadonlySet<ParquetErrorCode> = new Set([
  'not_parquet',
  'truncated',
  'bad_footer',
  'encrypted',
  'unsupported_column',
  'schema_mismatch',
  'corrupt_data',
  'page_too_large',
  'row_count_mismatch',
  'over_limit',
])

/** @returns whether the code tells of the bytes of a source, which fail the same way each time */
export function isSourceFault(code: ParquetErrorCode): boolean {
  return SOURCE_FAULTS.has(code)
}

/** Where an error happened, as far as it is known. */
export interface ErrorPlace {
  /** `name` of the source */
  source?: string | undefined
  /** names of the column and the groups around it, joined by dots */
  column?: string | undefined
  /** first byte of the page in its file */
  pageOffset?: number | undefined
}

/**
 * The one error class. The message opens with the code and repeats the place, because some callers keep nothing but the
 * message; programs read the fields.
 */
export class ParquetError extends Error {
  readonly code: ParquetErrorCode
  readonly permanent: boolean
  /** the message without the code */
  readonly detail: string
  /** `name` of the source that has the fault; undefined where it is no single source's */
  readonly source: string | undefined
  /** names of the column and the groups around it, joined by dots; undefined where it is no single column's */
  readonly column: string | undefined
  /** first byte of the page in its file; undefined where it is no single page's */
  readonly pageOffset: number | undefined

  constructor(code: ParquetErrorCode, detail: string, options: ErrorOptions & ErrorPlace = {}) {
    const { source, column, pageOffset, ...rest } = options
    super(`${code}: ${detail}`, rest)
    this.name = 'ParquetError'
    this.code = code
    this.permanent = PARQUET_ERRORS[code] === 'permanent'
    this.detail = detail
    this.source = source
    this.column = column
    this.pageOffset = pageOffset
  }

  /** @returns the same error at a place that is better known, whose text opens the message */
  at(text: string, place: ErrorPlace): ParquetError {
    const { source, column, pageOffset } = this
    return new ParquetError(this.code, `${text}: ${this.detail}`, {
      cause: this,
      source,
      column,
      pageOffset,
      ...place,
    })
  }
}

import { type ErrorCode, FusouError } from '@fusou/catalog'
import { ParquetError, type ParquetErrorCode } from '@fusou/parquet-compactor'

/** How a fault that the compactor finds in a file is told to who sent it; all others are ours. */
const CODES: Partial<Record<ParquetErrorCode, ErrorCode>> = {
  not_parquet: 'invalid_parquet',
  truncated: 'invalid_parquet',
  bad_footer: 'invalid_parquet',
  corrupt_data: 'invalid_parquet',
  encrypted: 'unsupported_parquet',
  unsupported_column: 'unsupported_parquet',
  over_limit: 'unsupported_parquet',
  read_failed: 'storage_unavailable',
}

/** @throws FusouError, whose detail opens with the name of the table */
export async function refuseParquet<Found>(table: string, inspect: () => Found | Promise<Found>): Promise<Found> {
  try {
    return await inspect()
  } catch (cause) {
    const code = cause instanceof ParquetError ? CODES[cause.code] : undefined
    if (!(cause instanceof ParquetError) || code === undefined) throw cause
    if (code === 'storage_unavailable') throw new FusouError(code, 'the footer could not be read back', { cause })
    const detail = cause.source === undefined ? `${table}: ${cause.detail}` : cause.detail
    throw new FusouError(code, detail, { cause })
  }
}

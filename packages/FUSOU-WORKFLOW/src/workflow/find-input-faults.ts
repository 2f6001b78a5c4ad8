import { type ErrorCode, type InputFault, isObjectFault, type MergeInput, R2Source } from '@fusou/catalog'
import { type FindFaultsOptions, findFaults, inspectParquet, ParquetError } from '@fusou/parquet-compactor'

/** Codes of the library for bytes that are sound, and still no merge takes them. All others tell of damage. */
const OTHER_FAULTS: Partial<Record<ParquetError['code'], ErrorCode>> = {
  schema_mismatch: 'schema_mismatch',
  encrypted: 'unsupported_parquet',
  unsupported_column: 'unsupported_parquet',
  page_too_large: 'unsupported_parquet',
  over_limit: 'unsupported_parquet',
}

/**
 * Read every input whole, and report each that cannot be merged.
 * @throws ParquetError what is no fault of an input
 */
export async function findInputFaults(
  bucket: R2Bucket,
  inputs: readonly MergeInput[],
  options: FindFaultsOptions,
): Promise<InputFault[]> {
  const sources = inputs.map((input) => new R2Source(bucket, input))
  const faults = await findFaults(sources, { ...options, isReadFault: isObjectFault })
  const byId = new Map(inputs.map((input) => [input.id, input]))
  return faults.map(({ source, code, detail, cause }) => ({
    fileId: source,
    r2Key: byId.get(source)!.r2Key,
    ...(isObjectFault(cause)
      ? { code: cause.code, message: cause.detail }
      : { code: OTHER_FAULTS[code] ?? 'corrupt_file', message: detail }),
  }))
}

/**
 * Inputs whose object has another number of rows than the catalog counted at upload: somebody has replaced it.
 * @throws ParquetError if one cannot be read, which the merge of all of them would have found
 */
export async function findMiscounted(bucket: R2Bucket, inputs: readonly MergeInput[]): Promise<InputFault[]> {
  const faults: InputFault[] = []
  for (const input of inputs) {
    const { rowCount } = await inspectParquet(new R2Source(bucket, input))
    if (rowCount === input.rows) continue
    const message = `object ${input.r2Key} holds ${rowCount} rows, the catalog counts ${input.rows}`
    faults.push({ fileId: input.id, r2Key: input.r2Key, code: 'row_count_mismatch', message })
  }
  return faults
}

/** @returns what reading a source or writing the output threw, behind the errors that say where */
export function readFailure(error: ParquetError): unknown {
  let { cause } = error
  while (cause instanceof ParquetError) cause = cause.cause
  return cause
}

import {
  type Catalog,
  describe,
  FusouError,
  type InputFault,
  isObjectFault,
  log,
  MERGE_LIMITS,
  MERGE_MEMORY_BYTES,
  R2Source,
} from '@fusou/catalog'
import { isSourceFault, type MergeReport, mergeParquet, ParquetError } from '@fusou/parquet-compactor'
import kernel from '@fusou/parquet-compactor/kernel.wasm'
import { describeMerged, writeLineage } from '../storage/lineage.ts'
import { MultipartSink, PART_BYTES } from '../storage/multipart-sink.ts'
import { findApart, type SchemaApart } from './find-apart.ts'
import { findInputFaults, readFailure } from './find-input-faults.ts'
import { mergeOptionsOf } from './table-layout.ts'
import { workerCodecs } from './worker-codecs.ts'

/** A column to sort by is missing or has no order; the keys do not fit into memory. */
const ORDER_ERRORS: ReadonlySet<string> = new Set(['bad_option', 'memory_budget'])

export type OpenedMerge = Extract<Awaited<ReturnType<Catalog['openMerge']>>, { outcome: 'ok' }>

/**
 * Write the output of a merge as the settings of its table ask, or find every input that cannot be merged, or the schemas that
 * cannot be united. Holds `MERGE_MEMORY_BYTES` at the most.
 * @param note told of an upload in parts before its first part is written
 * @throws FusouError what is no fault of an input: the storage, the database or the fence through `note`, a bug
 */
export async function writeMerge(
  bucket: R2Bucket,
  key: string,
  opened: OpenedMerge,
  jobId: string,
  note: (uploadId: string) => Promise<void>,
): Promise<
  | { report: MergeReport; sha256: string }
  /** the table asks for an order that its files do not allow, or the memory; without it they can be merged */
  | { unordered: string }
  | { faults: readonly InputFault[] }
  | { apart: readonly SchemaApart[] }
> {
  const { inputs, fingerprint } = opened
  const reading = {
    kernel,
    ...(fingerprint === null ? { schema: 'union' as const } : { schemaFingerprint: fingerprint }),
    memoryBudgetBytes: MERGE_MEMORY_BYTES,
    limits: MERGE_LIMITS,
    codecs: workerCodecs,
  }
  const sink = new MultipartSink(bucket, key, describeMerged(jobId, opened), note)
  try {
    const sources = inputs.map((input) => new R2Source(bucket, input))
    // A page that is corrupt inside must be found before it stands among those of other uploads.
    const options = { ...reading, pages: 'check' as const, partBytes: PART_BYTES, ...mergeOptionsOf(opened.settings) }
    const report = await mergeParquet(sources, sink, options)
    // Before the output is complete: no merged object may lie in the bucket without its origin.
    await writeLineage(bucket, key, inputs, report.duplicateRows)
    return { report, sha256: await sink.close() }
  } catch (error) {
    await sink.abort()
    const { sortBy, dedupeBy } = opened.settings
    if ((sortBy || dedupeBy) && error instanceof ParquetError && ORDER_ERRORS.has(error.code))
      return { unordered: error.message }
    if (fingerprint === null && error instanceof ParquetError && error.code === 'schema_mismatch') {
      const apart = await findApart(bucket, inputs)
      if (apart.length > 0) return { apart }
    }
    log('error', 'merge_failed', { key, ...describe(error) })
    throwUnlessInputFault(error)
    const faults = await findInputFaults(bucket, inputs, reading)
    if (faults.length > 0) return { faults }
    const { message } = error as Error
    throw new FusouError('internal', `each input alone can be merged, all together not: ${message}`, { cause: error })
  }
}

/** @throws FusouError what says nothing of the bytes of an input */
function throwUnlessInputFault(error: unknown): void {
  if (!(error instanceof ParquetError)) throw error
  if (isSourceFault(error.code)) return
  const cause = readFailure(error)
  if (isObjectFault(cause)) return
  // The note of an upload in parts: the database, or the fence.
  if (cause instanceof FusouError) throw cause
  throw new FusouError(error.permanent ? 'internal' : 'storage_unavailable', error.message, { cause: error })
}

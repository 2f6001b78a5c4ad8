import {
  type Attempt,
  type Catalog,
  describe,
  type ErrorCode,
  FusouError,
  log,
  type MergeInput,
  mergedKey,
} from '@fusou/catalog'
import { type MergeReport, mergeParquet, ParquetError, type ParquetErrorCode } from '@fusou/parquet-compactor'
import kernel from '@fusou/parquet-compactor/kernel.wasm'
import type { Env } from '../env.ts'
import { LEASE_SECONDS } from '../leases.ts'
import { describeMerged, writeLineage } from '../storage/lineage.ts'
import { MemoryBudget } from '../storage/memory-budget.ts'
import { MultipartSink, PART_BYTES } from '../storage/multipart-sink.ts'
import { R2Source } from '../storage/r2-source.ts'
import { MERGE_TIMEOUT_MINUTES } from './step-retries.ts'
import { workerCodecs } from './worker-codecs.ts'

/** What the merges of this isolate may hold together, of its 128 MB; each takes all of it. */
const MERGE_BYTES = 64 * 1024 * 1024

const memory = new MemoryBudget(MERGE_BYTES, MERGE_TIMEOUT_MINUTES * 60_000)

export type MergeSummary =
  | { outcome: 'committed'; table: string; periodTag: string; version: number; report: MergeReport }
  | { outcome: 'committed_before' }
  | { outcome: 'failed'; code: string; fileId: string | null }

/**
 * One merge: read its inputs, write one output under a key of its own, swap them in the catalog.
 * Runs again from the start when it is retried; a try that lost finds its merge committed.
 * A fault of an input ends in a failed merge, recorded with the file that has it.
 * @throws FusouError transient for the storage and the database, `conflict`, `row_count_mismatch`, or what the fence said
 */
export async function runMerge(
  env: Env,
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  finished: Record<string, number>,
): Promise<MergeSummary> {
  const opened = await catalog.openMerge(attempt, index, { leaseSeconds: LEASE_SECONDS, finished })
  if (opened.outcome === 'committed') return { outcome: 'committed_before' }
  if (opened.outcome === 'failed') return { outcome: 'failed', code: opened.code ?? 'internal', fileId: null }
  if (opened.outcome === 'unknown_merge') throw new FusouError('internal', `merge ${index} is not in the plan`)
  if (opened.outcome !== 'ok') throw new FusouError(opened.outcome, 'the attempt may not go on')

  const key = mergedKey(opened.datasetId, attempt, index)
  const merged = await memory.hold(MERGE_BYTES, () =>
    writeMerge(env, key, opened, describeMerged(attempt.jobId, opened), async (uploadId) => {
      const { outcome } = await catalog.openMultipart(attempt, { r2Key: key, uploadId })
      if (outcome !== 'ok') throw new FusouError(outcome, 'the attempt may not go on')
    }),
  )
  if ('fileId' in merged) {
    const { outcome } = await catalog.failMerge(attempt, index, merged)
    if (outcome !== 'failed') throw new FusouError(outcome, 'the attempt may not go on')
    return { outcome: 'failed', code: merged.code, fileId: merged.fileId }
  }

  const { report, sha256 } = merged
  const committed = await catalog.commitMerge(
    attempt,
    index,
    {
      r2Key: key,
      bytes: report.bytesOut,
      rows: report.rowsOut,
      rowGroups: report.rowGroupsOut,
      sha256,
      fingerprint: report.schemaFingerprint,
    },
    LEASE_SECONDS,
  )
  switch (committed.outcome) {
    case 'committed':
      log('info', 'merge_committed', { ...attempt, index, key, version: committed.version, ...report })
      return {
        outcome: 'committed',
        table: opened.table,
        periodTag: opened.periodTag,
        version: committed.version,
        report,
      }
    case 'superseded':
      return { outcome: 'committed_before' }
    case 'unknown_merge':
      throw new FusouError('internal', `merge ${index} is not in the plan`)
    default:
      throw new FusouError(
        committed.outcome,
        `merge ${index} was not swapped in; its ${opened.inputs.length} inputs stay`,
      )
  }
}

type Written = { report: MergeReport; sha256: string } | FileFault

/** What is wrong with an input as long as nobody mends it; `fileId` null if the fault is no single file's. */
interface FileFault {
  readonly code: ErrorCode
  readonly message: string
  readonly fileId: string | null
}

async function writeMerge(
  env: Env,
  key: string,
  { inputs, fingerprint }: { readonly inputs: readonly MergeInput[]; readonly fingerprint: string },
  metadata: Record<string, string>,
  note: (uploadId: string) => Promise<void>,
): Promise<Written> {
  const sink = new MultipartSink(env.BUCKET, key, metadata, note)
  try {
    const report = await mergeParquet(
      inputs.map((input) => new R2Source(env.BUCKET, input)),
      sink,
      {
        // a page that is corrupt inside must be found before it stands among those of other uploads
        pages: 'check',
        kernel,
        partBytes: PART_BYTES,
        // or a first file with a wrong schema would put the blame on the second
        schemaFingerprint: fingerprint,
        memoryBudgetBytes: MERGE_BYTES,
        codecs: workerCodecs,
      },
    )
    // Before the output is complete: no merged object may lie in the bucket without its origin.
    await writeLineage(env.BUCKET, key, inputs)
    return { report, sha256: await sink.close() }
  } catch (error) {
    await sink.abort()
    const fault = fileFault(error, inputs)
    log('error', 'merge_failed', { key, ...fault, ...describe(error) })
    return fault
  }
}

/** Codes of the library that tell of the bytes of a file, and what the catalog calls them. */
const FILE_FAULTS: Partial<Record<ParquetErrorCode, ErrorCode>> = {
  not_parquet: 'corrupt_file',
  truncated: 'corrupt_file',
  bad_footer: 'corrupt_file',
  schema_mismatch: 'schema_mismatch',
  corrupt_data: 'corrupt_file',
  row_count_mismatch: 'corrupt_file',
  encrypted: 'unsupported_parquet',
  unsupported_column: 'unsupported_parquet',
  page_too_large: 'unsupported_parquet',
}

/** What reading an input may say of it. */
const SOURCE_FAULTS: ReadonlySet<ErrorCode> = new Set(['object_missing', 'corrupt_file'])

/** @throws what is no fault of an input: the storage, the database, a bug */
function fileFault(error: unknown, inputs: readonly MergeInput[]): FileFault {
  if (!(error instanceof ParquetError)) throw error
  const { cause } = error
  // the note of an upload in parts: the database, or the fence
  if (cause instanceof FusouError && !SOURCE_FAULTS.has(cause.code)) throw cause
  const found =
    cause instanceof FusouError
      ? { code: cause.code, message: cause.detail }
      : { code: FILE_FAULTS[error.code], message: error.message }
  if (found.code === undefined) {
    throw new FusouError(error.permanent ? 'internal' : 'storage_unavailable', error.message, { cause: error })
  }
  const input = inputs.find(({ id }) => found.message.includes(id))
  return { code: found.code, message: found.message, fileId: input?.id ?? null }
}

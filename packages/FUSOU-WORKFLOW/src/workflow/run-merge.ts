import {
  type Attempt,
  type Catalog,
  FusouError,
  type InputFault,
  log,
  MERGE_MEMORY_BYTES,
  MemoryBudget,
  mergedKey,
} from '@fusou/catalog'
import type { MergeReport } from '@fusou/parquet-compactor'
import type { Env } from '../env.ts'
import { LEASE_SECONDS } from '../leases.ts'
import type { SchemaApart } from './find-apart.ts'
import { findMiscounted } from './find-input-faults.ts'
import { MERGE_TIMEOUT_MINUTES } from './step-retries.ts'
import { type Ordering, withoutOrder } from './table-layout.ts'
import { type OpenedMerge, writeMerge } from './write-merge.ts'

const memory = new MemoryBudget(MERGE_MEMORY_BYTES, MERGE_TIMEOUT_MINUTES * 60_000)

/** One finds all faults there are; further ones are for files that change while they are merged. */
const MAX_ROUNDS = 3

export type MergeSummary =
  | {
      outcome: 'committed'
      table: string
      periodTag: string
      version: number
      filesSetAside: number
      report: MergeReport
      ordering: Ordering
    }
  | { outcome: 'nothing_left'; filesSetAside: number }
  | { outcome: 'committed_before' }

/**
 * One merge: read its inputs, write one output under a key of its own, swap them in the catalog.
 * Inputs that cannot be merged are all found in one pass and set aside by name, and the rest is merged at once.
 * Runs again from the start when it is retried; a try that lost finds its merge committed.
 * @throws FusouError transient for the storage and the database, `internal` if a merge fails of no single input,
 *   `row_count_mismatch`, `conflict`, or what the fence said
 */
export async function runMerge(
  env: Env,
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  finished: Record<string, number>,
): Promise<MergeSummary> {
  let filesSetAside = 0
  for (let round = 1; ; round++) {
    const opened = await catalog.openMerge(attempt, index, { leaseSeconds: LEASE_SECONDS, finished })
    if (opened.outcome === 'committed') return { outcome: 'committed_before' }
    if (opened.outcome === 'nothing_left') return { outcome: 'nothing_left', filesSetAside }
    if (opened.outcome === 'unknown_merge') throw new FusouError('internal', `merge ${index} is not in the plan`)
    if (opened.outcome !== 'ok') throw new FusouError(opened.outcome, 'the attempt may not go on')

    const tried = await tryMerge(env, catalog, attempt, index, opened)
    if (tried.outcome === 'committed') return { ...tried, filesSetAside }
    if (tried.outcome === 'committed_before') return tried
    if (tried.outcome === 'faults')
      filesSetAside += await setAside(catalog, attempt, index, opened.datasetId, tried.faults)
    if (tried.outcome === 'apart') await setApart(catalog, attempt, index, opened, tried.schemas)
    if (round === MAX_ROUNDS) throw new FusouError('conflict', `merge ${index}: its inputs change while it runs`)
  }
}

type Tried =
  | {
      outcome: 'committed'
      table: string
      periodTag: string
      version: number
      report: MergeReport
      ordering: Ordering
    }
  | { outcome: 'committed_before' }
  /** an input is not live any more */
  | { outcome: 'conflict' }
  | { outcome: 'faults'; faults: readonly InputFault[] }
  /** schemas that cannot be united with the others */
  | { outcome: 'apart'; schemas: readonly SchemaApart[] }

async function tryMerge(
  env: Env,
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  opened: OpenedMerge,
): Promise<Tried> {
  const write = async (merge: OpenedMerge) => {
    const key = mergedKey(opened.datasetId, attempt, index)
    const written = await memory.hold(MERGE_MEMORY_BYTES, () =>
      writeMerge(env.BUCKET, key, merge, attempt.jobId, async (uploadId) => {
        const { outcome } = await catalog.openMultipart(attempt, { r2Key: key, uploadId })
        if (outcome !== 'ok') throw new FusouError(outcome, 'the attempt may not go on')
      }),
    )
    return { key, ...written }
  }
  let ordering: Ordering = { applied: true }
  let merged = await write(opened)
  if ('unordered' in merged) {
    log('info', 'order_not_applied', { ...attempt, index, table: opened.table, reason: merged.unordered })
    ordering = { applied: false, reason: merged.unordered }
    merged = await write(withoutOrder(opened))
  }
  if ('unordered' in merged) throw new FusouError('internal', `no order was asked for: ${merged.unordered}`)
  if ('faults' in merged) return { outcome: 'faults', faults: merged.faults }
  if ('apart' in merged) return { outcome: 'apart', schemas: merged.apart }

  const { key, report, sha256 } = merged
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
      workBytes: report.workBytes,
      duplicateRows: report.duplicateRows,
    },
    LEASE_SECONDS,
  )
  switch (committed.outcome) {
    case 'committed': {
      const { version } = committed
      log('info', 'merge_committed', { ...attempt, index, key, version, ordering, ...report })
      return { outcome: 'committed', table: opened.table, periodTag: opened.periodTag, version, report, ordering }
    }
    case 'superseded':
      return { outcome: 'committed_before' }
    case 'conflict':
      return { outcome: 'conflict' }
    case 'row_count_mismatch': {
      const faults = await memory.hold(MERGE_MEMORY_BYTES, () => findMiscounted(env.BUCKET, opened.inputs))
      if (faults.length > 0) return { outcome: 'faults', faults }
      throw new FusouError('row_count_mismatch', `merge ${index} of ${opened.inputs.length} files wrote other rows`)
    }
    case 'unknown_merge':
      throw new FusouError('internal', `merge ${index} is not in the plan`)
    default:
      throw new FusouError(committed.outcome, `merge ${index} was not swapped in; its inputs stay`)
  }
}

async function setApart(
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  { datasetId, table }: OpenedMerge,
  schemas: readonly SchemaApart[],
): Promise<void> {
  const { outcome } = await catalog.setSchemasApart(attempt, index, schemas)
  if (outcome === 'unknown_merge') throw new FusouError('internal', `merge ${index} is not in the plan`)
  if (outcome !== 'ok') throw new FusouError(outcome, 'the attempt may not go on')
  log('info', 'schemas_apart', { ...attempt, index, datasetId, table, schemas })
}

/** @returns how many files went into quarantine */
async function setAside(
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  datasetId: string,
  faults: readonly InputFault[],
): Promise<number> {
  const answer = await catalog.setAsideInputs(attempt, index, faults)
  if (answer.outcome === 'unknown_merge') throw new FusouError('internal', `merge ${index} is not in the plan`)
  if (!('setAside' in answer)) throw new FusouError(answer.outcome, 'the attempt may not go on')
  for (const { fileId, r2Key, code, message } of faults) {
    log('error', 'file_set_aside', { ...attempt, index, datasetId, fileId, r2Key, code, detail: message })
  }
  return answer.setAside
}

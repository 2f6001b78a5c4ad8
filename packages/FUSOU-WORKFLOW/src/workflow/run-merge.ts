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
import { findMiscounted } from './find-input-faults.ts'
import { MERGE_TIMEOUT_MINUTES } from './step-retries.ts'
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
    if (round === MAX_ROUNDS) throw new FusouError('conflict', `merge ${index}: its inputs change while it runs`)
  }
}

type Tried =
  | { outcome: 'committed'; table: string; periodTag: string; version: number; report: MergeReport }
  | { outcome: 'committed_before' }
  /** an input is not live any more */
  | { outcome: 'conflict' }
  | { outcome: 'faults'; faults: readonly InputFault[] }

async function tryMerge(
  env: Env,
  catalog: Catalog,
  attempt: Attempt,
  index: number,
  opened: OpenedMerge,
): Promise<Tried> {
  const key = mergedKey(opened.datasetId, attempt, index)
  const merged = await memory.hold(MERGE_MEMORY_BYTES, () =>
    writeMerge(env.BUCKET, key, opened, attempt.jobId, async (uploadId) => {
      const { outcome } = await catalog.openMultipart(attempt, { r2Key: key, uploadId })
      if (outcome !== 'ok') throw new FusouError(outcome, 'the attempt may not go on')
    }),
  )
  if ('faults' in merged) return { outcome: 'faults', faults: merged.faults }

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
      workBytes: report.workBytes,
    },
    LEASE_SECONDS,
  )
  switch (committed.outcome) {
    case 'committed': {
      const { version } = committed
      log('info', 'merge_committed', { ...attempt, index, key, version, ...report })
      return { outcome: 'committed', table: opened.table, periodTag: opened.periodTag, version, report }
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

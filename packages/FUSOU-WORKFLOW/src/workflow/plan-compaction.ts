import { type Attempt, type Catalog, FusouError } from '@fusou/catalog'
import { planMerges } from './plan-merges.ts'

/** Files one job takes at the most, three reads each: an instance may make 10,000 requests. The rest is a successor's. */
export const MAX_JOB_FILES = 3000

/** Outputs of one job at the most: bounds its requests, its steps and the report that is kept with it. */
export const MAX_JOB_MERGES = 200

export interface Plan {
  /** outputs to write */
  readonly merges: number
  /** whether small files are left for another job */
  readonly more: boolean
  /** partitions that hold more than one schema; files of different schemas stay apart */
  readonly mixedPartitions: readonly { table: string; periodTag: string; schemas: number }[]
}

/** Read what can be merged, group it, and write the plan down under the fence of the attempt. */
export async function planCompaction(catalog: Catalog, attempt: Attempt): Promise<Plan> {
  const mergeable = await catalog.listMergeableFiles(attempt, MAX_JOB_FILES)
  if (mergeable.outcome !== 'ok') throw new FusouError(mergeable.outcome, 'the attempt may not go on')
  const groups = planMerges(mergeable.files, mergeable.targetFileBytes, mergeable.reach)
  const chosen = groups.slice(0, MAX_JOB_MERGES)
  const saved = await catalog.savePlan(
    attempt,
    chosen.map((group) => group.map((file) => file.id)),
  )
  if (saved.outcome !== 'ok') throw new FusouError(saved.outcome, 'the plan could not be written')
  return {
    merges: saved.merges,
    more: mergeable.more || chosen.length < groups.length,
    mixedPartitions: mergeable.mixedPartitions,
  }
}

/**
 * How far a job goes: merges that are due, all that the tiers allow, also the tails that these leave, or every file that was
 * written with other settings than those of now.
 */
export const MERGE_REACHES = ['due', 'tiers', 'all', 'rewrite'] as const
export type MergeReach = (typeof MERGE_REACHES)[number]

/** When the fragments of one table, period tag and schema that were never merged are worth a job; any one is enough. */
export interface MergePolicy {
  readonly mergeMinFiles: number
  readonly mergeMinBytes: number
  /** How long the oldest of them has waited, in seconds. */
  readonly mergeMaxAgeSeconds: number
}

/** The defaults of `fusou.setting()` in the database. */
export const DEFAULT_MERGE_POLICY: MergePolicy = {
  mergeMinFiles: 32,
  mergeMinBytes: 32 * 2 ** 20,
  mergeMaxAgeSeconds: 15 * 60,
}

/**
 * Whether fragments are worth a merge now. The database decides by `fusou.is_due()`, the same rule, in the transaction
 * of each upload; this one is for estimates without a database.
 */
export function isMergeDue(policy: MergePolicy, fresh: { files: number; bytes: number; ageSeconds: number }): boolean {
  return (
    fresh.files >= 2 &&
    (fresh.files >= policy.mergeMinFiles ||
      fresh.bytes >= policy.mergeMinBytes ||
      fresh.ageSeconds >= policy.mergeMaxAgeSeconds)
  )
}

/** The datasets that the clients of a chaos run share, and what is special about each. */
export interface ChaosDataset {
  id: string
  /** index of the user whose it is */
  owner: number
  /** vacuum takes what is replaced after minutes: it forgets contents, so nothing is sent there twice */
  shortLived: boolean
  /** every second upload is rotten: the other half must be merged all the same */
  halfRotten: boolean
}

export const USERS = 3
export const TABLES = ['ships', 'ports', 'lanes'] as const
export const PERIODS = ['0', '2026-11'] as const
/** settings of every dataset: a few uploads are worth a job */
export const EAGER = { mergeMinFiles: 4, mergeMaxAgeSeconds: 60 }
/** fewer than datasets, so that jobs wait */
export const FEW_SLOTS = { maxRunningJobs: 3, maxRunningJobsOfOwner: 2 }
/**
 * Retention of the long-lived ones: an upload that is sent again must be known, and each time that the catalog is set back
 * six days pass.
 */
export const LONG_RETENTION_SECONDS = 60 * 24 * 3600
/** retention of the short-lived ones */
export const SHORT_RETENTION_SECONDS = 600

export const DATASETS: readonly ChaosDataset[] = Array.from({ length: 6 }, (_, index) => ({
  id: `chaos-${index}`,
  owner: index % USERS,
  shortLived: index % 3 === 2,
  halfRotten: index === 1,
}))

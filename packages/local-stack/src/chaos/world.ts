/** The data sets that the clients of a chaos run share, and what is special about each. */
export interface ChaosDataset {
  id: string
  /** index of the user whose it is */
  owner: number
  /** vacuum takes what is replaced after minutes: it forgets contents, so nothing is sent there twice */
  shortLived: boolean
}

export const USERS = 3
export const TABLES = ['ships', 'ports', 'lanes'] as const
export const PERIODS = ['0', '2026-11'] as const
/** retention of the short-lived ones */
export const SHORT_RETENTION_SECONDS = 600

export const DATASETS: readonly ChaosDataset[] = Array.from({ length: 6 }, (_, index) => ({
  id: `chaos-${index}`,
  owner: index % USERS,
  shortLived: index % 3 === 2,
}))

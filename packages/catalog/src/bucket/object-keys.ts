/** Everything of one dataset lies under one prefix, so that access to the prefix is access to the dataset. */
export const datasetsPrefix = 'datasets/'
/** A sidecar lies beside its object, and is deleted with it. */
const FACTS_SUFFIX = '.facts'

/** Objects of the system itself: no file row names them, and no sweep takes them for orphans. */
const SYSTEM_PREFIX = '.fusou/'
/** Where the bucket says to which installation it belongs. */
export const INSTALLATION_KEY = `${SYSTEM_PREFIX}installation.json`
/** Says who owns a dataset, also when the catalog has forgotten it. */
export const ownerKey = (datasetId: string) => `${SYSTEM_PREFIX}owners/${datasetId}.json`
/** Written over and over, to see whether the bucket takes writes. */
export const HEALTH_KEY = `${SYSTEM_PREFIX}health`

export const datasetPrefix = (datasetId: string) => `${datasetsPrefix}${datasetId}/`

/** A new key for an upload. */
export const uploadKey = (datasetId: string) => `${datasetPrefix(datasetId)}uploads/${crypto.randomUUID()}.parquet`

/** A new key for the output of a merge: no two tries of a step share one. */
export const mergedKey = (datasetId: string, attempt: { jobId: string; attempt: number }, index: number) =>
  `${datasetPrefix(datasetId)}merged/${attempt.jobId}/${attempt.attempt}-${index}-${crypto.randomUUID()}.parquet`

/** The sidecar of an object: what does not fit into its metadata. */
export const factsKey = (r2Key: string) => `${r2Key}${FACTS_SUFFIX}`

/** Whether an object was made from others and can be made again: the footer of a table file. */
export const isDerived = (key: string): boolean => /^datasets\/[^/]+\/tables\//.test(key)

/** The object that a key of the bucket belongs to: its own, or that of its sidecar; undefined for keys of the system. */
export function objectOf(key: string): string | undefined {
  if (key.startsWith(SYSTEM_PREFIX)) return undefined
  return key.endsWith(FACTS_SUFFIX) ? key.slice(0, -FACTS_SUFFIX.length) : key
}

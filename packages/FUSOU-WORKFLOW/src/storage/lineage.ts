import {
  FusouError,
  factsKey,
  log,
  MAX_FACTS_BYTES,
  MAX_LEAVES,
  MergedFacts,
  type MergedMetadata,
  type MergeInput,
} from '@fusou/catalog'

interface OpenedMerge {
  readonly datasetId: string
  readonly ownerId: string
  readonly table: string
  readonly periodTag: string
  readonly fingerprint: string | null
  readonly inputs: readonly MergeInput[]
}

/** Custom metadata of the output of a merge; see object-facts.ts of the catalog. */
export function describeMerged(jobId: string, merge: OpenedMerge): Record<string, string> {
  return {
    dataset: merge.datasetId,
    owner: merge.ownerId,
    table: merge.table,
    period: merge.periodTag,
    tier: String(1 + Math.max(...merge.inputs.map(({ level }) => level))),
    job: jobId,
    fingerprint: merge.fingerprint ?? 'union',
  } satisfies MergedMetadata
}

/**
 * Write the sidecar of a merged object: the uploads whose rows it holds, and the merged objects it replaces. Without the
 * sidecar of an input the origin of the output is unknown too, and no sidecar is written: it could then be adopted by a
 * person only.
 * @param duplicateRows rows of the inputs that this merge left out
 * @throws FusouError `storage_unavailable`
 */
export async function writeLineage(
  bucket: R2Bucket,
  key: string,
  inputs: readonly MergeInput[],
  duplicateRows: number,
): Promise<void> {
  let allDuplicates = duplicateRows
  const leaves = new Map<string, number>()
  const ancestors = new Set<string>()
  for (const { level, sha256, rows, r2Key } of inputs) {
    if (level === 0) {
      leaves.set(sha256, rows)
      continue
    }
    const facts = await readLineage(bucket, r2Key)
    if (facts === undefined) return log('error', 'lineage_unknown', { key, input: r2Key })
    allDuplicates += facts.duplicateRows
    for (const [leaf, leafRows] of facts.leaves) leaves.set(leaf, leafRows)
    for (const ancestor of [r2Key, ...facts.ancestors]) ancestors.add(ancestor)
  }
  if (leaves.size > MAX_LEAVES || ancestors.size > MAX_LEAVES)
    return log('error', 'lineage_too_long', { key, leaves: leaves.size, ancestors: ancestors.size })
  const facts: MergedFacts = { leaves: [...leaves], ancestors: [...ancestors], duplicateRows: allDuplicates }
  await storing(bucket.put(factsKey(key), JSON.stringify(facts), { httpMetadata: { contentType: 'application/json' } }))
}

async function readLineage(bucket: R2Bucket, key: string): Promise<MergedFacts | undefined> {
  const object = await storing(bucket.get(factsKey(key)))
  if (object === null || object.size > MAX_FACTS_BYTES) return undefined
  const text = await storing(object.text())
  try {
    return MergedFacts.safeParse(JSON.parse(text)).data
  } catch {
    // Not JSON: as if it were not there.
    return undefined
  }
}

async function storing<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'the origin of a merged object could not be stored', { cause })
  }
}

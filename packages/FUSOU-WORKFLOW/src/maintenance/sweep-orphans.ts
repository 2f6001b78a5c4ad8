import { type Catalog, ORPHAN_AGE_MS, ORPHAN_SWEEP, objectOf, pairInstallation } from '@fusou/catalog'
import type { Env } from '../env.ts'

const PAGE_OBJECTS = 1000
/** Pages of one run: with six-hourly rounds, 14 million objects can be walked. */
const MAX_PAGES = 10
const ROUND_PAUSE_SECONDS = 6 * 3600
const BATCH_MARKED = 500

/**
 * Walk over the bucket, a few pages at a time, and note as suspects what no file row names after a day. What two rounds
 * have found is marked for deletion, unless it is so much that a person has to look.
 * @param pageObjects objects of one page
 */
export async function sweepOrphans(
  env: Env,
  catalog: Catalog,
  pageObjects = PAGE_OBJECTS,
): Promise<{ suspects: number; marked: number }> {
  const pairing = await pairInstallation(env.BUCKET, catalog)
  if (!pairing.paired) return { suspects: 0, marked: 0 }
  const { stamp } = pairing
  let suspects = 0
  for (let page = 0; page < MAX_PAGES; page++) {
    const sweep = await catalog.beginSweep(ORPHAN_SWEEP)
    if (!sweep.due) break
    const { round, cursor } = sweep
    const listed = await env.BUCKET.list({ limit: pageObjects, ...(cursor === null ? {} : { cursor }) })
    const old = listed.objects.filter(({ uploaded }) => Date.now() - uploaded.getTime() > ORPHAN_AGE_MS)
    const recorded = await catalog.recordSweepPage(ORPHAN_SWEEP, {
      round,
      cursor,
      nextCursor: listed.truncated ? listed.cursor : null,
      objects: objectsOf(listed.objects).length,
      oldKeys: objectsOf(old),
      pauseSeconds: listed.truncated ? 0 : ROUND_PAUSE_SECONDS,
      stamp,
    })
    suspects += recorded.orphans
  }
  return { suspects, marked: await markOrphans(catalog, stamp) }
}

async function markOrphans(catalog: Catalog, stamp: number): Promise<number> {
  let marked = 0
  for (let batch = 0; batch < MAX_PAGES; batch++) {
    const count = await catalog.markOrphans(ORPHAN_SWEEP, BATCH_MARKED, stamp)
    marked += count
    if (count < BATCH_MARKED) break
  }
  return marked
}

/** Each object once, whether it is listed itself, or its sidecar, or both. */
function objectsOf(listed: readonly R2Object[]): string[] {
  return [...new Set(listed.map(({ key }) => objectOf(key)).filter((key) => key !== undefined))]
}

import { type Catalog, ORPHAN_AGE_MS } from '@fusou/catalog'
import type { Env } from '../env.ts'

const SWEEP = 'orphans'
const PAGE_OBJECTS = 1000
/** Pages of one run: with six-hourly rounds, 14 million objects can be walked. */
const MAX_PAGES = 10
const ROUND_PAUSE_SECONDS = 6 * 3600

/** Walk over the bucket, a few pages at a time, and give to vacuum what no file row names after a day. */
export async function sweepOrphans(env: Env, catalog: Catalog): Promise<{ orphans: number }> {
  let orphans = 0
  for (let page = 0; page < MAX_PAGES; page++) {
    const { due, cursor } = await catalog.beginSweep(SWEEP)
    if (!due) break
    const listed = await env.BUCKET.list({ limit: PAGE_OBJECTS, ...(cursor === null ? {} : { cursor }) })
    const old = listed.objects.filter((object) => Date.now() - object.uploaded.getTime() > ORPHAN_AGE_MS)
    if (old.length > 0) orphans += await catalog.doomOrphans(old.map((object) => object.key))
    if (listed.truncated) await catalog.endSweep(SWEEP, listed.cursor, 0)
    else await catalog.endSweep(SWEEP, null, ROUND_PAUSE_SECONDS)
  }
  return { orphans }
}

import type { Catalog } from '@fusou/catalog'
import type { Env } from '../env.ts'

/** R2 deletes up to 1,000 keys in a call. */
const BATCH_KEYS = 500

/** Delete the objects that no live file and no readable version names. Dying between the calls means deleting again. */
export async function vacuum(env: Env, catalog: Catalog): Promise<{ deleted: number }> {
  const keys = await catalog.claimGarbage(BATCH_KEYS)
  if (keys.length > 0) {
    await env.BUCKET.delete(keys)
    await catalog.completeGarbage(keys)
  }
  return { deleted: keys.length }
}

import { type Catalog, factsKey, isNoSuchUpload, pairInstallation } from '@fusou/catalog'
import type { Env } from '../env.ts'

/** R2 deletes up to 1,000 keys in a call; each object may have a sidecar. */
const BATCH_KEYS = 500
/** Batches of one run: 7 million objects a day. */
const MAX_BATCHES = 10
const BATCH_UPLOADS = 50

/**
 * Delete the objects that no live file and no readable version names. Dying between the calls means deleting again.
 * Nothing is deleted or aborted unless bucket and catalog have just proved that they belong together.
 */
export async function vacuum(env: Env, catalog: Catalog): Promise<{ deleted: number; aborted: number }> {
  const pairing = await pairInstallation(env.BUCKET, catalog)
  if (!pairing.paired) return { deleted: 0, aborted: 0 }
  const { stamp } = pairing
  // before the objects: one that was complete is garbage afterwards
  const aborted = await abortUploads(env, catalog, stamp)
  let deleted = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const keys = await catalog.claimGarbage(BATCH_KEYS, stamp)
    if (keys.length > 0) {
      await env.BUCKET.delete(keys.flatMap((key) => [key, factsKey(key)]))
      await catalog.completeGarbage(keys)
    }
    deleted += keys.length
    if (keys.length < BATCH_KEYS) break
  }
  return { deleted, aborted }
}

/** Abort the uploads in parts that nobody completes; the bucket keeps their parts, and counts them, until then. */
async function abortUploads(env: Env, catalog: Catalog, stamp: number): Promise<number> {
  const uploads = await catalog.listAbandonedUploads(BATCH_UPLOADS, stamp)
  const closed: string[] = []
  for (const { r2Key, uploadId } of uploads) {
    await abortUpload(env, r2Key, uploadId)
    closed.push(r2Key)
  }
  return closed.length === 0 ? 0 : catalog.closeMultiparts(closed)
}

/** An upload that is complete or aborted is not there any more. */
export async function abortUpload(env: Env, r2Key: string, uploadId: string): Promise<void> {
  try {
    await env.BUCKET.resumeMultipartUpload(r2Key, uploadId).abort()
  } catch (error) {
    if (!isNoSuchUpload(error)) throw error
  }
}

import { type Catalog, describe, log, pairInstallation } from '@fusou/catalog'
import type { Env } from '../env.ts'
import { abortUpload } from './vacuum.ts'

const BATCH_UPLOADS = 50
/** Batches of one run: 700,000 uploads a day. */
const MAX_BATCHES = 10

/**
 * Drop uploads in parts that their clients have abandoned or given up: first in the bucket, then in the catalog, which
 * gives to vacuum what was complete already. One that the bucket does not drop holds up none of the others, and fails the
 * chore at its end. Nothing is dropped unless bucket and catalog have just proved that they belong together.
 */
export async function dropUploads(env: Env, catalog: Catalog): Promise<{ dropped: number }> {
  const pairing = await pairInstallation(env.BUCKET, catalog)
  if (!pairing.paired) return { dropped: 0 }
  let dropped = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const uploads = await catalog.expireUploads(BATCH_UPLOADS, pairing.stamp)
    const gone: string[] = []
    const failures: unknown[] = []
    for (const { id, r2Key, bucketUploadId } of uploads) {
      try {
        await abortUpload(env, r2Key, bucketUploadId)
        gone.push(id)
      } catch (error) {
        log('error', 'upload_not_aborted', { uploadId: id, key: r2Key, ...describe(error) })
        failures.push(error)
      }
    }
    if (gone.length > 0) dropped += await catalog.forgetUploads(gone)
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} uploads were not dropped`)
    if (uploads.length < BATCH_UPLOADS) break
  }
  return { dropped }
}

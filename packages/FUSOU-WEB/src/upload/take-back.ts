import { describe, factsKey, log, withinDeadline } from '@fusou/catalog'
import type { Context } from 'hono'
import type { AppEnv } from '../bindings.ts'
import { WRITE_TIMEOUT_MS } from './stream-put.ts'

/**
 * Removes what an upload stored before it was refused. Vacuum would do so too, by the mark that is left for it, but a
 * catalog that is restored from a backup has no such mark, and adoption would take the object for an upload that was
 * accepted. Never throws.
 */
export async function takeBack(c: Context<AppEnv>, key: string): Promise<void> {
  const removed = c.env.BUCKET.delete([key, factsKey(key)])
  const settled = await Promise.allSettled([
    c.var.services.catalog.markKeysForDeletion([key]),
    withinDeadline('delete', WRITE_TIMEOUT_MS, removed),
  ])
  for (const { reason } of settled.filter((result) => result.status === 'rejected'))
    log('error', 'refused_object_left', { requestId: c.var.requestId, key, ...describe(reason) })
}

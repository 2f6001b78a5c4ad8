import { describe, FusouError, log } from '@fusou/catalog'
import type { Context } from 'hono'
import type { AppEnv } from '../bindings.ts'

/**
 * One upload, or part of one, of those that a principal may send in a minute. The limit protects; where it cannot be asked,
 * uploads go on.
 * @throws FusouError `rate_limited`
 */
export async function limitUploads(c: Context<AppEnv>, principal: string): Promise<void> {
  let allowed = true
  try {
    allowed = await c.env.WORKFLOW_SERVICE.limit(principal)
  } catch (error) {
    log('error', 'rate_limit_unavailable', { requestId: c.var.requestId, ...describe(error) })
  }
  if (!allowed) throw new FusouError('rate_limited', 'too many uploads in this minute')
}

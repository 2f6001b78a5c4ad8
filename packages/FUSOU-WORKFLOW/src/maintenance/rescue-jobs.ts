import { type Attempt, type Catalog, log } from '@fusou/catalog'
import type { Env } from '../env.ts'
import { LEASE_SECONDS } from '../leases.ts'
import { instanceId, startAttempt } from '../workflow/start-attempt.ts'

const MAX_JOBS = 50
/** A queued job whose message went out this long ago and was never taken has lost it; if it only waits, one more does no harm. */
const LOST_MESSAGE_SECONDS = 180

/**
 * Look after jobs that went silent: ask the Workflow what became of each, and start it, leave it or fail its attempt.
 * Every answer is fenced by the attempt, so two rescuers at once do no harm.
 */
export async function rescueJobs(env: Env, catalog: Catalog): Promise<{ rescued: number; redispatched: number }> {
  const expired = await catalog.listExpiredLeases(MAX_JOBS)
  for (const attempt of expired) await rescue(env, catalog, attempt)
  return {
    rescued: expired.length,
    redispatched: await catalog.redispatchStaleJobs(LOST_MESSAGE_SECONDS, MAX_JOBS),
  }
}

async function rescue(env: Env, catalog: Catalog, attempt: Attempt): Promise<void> {
  const status = await instanceStatus(env, attempt)
  log('info', 'lease_expired', { ...attempt, instance: status })
  if (status === 'errored' || status === 'terminated' || status === 'complete') {
    const message = `the instance is ${status}, the job was still running`
    await catalog.failAttempt(
      attempt,
      { code: 'workflow_ended', step: 'rescue', message, transient: true },
      LEASE_SECONDS,
      null,
    )
    return
  }
  const { outcome } = await catalog.renewLease(attempt, LEASE_SECONDS)
  if (status === 'missing' && outcome === 'ok') await startAttempt(env, attempt)
}

async function instanceStatus(env: Env, attempt: Attempt): Promise<InstanceStatus['status'] | 'missing'> {
  try {
    const instance = await env.DATA_COMPACTION_WORKFLOW.get(instanceId(attempt))
    const { status } = await instance.status()
    return status
  } catch (error) {
    if (error instanceof Error && /not.?found/i.test(error.message)) return 'missing'
    throw error
  }
}

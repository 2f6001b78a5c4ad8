import { type Attempt, type Catalog, log } from '@fusou/catalog'
import type { Env } from '../env.ts'
import { LEASE_SECONDS } from '../leases.ts'
import { instanceId, startAttempt } from '../workflow/start-attempt.ts'

const MAX_JOBS = 50
/**
 * A queued job whose message went out this long ago and was never taken has lost it; if it only waits, one more does no
 * harm. So with word of a dead job: its letter is recorded once.
 */
const LOST_MESSAGE_SECONDS = 180

/** A step renews its lease with each try and takes less than one: an instance silent for so many hangs. */
const MAX_SILENT_LEASES = 2

/**
 * Look after jobs that went silent: ask the Workflow what became of each, and start it, leave it or fail its attempt.
 * Every answer is fenced by the attempt, so two rescuers at once do no harm.
 */
export async function rescueJobs(
  env: Env,
  catalog: Catalog,
): Promise<Record<'rescued' | 'redispatched' | 'retold', number>> {
  const expired = await catalog.listExpiredLeases(MAX_JOBS)
  for (const attempt of expired) await rescue(env, catalog, attempt)
  return {
    rescued: expired.length,
    redispatched: await catalog.redispatchStaleJobs(LOST_MESSAGE_SECONDS, MAX_JOBS),
    retold: await catalog.retellDeaths(LOST_MESSAGE_SECONDS, MAX_JOBS),
  }
}

async function rescue(env: Env, catalog: Catalog, attempt: Attempt): Promise<void> {
  const status = await instanceStatus(env, attempt)
  log('info', 'lease_expired', { ...attempt, instance: status })
  if (status === 'errored' || status === 'terminated' || status === 'complete')
    return giveUp(catalog, attempt, `the instance is ${status}, the job was still running`)
  const renewed = await catalog.renewLease(attempt, LEASE_SECONDS)
  if (renewed.outcome !== 'ok') return
  if (status === 'missing') return startAttempt(env, attempt)
  // one that waits for its turn, or that an operator has paused, is silent for a reason
  if (status !== 'running' || renewed.silentLeases < MAX_SILENT_LEASES) return
  await giveUp(
    catalog,
    attempt,
    `the instance says that it is running, but gave no sign for ${MAX_SILENT_LEASES} leases`,
  )
}

/** The next attempt begins, or the job is dead; should the instance wake after all, its next call is refused. */
async function giveUp(catalog: Catalog, attempt: Attempt, message: string): Promise<void> {
  const failure = { code: 'workflow_ended', step: 'rescue', message, transient: true }
  await catalog.failAttempt(attempt, failure, LEASE_SECONDS, null)
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

import { type Attempt, type Catalog, describe, log, withinDeadline } from '@fusou/catalog'
import type { Env } from '../env.ts'
import { FIRST_LEASE_SECONDS, LEASE_SECONDS, NEXT_LEASE_SECONDS, UNKNOWN_LEASE_SECONDS } from '../leases.ts'
import { isInstanceReset } from '../workflow/instance-resets.ts'
import { instanceId, startAttempt } from '../workflow/start-attempt.ts'

const MAX_JOBS = 50
/** Instances asked at once; an invocation may have six calls open. */
const CONCURRENT_JOBS = 5
/** The Workflow answers within a second, or something is wrong with this instance or with all of them. */
const WORKFLOW_TIMEOUT_MS = 5_000
/**
 * A queued job whose message went out this long ago and was never taken has lost it; if it only waits, one more does no
 * harm. So with word of a dead job: its letter is recorded once.
 */
const LOST_MESSAGE_SECONDS = 180

/** A step renews its lease with each try and takes less than one: an instance silent for so many hangs. */
const MAX_SILENT_LEASES = 2
/** The same for an instance of which the Workflow says nothing: half an hour. */
const MAX_UNKNOWN_LEASES = 6

/**
 * Look after jobs that went silent: ask the Workflow what became of each, and start it, leave it or fail its attempt.
 * Every answer is fenced by the attempt, so two rescuers at once do no harm. An instance of which the Workflow says
 * nothing, or whose rescue fails, holds up none of the others; the chore fails at its end, so that it is told.
 */
export async function rescueJobs(
  env: Env,
  catalog: Catalog,
  workflowTimeoutMs = WORKFLOW_TIMEOUT_MS,
): Promise<Record<'rescued' | 'redispatched' | 'retold', number>> {
  const failures: unknown[] = []
  const orZero = async (call: () => Promise<number>) => {
    try {
      return await call()
    } catch (error) {
      failures.push(error)
      return 0
    }
  }
  const rescued = await orZero(async () => {
    const expired = await catalog.listExpiredLeases(MAX_JOBS)
    for (let first = 0; first < expired.length; first += CONCURRENT_JOBS) {
      const group = expired.slice(first, first + CONCURRENT_JOBS).map(async (attempt) => {
        try {
          await rescue(env, catalog, attempt, workflowTimeoutMs)
        } catch (error) {
          log('error', 'rescue_failed', { ...attempt, ...describe(error) })
          failures.push(error)
        }
      })
      await Promise.all(group)
    }
    return expired.length
  })
  const redispatched = await orZero(() => catalog.redispatchStaleJobs(LOST_MESSAGE_SECONDS, MAX_JOBS))
  const retold = await orZero(() => catalog.repeatDeathNotices(LOST_MESSAGE_SECONDS, MAX_JOBS))
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} rescues failed`)
  return { rescued, redispatched, retold }
}

async function rescue(env: Env, catalog: Catalog, attempt: Attempt, timeoutMs: number): Promise<void> {
  const { status, error } = await instanceStatus(env, attempt, timeoutMs)
  log('info', 'lease_expired', { ...attempt, instance: status, ...(error !== undefined && { error }) })
  if (status === 'errored' && error !== undefined && isInstanceReset(error)) {
    const failure = { code: 'instance_reset', step: 'rescue', message: error, transient: true, counted: false }
    await catalog.failAttempt(attempt, failure, NEXT_LEASE_SECONDS, null)
    return
  }
  if (status === 'errored' || status === 'terminated' || status === 'complete')
    return giveUp(catalog, attempt, `the instance is ${status}, the job was still running`)
  const renewed = await catalog.renewLease(attempt, LEASES[status] ?? LEASE_SECONDS)
  if (renewed.outcome !== 'ok') return
  if (status === 'missing')
    return withinDeadline('createBatch', timeoutMs, startAttempt(env, attempt), 'workflow_unavailable')
  if (status === 'unanswered' && renewed.silentLeases >= MAX_UNKNOWN_LEASES)
    return giveUp(catalog, attempt, `the Workflow does not say what became of the instance: ${error}`)
  // one that waits for its turn, or that an operator has paused, is silent for a reason
  if (status !== 'running' || renewed.silentLeases < MAX_SILENT_LEASES) return
  await giveUp(
    catalog,
    attempt,
    `the instance says that it is running, but gave no sign for ${MAX_SILENT_LEASES} leases`,
  )
}

/** The status of an instance; `unanswered` if asking for it failed. */
type Found = InstanceStatus['status'] | 'missing' | 'unanswered'

const LEASES: Partial<Record<Found, number>> = { missing: FIRST_LEASE_SECONDS, unanswered: UNKNOWN_LEASE_SECONDS }

/** The next attempt begins, or the job is dead; should the instance wake after all, its next call is refused. */
async function giveUp(catalog: Catalog, attempt: Attempt, message: string): Promise<void> {
  const failure = { code: 'workflow_ended', step: 'rescue', message, transient: true }
  await catalog.failAttempt(attempt, failure, NEXT_LEASE_SECONDS, null)
}

async function instanceStatus(
  env: Env,
  attempt: Attempt,
  timeoutMs: number,
): Promise<{ status: Found; error?: string }> {
  const ask = async () => (await env.DATA_COMPACTION_WORKFLOW.get(instanceId(attempt))).status()
  try {
    const { status, error } = await withinDeadline('status', timeoutMs, ask(), 'workflow_unavailable')
    return { status, ...(error && { error: `${error.name}: ${error.message}` }) }
  } catch (thrown) {
    if (thrown instanceof Error && /not.?found/i.test(thrown.message)) return { status: 'missing' }
    log('error', 'instance_status_failed', { ...attempt, ...describe(thrown) })
    return { status: 'unanswered', error: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

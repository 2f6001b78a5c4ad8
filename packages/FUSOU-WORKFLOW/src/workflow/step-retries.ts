import { NonRetryableError } from 'cloudflare:workflows'
import { type Attempt, describe, FusouError, log } from '@fusou/catalog'

/**
 * Exponential pauses for a step. The platform adds no jitter, so the first pause is spread by the instance: the same
 * for each replay, different from its neighbours'.
 */
export function databaseRetries(instanceId: string) {
  return {
    retries: { limit: 5, delay: 2000 + (hash(instanceId) % 2000), backoff: 'exponential' },
    timeout: '2 minutes',
  } as const
}

/** Within the lease that the step renews as it begins. */
export const MERGE_TIMEOUT_MINUTES = 14

/** A merge is expensive, and may first wait for memory. */
export function mergeRetries(instanceId: string) {
  return {
    retries: { limit: 3, delay: 10_000 + (hash(instanceId) % 10_000), backoff: 'exponential' },
    timeout: `${MERGE_TIMEOUT_MINUTES} minutes`,
  } as const
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
  }
  return value
}

/** Errors that the same step can't get over: permanent ones, and a plan that no longer fits its files. */
function stops(error: FusouError): boolean {
  return !error.transient || error.code === 'conflict'
}

/**
 * Run the body of a step; an error that a retry can't help stops the retries, its code at the head of the message.
 * Each try that fails is logged, with the cause that does not cross the step.
 */
export async function permanentStops<T>(attempt: Attempt, step: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (thrown) {
    const error = FusouError.from(thrown)
    const retried = !stops(error)
    log(error.code === 'cancelled' || error.code === 'stale_attempt' ? 'info' : 'error', 'step_failed', {
      ...attempt,
      step,
      retried,
      ...describe(error),
    })
    throw retried ? error : new NonRetryableError(error.message)
  }
}

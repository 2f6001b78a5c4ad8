/** A receiver that takes longer is asked again later. */
export const ALERT_TIMEOUT_MS = 10_000

export type Posted =
  | { readonly outcome: 'delivered' }
  | {
      readonly outcome: 'refused'
      readonly error: string
      readonly permanent: boolean
      readonly retryAfterSeconds: number
    }

/**
 * Post to a receiver of alerts. The error names nothing but the status: addresses and keys are secrets, and what a
 * receiver answers is not ours to repeat. Redirects are not followed, or the receiver could have us call any address.
 */
export async function postAlert(url: string, body: object, timeoutMs: number): Promise<Posted> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
  } catch (thrown) {
    const timedOut = thrown instanceof Error && thrown.name === 'TimeoutError'
    const error = timedOut ? `no answer within ${timeoutMs} ms` : 'the receiver could not be reached'
    return { outcome: 'refused', error, permanent: false, retryAfterSeconds: 0 }
  }
  if (response.ok) return { outcome: 'delivered' }
  const { status } = response
  return {
    outcome: 'refused',
    error: `the receiver answered ${status}`,
    permanent: status < 500 && status !== 408 && status !== 429,
    retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after')),
  }
}

/** Seconds, or a date: RFC 9110, section 10.2.3. */
export function retryAfterSeconds(header: string | null, now = Date.now()): number {
  if (header === null) return 0
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0
}

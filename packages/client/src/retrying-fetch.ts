/** Answers after which the same call may succeed. */
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504])

export interface RetryOptions {
  /** calls in all; default 6 */
  readonly tries?: number
  /** pause before the second call, doubled before each further one, in milliseconds; default 500 */
  readonly firstPauseMs?: number
  /** the longest pause, also where the API asks for a longer one; default 30,000 */
  readonly maxPauseMs?: number
}

/**
 * A `fetch` that repeats calls which got no answer, or a transient one. Every call of the API may be repeated: what it did
 * the first time, it does not do twice.
 */
export function retryingFetch(
  fetch: (request: Request) => Promise<Response>,
  { tries = 6, firstPauseMs = 500, maxPauseMs = 30_000 }: RetryOptions = {},
): (request: Request) => Promise<Response> {
  return async (request) => {
    for (let tried = 1; ; tried++) {
      const isLast = tried >= tries
      let wanted: number | undefined
      try {
        const response = await fetch(isLast ? request : request.clone())
        if (isLast || !TRANSIENT.has(response.status)) return response
        wanted = Number(response.headers.get('retry-after')) * 1000
        await response.body?.cancel()
      } catch (error) {
        if (isLast || request.signal.aborted) throw error
      }
      const pause = Math.max(wanted || 0, firstPauseMs * 2 ** (tried - 1))
      // spread, so that devices that failed together do not come again together
      await wait(Math.min(maxPauseMs, pause) * (0.5 + Math.random() / 2), request.signal)
    }
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  })
}

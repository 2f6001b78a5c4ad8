const BASE_SECONDS = 10
const CAP_SECONDS = 600

/**
 * Pause before the next delivery: exponential, with jitter on its upper half.
 * @param attempts deliveries so far, from 1
 */
export function retryDelaySeconds(attempts: number): number {
  const ceiling = Math.min(CAP_SECONDS, BASE_SECONDS * 2 ** (attempts - 1))
  return Math.round(ceiling / 2 + (ceiling / 2) * Math.random())
}

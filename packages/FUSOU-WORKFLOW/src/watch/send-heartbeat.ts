import { log } from '@fusou/catalog'

const HEARTBEAT_TIMEOUT_MS = 10_000

/**
 * Call the address of a dead man's switch after a good run of the cron: the service behind it tells somebody when the
 * call stays away, also when nothing here works any more. Never throws. The address is a secret, so no error names it.
 */
export async function sendHeartbeat(url: string | undefined, timeoutMs = HEARTBEAT_TIMEOUT_MS): Promise<void> {
  if (url === undefined) return
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    await response.body?.cancel()
    if (!response.ok) log('error', 'heartbeat_not_taken', { status: response.status })
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    log('error', 'heartbeat_not_sent', { reason: timedOut ? `no answer within ${timeoutMs} ms` : 'no connection' })
  }
}

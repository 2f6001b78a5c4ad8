import type { StackInfo } from '../stack/stack-info.ts'

/** The cron of the Workers, now. @returns 200, 500 when a chore failed, 0 when no answer came */
export async function runCron({ controlUrl, controlToken }: StackInfo): Promise<number> {
  try {
    const headers = { authorization: `Bearer ${controlToken}` }
    const response = await fetch(`${controlUrl}/cron`, {
      method: 'POST',
      headers,
      signal: AbortSignal.timeout(120_000),
    })
    await response.body?.cancel()
    return response.status
  } catch {
    return 0
  }
}

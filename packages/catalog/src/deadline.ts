import type { ErrorCode } from './error-codes.ts'
import { FusouError } from './fusou-error.ts'

/**
 * Waits for a call, but not longer than `timeoutMs`. The call itself cannot be taken back; what it answers late is
 * dropped, so the caller must be able to repeat it.
 * @throws FusouError with `code`, naming the operation
 */
export async function withinDeadline<T>(
  operation: string,
  timeoutMs: number,
  call: Promise<T>,
  code: ErrorCode = 'storage_unavailable',
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new FusouError(code, `${operation}: no answer within ${timeoutMs} ms; try again`)),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([call, deadline])
  } finally {
    clearTimeout(timer)
  }
}

import { describe, ERROR_CODES, type ErrorCode, FusouError, log } from '@fusou/catalog'
import type { Context } from 'hono'
import { z } from 'zod'
import type { AppEnv } from '../bindings.ts'
import { faultsOf } from './check.ts'
import { HTTP_STATUS } from './http-status.ts'

/** Problem details, RFC 9457. `code` is stable: programs and runbooks match on it. */
export const Problem = z
  .object({
    type: z.string().meta({ description: 'a URN that ends with the code' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().optional(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    errorCode: z
      .string()
      .optional()
      .meta({ description: 'under /api/delta-sharing/: the code, as its clients read it' }),
    message: z.string().optional().meta({ description: 'under /api/delta-sharing/: the detail' }),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>

const DELTA_SHARING = '/api/delta-sharing/'

/** Details for errors whose own text could leak something to the client. */
const SILENT: Partial<Record<ErrorCode, string>> = {
  internal: 'the fault is ours; quote the requestId when you report it',
  not_configured: 'the operator finds the names of the variables in the log',
}

/** Seconds until a client may try again, where that can be known. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  rate_limited: 60,
  overloaded: 5,
  database_unavailable: 5,
  storage_unavailable: 5,
  identity_unavailable: 5,
}

/** Any thrown error as an answer. Faults of ours are logged with their cause; the client never sees it. */
export function answerError(thrown: unknown, c: Context<AppEnv>): Response {
  const error =
    thrown instanceof FusouError ? thrown : new FusouError('internal', 'an unforeseen error', { cause: thrown })
  const { title } = ERROR_CODES[error.code]
  const status = HTTP_STATUS[error.code]
  const { requestId } = c.var
  c.set('errorCode', error.code)
  if (status >= 500) {
    log('error', 'request_failed', { requestId, code: error.code, ...describe(error), stack: stackOf(error) })
  }
  const problem: Problem = {
    type: `urn:fusou:error:${error.code}`,
    title,
    status,
    detail: SILENT[error.code] ?? error.detail,
    instance: c.req.path,
    code: error.code,
    requestId,
    // problem details may have members beside their own, so that they are the errors of this protocol too
    ...(c.req.path.startsWith(DELTA_SHARING) && { errorCode: error.code, message: SILENT[error.code] ?? error.detail }),
    ...(error.cause instanceof z.ZodError && status === 400 ? { errors: faultsOf(error.cause) } : {}),
  }
  const retryAfter = RETRY_AFTER_SECONDS[error.code]
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter))
  if (status === 401) c.header('WWW-Authenticate', challenge(error))
  c.header('Cache-Control', 'no-store')
  return c.body(JSON.stringify(problem), status, { 'Content-Type': 'application/problem+json' })
}

/** RFC 6750, section 3: no error code when no token was sent. */
function challenge({ code, detail }: FusouError): string {
  if (code === 'unauthenticated') return 'Bearer realm="fusou"'
  return `Bearer realm="fusou", error="invalid_token", error_description="${detail.replace(/["\\]/g, "'")}"`
}

const stackOf = ({ cause, stack }: FusouError) => (cause instanceof Error ? cause.stack : stack)

import type { ErrorCode } from '@fusou/catalog'
import type { Caller } from './auth/caller.ts'
import type { Services } from './services.ts'

/** The `RateLimiter` of fusou-workflow, by RPC: a Pages project has no rate limits of its own. */
export interface UploadLimiter {
  /** @returns whether one more upload under this key is allowed now */
  limit(key: string): Promise<boolean>
}

/** The bindings of the root wrangler.toml; the variables come through `Services`. */
export interface Bindings {
  readonly BUCKET: R2Bucket
  readonly COMPACTION_QUEUE: Queue
  readonly WORKFLOW_SERVICE: UploadLimiter
}

/** The context of a request in Hono. */
export interface AppEnv {
  Bindings: Bindings
  Variables: {
    requestId: string
    /** pattern of the operation that answers, for the log */
    route: string | undefined
    /** why the request was refused, for the log */
    errorCode: ErrorCode | undefined
    services: Services
    caller: Caller
  }
}

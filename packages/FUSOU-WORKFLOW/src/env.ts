import { boundedBucket } from '@fusou/catalog'
import type { CronWatch } from './watch/cron-watch.ts'
import type { JobParams } from './workflow/job-params.ts'

/** The bindings of wrangler.toml; the variables come through `openCatalog()` and `openAlertChannels()`. */
export interface Env {
  readonly BUCKET: R2Bucket
  readonly COMPACTION_QUEUE: Queue
  readonly COMPACTION_DLQ: Queue
  readonly DATA_COMPACTION_WORKFLOW: Workflow<JobParams>
  readonly UPLOAD_LIMIT: RateLimit
  readonly CRON_WATCH: DurableObjectNamespace<CronWatch>
  /** name of the queue behind COMPACTION_DLQ: its batches are dead letters */
  readonly DEAD_LETTER_QUEUE: string
}

/** The bindings as all code below sees them: no call of the bucket waits without end. */
export const withBoundedBucket = (env: Env): Env => ({ ...env, BUCKET: boundedBucket(env.BUCKET) })

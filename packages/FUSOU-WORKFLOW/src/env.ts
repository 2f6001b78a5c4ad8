import type { JobParams } from './workflow/job-params.ts'

/** The bindings of wrangler.toml; the variables come through `services()`. */
export interface Env {
  readonly BUCKET: R2Bucket
  readonly COMPACTION_QUEUE: Queue
  readonly COMPACTION_DLQ: Queue
  readonly DATA_COMPACTION_WORKFLOW: Workflow<JobParams>
  readonly UPLOAD_LIMIT: RateLimit
  /** name of the queue behind COMPACTION_DLQ: its batches are dead letters */
  readonly DEAD_LETTER_QUEUE: string
}

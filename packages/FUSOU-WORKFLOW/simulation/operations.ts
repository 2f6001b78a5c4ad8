import { PART_BYTES } from '../src/storage/multipart-sink.ts'
import type { Billed } from './prices.ts'

/** What was done so far: all that is billed, and the calls of the database, which is not Cloudflare's. */
export type Operations = Record<Billed | 'databaseCalls', number>

export const noOperations = (): Operations => ({
  r2ClassA: 0,
  r2ClassB: 0,
  queueOperations: 0,
  workerRequests: 0,
  workflowSteps: 0,
  cpuMilliseconds: 0,
  databaseCalls: 0,
})

/** Hash, footer and one call. */
const UPLOAD_CPU_MS = 4
/** Of the engine, on files of floating-point columns: about 12 ms/MB small, 6 ms/MB large, and a floor for each input. */
const MERGE_CPU_MS_PER_MB = 10
const MERGE_CPU_MS_PER_INPUT = 2
/** Up to here one read brings the whole file. */
const ONE_READ_BYTES = 64 * 1024
/** A file as uploaded takes three reads, a large one another for each so many bytes; of the same measurement. */
const BYTES_PER_READ = 400_000
const THREE_READS_BYTES = 3_000_000

const MESSAGE_QUEUE_OPERATIONS = 3
/** validate-dataset, get-metadata, update-metadata, and the instance itself. */
const JOB_STEPS = 4
/** register_upload */
const UPLOAD_DATABASE_CALLS = 1
/** accept_message, enter_step twice, list_mergeable_files, save_plan, finish_job, complete_outbox */
const JOB_DATABASE_CALLS = 7
/** open_merge, commit_merge */
const MERGE_DATABASE_CALLS = 2
/** The chores of a minute without work. */
const CRON_DATABASE_CALLS = 8
/** Objects a list answers with. */
const LIST_OBJECTS = 1000

export function addUpload(done: Operations): void {
  done.workerRequests++
  done.r2ClassA++
  done.databaseCalls += UPLOAD_DATABASE_CALLS
  done.cpuMilliseconds += UPLOAD_CPU_MS
}

export function addJob(done: Operations): void {
  done.queueOperations += MESSAGE_QUEUE_OPERATIONS
  done.workerRequests++
  done.workflowSteps += JOB_STEPS
  done.databaseCalls += JOB_DATABASE_CALLS
}

export function addMerge(done: Operations, inputBytes: readonly number[], outputBytes: number): void {
  done.workflowSteps++
  done.databaseCalls += MERGE_DATABASE_CALLS
  done.r2ClassA += outputBytes < PART_BYTES ? 1 : 2 + Math.ceil(outputBytes / PART_BYTES)
  for (const bytes of inputBytes) {
    done.r2ClassB +=
      bytes <= ONE_READ_BYTES ? 1 : 3 + Math.ceil(Math.max(0, bytes - THREE_READS_BYTES) / BYTES_PER_READ)
    done.cpuMilliseconds += MERGE_CPU_MS_PER_INPUT + (bytes / 1e6) * MERGE_CPU_MS_PER_MB
  }
}

export function addCronMinute(done: Operations): void {
  done.workerRequests++
  done.databaseCalls += CRON_DATABASE_CALLS
}

/** The walk over the bucket, and its two calls of the database a page. */
export function addSweep(done: Operations, objects: number): void {
  const pages = Math.max(1, Math.ceil(objects / LIST_OBJECTS))
  done.r2ClassA += pages
  done.databaseCalls += 3 * pages
}

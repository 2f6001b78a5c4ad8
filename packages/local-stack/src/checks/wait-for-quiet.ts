import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { type ApiCaller, succeeded } from '../client/api-caller.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import type { StackDatabase } from './database.ts'
import { runCron } from './run-cron.ts'

const LOOK_MS = 500
/** step of the database's clock at each look, so that leases, locks and pauses need not pass by the wall clock */
const STEP_SECONDS = 30
/** without any change: then the rescuer's time comes */
const STILL_SECONDS = 10
/** longer than a lease */
const RESCUE_SECONDS = 16 * 60
/** without any change: what hangs so long is stuck */
const STUCK_SECONDS = 150
const MAX_SCHEDULED_ROUNDS = 30

interface Look {
  busy: number
  /** differs as soon as anything has moved */
  state: string
}

const LOOK = `select
  (select count(*) from jobs where state in ('queued', 'running'))
    + (select count(*) from outbox where status in ('pending', 'in_progress'))
    + (select count(*) from jobs j where state = 'dead' and not exists (select 1 from dead_letters l where l.job_id = j.id))
    as busy,
  concat_ws(' ',
    (select string_agg(concat_ws(' ', id, state, attempt, step, files_out), ',' order by id) from jobs
      where state in ('queued', 'running')),
    (select count(*) from jobs), (select count(*) from outbox where status = 'published'),
    (select count(*) from dead_letters)) as state`

/** Waits until every job and message is at its end, or until nothing moves any more. */
export async function waitForQuiet(stack: StackInfo, database: StackDatabase, progress: ProgressLine): Promise<void> {
  let state = ''
  let movedAt = Date.now()
  let rescuedAt = Date.now()
  for (let quietLooks = 0; quietLooks < 3 && Date.now() - movedAt < STUCK_SECONDS * 1000; ) {
    await runCron(stack)
    const still = Date.now() - Math.max(movedAt, rescuedAt) > STILL_SECONDS * 1000
    if (still) rescuedAt = Date.now()
    await database.letTimePass(still ? RESCUE_SECONDS : STEP_SECONDS)
    const [look] = await database.query<Look>(LOOK)
    quietLooks = Number(look!.busy) === 0 ? quietLooks + 1 : 0
    if (look!.state !== state) movedAt = Date.now()
    state = look!.state
    progress.show(`waiting for quiet: ${look!.busy} jobs and messages`)
    await wait(LOOK_MS)
  }
}

const TriggerAnswer = z.object({ enqueued: z.int(), remaining: z.int() })

/**
 * The daily round, until it finds nothing to do.
 * @returns a fault if it finds something again and again
 */
export async function compactAll(
  stack: StackInfo,
  database: StackDatabase,
  operator: ApiCaller,
  progress: ProgressLine,
): Promise<string[]> {
  for (let round = 0; round < MAX_SCHEDULED_ROUNDS; round++) {
    const path = '/api/compaction/trigger-scheduled'
    const answer = await operator.insist({ method: 'POST', path, json: { limit: 100 } }, 5)
    if (!succeeded(answer))
      return [`trigger-scheduled was answered ${answer.status} ${answer.code} after all had healed`]
    const { enqueued, remaining } = TriggerAnswer.parse(answer.body)
    await waitForQuiet(stack, database, progress)
    if (enqueued + remaining === 0) return []
  }
  return [`after ${MAX_SCHEDULED_ROUNDS} daily rounds there still are datasets to compact`]
}

import { z } from 'zod'
import { type ApiCaller, succeeded } from '../client/api-caller.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import { readBucket } from './bucket.ts'
import type { StackDatabase } from './database.ts'
import { runCron } from './run-cron.ts'

const DAY_SECONDS = 24 * 3600
/** longer than every retention */
const RETENTION_SECONDS = 61 * DAY_SECONDS
/** longer than the pause between two walks over the bucket, and than the time between two looks at one object */
const WALK_SECONDS = 7 * 3600
const MAX_ROUNDS = 100

const Status = z.object({
  installation: z.object({
    keptObjects: z.int(),
    sweep: z.object({ orphans: z.int().nullable(), stoppedSince: z.string().nullable() }).nullable(),
  }),
})

/**
 * Let retention and grace run out by the clocks of database and bucket, and run the cron until it finds nothing more. An
 * operator accepts the orphans that stop the sweep, and gives up what adoption could not place.
 */
export async function vacuumAll(
  stack: StackInfo,
  database: StackDatabase,
  plan: FaultPlan,
  operator: ApiCaller,
): Promise<void> {
  await database.letTimePass(RETENTION_SECONDS)
  plan.ageObjects(2 * DAY_SECONDS)
  let before = ''
  for (let round = 0, same = 0; round < MAX_ROUNDS && same < 4; round++) {
    await runCron(stack)
    await acceptOrphans(operator)
    await database.letTimePass(WALK_SECONDS)
    const [left] = await database.query<{ left: string }>(`select concat_ws(' ', (select count(*) from garbage),
      (select count(*) from files where removed_version is not null), (select count(*) from kept_objects)) as left`)
    const now = `${left!.left} ${readBucket(stack.stateFolder).size}`
    same = now === before ? same + 1 : 0
    before = now
  }
}

async function acceptOrphans(operator: ApiCaller): Promise<void> {
  const answer = await operator.insist({ path: '/api/jobs/status' }, 5)
  if (!succeeded(answer)) return
  const { sweep, keptObjects } = Status.parse(answer.body).installation
  if (sweep === null || (sweep.stoppedSince === null && keptObjects === 0)) return
  const json = { orphans: sweep.orphans ?? 0, by: 'the checks', releaseKept: true }
  await operator.insist({ method: 'POST', path: '/api/vacuum/accept', json }, 5)
}

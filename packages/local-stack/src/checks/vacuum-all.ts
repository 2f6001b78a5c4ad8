import type { FaultPlan } from '../faults/fault-plan.ts'
import type { StackInfo } from '../stack-info.ts'
import { readBucket } from './bucket.ts'
import type { StackDatabase } from './database.ts'
import { runCron } from './run-cron.ts'

const DAY_SECONDS = 24 * 3600
/** longer than every retention */
const RETENTION_SECONDS = 8 * DAY_SECONDS
/** longer than the pause between two walks over the bucket */
const WALK_SECONDS = 7 * 3600
const MAX_ROUNDS = 100

/** Let retention and grace run out by the clocks of database and bucket, and run the cron until it finds nothing more. */
export async function vacuumAll(stack: StackInfo, database: StackDatabase, plan: FaultPlan): Promise<void> {
  await database.letTimePass(RETENTION_SECONDS)
  plan.ageObjects(2 * DAY_SECONDS)
  let before = ''
  for (let round = 0, same = 0; round < MAX_ROUNDS && same < 3; round++) {
    await runCron(stack)
    await database.letTimePass(WALK_SECONDS)
    const [left] = await database.query<{ left: string }>(`select concat_ws(' ', (select count(*) from garbage),
      (select count(*) from files where removed_version is not null)) as left`)
    const now = `${left!.left} ${readBucket(stack.stateFolder).size}`
    same = now === before ? same + 1 : 0
    before = now
  }
}

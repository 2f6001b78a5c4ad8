import { z } from 'zod'
import { type ApiCaller, succeeded } from '../client/api-caller.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { StackDatabase } from './database.ts'
import { runCron } from './run-cron.ts'

const MAX_CRONS = 60
const MAX_PAGES = 2000

const Status = z.object({ installation: z.object({ problem: z.string().nullable() }) })
const AdoptAnswer = z.object({
  dataset: z
    .object({ datasetId: z.string(), counts: z.record(z.string(), z.object({ objects: z.int(), rows: z.int() })) })
    .optional(),
  nextCursor: z.string().nullable(),
})

/** The problem that the status shows, once the cron has looked. */
export async function findProblem(stack: () => StackInfo, operator: ApiCaller): Promise<string | null> {
  for (let run = 0; run < MAX_CRONS; run++) {
    await runCron(stack())
    const answer = await operator.insist({ path: '/api/jobs/status' }, 5)
    if (!succeeded(answer)) continue
    const { problem } = Status.parse(answer.body).installation
    if (problem !== null) return problem
  }
  return null
}

/**
 * What docs/installation.md tells an operator to do: adopt what the catalog does not know, then accept.
 * @returns how many objects had each judgment
 */
export async function adoptAll(operator: ApiCaller, problem: string): Promise<Record<string, number>> {
  const totals: Record<string, number> = {}
  let cursor: string | null | undefined
  for (let page = 0; page < MAX_PAGES && cursor !== null; page++) {
    const json = cursor === undefined ? {} : { cursor }
    const answer = await operator.insist({ method: 'POST', path: '/api/adopt', json }, 10)
    if (!succeeded(answer)) throw new Error(`adopt was answered ${answer.status} ${answer.code}`)
    const { dataset, nextCursor } = AdoptAnswer.parse(answer.body)
    for (const [judgment, { objects }] of Object.entries(dataset?.counts ?? {}))
      totals[judgment] = (totals[judgment] ?? 0) + objects
    cursor = nextCursor
  }
  const json = { problem, by: 'the checks' }
  const accepted = await operator.insist({ method: 'POST', path: '/api/installation/accept', json }, 10)
  if (!succeeded(accepted)) throw new Error(`accepting ${problem} was answered ${accepted.status} ${accepted.code}`)
  return totals
}

/** Until the bucket has a stamp that a catalog of this moment does not have: being set back to now would be found out. */
export async function stampBucket(stack: () => StackInfo, database: StackDatabase): Promise<void> {
  const stamps = async () => {
    const [row] = await database.query<{ stamp: number; bucket: number | null }>(
      'select stamp::int, bucket_stamp::int as bucket from installation',
    )
    return row!
  }
  const { stamp } = await stamps()
  for (let run = 0; run < MAX_CRONS; run++) {
    await database.query("update installation set stamped_at = stamped_at - interval '1 minute'")
    await runCron(stack())
    if (((await stamps()).bucket ?? 0) > stamp) return
  }
  throw new Error('the stamp of the bucket does not grow')
}

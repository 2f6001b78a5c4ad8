import { adoptAll, findProblem, stampBucket } from '../checks/adopt-all.ts'
import { readBucket } from '../checks/bucket.ts'
import type { StackDatabase } from '../checks/database.ts'
import type { Ledger } from '../checks/ledger.ts'
import { runCron } from '../checks/run-cron.ts'
import type { ApiCaller } from '../client/api-caller.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { CatalogCopy } from './catalog-copy.ts'
import type { KillableStack } from './killable-stack.ts'

const DAY_SECONDS = 24 * 3600
/** Runs of the cron in which a sweep would have found and marked what it takes for orphans. */
const SWEEPS = 6

interface Parts {
  stack: KillableStack
  database: StackDatabase
  plan: FaultPlan
  ledger: Ledger
  operator: ApiCaller
}

/** Days pass for a catalog that does not belong to its bucket; whatever is deleted meanwhile is a fault. */
async function expectNothingDeleted({ stack, database, plan, ledger }: Parts, what: string): Promise<void> {
  const before = [...readBucket(stack.info.stateFolder).keys()]
  plan.ageObjects(30 * DAY_SECONDS)
  for (let run = 0; run < SWEEPS; run++) {
    await runCron(stack.info)
    await database.letTimePass(DAY_SECONDS)
  }
  plan.ageObjects(0)
  const after = readBucket(stack.info.stateFolder)
  for (const key of before) if (!after.has(key)) ledger.faults.push(`${what}: object ${key} was deleted`)
}

/** The catalog is set back to its copy, under load; an operator adopts what it has forgotten. */
export async function setBackCatalog(parts: Parts, copy: CatalogCopy): Promise<Record<string, number>> {
  const { stack, database, ledger, operator } = parts
  await stampBucket(() => stack.info, database)
  await stack.whileStopped(() => {
    copy.restore()
    // Before the first client is answered again.
    ledger.forgetHistory()
  })
  const problem = await findProblem(() => stack.info, operator)
  if (problem !== 'catalog_restored') {
    ledger.faults.push(`a catalog that was set back was not found out: ${problem}`)
    return {}
  }
  await expectNothingDeleted(parts, 'a catalog that was set back')
  const adopted = await adoptAll(operator, problem)
  ledger.isCatalogWhole = true
  return adopted
}

/** A new catalog beside the old bucket, while no client is there; then the right one again. */
export async function meetForeignBucket(parts: Parts, copy: CatalogCopy): Promise<void> {
  const { stack, ledger, operator } = parts
  await stack.whileStopped(() => copy.putAside())
  const problem = await findProblem(() => stack.info, operator)
  if (problem !== 'foreign_bucket') ledger.faults.push(`a new catalog took an old bucket for its own: ${problem}`)
  await expectNothingDeleted(parts, 'a new catalog')
  await stack.whileStopped(() => copy.restore())
}

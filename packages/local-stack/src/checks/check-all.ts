import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { ApiCaller } from '../client/api-caller.ts'
import { FusouClient } from '../client/fusou-client.ts'
import { downloadResult } from '../demo/download-result.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import type { ProgressLine } from '../support/progress-line.ts'
import { readBucket } from './bucket.ts'
import { checkCatalog, checkQuiet } from './check-catalog.ts'
import { checkDeadLetters } from './check-dead-letters.ts'
import { checkObjects } from './check-objects.ts'
import { checkRows } from './check-rows.ts'
import { checkSetAside } from './check-set-aside.ts'
import { checkTriggers } from './check-triggers.ts'
import type { StackDatabase } from './database.ts'
import type { Ledger } from './ledger.ts'
import type { LogReader } from './log-reader.ts'
import { readVersion } from './read-version.ts'
import { vacuumAll } from './vacuum-all.ts'
import { compactAll, waitForQuiet } from './wait-for-quiet.ts'

export interface CheckParts {
  stack: StackInfo
  database: StackDatabase
  plan: FaultPlan
  ledger: Ledger
  log: LogReader
  operator: ApiCaller
  folder: string
  progress: ProgressLine
}

/**
 * Wait for quiet, then hold everything against what was promised; what is not so is noted in the ledger.
 * @returns how many of what were checked
 */
export async function checkAll(parts: CheckParts): Promise<Record<string, number>> {
  const { stack, database, plan, ledger, log, operator, folder, progress } = parts
  const { faults } = ledger
  await waitForQuiet(stack, database, progress)
  faults.push(...(await checkQuiet(database)))
  faults.push(...(await compactAll(stack, database, operator, progress)))
  faults.push(...(await checkQuiet(database)), ...(await checkCatalog(database)))
  progress.say('✓ quiet')

  const rotten = ledger.rotten()
  const deaths = {
    rotten,
    poison: ledger.sentPoison,
    failedDeliveries: log.failedDeliveries,
    ends: countEnds(plan),
    setBacks: ledger.setBacks,
  }
  faults.push(...(await checkDeadLetters(database, deaths)))
  faults.push(...(await checkSetAside(database, rotten)))
  faults.push(...(await checkTriggers(database, ledger)))
  const versions = await readVersionsAgain(operator, ledger)
  faults.push(...(await checkObjects(database, stack.stateFolder, false)))
  progress.say(`✓ ${versions} versions read again`)

  await vacuumAll(stack, database, plan, operator)
  faults.push(...(await checkQuiet(database)), ...(await checkCatalog(database)))
  faults.push(...(await checkObjects(database, stack.stateFolder, true)))
  progress.say('✓ vacuumed')

  const datasets = await database.query<{ id: string }>('select id from datasets order by id')
  const reader = new FusouClient(stack.webUrl, stack.operatorToken)
  const result = await downloadResult(
    datasets.map(({ id }) => id),
    () => reader,
    join(folder, 'result'),
    (done, all) => progress.show(`reading: ${done} of ${all} files`),
  )
  faults.push(...result.faults)
  const stored = ledger.stored()
  const sound = result.files.filter(({ sha256 }) => !rotten.has(sha256))
  faults.push(...(await checkRows(stored, sound)))
  const live = new Set(result.files.map(({ sha256 }) => sha256))
  for (const { fate, slices } of ledger.uploads)
    for (const { rotten, sha256 } of slices)
      if (fate === 'accepted' && rotten && !live.has(sha256)) faults.push(`the rotten file ${sha256} is no longer live`)
  const [counted] = await database.query<Record<string, number>>(`select
    (select count(*)::int from jobs) as jobs,
    (select count(*)::int from jobs where state = 'dead') as "dead jobs",
    (select count(*)::int from dead_letters) as "dead letters"`)
  return {
    'uploads sent': ledger.uploads.length,
    'uploads accepted': ledger.uploads.filter(({ fate }) => fate === 'accepted').length,
    'uploads refused': ledger.uploads.filter(({ fate }) => fate === 'refused').length,
    'uploads without an answer': ledger.uploads.filter(({ fate }) => fate === 'unknown').length,
    'rows that must be there': stored.reduce((sum, { rows, there }) => sum + (there === 'whole' ? rows : 0), 0),
    'live files read': result.files.length,
    'objects in the bucket': readBucket(stack.stateFolder).size,
    'versions read again': versions,
    ...counted,
  }
}

/** Attempts that ended inside a merge for all that the catalog knows, or may have. */
const countEnds = ({ counts }: FaultPlan) =>
  (['merge_ended', 'attempt_taken_over', 'instance_hung', 'workers_killed', 'tree_killed'] as const).reduce(
    (sum, kind) => sum + (counts.get(kind) ?? 0),
    0,
  )

/** Versions of long-lived datasets must still be there, and be what they were; so must the bytes of their files. */
async function readVersionsAgain(operator: ApiCaller, ledger: Ledger): Promise<number> {
  const files = new Map<string, string>()
  let read = 0
  for (const { datasetId, version } of [...ledger.versions.values()]) {
    const shortLived = ledger.shortLived.has(datasetId)
    const listed = await readVersion(operator, ledger, datasetId, version)
    if (listed !== undefined) read += 1
    else if (!shortLived) ledger.faults.push(`version ${version} of ${datasetId} can no longer be read`)
    if (!shortLived) for (const { id, sha256 } of listed ?? []) files.set(id, sha256)
  }
  for (const [id, sha256] of files) {
    const { status, bytes } = await operator.bytes(`/api/files/${id}`)
    if (status !== 200) ledger.faults.push(`file ${id} of a readable version is answered with ${status}`)
    else if (createHash('sha256').update(bytes).digest('hex') !== sha256)
      ledger.faults.push(`file ${id} of a readable version has other bytes`)
  }
  return read
}

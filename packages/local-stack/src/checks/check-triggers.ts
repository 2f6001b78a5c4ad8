import type { StackDatabase } from './database.ts'
import type { Ledger } from './ledger.ts'

/**
 * Each job that an answer named is known and has ended, none was cancelled unasked, and of two users who raced for a
 * dataset one has it alone.
 */
export async function checkTriggers(database: StackDatabase, ledger: Ledger): Promise<string[]> {
  const faults: string[] = []
  const jobs = await database.query<{ id: string; state: string; dataset_id: string }>(
    'select id, state, dataset_id from jobs',
  )
  const states = new Map(jobs.map(({ id, state, dataset_id }) => [id, { state, dataset_id }]))
  for (const id of ledger.jobs) if (!states.has(id)) faults.push(`job ${id} was named by an answer and is unknown`)
  for (const [id, { state, dataset_id }] of states)
    if (state === 'cancelled' && !ledger.cancels.has(id) && !ledger.deleted.has(dataset_id))
      faults.push(`job ${id} was cancelled, and nobody asked for it`)

  const accepted = ledger.uploads.filter(({ fate }) => fate === 'accepted')
  for (const [datasetId, uploads] of Map.groupBy(accepted, (upload) => upload.datasetId)) {
    const users = new Set(uploads.map(({ user }) => user))
    if (users.size > 1 && !ledger.shared.has(datasetId))
      faults.push(`${datasetId} took uploads of ${[...users].join(' and ')}`)
  }
  return faults
}

import type { Catalog } from '@fusou/catalog'
import type { Env } from '../env.ts'

const BATCH_JOBS = 1000
/** Batches of one run; the figures stay right, and only become slower to read, while more jobs end than this. */
const MAX_BATCHES = 20

/** Add the jobs that ended to the totals that the figures are read from. */
export async function tallyJobs(_env: Env, catalog: Catalog): Promise<{ tallied: number }> {
  let tallied = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const jobs = await catalog.tallyJobs(BATCH_JOBS)
    tallied += jobs
    if (jobs < BATCH_JOBS) break
  }
  return { tallied }
}

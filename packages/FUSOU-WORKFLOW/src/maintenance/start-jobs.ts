import type { Catalog } from '@fusou/catalog'
import type { Env } from '../env.ts'

/** Datasets of one run at the most; the next minute goes on. */
const MAX_DATASETS = 100

/** Ask for jobs that fell due by age, and give free slots to jobs that wait; the relay sends their messages. */
export async function startJobs(_env: Env, catalog: Catalog): Promise<{ due: number; admitted: number }> {
  const due = await catalog.requestDueMerges(MAX_DATASETS)
  return { due, admitted: await catalog.admitJobs() }
}

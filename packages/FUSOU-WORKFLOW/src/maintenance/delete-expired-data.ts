import type { Catalog } from '@fusou/catalog'
import type { Env } from '../env.ts'

/** Datasets of one run: 3,000 are looked through in an hour. */
const MAX_DATASETS = 50

/** Delete data that is older than `deleteAfterDays` of its dataset; vacuum takes the objects after the retention. */
export function deleteExpiredData(_env: Env, catalog: Catalog): Promise<Record<string, number>> {
  return catalog.deleteExpiredData(MAX_DATASETS)
}

import { z } from 'zod'
import type { Database } from '../database/database.ts'
import { AdoptedDataset, AdoptionPage, NotedObjects, type ScannedObject } from '../records/adopt.ts'

/** Calls of the database about adoption. */
export const adoptionCalls = (database: Database) => ({
  /** Begins a scan of the bucket; what an earlier one noted is discarded. */
  beginAdoption() {
    return database.call('begin_adoption', {}, z.object({ scan: z.uuid() }))
  },

  /** The next page of a scan: the keys after `after` up to `last`, null at either end of the bucket. */
  beginAdoptionPage(scan: string, page: { after: string | null; last: string | null; keys: readonly string[] }) {
    return database.call(
      'begin_adoption_page',
      { p_scan: scan, p_after: page.after, p_last: page.last, p_keys: page.keys },
      AdoptionPage,
    )
  },

  noteAdoptionObjects(scan: string, objects: readonly ScannedObject[]) {
    return database.call('note_adoption_objects', { p_scan: scan, p_objects: objects }, NotedObjects)
  },

  /** Puts the dataset after `after` in order, up to `limit` objects a call. */
  adoptDataset(scan: string, { after, limit, dryRun }: { after: string | null; limit: number; dryRun: boolean }) {
    return database.call(
      'adopt_dataset',
      { p_scan: scan, p_after: after, p_limit: limit, p_dry_run: dryRun },
      AdoptedDataset,
    )
  },
})

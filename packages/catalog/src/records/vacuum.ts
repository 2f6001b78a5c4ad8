import { z } from 'zod'
import { UnreadableRows, withListedRows } from '../database/listed-rows.ts'

/** One page of a dry run of vacuum; `next` is null at the end. */
const page = <Item extends z.ZodType>(item: Item) =>
  withListedRows(
    { name: 'vacuum', field: 'items', row: item, keys: ['r2Key', 'since'] },
    z.object({
      items: z.array(item),
      unreadable: UnreadableRows,
      next: z.record(z.string(), z.string()).nullable(),
    }),
  )

export const SupersededPage = page(
  z.object({
    r2Key: z.string(),
    bytes: z.int(),
    datasetId: z.string(),
    fileId: z.uuid(),
    since: z.string(),
    objectStays: z.boolean(),
  }),
)
export const RefusedPage = page(z.object({ r2Key: z.string(), since: z.string() }))
export const IncompleteUploadPage = page(
  z.object({ r2Key: z.string(), jobId: z.uuid(), attempt: z.int(), since: z.string() }),
)

export const AbandonedUpload = z.object({ r2Key: z.string(), uploadId: z.string() })
export type AbandonedUpload = z.infer<typeof AbandonedUpload>

/** An object that no row names may belong to an upload or a merge that is still under way, until it is this old. */
export const ORPHAN_AGE_MS = 24 * 3600 * 1000

/** The walk over the bucket that looks for them. */
export const ORPHAN_SWEEP = 'orphans'

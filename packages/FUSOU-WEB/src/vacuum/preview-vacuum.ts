import { type Catalog, FileId, ORPHAN_AGE_MS, objectOf, type UnreadableRow } from '@fusou/catalog'
import { z } from 'zod'
import { Instant } from '../http/cursor.ts'

/** Why vacuum takes something, in the order in which a dry run lists it. */
export const VacuumReason = z.enum(['superseded', 'refused', 'incomplete_upload', 'orphan'])
type VacuumReason = z.infer<typeof VacuumReason>

export const VacuumItem = z.object({
  reason: VacuumReason.meta({
    description:
      'superseded: merged away, and its retention is over; refused: nothing ever named it, or nothing does any more; ' +
      'incomplete_upload: an upload in parts whose attempt is over; orphan: older than a day, and no row names it',
  }),
  action: z
    .enum(['delete_object', 'forget_file', 'abort_upload'])
    .meta({ description: 'forget_file: the file goes, its object holds others that stay' }),
  r2Key: z.string(),
  bytes: z.int().nullable().meta({ description: 'null where it is not known: parts are not told, or it is gone' }),
  since: z.string(),
  datasetId: z.string().optional(),
  fileId: z.uuid().optional(),
  jobId: z.uuid().optional(),
  attempt: z.int().optional(),
})
type VacuumItem = z.infer<typeof VacuumItem>

/** Where a dry run goes on. */
const AfterFile = z.strictObject({ at: Instant, id: FileId })
const AfterKey = z.strictObject({ key: z.string().min(1).max(1024) })
export const VacuumPosition = z.discriminatedUnion('reason', [
  z.strictObject({ reason: z.literal('superseded'), after: AfterFile.nullable() }),
  ...(['refused', 'incomplete_upload', 'orphan'] as const).map((reason) =>
    z.strictObject({ reason: z.literal(reason), after: AfterKey.nullable() }),
  ),
])
type VacuumPosition = z.infer<typeof VacuumPosition>

type After = Readonly<Record<string, string>> | null

interface Page {
  readonly items: readonly VacuumItem[]
  readonly unreadable?: UnreadableRow[] | undefined
  readonly next: After
}

/**
 * One page of what vacuum would do now; changes nothing. Looks at `limit` rows or objects, of which few or none may be
 * to go: the page is then small although more follow.
 * @param position null at the start
 * @returns `next` null at the end
 */
export async function previewVacuum(
  catalog: Catalog,
  bucket: R2Bucket,
  position: VacuumPosition | null,
  limit: number,
): Promise<Omit<Page, 'next'> & { next: VacuumPosition | null }> {
  const { reason, after } = position ?? { reason: 'superseded', after: null }
  const { next, ...found } = await PAGES[reason](catalog, bucket, after, limit)
  // as the database gave it; the reader of the cursor checks it
  if (next !== null) return { ...found, next: { reason, after: next } as VacuumPosition }
  const following = VacuumReason.options[VacuumReason.options.indexOf(reason) + 1]
  return { ...found, next: following === undefined ? null : { reason: following, after: null } }
}

type ReadPage = (catalog: Catalog, bucket: R2Bucket, after: After, limit: number) => Promise<Page>

const PAGES: Readonly<Record<VacuumReason, ReadPage>> = {
  async superseded(catalog, _bucket, after, limit) {
    const { items, unreadable, next } = await catalog.previewSuperseded(after, limit)
    const described = items.map(({ objectStays, ...item }) => ({
      reason: 'superseded' as const,
      action: objectStays ? ('forget_file' as const) : ('delete_object' as const),
      ...item,
    }))
    return { items: described, unreadable, next }
  },

  async refused(catalog, bucket, after, limit) {
    const { items, unreadable, next } = await catalog.previewRefused(after, limit)
    const described = items.map(async (item) => ({
      reason: 'refused' as const,
      action: 'delete_object' as const,
      ...item,
      bytes: (await bucket.head(item.r2Key))?.size ?? null,
    }))
    return { items: await Promise.all(described), unreadable, next }
  },

  async incomplete_upload(catalog, _bucket, after, limit) {
    const { items, unreadable, next } = await catalog.previewIncompleteUploads(after, limit)
    const described = items.map((item) => ({
      reason: 'incomplete_upload' as const,
      action: 'abort_upload' as const,
      ...item,
      bytes: null,
    }))
    return { items: described, unreadable, next }
  },

  async orphan(catalog, bucket, after, limit) {
    const listed = await bucket.list({ limit, ...(after?.key === undefined ? {} : { startAfter: after.key }) })
    const old = listed.objects.filter((object) => Date.now() - object.uploaded.getTime() > ORPHAN_AGE_MS)
    const keys = old.map(({ key }) => objectOf(key)).filter((key) => key !== undefined)
    const orphans = new Set(keys.length === 0 ? [] : await catalog.listOrphans(keys))
    const described = old
      .filter(({ key }) => orphans.has(objectOf(key) ?? key))
      .map(({ key, size, uploaded }) => ({
        reason: 'orphan' as const,
        action: 'delete_object' as const,
        r2Key: key,
        bytes: size,
        since: uploaded.toISOString(),
      }))
    const last = listed.objects.at(-1)
    return { items: described, next: listed.truncated && last ? { key: last.key } : null }
  },
}

import { AdoptedDataset, DatasetId, log } from '@fusou/catalog'
import { z } from 'zod'
import { scanBucket, unknownScan } from '../../adopt/scan-bucket.ts'
import { cursor } from '../../http/cursor.ts'
import { route } from '../../http/operation.ts'

/** Objects that one call puts in order at most. */
const MAX_ADOPTED_OBJECTS = 500

const Position = z.discriminatedUnion('phase', [
  z.object({ phase: z.literal('scan'), scan: z.uuid(), after: z.string().max(1024).nullable() }),
  z.object({ phase: z.literal('adopt'), scan: z.uuid(), after: DatasetId.nullable() }),
])
const AdoptCursor = cursor(Position)
const AdoptRequest = z
  .strictObject({
    cursor: AdoptCursor.schema.optional().meta({ description: 'of the answer before; without one a new scan begins' }),
    dryRun: z.boolean().default(false).meta({ description: 'tell what would be done, and change nothing' }),
  })
  .meta({ id: 'AdoptRequest' })

const [Adopted] = AdoptedDataset.options
const AdoptAnswer = z
  .object({
    success: z.literal(true),
    dryRun: z.boolean(),
    scanned: z
      .object({ objects: z.int(), unnamed: z.int().meta({ description: 'objects that no row names' }) })
      .optional(),
    dataset: Adopted.omit({ outcome: true, more: true })
      .optional()
      .meta({ description: 'what was done in one dataset; up to a hundred objects are named' }),
    nextCursor: z.string().nullable().meta({ description: 'call again with it until it is null' }),
  })
  .meta({ id: 'AdoptAnswer' })
type AdoptAnswer = z.infer<typeof AdoptAnswer>

export const adopt = route(
  {
    method: 'post',
    path: '/api/adopt',
    summary:
      'Rebuild rows of the catalog from the bucket, page by page: first a scan, then each dataset; can be stopped and ' +
      'repeated at any time',
    access: 'operator',
    body: AdoptRequest,
    answers: { 200: { description: 'One page', schema: AdoptAnswer } },
    errors: ['unknown_scan', 'storage_unavailable'],
  },
  async (c, { body: { cursor: position, dryRun } }) => {
    const { catalog } = c.var.services
    const { phase, scan, after } = position ?? {
      phase: 'scan' as const,
      scan: (await catalog.beginAdoption()).scan,
      after: null,
    }
    if (phase === 'scan') {
      const { last, ...scanned } = await scanBucket(c.env.BUCKET, catalog, scan, after)
      const next = last === null ? { phase: 'adopt' as const, scan, after: null } : { phase, scan, after: last }
      const answer: AdoptAnswer = { success: true, dryRun, scanned, nextCursor: AdoptCursor.encode(next) }
      return c.json(answer)
    }
    const adopted = await catalog.adoptDataset(scan, { after, limit: MAX_ADOPTED_OBJECTS, dryRun })
    if (adopted.outcome === 'unknown_scan') throw unknownScan()
    if (adopted.outcome === 'done') return c.json({ success: true, dryRun, nextCursor: null } satisfies AdoptAnswer)
    const { datasetId, more, counts, items, missing } = adopted
    if (!dryRun) log('info', 'dataset_adopted', { requestId: c.var.requestId, datasetId, counts })
    const answer: AdoptAnswer = {
      success: true,
      dryRun,
      dataset: { datasetId, counts, items, missing },
      nextCursor: AdoptCursor.encode({ phase, scan, after: more ? after : datasetId }),
    }
    return c.json(answer)
  },
)

import { z } from 'zod'

/** Why an object cannot be adopted, whatever the catalog holds. */
export const AdoptionFault = z.enum(['no_metadata', 'no_lineage', 'lineage_mismatch', 'not_parquet', 'too_large'])
export type AdoptionFault = z.infer<typeof AdoptionFault>

/** How adoption judged an object; see `fusou.judge_adoption()`. */
export const AdoptionJudgment = z.enum([
  'adopt',
  'heal',
  'held',
  'entangled',
  'unclear',
  'foreign_owner',
  ...AdoptionFault.options,
])

/** A scanned object of the bucket: a slice of an upload, or a merged object. */
export interface ScannedObject {
  readonly r2Key: string
  readonly offset: number
  /** a live merged file of the catalog, noted for its leaves alone */
  readonly known: boolean
  readonly datasetId: string
  readonly table: string
  readonly periodTag: string
  readonly ownerId?: string
  /** whom the bucket names as owner of the dataset */
  readonly datasetOwner?: string
  readonly earlierOwners?: readonly string[]
  readonly length?: number
  readonly rows?: number
  readonly rowGroups?: number
  readonly workBytes?: number
  readonly sha256?: string
  readonly fingerprint?: string
  readonly level: number
  readonly ancestors?: readonly string[]
  readonly leaves?: readonly string[]
  readonly fault?: AdoptionFault
}

const UnknownScan = z.object({ outcome: z.literal('unknown_scan') })

export const AdoptionPage = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    unnamed: z.array(z.string()),
    merged: z.array(
      z.object({
        r2Key: z.string(),
        datasetId: z.string(),
        table: z.string(),
        periodTag: z.string(),
        level: z.int(),
      }),
    ),
  }),
  UnknownScan,
])
export const NotedObjects = z.discriminatedUnion('outcome', [z.object({ outcome: z.literal('ok') }), UnknownScan])

export const AdoptedDataset = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('ok'),
    datasetId: z.string(),
    more: z.boolean(),
    missing: z.int().meta({ description: 'live files whose object is gone, and nothing has taken its place' }),
    counts: z.partialRecord(AdoptionJudgment, z.object({ objects: z.int(), rows: z.int() })),
    items: z.array(
      z.object({
        r2Key: z.string(),
        offset: z.int(),
        table: z.string(),
        periodTag: z.string(),
        rows: z.int().nullable(),
        judgment: AdoptionJudgment,
      }),
    ),
  }),
  z.object({ outcome: z.literal('done') }),
  UnknownScan,
])

import { z } from 'zod'
import { DatasetId, JobId, PeriodTag, TableName } from '../records/names.ts'
import { Sha256 } from '../records/resumable-upload.ts'
import { jsonText } from './json-text.ts'

/**
 * What an object of the bucket says about itself, so that the catalog can be rebuilt from the bucket. Names and numbers
 * that the bytes can tell (size, hash, rows, schema) are never taken from here.
 */

/** Bytes that R2 keeps as custom metadata of one object: names and values together. */
export const MAX_METADATA_BYTES = 8192
/** Left for the fields beside `slices`. */
const MAX_SLICES_BYTES = 6144
/** Uploads whose rows one merged object may name; beyond this its origin is not kept, and only a person can adopt it. */
export const MAX_LEAVES = 100_000
/** A sidecar that is longer is none of ours. */
export const MAX_FACTS_BYTES = 16 * 1024 * 1024

/** The tables of an object from its start to its end: `[name, bytes]`. */
const Slices = z
  .array(z.tuple([TableName, z.int().positive()]))
  .min(1)
  .max(256)
type Slices = z.infer<typeof Slices>

const JsonSlices = jsonText(z.string().max(MAX_METADATA_BYTES)).pipe(Slices)

const Common = { dataset: DatasetId, owner: z.uuid(), period: PeriodTag }
/** Custom metadata of an upload; without `slices` the sidecar has them. */
export const UploadMetadata = z.object({ ...Common, tier: z.literal('0'), slices: JsonSlices.optional() })
/** Custom metadata of the output of a merge. */
export const MergedMetadata = z.object({
  ...Common,
  tier: z.string().regex(/^[1-9]\d{0,2}$/),
  table: TableName,
  job: JobId,
  fingerprint: z.string().max(200),
})
export type MergedMetadata = z.infer<typeof MergedMetadata>

/** The sidecar of an upload of many tables. */
export const UploadFacts = z.object({ slices: Slices })

/** The sidecar of a merged object. */
export const MergedFacts = z.object({
  /** every upload whose rows it holds: `[SHA-256, rows]` */
  leaves: z.array(z.tuple([Sha256, z.int().nonnegative()])).max(MAX_LEAVES),
  /** keys of the merged objects that it and its inputs replaced */
  ancestors: z.array(z.string().max(1024)).max(MAX_LEAVES),
  /** rows of these uploads that it and its inputs left out as duplicates */
  duplicateRows: z.int().nonnegative().default(0),
})
export type MergedFacts = z.infer<typeof MergedFacts>

/** @returns the metadata of an upload, and the text of its sidecar if one is needed */
export function describeUpload(upload: {
  datasetId: string
  ownerId: string
  periodTag: string
  slices: readonly { table: string; length: number }[]
  /** facts that are known when storing begins */
  known?: Readonly<Record<string, string>> | undefined
}): { metadata: Record<string, string>; facts: string | undefined } {
  const slices: Slices = upload.slices.map(({ table, length }) => [table, length])
  const text = JSON.stringify(slices)
  const fits = text.length <= MAX_SLICES_BYTES
  return {
    metadata: {
      dataset: upload.datasetId,
      owner: upload.ownerId,
      period: upload.periodTag,
      tier: '0',
      ...(fits && { slices: text }),
      ...upload.known,
    },
    facts: fits ? undefined : JSON.stringify({ slices } satisfies z.infer<typeof UploadFacts>),
  }
}

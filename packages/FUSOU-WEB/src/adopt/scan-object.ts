import {
  type AdoptionFault,
  FusouError,
  factsKey,
  MAX_FACTS_BYTES,
  MergedFacts,
  MergedMetadata,
  type ScannedObject,
  UploadFacts,
  UploadMetadata,
} from '@fusou/catalog'
import type { z } from 'zod'
import { readChunks } from '../http/read-chunks.ts'
import { type InspectedSlice, SliceInspector } from '../upload/slice-inspector.ts'
import type { Slice } from '../upload/table-offsets.ts'

/** Larger than any output of a merge with the largest usual target; a larger object is left to a person. */
const MAX_OBJECT_BYTES = 1024 * 1024 * 1024
/** Stands for names of an object that does not tell them. */
const UNKNOWN = { datasetId: 'unknown', table: 'unknown', periodTag: '0' }

/**
 * Inspects an object without a row. Sizes, hashes, rows and schemas are those of its bytes; its metadata says only
 * where it belongs.
 */
export async function scanObject(bucket: R2Bucket, object: R2Object): Promise<ScannedObject[]> {
  const { key } = object
  if (object.size > MAX_OBJECT_BYTES) return [faulty(key, 'too_large')]
  const upload = UploadMetadata.safeParse(object.customMetadata)
  if (upload.success) return scanUpload(bucket, object, upload.data)
  const merged = MergedMetadata.safeParse(object.customMetadata)
  if (merged.success) return [await scanMerged(bucket, object, merged.data)]
  return [faulty(key, 'no_metadata')]
}

async function scanUpload(
  bucket: R2Bucket,
  { key, size }: R2Object,
  metadata: z.infer<typeof UploadMetadata>,
): Promise<ScannedObject[]> {
  const { dataset: datasetId, owner: ownerId, period: periodTag } = metadata
  const slices = metadata.slices ?? (await readFacts(bucket, key, UploadFacts))?.slices
  const place = { datasetId, table: slices?.[0]?.[0] ?? UNKNOWN.table, periodTag }
  if (slices === undefined) return [faulty(key, 'no_metadata', place)]
  const placed = placeSlices(slices)
  if (placed.reduce((sum, { length }) => sum + length, 0) !== size) return [faulty(key, 'no_metadata', place)]
  const inspected = await inspect(bucket, key, placed)
  if (inspected === undefined) return [faulty(key, 'not_parquet', place)]
  return inspected.map((slice) => ({ r2Key: key, known: false, datasetId, ownerId, periodTag, level: 0, ...slice }))
}

async function scanMerged(
  bucket: R2Bucket,
  { key, size }: R2Object,
  { dataset: datasetId, owner: ownerId, table, period: periodTag, tier }: MergedMetadata,
): Promise<ScannedObject> {
  const place = { datasetId, table, periodTag }
  const facts = await readFacts(bucket, key, MergedFacts)
  if (facts === undefined || facts.leaves.length === 0) return faulty(key, 'no_lineage', place)
  const [slice] = (await inspect(bucket, key, [{ table, offset: 0, length: size }])) ?? []
  if (slice === undefined) return faulty(key, 'not_parquet', place)
  const rows = facts.leaves.reduce((sum, [, leafRows]) => sum + leafRows, 0)
  if (rows !== slice.rows + facts.duplicateRows) return faulty(key, 'lineage_mismatch', place)
  return { r2Key: key, known: false, ...place, ownerId, level: Number(tier), ...slice, ...leavesOf(facts) }
}

/** The origin of a merged object; undefined if it does not tell. */
export async function readLeaves(bucket: R2Bucket, key: string) {
  const facts = await readFacts(bucket, key, MergedFacts)
  return facts && leavesOf(facts)
}

const leavesOf = ({ leaves, ancestors }: MergedFacts) => ({ leaves: leaves.map(([sha256]) => sha256), ancestors })

const faulty = (r2Key: string, fault: AdoptionFault, place = UNKNOWN): ScannedObject => ({
  ...place,
  r2Key,
  offset: 0,
  known: false,
  level: 0,
  fault,
})

function placeSlices(lengths: readonly (readonly [table: string, bytes: number])[]): Slice[] {
  let offset = 0
  return lengths.map(([table, length]) => {
    const slice = { table, offset, length }
    offset += length
    return slice
  })
}

async function readFacts<Schema extends z.ZodType>(
  bucket: R2Bucket,
  key: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  const object = await bucket.get(factsKey(key))
  if (object === null || object.size > MAX_FACTS_BYTES) return undefined
  const text = await object.text()
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    // Not JSON: it tells nothing.
    return undefined
  }
}

/** @returns undefined if the bytes are not what an upload would have been accepted for */
async function inspect(bucket: R2Bucket, key: string, slices: Slice[]): Promise<InspectedSlice[] | undefined> {
  const object = await bucket.get(key)
  if (object === null) return undefined
  const inspector = new SliceInspector(slices)
  try {
    for await (const chunk of readChunks(object.body)) await inspector.take(chunk)
    const found = await inspector.finish(async (offset, length) => {
      const range = await bucket.get(key, { range: { offset, length } })
      if (range === null) throw new FusouError('storage_unavailable', 'the object is gone; scan again')
      return new Uint8Array(await range.arrayBuffer())
    })
    return found.slices
  } catch (error) {
    if (error instanceof FusouError && (error.code === 'invalid_parquet' || error.code === 'unsupported_parquet'))
      return undefined
    throw error
  }
}

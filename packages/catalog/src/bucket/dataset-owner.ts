import { z } from 'zod'
import { jsonText } from './json-text.ts'
import { ownerKey } from './object-keys.ts'

/** The part of a bucket that is needed here. */
interface OwnerBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>
  put(key: string, value: string, options: object): Promise<object | null>
}

/** Who owns a dataset, and who did before it was handed over: objects of that time still name them. */
const DatasetOwner = z.object({ owner: z.uuid(), earlierOwners: z.array(z.uuid()).max(1000).default([]) })
export type DatasetOwner = z.infer<typeof DatasetOwner>
const DatasetOwnerText = jsonText(z.string().max(65_536)).pipe(DatasetOwner)
const JSON_TYPE = { contentType: 'application/json' }

/**
 * Says in the bucket who owns a dataset, unless it says so already. Uploads and adoption believe it: of a dataset that a
 * restored catalog has forgotten, objects alone do not tell whose upload came first, and which was refused.
 * @returns what the bucket says now
 */
export async function claimDatasetOwner(bucket: OwnerBucket, datasetId: string, owner: string): Promise<DatasetOwner> {
  const claim: DatasetOwner = { owner, earlierOwners: [] }
  const written = await bucket.put(ownerKey(datasetId), JSON.stringify(claim), {
    httpMetadata: JSON_TYPE,
    onlyIf: new Headers({ 'If-None-Match': '*' }),
  })
  return written === null ? ((await readDatasetOwner(bucket, datasetId)) ?? claim) : claim
}

/** After a dataset was handed over. */
export async function writeDatasetOwner(bucket: OwnerBucket, datasetId: string, owner: DatasetOwner): Promise<void> {
  await bucket.put(ownerKey(datasetId), JSON.stringify(owner), { httpMetadata: JSON_TYPE })
}

/** @returns undefined if the bucket names no owner, or in a form that this system does not write */
export async function readDatasetOwner(bucket: OwnerBucket, datasetId: string): Promise<DatasetOwner | undefined> {
  const object = await bucket.get(ownerKey(datasetId))
  return object === null ? undefined : DatasetOwnerText.safeParse(await object.text()).data
}

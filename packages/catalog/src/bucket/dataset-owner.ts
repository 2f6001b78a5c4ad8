import { z } from 'zod'
import { jsonText } from './json-text.ts'
import { ownerKey } from './object-keys.ts'

/** The part of a bucket that is needed here. */
interface OwnerBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>
  put(key: string, value: string, options: object): Promise<object | null>
}

const DatasetOwner = z.object({ owner: z.uuid() })
const DatasetOwnerText = jsonText(z.string().max(200)).pipe(DatasetOwner)

/**
 * Says in the bucket who owns a dataset, unless it says so already. Adoption believes it: of a dataset that a restored
 * catalog has forgotten, objects alone do not tell whose upload came first, and which was refused.
 */
export async function writeDatasetOwner(bucket: OwnerBucket, datasetId: string, owner: string): Promise<void> {
  await bucket.put(ownerKey(datasetId), JSON.stringify({ owner } satisfies z.infer<typeof DatasetOwner>), {
    httpMetadata: { contentType: 'application/json' },
    onlyIf: new Headers({ 'If-None-Match': '*' }),
  })
}

/** @returns the owner; undefined if the bucket names none, or in a form that this system does not write */
export async function readDatasetOwner(bucket: OwnerBucket, datasetId: string): Promise<string | undefined> {
  const object = await bucket.get(ownerKey(datasetId))
  return object === null ? undefined : DatasetOwnerText.safeParse(await object.text()).data?.owner
}

import {
  type Catalog,
  type DatasetOwner,
  datasetsPrefix,
  FusouError,
  isDerived,
  objectOf,
  readDatasetOwner,
  type ScannedObject,
} from '@fusou/catalog'
import { readLeaves, scanObject } from './scan-object.ts'

/** R2 lists up to 1,000 keys a call; fewer, since each unknown object is read whole. */
const PAGE_KEYS = 200
/** Bytes of unknown objects that one call reads at most, but for the last object. */
const MAX_SCANNED_BYTES = 128 * 1024 * 1024

/**
 * One page of a scan: inspect every object that no row names, and read the origin of live merged files.
 * @param after the last key of the page before, null at the start
 * @returns the last key that was scanned, null at the end of the bucket
 * @throws FusouError `unknown_scan`, `storage_unavailable`
 */
export async function scanBucket(
  bucket: R2Bucket,
  catalog: Catalog,
  scan: string,
  after: string | null,
): Promise<{ last: string | null; objects: number; unnamed: number }> {
  const listed = await storing(
    bucket.list({
      prefix: datasetsPrefix,
      limit: PAGE_KEYS,
      include: ['customMetadata'],
      ...(after === null ? {} : { startAfter: after }),
    }),
  )
  // A sidecar is read with its object, and may be listed on the page after it; what is derived holds no rows of its own.
  const objects = listed.objects.filter(({ key }) => objectOf(key) === key && !isDerived(key))
  const end = listed.truncated ? listed.objects.at(-1)!.key : null
  const page = { after, last: end, keys: objects.map(({ key }) => key) }
  const begun = await catalog.beginAdoptionPage(scan, page)
  if (begun.outcome !== 'ok') throw unknownScan()

  const unnamed = new Set(begun.unnamed)
  const merged = new Map(begun.merged.map((file) => [file.r2Key, file]))
  const owners = new Map<string, Promise<DatasetOwner | undefined>>()
  const ownerOf = (datasetId: string) => {
    const owner = owners.get(datasetId) ?? readDatasetOwner(bucket, datasetId)
    owners.set(datasetId, owner)
    return owner
  }
  let scannedBytes = 0
  let scanned = 0
  for (const [index, object] of objects.entries()) {
    const { key } = object
    const file = merged.get(key)
    const notes: ScannedObject[] = []
    if (unnamed.has(key)) {
      scanned += 1
      scannedBytes += object.size
      const found = await storing(scanObject(bucket, object))
      const named = await storing(ownerOf(found[0]!.datasetId))
      const owners = named && { datasetOwner: named.owner, earlierOwners: named.earlierOwners }
      notes.push(...found.map((note) => ({ ...note, ...owners })))
    } else if (file !== undefined) {
      const leaves = await storing(readLeaves(bucket, key))
      if (leaves !== undefined) notes.push({ ...file, ...leaves, offset: 0, known: true })
    }
    // One call an object: the origin of one large object fits, those of two hundred might not.
    if (notes.length > 0) {
      const noted = await catalog.noteAdoptionObjects(scan, notes)
      if (noted.outcome !== 'ok') throw unknownScan()
    }
    if (scannedBytes >= MAX_SCANNED_BYTES && index + 1 < objects.length)
      return { last: key, objects: index + 1, unnamed: scanned }
  }
  return { last: end, objects: objects.length, unnamed: scanned }
}

export const unknownScan = () =>
  new FusouError('unknown_scan', 'another scan has begun since; begin again without a cursor')

async function storing<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call
  } catch (cause) {
    if (cause instanceof FusouError) throw cause
    throw new FusouError('storage_unavailable', 'the bucket did not answer; go on with the same cursor', { cause })
  }
}

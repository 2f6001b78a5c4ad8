import { createHash } from 'node:crypto'
import { FusouError, type StoredCopy } from '@fusou/catalog'
import { readChunks } from '../http/read-chunks.ts'

/**
 * Those of the files with the content of an upload whose own bytes are lost: the object is gone or too short or, where merges
 * refused the file, it holds other bytes. One HEAD for each object; only files in quarantine are read.
 * @throws FusouError `storage_unavailable`
 */
export async function findBrokenCopies(bucket: R2Bucket, copies: readonly StoredCopy[]): Promise<StoredCopy[]> {
  const byObject = Map.groupBy(copies, ({ r2Key }) => r2Key)
  try {
    const found = await Promise.all([...byObject].map(([key, files]) => findInObject(bucket, key, files)))
    return found.flat()
  } catch (cause) {
    throw new FusouError('storage_unavailable', 'what is stored already could not be looked at; try again', { cause })
  }
}

async function findInObject(bucket: R2Bucket, key: string, files: readonly StoredCopy[]): Promise<StoredCopy[]> {
  const size = (await bucket.head(key))?.size ?? 0
  const broken: StoredCopy[] = []
  for (const file of files) {
    if (file.offset + file.length > size || (file.quarantined && !(await holdsItsBytes(bucket, file))))
      broken.push(file)
  }
  return broken
}

/** Reads the file in chunks. */
async function holdsItsBytes(bucket: R2Bucket, { r2Key, offset, length, sha256 }: StoredCopy): Promise<boolean> {
  const object = await bucket.get(r2Key, { range: { offset, length } })
  if (object === null) return false
  const hash = createHash('sha256')
  for await (const chunk of readChunks(object.body)) hash.update(chunk)
  return hash.digest('hex') === sha256
}

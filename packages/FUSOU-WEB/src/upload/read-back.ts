import { FusouError } from '@fusou/catalog'

/** Reads ranges of an object that was just stored. */
export const readBack = (bucket: R2Bucket, key: string) => async (offset: number, length: number) => {
  const object = await bucket.get(key, { range: { offset, length } })
  if (!object) throw new FusouError('storage_unavailable', 'the upload could not be read back; try again')
  return new Uint8Array(await object.arrayBuffer())
}

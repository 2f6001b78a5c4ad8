import { objectOf, readBucket } from './bucket.ts'
import type { StackDatabase } from './database.ts'

/**
 * Hold the bucket against the catalog: each file's object is there and long enough, no garbage is named by a file.
 * @param swept whether vacuum has seen the whole bucket since the last write: then no object may be without a file
 */
export async function checkObjects(database: StackDatabase, stateFolder: string, swept: boolean): Promise<string[]> {
  const files = await database.query<{ id: string; r2_key: string; ends: number; live: boolean }>(
    'select id, r2_key, (byte_offset + byte_length)::float8 as ends, removed_version is null as live from files',
  )
  const garbage = await database.query<{ r2_key: string }>('select r2_key from garbage')
  const footers = await database.query<{ r2_key: string; bytes: number | null }>(
    `select r2_key, (tail_bytes + layout_bytes)::float8 as bytes from composed_footers where refused_code is null`,
  )
  const bucket = readBucket(stateFolder)
  const named = new Set([...files, ...footers].map(({ r2_key }) => r2_key))
  const doomed = new Set(garbage.map((note) => note.r2_key))
  const faults: string[] = []
  for (const { id, r2_key, ends, live } of files) {
    const size = bucket.get(r2_key)
    const what = `${live ? 'live' : 'removed'} file ${id}`
    if (size === undefined) faults.push(`${what}: its object ${r2_key} is missing`)
    else if (size < ends) faults.push(`${what}: its object ${r2_key} has ${size} bytes instead of ${ends}`)
    if (doomed.has(r2_key)) faults.push(`${what}: its object ${r2_key} is garbage`)
  }
  for (const { r2_key, bytes } of footers) {
    if (bytes !== null && bucket.get(r2_key) !== bytes)
      faults.push(`the footer ${r2_key} is not there as it was stored`)
  }
  if (swept) {
    for (const key of bucket.keys()) {
      const object = objectOf(key)
      if (object !== undefined && !named.has(object)) faults.push(`object ${key} is an orphan after vacuum`)
    }
    for (const key of doomed) faults.push(`${key} is still noted as garbage after vacuum`)
    for (const { id, live } of files) if (!live) faults.push(`removed file ${id} is still there after vacuum`)
  }
  return faults
}

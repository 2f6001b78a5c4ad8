import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The objects of the local bucket with their bytes, from the files where Miniflare keeps them. */
export function readBucket(stateFolder: string): Map<string, number> {
  const objects = new Map<string, number>()
  for (const path of globSync(join(stateFolder, 'cloudflare/**/*.sqlite'))) {
    const database = new DatabaseSync(path, { readOnly: true })
    const isBucket = database.prepare("select 1 from sqlite_master where name = '_mf_objects'").get() !== undefined
    const rows = isBucket ? database.prepare('select key, size from _mf_objects').all() : []
    for (const { key, size } of rows) objects.set(String(key), Number(size))
    database.close()
  }
  return objects
}

/** How many there are by the first part of their keys. */
export function countByKind(keys: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) {
    const kind = key.split('/')[0]!
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

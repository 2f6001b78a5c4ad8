import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Count the objects of the local bucket by the first part of their keys, in the files where Miniflare keeps them.
 * Each key is written once, so this is the number of puts less what vacuum has deleted.
 */
export function countObjects(stateFolder: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const path of globSync(join(stateFolder, 'cloudflare/**/*.sqlite'))) {
    const database = new DatabaseSync(path, { readOnly: true })
    const isBucket = database.prepare("select 1 from sqlite_master where name = '_mf_objects'").get() !== undefined
    const keys = isBucket ? database.prepare('select key from _mf_objects').all() : []
    for (const { key } of keys) {
      const kind = String(key).split('/')[0]!
      counts[kind] = (counts[kind] ?? 0) + 1
    }
    database.close()
  }
  return counts
}

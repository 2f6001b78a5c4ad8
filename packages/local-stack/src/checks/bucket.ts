import { globSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Milliseconds that a read waits for a write of Miniflare to end. */
const LOCK_TIMEOUT = 30_000

/** The objects of the local bucket with their bytes, from the files where Miniflare keeps them. */
export function readBucket(stateFolder: string): Map<string, number> {
  const objects = new Map<string, number>()
  for (const path of globSync(join(stateFolder, 'cloudflare/**/*.sqlite'))) {
    const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_TIMEOUT })
    const isBucket = database.prepare("select 1 from sqlite_master where name = '_mf_objects'").get() !== undefined
    const rows = isBucket ? database.prepare('select key, size from _mf_objects').all() : []
    for (const { key, size } of rows) objects.set(String(key), Number(size))
    database.close()
  }
  return objects
}

/** The object that a key belongs to: a sidecar lies beside its object; undefined for keys of the system. */
export function objectOf(key: string): string | undefined {
  if (key.startsWith('.fusou/')) return undefined
  return key.replace(/\.facts$/, '')
}

/** How many there are by the third part of their keys: `datasets/<id>/<kind>/…`. */
export function countByKind(keys: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) {
    const kind = key.split('/')[2] ?? key
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

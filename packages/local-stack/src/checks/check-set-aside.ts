import type { StackDatabase } from './database.ts'

interface Live {
  id: string
  content_sha256: string
  quarantine_code: string | null
  /** other files that it could be merged with */
  partners: number
}

/**
 * When all is merged that can be: a rotten file is in quarantine, unless nothing was there to merge it with, and every
 * sound one was merged, however many rotten ones were beside it.
 * @param rotten hashes of files that no merge can read
 * @returns a sentence for each file of which that is not so
 */
export async function checkSetAside(database: StackDatabase, rotten: ReadonlySet<string>): Promise<string[]> {
  const live = await database.query<Live>(`select f.id, f.content_sha256, f.quarantine_code, (
      select count(*)::int from files p
      where p.dataset_id = f.dataset_id and p.table_name = f.table_name and p.period_tag = f.period_tag
        and p.schema_fingerprint = f.schema_fingerprint and p.id <> f.id
        and p.level = 0 and p.removed_version is null and p.quarantine_code is null
    ) as partners
    from files f where f.level = 0 and f.removed_version is null`)
  return live.flatMap(({ id, content_sha256, quarantine_code, partners }) => {
    if (quarantine_code !== null || partners === 0) return []
    return [`file ${id} is ${rotten.has(content_sha256) ? 'rotten and not in quarantine' : 'sound and not merged'}`]
  })
}

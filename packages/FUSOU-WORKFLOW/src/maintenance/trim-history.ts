import type { Catalog } from '@fusou/catalog'
import type { Env } from '../env.ts'

const BATCH_ROWS = 500
/** Batches of one run: 7 million jobs a day. */
const MAX_BATCHES = 10

/** Remove jobs, letters and messages whose retention is over. */
export async function trimHistory(_env: Env, catalog: Catalog): Promise<Record<string, number>> {
  const trimmed = { jobs: 0, letters: 0, messages: 0, streams: 0, auditEntries: 0 }
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const gone = await catalog.trimHistory(BATCH_ROWS)
    for (const kind of ['jobs', 'letters', 'messages', 'streams', 'auditEntries'] as const) trimmed[kind] += gone[kind]
    if (Object.values(gone).every((rows) => rows < BATCH_ROWS)) break
  }
  return trimmed
}

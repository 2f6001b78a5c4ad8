import { afterAll } from 'vitest'
import { EmbeddedDatabase } from './embedded-database.ts'
import { startEmbeddedSupabase } from './servers/embedded-supabase.ts'

/** An embedded Supabase for this file alone: its tests call functions that act on the whole database. */
export async function ownDatabase(): Promise<EmbeddedDatabase> {
  const supabase = await startEmbeddedSupabase()
  afterAll(supabase.stop)
  return new EmbeddedDatabase(supabase.address)
}

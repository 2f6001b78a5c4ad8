import type { TestProject } from 'vitest/node'
import { type EmbeddedSupabase, startEmbeddedSupabase } from './embedded-supabase.ts'
import { findPostgres, startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** One embedded Supabase for all files whose tests touch nothing but their own datasets. */
    embedded: EmbeddedSupabase
    /** Address of a real PostgreSQL with a database `fusou` to copy; null where there is none. */
    postgresUrl: string | null
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = findPostgres()
  const leftOut =
    'RACE TESTS LEFT OUT: no PostgreSQL 15 or later in FUSOU_POSTGRES_BIN, PATH or /usr/lib/postgresql/*/bin' +
    ' (Debian, Ubuntu: apt-get install postgresql)'
  if (binaries === undefined && process.env.CI === 'true') throw new Error(leftOut)

  const embedded = await startEmbeddedSupabase()
  project.provide('embedded', embedded.address)
  if (binaries === undefined) {
    console.warn(`\n${leftOut}\n`)
    project.provide('postgresUrl', null)
    return async () => {
      await embedded.stop()
      console.warn(`\n${leftOut}\n`)
    }
  }
  const postgres = await startPostgres(binaries)
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await Promise.all([embedded.stop(), postgres.stop()])
  }
}

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { describeRaces } from '../races/race-database.ts'
import { MIGRATIONS, SCHEMAS, sqlFiles } from '../servers/migrations.ts'
import { findPostgres, layOutDatabase } from '../servers/postgres-server.ts'

/** What a database is made of, in the order and words of pg_dump, without the lines that differ from dump to dump. */
function dump(url: string): string {
  const binaries = findPostgres()
  if (binaries === undefined) throw new Error('no PostgreSQL')
  const text = execFileSync(join(binaries, 'pg_dump'), ['--schema-only', url], { encoding: 'utf8', maxBuffer: 2 ** 26 })
  return text.replaceAll(/^\\(un)?restrict .*$/gm, '')
}

describeRaces('the schemas and the migrations', (database) => {
  test('make the same database', async () => {
    const [fromSchemas, fromMigrations] = [`${database.name}_schemas`, `${database.name}_migrations`]
    try {
      await layOutDatabase(database.serverUrl, fromSchemas, sqlFiles(SCHEMAS))
      await layOutDatabase(database.serverUrl, fromMigrations, sqlFiles(MIGRATIONS))
      expect(dump(`${database.serverUrl}/${fromSchemas}`)).toBe(dump(`${database.serverUrl}/${fromMigrations}`))
    } finally {
      await database.query(`drop database if exists ${fromSchemas}`)
      await database.query(`drop database if exists ${fromMigrations}`)
    }
  })
})

test('a migration that was committed never changes: SHA256SUMS names each, and lines are only added to it', () => {
  const sums = globSync(join(MIGRATIONS, '*.sql'))
    .sort()
    .map((path) => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${basename(path)}\n`)
  expect(readFileSync(join(MIGRATIONS, 'SHA256SUMS'), 'utf8')).toBe(sums.join(''))
})

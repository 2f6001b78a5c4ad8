import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkCatalog, checkQuiet } from '../src/checks/check-catalog.ts'
import { checkDeadLetters } from '../src/checks/check-dead-letters.ts'
import { checkObjects } from '../src/checks/check-objects.ts'
import { checkSetAside } from '../src/checks/check-set-aside.ts'
import { checkTriggers } from '../src/checks/check-triggers.ts'
import { StackDatabase } from '../src/checks/database.ts'
import { Ledger } from '../src/checks/ledger.ts'
import { readVersion } from '../src/checks/read-version.ts'
import { ApiCaller } from '../src/client/api-caller.ts'
import { FusouClient, signIn } from '../src/client/fusou-client.ts'
import { StampedFiles } from '../src/load/stamped-files.ts'
import { type Stack, startStack } from '../src/stack/start-stack.ts'

// What the checks after chaos and load would say: each fault is planted in the catalog of a stack that is at rest.

const folder = mkdtempSync(join(tmpdir(), 'fusou-checks-'))
const nothingDied = { rotten: new Set<string>(), poison: new Set<string>(), failedDeliveries: 0, ends: 0, setBacks: 0 }
let stack: Stack
let database: StackDatabase

beforeAll(async () => {
  // nothing is delivered while the tests last
  stack = await startStack({ stateFolder: join(folder, 'state'), sqlDoor: true, queueBatchSeconds: 60 })
  database = new StackDatabase(() => stack.sqlUrl!)
  const { supabaseUrl, publishableKey, users, webUrl } = stack.info
  const client = new FusouClient(webUrl, await signIn(supabaseUrl, publishableKey, users[0]!))
  const files = await StampedFiles.make(join(folder, 'templates'))
  for (const stamp of [0, 1]) {
    const file = new Blob([files.file(stamp).bytes])
    await client.upload({ datasetId: 'd', tableId: 't', fileName: 'f.parquet', file, way: 'raw' })
  }
  await client.askForMerge('d')
  await database.query("update jobs set state = 'succeeded', finished_at = now()")
  await database.query("update outbox set status = 'published', locked_by = null, locked_until = null")
})
afterAll(async () => {
  await stack.stop()
  rmSync(folder, { recursive: true, force: true })
})

const allChecks = async (ledger = new Ledger()) => [
  ...(await checkQuiet(database)),
  ...(await checkCatalog(database)),
  ...(await checkDeadLetters(database, nothingDied)),
  ...(await checkTriggers(database, ledger)),
  ...(await checkObjects(database, stack.info.stateFolder, true)),
]

const DIES = "state = 'dead', finished_at = now(), lease_until = null"
const KEEP = 'create table kept as select * from'

describe('the checks', () => {
  test('find nothing wrong with a stack at rest', async () => {
    expect(await allChecks()).toEqual([])
  })

  test.each([
    ['a job that is stuck', 'jobs', "update jobs set state = 'queued', finished_at = null", /is stuck: queued/],
    ['a message that nobody sent', 'outbox', "update outbox set status = 'pending'", /message \d+ of .* is pending/],
    ['a file whose object is missing', 'files', "update files set r2_key = r2_key || '-'", /its object .* is missing/],
    ['a file that ends behind its object', 'files', 'update files set byte_length = 1e9', /instead of 1000000000/],
    ['an object that no file names', 'files', 'delete from files', /is an orphan after vacuum/],
    [
      'a removed file that vacuum left',
      'files',
      'update files set removed_version = 9, removed_at = now()',
      /removed file/,
    ],
    ['a version made twice', 'files', 'update files set created_version = 1', /a version that two changes made/],
    [
      'an innocent file in quarantine',
      'files',
      "update files set quarantine_code = 'corrupt_file', quarantined_at = now()",
      /sound and in quarantine/,
    ],
    [
      'a file set aside that its job does not name',
      'files',
      "update files set quarantine_code = 'corrupt_file', quarantined_at = now(), quarantined_by_job = (select id from jobs)",
      /that its job does not name/,
    ],
    [
      'a job dead of no known cause',
      'jobs',
      `update jobs set ${DIES}, error_code = 'corrupt_file'`,
      /which nothing here should make a job die of/,
    ],
    [
      'a job that died too early',
      'jobs',
      `update jobs set ${DIES}, error_code = 'storage_unavailable', attempt = 2`,
      /after 2 of 5 attempts/,
    ],
    [
      'a job that a bug killed',
      'jobs',
      `update jobs set ${DIES}, error_code = 'internal', error_message = 'undefined is not', attempt = 5`,
      /which no fault has made/,
    ],
    ['a dead job without a letter', 'jobs', `update jobs set ${DIES}, error_code = 'x'`, /has no dead letter/],
    ['a job cancelled unasked', 'jobs', "update jobs set state = 'cancelled'", /nobody asked for it/],
    [
      'a letter of nothing',
      'dead_letters',
      `insert into dead_letters (queue, message_id, body, code, message, attempts) values ('q', 'm', '{}', 'c', '', 1)`,
      /is of no message that was sent to fail/,
    ],
  ])('find %s', async (_what, table, plant, fault) => {
    await database.query(`${KEEP} ${table}`)
    try {
      await database.query(plant)
      expect(await allChecks()).toContainEqual(expect.stringMatching(fault))
    } finally {
      await database.query(`alter table ${table} disable trigger all`)
      await database.query(`delete from ${table}`)
      const columns = await database.query<{ name: string }>(
        `select string_agg(quote_ident(column_name), ', ') as name from information_schema.columns
         where table_name = $1 and table_schema = 'public' and is_generated = 'NEVER'`,
        table,
      )
      const names = columns[0]!.name
      await database.query(`insert into ${table} (${names}) overriding system value select ${names} from kept`)
      await database.query(`alter table ${table} enable trigger all`)
      await database.query('drop table kept')
    }
    expect(await allChecks()).toEqual([])
  })

  test('find files that were left unmerged, and one of them that had to be set aside', async () => {
    const files = await database.query<{ content_sha256: string }>('select content_sha256 from files')
    const rotten = new Set([files[0]!.content_sha256])
    expect((await checkSetAside(database, rotten)).sort()).toEqual([
      expect.stringMatching(/is (rotten and not in quarantine|sound and not merged)/),
      expect.stringMatching(/is (rotten and not in quarantine|sound and not merged)/),
    ])
    await database.query(
      "update files set quarantine_code = 'corrupt_file', quarantined_at = now() where content_sha256 = $1",
      files[0]!.content_sha256,
    )
    expect(await checkSetAside(database, rotten)).toEqual([])
    await database.query('update files set quarantine_code = null, quarantined_at = null')
  })

  test('find a version that has changed since it was read', async () => {
    const ledger = new Ledger()
    const reader = new ApiCaller('the operator', stack.info.webUrl, async () => stack.info.operatorToken)
    await readVersion(reader, ledger, 'd', 2)
    await database.query('update files set row_count = row_count + 1')
    await readVersion(reader, ledger, 'd', 2)
    await database.query('update files set row_count = row_count - 1')
    expect(ledger.faults).toEqual([expect.stringContaining('version d@2 has changed')])
  })

  test('find a job that an answer named and nobody knows', async () => {
    const ledger = new Ledger()
    ledger.noteJob({ jobId: 'f6b2c6b0-0000-4000-8000-000000000000' })
    expect(await allChecks(ledger)).toEqual([expect.stringContaining('was named by an answer and is unknown')])
  })
})

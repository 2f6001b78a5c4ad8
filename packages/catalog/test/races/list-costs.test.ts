import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { describeRaces } from './race-database.ts'

// What a page of a list costs, in rows that PostgreSQL reads for it, where there is a lot beside it. The numbers are of rows
// read, not of time: they hold on any machine.

const DATASETS = 10_000
const FILES = 100_000
const PAGE = 100
/** Rows read for each that is shown. */
const MOST_READ = 10

describeRaces('a page of a list reads about what it shows', (database) => {
  const owner = randomUUID()
  const other = randomUUID()

  beforeAll(async () => {
    await database.query(
      `insert into datasets (id, owner_id, is_public)
       select case when i % 3 = 0 then 'mine-' else 'theirs-' end || lpad(i::text, 6, '0'),
         (case when i % 3 = 0 then $1 else $2 end)::uuid, i % 100 = 1
       from generate_series(1, $3::int * 3) i`,
      owner,
      other,
      DATASETS,
    )
    await database.query(
      `insert into grants (dataset_id, user_id, role) select id, $1, 'reader' from datasets where id like 'theirs-%5'`,
      owner,
    )
    await database.query(
      `insert into files (dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count,
         level, content_sha256, schema_fingerprint, created_version)
       select 'mine-000003', 't' || i % 7, '2026-' || lpad((i % 12 + 1)::text, 2, '0'), 'key-' || i, 0, 1000, 10, 1, 0,
         encode(sha256(i::text::bytea), 'hex'), 'f', i
       from generate_series(1, $1::int) i`,
      FILES,
    )
    await database.query(`update datasets set version = $1 where id = 'mine-000003'`, FILES)
    await database.query(
      `insert into audit (actor, user_id, owner_id, action, dataset_id)
       select 'user', (case when i % 50 = 0 then $1 else $2 end)::uuid, (case when i % 50 = 0 then $1 else $2 end)::uuid,
         'dataset.grant', 'x'
       from generate_series(1, 50000) i`,
      owner,
      other,
    )
    await database.query(
      `insert into access_keys (id, user_id, name, hint, secret_sha256, scopes)
       select gen_random_uuid(), (case when i % 10 = 0 then $1 else $2 end)::uuid, 'k', 'fsk_', repeat('0', 64), '{read}'
       from generate_series(1, 20000) i`,
      owner,
      other,
    )
    await database.query('analyze')
  }, 120_000)

  const caller = { user: owner }
  const lists: [name: string, fn: string, args: Record<string, unknown>, shown: (answer: unknown) => number][] = [
    ['own datasets', 'list_datasets', { p_scope: 'own', p_prefix: null, p_after: null }, length],
    [
      'own datasets, from the middle',
      'list_datasets',
      { p_scope: 'own', p_prefix: null, p_after: 'mine-015000' },
      length,
    ],
    [
      'own datasets by the beginning of their ids',
      'list_datasets',
      { p_scope: 'own', p_prefix: 'mine-02', p_after: null },
      length,
    ],
    ['shared datasets', 'list_datasets', { p_scope: 'shared', p_prefix: null, p_after: null }, length],
    ['public datasets', 'list_datasets', { p_scope: 'public', p_prefix: null, p_after: null }, length],
    [
      'files of a dataset',
      'list_files',
      {
        p_dataset_id: 'mine-000003',
        p_table: null,
        p_period_tag: null,
        p_version: null,
        p_after_table: null,
        p_after_period: null,
        p_after_id: null,
      },
      inField('files'),
    ],
    [
      'files of a dataset, from the middle',
      'list_files',
      {
        p_dataset_id: 'mine-000003',
        p_table: null,
        p_period_tag: null,
        p_version: null,
        p_after_table: 't4',
        p_after_period: '2026-06',
        p_after_id: '80000000-0000-4000-8000-000000000000',
      },
      inField('files'),
    ],
    [
      'the versions of a dataset',
      'list_versions',
      { p_dataset_id: 'mine-000003', p_before: null },
      inField('versions'),
    ],
    ['the audit of a user', 'list_audit', { p_dataset_id: null, p_action: null, p_before_id: null }, length],
    ['the keys of a user', 'list_keys', { p_before_created: null, p_before_id: null }, length],
  ]

  test.each(lists)('%s', async (_, fn, args, shown) => {
    const session = await database.pool.connect()
    try {
      await session.query('begin')
      const read = async () => {
        const { rows } = await session.query<{ tuples: number }>(
          `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::float as tuples
           from pg_stat_xact_user_tables where relname in ('datasets', 'files', 'grants', 'audit', 'access_keys', 'deletions')`,
        )
        return rows[0]!.tuples
      }
      const before = await read()
      const answer = await database.call<unknown>(fn, { p_caller: caller, ...args, p_limit: PAGE }, session)
      const tuples = (await read()) - before
      expect(shown(answer)).toBe(PAGE)
      expect(tuples, `${tuples} rows were read`).toBeLessThanOrEqual(MOST_READ * PAGE)
    } finally {
      await session.query('rollback')
      session.release()
    }
  })
})

function length(answer: unknown): number {
  return (answer as unknown[]).length
}
function inField(name: string): (answer: unknown) => number {
  return (answer) => length((answer as Record<string, unknown>)[name])
}

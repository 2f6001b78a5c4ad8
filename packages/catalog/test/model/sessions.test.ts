import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeRaces, type RaceDatabase } from '../races/race-database.ts'
import { aDeed, beginning } from './deeds.ts'
import { checkInvariants } from './invariants.ts'
import { Real } from './real.ts'

const RUNS = 20
const SESSIONS = 8
const STEPS_A_SESSION = 30
/** A bound for a machine under load, not an expectation. */
const SESSIONS_MS = 240_000

/** Keeps what was ever a file: vacuum takes the rows of those that were replaced. */
const KEEP_FILES = `
  create table if not exists public.every_file (id uuid primary key, dataset_id text, r2_key text, level integer, version bigint);
  truncate public.every_file;
  create or replace function public.keep_file() returns trigger language plpgsql as $$
    begin
      insert into public.every_file values (new.id, new.dataset_id, new.r2_key, new.level, new.created_version);
      return new;
    end $$;
  create or replace trigger keep_file after insert on public.files for each row execute function public.keep_file()`

/** Follows each upload through the swaps to where its rows are now. */
const NOT_ONCE = `
  with recursive now_in (upload, id) as (
    select id, id from every_file where level = 0
    union all
    select now_in.upload, output.id
    from now_in
    join merges m on m.state = 'committed' and now_in.id = any (m.input_ids)
    join every_file output on output.r2_key = m.output_key
  )
  select upload, count(f.id) as live from now_in left join files f on f.id = now_in.id and f.removed_version is null
  group by upload having count(f.id) <> 1`

const VERSIONS = `
  select d.id, d.version, count(distinct e.version) as made from datasets d left join every_file e on e.dataset_id = d.id
  group by d.id having d.version <> count(distinct e.version)`

async function checkUploads(database: RaceDatabase, real: Real): Promise<void> {
  expect({ 'uploads whose rows are not in one live file': await database.query(NOT_ONCE) }).toEqual({
    'uploads whose rows are not in one live file': [],
  })
  expect({ 'data sets with versions that nothing made': await database.query(VERSIONS) }).toEqual({
    'data sets with versions that nothing made': [],
  })
  const kept = await database.query<{ r2_key: string }>('select distinct r2_key from every_file where level = 0')
  expect(new Set(kept.map(({ r2_key }) => r2_key))).toEqual(real.stored)
}

describeRaces('sessions that call whatever they like at once', (database) => {
  test(
    'leave each upload in one live file, and the catalog in order',
    async () => {
      const sessions = fc.array(fc.array(aDeed, { maxLength: STEPS_A_SESSION, size: 'max' }), {
        minLength: SESSIONS,
        maxLength: SESSIONS,
      })
      await fc.assert(
        fc.asyncProperty(beginning, fc.noBias(sessions), async (uploads, sessions) => {
          const real = await Real.empty(database)
          await database.query(KEEP_FILES)
          for (const upload of uploads) await upload.call(real)
          const all = sessions.map(async (deeds) => {
            for (const deed of deeds) await deed.call(real)
          })
          // a deadlock, or any other error of the database, fails the run; but not before all have ended
          for (const session of await Promise.allSettled(all)) if (session.status === 'rejected') throw session.reason
          await checkInvariants(database)
          await checkUploads(database, real)
        }),
        { numRuns: RUNS },
      )
    },
    SESSIONS_MS,
  )
})

import type { RaceDatabase } from '../races/race-database.ts'
import { must } from './model.ts'
import type { Real } from './real.ts'

/** Keeps what was ever a file: vacuum takes the rows of those that were replaced. */
export const KEEP_FILES = `
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

/** What was answered as stored is in one live file, and each version was made by an upload or a swap. */
export async function checkUploads(database: RaceDatabase, real: Real): Promise<void> {
  const notOnce = await database.query(NOT_ONCE)
  must(notOnce.length === 0, 'the rows of each upload are in one live file', notOnce)
  const versions = await database.query(VERSIONS)
  must(versions.length === 0, 'each version is made by an upload or a swap', versions)
  const kept = await database.query<{ r2_key: string }>('select distinct r2_key from every_file where level = 0')
  const keys = kept.map(({ r2_key }) => r2_key)
  must(
    keys.length === real.stored.size && keys.every((key) => real.stored.has(key)),
    'what was answered as stored is stored, and nothing else',
    { keys, answered: [...real.stored] },
  )
}

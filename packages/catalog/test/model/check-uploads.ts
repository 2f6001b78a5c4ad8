import type { RaceDatabase } from '../races/race-database.ts'
import { must } from './model.ts'
import type { Real } from './real.ts'

/** Keeps what was ever a file, and every change that makes a version: vacuum takes the rows of what was removed. */
export const KEEP_FILES = `
  create table if not exists public.every_file (id uuid primary key, dataset_id text, r2_key text, level integer, discarded boolean);
  create table if not exists public.every_version (dataset_id text, version bigint, primary key (dataset_id, version));
  truncate public.every_file, public.every_version;
  create or replace function public.keep_file() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into public.every_file values (new.id, new.dataset_id, new.r2_key, new.level, false);
        insert into public.every_version values (new.dataset_id, new.created_version) on conflict do nothing;
      elsif new.discarded and not old.discarded then
        update public.every_file set discarded = true where id = new.id;
        insert into public.every_version values (new.dataset_id, new.removed_version) on conflict do nothing;
      elsif new.r2_key <> old.r2_key then
        insert into public.every_version select d.id, d.version + 1 from public.datasets d where d.id = new.dataset_id
        on conflict do nothing;
      end if;
      return new;
    end $$;
  create or replace trigger keep_file after insert or update on public.files
    for each row execute function public.keep_file()`

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
  select upload, count(f.id) as live from now_in join every_file e on e.id = now_in.id
  left join files f on f.id = now_in.id and f.removed_version is null
  group by upload having count(f.id) <> case when bool_or(e.discarded) then 0 else 1 end`

const VERSIONS = `
  select d.id, d.version, count(e.version) as made from datasets d left join every_version e on e.dataset_id = d.id
  group by d.id having d.version <> count(e.version)`

/** What was answered as stored is in one live file unless it was discarded, and each version was made by a change of files. */
export async function checkUploads(database: RaceDatabase, real: Real): Promise<void> {
  const notOnce = await database.query(NOT_ONCE)
  must(notOnce.length === 0, 'the rows of each upload are in one live file', notOnce)
  const versions = await database.query(VERSIONS)
  must(versions.length === 0, 'each version is made by a change of files', versions)
  const kept = await database.query<{ r2_key: string }>('select distinct r2_key from every_file where level = 0')
  const keys = kept.map(({ r2_key }) => r2_key)
  must(
    keys.length === real.stored.size && keys.every((key) => real.stored.has(key)),
    'what was answered as stored is stored, and nothing else',
    { keys, answered: [...real.stored] },
  )
}

-- Vacuum: the only thing that deletes objects. First, in one transaction, the versions that need an object become
-- unreadable, its file rows go and its key is noted as garbage; then the object is deleted, then the note.
-- Dying in between means deleting again.

-- p_stamp: what check_installation() answered in this run; see fusou.deletions_allowed().
create function public.claim_garbage(p_limit integer, p_stamp bigint default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset record;
  v_keys text[];
begin
  if not fusou.deletions_allowed(p_stamp) then
    return '[]';
  end if;
  perform fusou.drop_abandoned_footers(p_limit);
  for v_dataset in
    select d.id, d.settings from public.datasets d
    where exists (
      select 1 from public.files f
      where f.dataset_id = d.id
        and f.removed_at < now() - make_interval(secs => fusou.setting(d.settings, 'retentionSeconds'))
    )
    limit p_limit
    for update skip locked
  loop
    with expired as (
      select f.id, f.r2_key, f.removed_version from public.files f
      where f.dataset_id = v_dataset.id
        and f.removed_at < now() - make_interval(secs => fusou.setting(v_dataset.settings, 'retentionSeconds'))
      order by f.removed_version
      limit p_limit
    ), aged as (
      update public.datasets d
      set oldest_version = greatest(d.oldest_version, (select max(removed_version) from expired))
      where d.id = v_dataset.id
    ), gone as (
      delete from public.files f using expired where f.id = expired.id returning f.r2_key
    )
    select array_agg(distinct gone.r2_key) into v_keys from gone;
    insert into public.garbage (r2_key)
    select k from unnest(v_keys) as k
    where not exists (select 1 from public.files f where f.r2_key = k)
    on conflict do nothing;
  end loop;

  -- Asked again at the last moment: an object that a file names is never deleted, even if something marked it.
  return (
    select coalesce(jsonb_agg(g.r2_key), '[]')
    from (
      select d.r2_key from public.garbage d
      -- Whatever went wrong before: what a file row names is not deleted.
      where not exists (select 1 from public.files f where f.r2_key = d.r2_key)
      order by d.marked_at limit p_limit
    ) g
  );
end $$;

create function public.complete_garbage(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  with mine as (select g.r2_key from public.garbage g where g.r2_key = any (p_keys) order by g.r2_key for update)
  delete from public.garbage g using mine where g.r2_key = mine.r2_key;
  get diagnostics v_count = row_count;
  perform fusou.add_to_counter('objects_deleted', v_count);
  return v_count;
end $$;

-- Keys of objects that the caller itself has just stored and then refused; those that no file row names become garbage.
create function public.mark_keys_for_deletion(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.garbage (r2_key)
  select k from unnest(p_keys) as k
  where not exists (select 1 from public.files f where f.r2_key = k)
  order by k -- one order for all, or two walkers that found the same keys wait for each other
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Messages that were sent are kept for a while; see public.retention.
create function public.trim_outbox(p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.outbox where id in (
    select id from public.outbox
    where status = 'published'
      and published_at < now() - make_interval(secs => (select outbox_seconds from public.retention))
    limit p_limit
  );
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- The pairing of this catalog with its bucket. Both hold the id of the installation and a stamp, which the cron raises
-- each minute, first here, then in the bucket. A bucket that is ahead of its catalog proves that the catalog was set
-- back to an older state: it no longer knows the newest objects, so nothing is deleted and nothing is merged until a
-- person has looked. The same holds for a bucket that has another id, or that has none although there is data.

create table public.installation (
  one boolean primary key default true constraint installation_one check (one),
  id uuid not null default gen_random_uuid(),
  stamp bigint not null default 0,
  stamped_at timestamptz,
  paired_at timestamptz,
  problem text constraint installation_problem
    check (problem in ('unclaimed_bucket', 'missing_stamp', 'foreign_bucket', 'catalog_restored')),
  problem_at timestamptz,
  bucket_id text,
  bucket_stamp bigint,
  paused_at timestamptz,
  paused_by text,
  pause_reason text,
  created_at timestamptz not null default now(),
  constraint installation_problem_has_time check ((problem is null) = (problem_at is null)),
  constraint installation_pause_has_owner check ((paused_at is null) = (paused_by is null))
);
alter table public.installation enable row level security;
comment on table public.installation is 'One row: which bucket belongs to this catalog, and whether anything may be deleted.';
comment on column public.installation.stamp is 'Grows each minute, before the stamp in the bucket, which is therefore never ahead.';
comment on column public.installation.paired_at is 'When the id was first seen in the bucket; null until then.';
comment on column public.installation.bucket_id is 'The id that the bucket had when it was last read.';
comment on column public.installation.paused_at is 'Since when an operator has paused all deletions.';
insert into public.installation default values;

-- Why this bucket is not the one of this catalog; null if it is, or may be claimed.
-- p_bucket: {id, stamp}, or of a bucket without an id {objects, truncated, oldestAt}: a look at its first page.
-- A new catalog claims a bucket by itself only if nothing in it can be older than the catalog.
create function fusou.pairing_problem(p_own public.installation, p_bucket jsonb)
returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_bucket ->> 'id' is not null then case
      when p_bucket ->> 'id' <> p_own.id::text then 'foreign_bucket'
      when (p_bucket ->> 'stamp')::bigint > p_own.stamp then 'catalog_restored'
    end
    when p_own.paired_at is not null then 'missing_stamp'
    when (p_bucket ->> 'truncated')::boolean
      or (p_bucket ->> 'oldestAt')::timestamptz < p_own.created_at - interval '1 minute'
      or ((p_bucket ->> 'objects')::bigint = 0 and exists (select 1 from public.files))
    then 'unclaimed_bucket'
  end
$$;

-- Compares what the bucket says with what this catalog knows, and notes the result.
-- Outcomes: paired {stamp, write}: the caller writes {id, stamp} to the bucket if `write`; claim {id}: the caller writes
-- it if the bucket still has none, then asks again; problem {problem}.
create function public.check_installation(p_bucket jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_own public.installation;
  v_problem text;
  v_write boolean;
begin
  select * into strict v_own from public.installation for update;
  v_problem := fusou.pairing_problem(v_own, p_bucket);
  if v_problem is not null then
    update public.installation
    set problem = v_problem,
        problem_at = case when problem = v_problem then problem_at else now() end,
        bucket_id = p_bucket ->> 'id',
        bucket_stamp = (p_bucket ->> 'stamp')::bigint
    where one;
    return jsonb_build_object('outcome', 'problem', 'problem', v_problem);
  elsif p_bucket ->> 'id' is null then
    return jsonb_build_object('outcome', 'claim', 'id', v_own.id, 'stamp', v_own.stamp);
  end if;
  v_write := v_own.stamped_at is null or v_own.stamped_at <= now() - interval '50 seconds'
    or (p_bucket ->> 'stamp')::bigint < v_own.stamp - 1;
  update public.installation
  set stamp = stamp + v_write::integer,
      stamped_at = case when v_write then now() else stamped_at end,
      paired_at = coalesce(paired_at, now()),
      problem = null,
      problem_at = null,
      bucket_id = p_bucket ->> 'id',
      bucket_stamp = (p_bucket ->> 'stamp')::bigint
  where one
  returning * into v_own;
  return jsonb_build_object('outcome', 'paired', 'id', v_own.id, 'stamp', v_own.stamp, 'write', v_write);
end $$;

-- A person has looked at the problem and decides that this bucket belongs to this catalog from now on. The catalog takes
-- the id of the bucket, and a stamp beyond both. Every suspicion of the sweep begins again.
-- Outcomes: accepted {id, stamp}: the caller writes it to the bucket; changed {problem}: the problem is another one now.
create function public.accept_installation(p_caller jsonb, p_problem text, p_bucket jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_own public.installation;
  v_problem text;
begin
  perform fusou.require_operator(p_caller);
  select * into strict v_own from public.installation for update;
  v_problem := fusou.pairing_problem(v_own, p_bucket);
  if v_problem is distinct from p_problem then
    return jsonb_build_object('outcome', 'changed', 'problem', v_problem);
  end if;
  update public.installation
  set id = coalesce((p_bucket ->> 'id')::uuid, id),
      stamp = greatest(stamp, coalesce((p_bucket ->> 'stamp')::bigint, 0)) + 1,
      stamped_at = null,
      paired_at = coalesce(paired_at, now()),
      problem = null,
      problem_at = null
  where one
  returning * into v_own;
  delete from public.orphan_suspects where r2_key is not null;
  -- The catalog may have been set back: addresses that it has given since are not given again.
  update public.table_spaces set next_address = least(next_address + 17592186044416, fusou.end_of_addresses());
  update public.sweeps
  set cursor = null, round = round + 1, objects = 0, orphans = 0, approved_round = null, accepted_orphans = null
  where name is not null;
  perform fusou.audit(p_caller, 'installation.accept', null, null, v_own.id::text, to_jsonb(v_problem));
  return jsonb_build_object('outcome', 'accepted', 'id', v_own.id, 'stamp', v_own.stamp);
end $$;

create function public.pause_deletions(p_caller jsonb, p_paused boolean, p_by text, p_reason text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_was_paused boolean;
begin
  perform fusou.require_operator(p_caller);
  select paused_at is not null into v_was_paused from public.installation for update;
  update public.installation
  set paused_at = case when p_paused then coalesce(paused_at, now()) end,
      paused_by = case when p_paused then left(p_by, 200) end,
      pause_reason = case when p_paused then left(p_reason, 500) end
  where one;
  perform fusou.audit(
    p_caller, case when p_paused then 'vacuum.pause' else 'vacuum.resume' end, null, null, null,
    to_jsonb(v_was_paused), jsonb_build_object('by', left(p_by, 200), 'reason', left(p_reason, 500))
  );
  return jsonb_build_object('paused', p_paused);
end $$;

create function fusou.has_pairing_problem()
returns boolean
language sql stable
set search_path = ''
as $$ select problem is not null from public.installation $$;

-- Whether objects may be deleted now. p_stamp is what check_installation() answered in the same run of the cron: a
-- catalog that was set back since then has an older stamp, and refuses. Null asks for the noted state alone.
create function fusou.deletions_allowed(p_stamp bigint)
returns boolean
language sql stable
set search_path = ''
as $$
  select problem is null and paused_at is null
    and (p_stamp is null or (paired_at is not null and p_stamp between stamp - 100 and stamp))
  from public.installation
$$;

-- The sweep looks at every object of the bucket in rounds. An object that no row names is a suspect; it is marked for
-- deletion after it was found in two rounds, hours apart, and only if the later round found few orphans in all: many
-- are rather a fault of the catalog than of the objects, and wait for a person.

create table public.orphan_suspects (
  r2_key text collate "C" primary key,
  first_seen_at timestamptz not null default now(),
  first_round bigint not null,
  last_round bigint not null
);
alter table public.orphan_suspects enable row level security;
comment on table public.orphan_suspects is 'Objects that no row names, as the rounds of the sweep found them.';
create table public.kept_objects (
  r2_key text collate "C" primary key,
  reason text not null,
  noted_at timestamptz not null default now()
);
alter table public.kept_objects enable row level security;
comment on table public.kept_objects is
  'Objects that no row names and that adoption could not place: the sweep leaves them to a person.';

create function fusou.is_orphan(p_key text)
returns boolean
language sql stable
set search_path = ''
as $$
  select not exists (select 1 from public.files f where f.r2_key = p_key)
    and not exists (select 1 from public.garbage g where g.r2_key = p_key)
    and not exists (select 1 from public.kept_objects k where k.r2_key = p_key)
    and not exists (select 1 from public.composed_footers c where c.r2_key = p_key)
    -- complete in the bucket, perhaps, and registered when its client says so
    and not exists (select 1 from public.resumable_uploads u where u.r2_key = p_key and u.state = 'open')
$$;

-- Whether an object was made from others and can be made again: a footer. Losing track of such is no reason to stop.
create function fusou.is_derived(p_key text)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_key ~ '^datasets/[^/]+/tables/' $$;

-- How many orphans a round may find without a person: one in a hundred objects, five at least, a thousand at most.
create function fusou.allowed_orphans(p_objects bigint)
returns bigint
language sql immutable
set search_path = ''
as $$ select least(1000, greatest(5, p_objects / 100)) $$;

-- How long after the first look the second one counts.
create function fusou.suspicion_interval()
returns interval
language sql immutable
set search_path = ''
as $$ select interval '6 hours' $$;

-- Takes the next page of a walk over the bucket, if one is due; the walker has a minute to report back.
create function public.begin_sweep(p_name text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
begin
  insert into public.sweeps (name, next_at) values (p_name, now()) on conflict (name) do nothing;
  update public.sweeps set next_at = now() + interval '60 seconds'
  where name = p_name and next_at <= now()
  returning * into v_sweep;
  return jsonb_build_object('due', found, 'cursor', v_sweep.cursor, 'round', v_sweep.round);
end $$;

-- Records one page of a walk. p_objects: how many objects the page has; p_keys: those old enough to be orphans.
-- A page counts once: a walker that comes too late for its round or cursor is answered `stale`.
create function public.record_sweep_page(
  p_name text, p_round bigint, p_cursor text, p_next_cursor text, p_objects integer, p_keys text[],
  p_pause_seconds integer, p_stamp bigint default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_found integer;
begin
  select * into v_sweep from public.sweeps where name = p_name for update;
  if not found or v_sweep.round <> p_round or v_sweep.cursor is distinct from p_cursor
    or not fusou.deletions_allowed(p_stamp)
  then
    return jsonb_build_object('outcome', 'stale', 'orphans', 0);
  end if;
  with noted as (
    insert into public.orphan_suspects as s (r2_key, first_round, last_round)
    select k, p_round, p_round from (select distinct k from unnest(p_keys) as k) u
    where fusou.is_orphan(k)
    order by k
    on conflict (r2_key) do update set
      first_seen_at = case when s.last_round < p_round - 1 then now() else s.first_seen_at end,
      first_round = case when s.last_round < p_round - 1 then p_round else s.first_round end,
      last_round = p_round
    returning s.r2_key
  )
  select count(*) into v_found from noted n where not fusou.is_derived(n.r2_key);
  update public.sweeps
  set objects = objects + p_objects,
      orphans = orphans + v_found,
      cursor = p_next_cursor,
      next_at = now() + make_interval(secs => p_pause_seconds)
  where name = p_name;
  if p_next_cursor is null then
    perform fusou.end_round(p_name);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'orphans', v_found);
end $$;

create function fusou.end_round(p_name text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_few boolean;
begin
  select * into strict v_sweep from public.sweeps where name = p_name for update;
  -- Accepting a number accepts a few more: orphans that came since the person looked.
  v_few := v_sweep.orphans <= greatest(
    fusou.allowed_orphans(v_sweep.objects), v_sweep.accepted_orphans + fusou.allowed_orphans(0)
  );
  update public.sweeps
  set approved_round = case when v_few then round end,
      stopped_at = case when not v_few then coalesce(stopped_at, now()) end,
      accepted_orphans = null,
      last_objects = objects,
      last_orphans = orphans,
      objects = 0,
      orphans = 0,
      round = round + 1
  where name = p_name;
  -- These are gone, or a row names them by now.
  delete from public.orphan_suspects where last_round < v_sweep.round;
end $$;

-- Marks for deletion what two looks have found, up to p_limit objects a call; answers how many.
create function public.mark_orphans(p_name text, p_limit integer, p_stamp bigint default null)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_round bigint;
  v_keys text[];
  v_count integer;
begin
  select approved_round into v_round from public.sweeps where name = p_name for update;
  if v_round is null or not fusou.deletions_allowed(p_stamp) then
    return 0;
  end if;
  with due as (
    select s.r2_key from public.orphan_suspects s
    where s.last_round >= v_round
      and s.first_round < v_round
      and s.first_seen_at <= now() - fusou.suspicion_interval()
    order by s.r2_key
    limit p_limit
  ), seen as (
    delete from public.orphan_suspects s using due where s.r2_key = due.r2_key returning s.r2_key
  )
  select array_agg(seen.r2_key) into v_keys from seen;
  insert into public.garbage (r2_key)
  select k from unnest(v_keys) as k where fusou.is_orphan(k) order by k
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- A person has looked at the orphans that stopped the sweep. p_orphans must be the number that the last complete round
-- found. The sweep looks once more, and marks them if they are still as many; a second look is needed all the same.
-- p_release_kept: objects that adoption could not place are orphans again.
create function public.accept_orphans(p_caller jsonb, p_name text, p_orphans bigint, p_release_kept boolean)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_released bigint := 0;
begin
  perform fusou.require_operator(p_caller);
  select * into v_sweep from public.sweeps where name = p_name for update;
  if p_orphans <> coalesce(v_sweep.last_orphans, 0) then
    return jsonb_build_object('outcome', 'changed', 'orphans', coalesce(v_sweep.last_orphans, 0));
  end if;
  if p_release_kept then
    delete from public.kept_objects where r2_key is not null;
    get diagnostics v_released = row_count;
  end if;
  update public.sweeps
  set accepted_orphans = p_orphans + v_released, next_at = now()
  where name = p_name;
  perform fusou.audit(
    p_caller, 'orphans.accept', null, null, p_name, null,
    jsonb_build_object('orphans', p_orphans, 'released', v_released)
  );
  return jsonb_build_object('outcome', 'accepted', 'orphans', p_orphans, 'released', v_released);
end $$;

create function fusou.installation_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', i.id,
    'problem', i.problem,
    'problemSince', i.problem_at,
    'bucketId', i.bucket_id,
    'paused', case when i.paused_at is not null then
      jsonb_build_object('since', i.paused_at, 'by', i.paused_by, 'reason', i.pause_reason)
    end,
    'sweep', (
      select jsonb_build_object(
        'objects', s.last_objects, 'orphans', s.last_orphans, 'stoppedSince', s.stopped_at,
        'acceptedOrphans', s.accepted_orphans
      )
      from public.sweeps s where s.name = 'orphans'
    ),
    'keptObjects', (select count(*) from (select 1 from public.kept_objects limit 100000) k)
  )
  from public.installation i
$$;

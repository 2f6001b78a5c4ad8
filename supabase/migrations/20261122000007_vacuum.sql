-- Vacuum: the only thing that deletes objects. First, in one transaction, the versions that need an object become
-- unreadable, its file rows go and its key is noted as garbage; then the object is deleted, then the note.
-- Dying in between means deleting again.

create function public.claim_garbage(p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset record;
  v_keys text[];
begin
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

  -- Asked again at the last moment: should anything ever doom an object that a file names, it is not deleted.
  return (
    select coalesce(jsonb_agg(g.r2_key), '[]')
    from (
      select d.r2_key from public.garbage d
      -- Whatever went wrong before: what a file row names is not deleted.
      where not exists (select 1 from public.files f where f.r2_key = d.r2_key)
      order by d.doomed_at limit p_limit
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

-- Of these keys of objects older than a day, those that no file row names become garbage.
create function public.doom_orphans(p_keys text[])
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

-- Takes the next page of a walk over the bucket, if one is due; the walker has a minute to report back.
create function public.begin_sweep(p_name text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_cursor text;
begin
  insert into public.sweeps (name, next_at) values (p_name, now()) on conflict (name) do nothing;
  update public.sweeps set next_at = now() + interval '60 seconds'
  where name = p_name and next_at <= now()
  returning cursor into v_cursor;
  return jsonb_build_object('due', found, 'cursor', v_cursor);
end $$;

create function public.end_sweep(p_name text, p_cursor text, p_pause_seconds integer)
returns void
language sql security definer
set search_path = ''
as $$
  update public.sweeps set cursor = p_cursor, next_at = now() + make_interval(secs => p_pause_seconds)
  where name = p_name
$$;

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

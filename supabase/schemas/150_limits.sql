-- Limits of one owner. The figures are counted where rows change, so that nothing is scanned to check a limit: the row
-- of the owner is locked after the dataset and before the slots, and each call touches that of one owner only.

create table public.limits (
  owner_id uuid primary key,
  settings jsonb not null default '{}'
);
alter table public.limits enable row level security;
comment on table public.limits is 'Limits that an operator set: of one owner, or under the nil UUID of every owner without one of their own.';

create table public.owner_usage (
  owner_id uuid primary key,
  datasets bigint not null default 0,
  live_files bigint not null default 0,
  live_bytes bigint not null default 0,
  jobs_by_hand bigint not null default 0,
  jobs_counted_since timestamptz not null default now()
);
alter table public.owner_usage enable row level security;
comment on column public.owner_usage.jobs_by_hand is 'New jobs that the owner asked for in the hour that began at jobs_counted_since.';

create table public.event_streams (
  id uuid primary key,
  owner_id uuid not null,
  expires_at timestamptz not null
);
alter table public.event_streams enable row level security;
comment on table public.event_streams is 'Leases of the event streams that are open; one whose isolate died ends by itself.';
create index event_streams_of_owner on public.event_streams (owner_id, expires_at);

create function fusou.default_limits()
returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'datasets', 1000, 'liveFiles', 1000000, 'liveBytes', 10995116277760, 'jobsByHandPerHour', 1000, 'eventStreams', 50,
    'openUploads', 100
  )
$$;

-- The limits of an owner; null: of every owner without limits of their own.
create function fusou.limits_of(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  select fusou.default_limits()
    || coalesce((select l.settings from public.limits l where l.owner_id = '00000000-0000-0000-0000-000000000000'), '{}')
    || coalesce((select l.settings from public.limits l where l.owner_id = p_owner), '{}')
$$;

-- Ends the call, and with it all that it changed, by codes that PostgREST passes on. PT402: it fails again until
-- something is deleted or a limit raised;
-- PT429: the same call succeeds later. The text is shown to the client.
create function fusou.refuse_above_limit(p_owner uuid, p_limit text, p_used bigint, p_errcode text, p_advice text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_allowed constant bigint := (fusou.limits_of(p_owner) ->> p_limit)::bigint;
begin
  if p_used > v_allowed then
    raise exception '%: % would be in use, % are allowed; %', p_limit, p_used, v_allowed, p_advice
      using errcode = p_errcode;
  end if;
end $$;

create function fusou.add_usage(p_owner uuid, p_datasets bigint, p_files bigint, p_bytes numeric)
returns void
language sql
set search_path = ''
as $$
  insert into public.owner_usage as u (owner_id, datasets, live_files, live_bytes)
  values (p_owner, p_datasets, p_files, p_bytes::bigint)
  on conflict (owner_id) do update set
    datasets = u.datasets + excluded.datasets,
    live_files = u.live_files + excluded.live_files,
    live_bytes = u.live_bytes + excluded.live_bytes
$$;

create function fusou.count_dataset()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' then
    perform fusou.add_usage(old.owner_id, -1, 0, 0);
  end if;
  if tg_op <> 'DELETE' then
    perform fusou.add_usage(new.owner_id, 1, 0, 0);
  end if;
  return null;
end $$;
create trigger datasets_counted after insert or delete on public.datasets
  for each row execute function fusou.count_dataset();

-- Once for each statement, and only if it changes which files are live.
create function fusou.count_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, sum(c.sign) as files, sum(c.sign * c.byte_length) as bytes
    from (
      select f.dataset_id, 1 as sign, f.byte_length from now_live f where f.removed_version is null
    ) c
    join public.datasets d on d.id = c.dataset_id
    group by d.owner_id order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, v_change.files, v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_counted_in after insert on public.files
  referencing new table as now_live for each statement execute function fusou.count_live_files();

create function fusou.discount_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, count(*) as files, sum(f.byte_length) as bytes
    from was_live f join public.datasets d on d.id = f.dataset_id
    where f.removed_version is null
    group by d.owner_id order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, -v_change.files, -v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_counted_out after delete on public.files
  referencing old table as was_live for each statement execute function fusou.discount_live_files();

create function fusou.recount_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, sum(c.sign) as files, sum(c.sign * c.byte_length) as bytes
    from (
      select n.id, n.dataset_id, 1 as sign, n.byte_length from now_live n where n.removed_version is null
      union all
      select o.id, o.dataset_id, -1, o.byte_length from was_live o where o.removed_version is null
    ) c
    join public.datasets d on d.id = c.dataset_id
    group by d.owner_id
    having sum(c.sign) <> 0 or sum(c.sign * c.byte_length) <> 0
    order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, v_change.files, v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_recounted after update on public.files
  referencing old table as was_live new table as now_live
  for each statement execute function fusou.recount_live_files();

-- After an upload has stored something: what it stored is counted already, and goes again if it is too much.
create function fusou.check_storage(p_owner uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage public.owner_usage;
begin
  select * into v_usage from public.owner_usage where owner_id = p_owner;
  perform fusou.refuse_above_limit(
    p_owner, 'datasets', v_usage.datasets, 'PT402', 'upload to a dataset that you have, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveFiles', v_usage.live_files, 'PT402', 'have files merged or deleted, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveBytes', v_usage.live_bytes, 'PT402', 'delete files, or ask the operator for more'
  );
end $$;

-- Before a new job that an owner asks for by hand; joining one that is queued is free.
create function fusou.count_job_by_hand(p_owner uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage public.owner_usage;
begin
  insert into public.owner_usage as u (owner_id, jobs_by_hand) values (p_owner, 1)
  on conflict (owner_id) do update set
    jobs_by_hand = case when u.jobs_counted_since > now() - interval '1 hour' then u.jobs_by_hand + 1 else 1 end,
    jobs_counted_since = case when u.jobs_counted_since > now() - interval '1 hour' then u.jobs_counted_since else now() end
  returning * into v_usage;
  perform fusou.refuse_above_limit(
    p_owner, 'jobsByHandPerHour', v_usage.jobs_by_hand, 'PT429',
    format('the count begins again at %s', to_char((v_usage.jobs_counted_since + interval '1 hour') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  );
end $$;

-- A lease for a stream of events; the same call again renews it.
create function public.open_event_stream(p_owner uuid, p_stream_id uuid, p_lease_seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_open bigint;
begin
  if p_lease_seconds not between 1 and 3600 then
    raise exception 'open_event_stream: p_lease_seconds must be 1..3600' using errcode = '22023';
  end if;
  -- One opener of an owner at a time, or two would both take the last place.
  perform fusou.add_usage(p_owner, 0, 0, 0);
  delete from public.event_streams where owner_id = p_owner and expires_at < now();
  insert into public.event_streams as s (id, owner_id, expires_at)
  values (p_stream_id, p_owner, now() + make_interval(secs => p_lease_seconds))
  on conflict (id) do update set expires_at = excluded.expires_at where s.owner_id = excluded.owner_id;
  select count(*) into v_open from public.event_streams where owner_id = p_owner;
  perform fusou.refuse_above_limit(
    p_owner, 'eventStreams', v_open, 'PT429', 'close one, or ask for the job itself from time to time'
  );
  return jsonb_build_object('outcome', 'opened');
end $$;

create function public.close_event_stream(p_stream_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.event_streams where id = p_stream_id;
  return jsonb_build_object('outcome', 'closed');
end $$;

-- p_owner null: the limits of every owner without limits of their own. p_settings: {datasets?, liveFiles?, liveBytes?,
-- jobsByHandPerHour?, eventStreams?, openUploads?}; what is left out stays, null goes back to the default.
create function public.configure_limits(p_caller jsonb, p_owner uuid, p_settings jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_name text;
  v_before constant jsonb := fusou.limits_of(p_owner);
begin
  perform fusou.require_operator(p_caller);
  for v_name in select jsonb_object_keys(p_settings) loop
    if not fusou.default_limits() ? v_name
      or jsonb_typeof(p_settings -> v_name) not in ('number', 'null')
      or (p_settings ->> v_name)::numeric not between 0 and 9007199254740991
      or (p_settings ->> v_name)::numeric <> trunc((p_settings ->> v_name)::numeric)
    then
      raise exception 'configure_limits: % is not a limit with a whole number from 0 on, or null', v_name
        using errcode = '22023';
    end if;
  end loop;
  insert into public.limits as l (owner_id, settings)
  values (coalesce(p_owner, '00000000-0000-0000-0000-000000000000'), jsonb_strip_nulls(p_settings))
  on conflict (owner_id) do update set settings = jsonb_strip_nulls(l.settings || p_settings);
  if v_before <> fusou.limits_of(p_owner) then
    perform fusou.audit(p_caller, 'limits.configure', p_owner, null, null, v_before, fusou.limits_of(p_owner));
  end if;
  return fusou.limits_json(p_owner);
end $$;

-- p_owner null: the defaults alone. A user may read their own.
create function public.read_limits(p_caller jsonb, p_owner uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if p_owner is distinct from fusou.account_of(p_caller, 'read') and not fusou.is_operator(p_caller) then
    perform fusou.forbid('these are the limits of somebody else');
  end if;
  return fusou.limits_json(p_owner);
end $$;

create function fusou.limits_json(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'defaults', fusou.limits_of(null),
    'owner', case when p_owner is not null then jsonb_build_object(
      'id', p_owner,
      'limits', fusou.limits_of(p_owner),
      'usage', (
        select jsonb_build_object(
          'datasets', coalesce(max(u.datasets), 0),
          'liveFiles', coalesce(max(u.live_files), 0),
          'liveBytes', fusou.saturate(coalesce(max(u.live_bytes), 0)),
          'jobsByHandPerHour', coalesce(
            max(u.jobs_by_hand) filter (where u.jobs_counted_since > now() - interval '1 hour'), 0
          ),
          'eventStreams', (
            select count(*) from public.event_streams s where s.owner_id = p_owner and s.expires_at >= now()
          ),
          'openUploads', (
            select count(*) from public.resumable_uploads r where r.owner_id = p_owner and r.state = 'open'
          )
        )
        from public.owner_usage u where u.owner_id = p_owner
      )
    ) end
  )
$$;

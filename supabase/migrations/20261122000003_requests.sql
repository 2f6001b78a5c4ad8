-- Ways in: uploads and triggers. Every function that changes a data set locks its row first, so that
-- what it decides about files and jobs holds until it commits. Order of locks: data set, job, files, outbox.

create function fusou.setting(p_settings jsonb, p_name text)
returns bigint
language sql immutable
set search_path = ''
as $$
  select coalesce(
    (p_settings ->> p_name)::bigint,
    case p_name
      when 'targetFileBytes' then 134217728
      when 'retentionSeconds' then 604800
    end
  )
$$;

-- A file at or above three quarters of the target is left alone by merges.
create function fusou.small_file_bytes(p_settings jsonb)
returns bigint
language sql immutable
set search_path = ''
as $$ select fusou.setting(p_settings, 'targetFileBytes') * 3 / 4 $$;

-- Two small files of one schema in one partition can become one: the rule of planMerges().
create function fusou.needs_compaction(p_dataset_id text)
returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select 1
    from public.files f
    join public.datasets d on d.id = f.dataset_id
    where f.dataset_id = p_dataset_id
      and f.removed_version is null
      and f.quarantine_code is null
      and f.byte_length < fusou.small_file_bytes(d.settings)
    group by f.dataset_id, f.table_name, f.period_tag, f.schema_fingerprint
    having count(*) >= 2
  )
$$;

create function fusou.priority_rank(p_priority text)
returns integer
language sql immutable
set search_path = ''
as $$ select case p_priority when 'manual' then 0 when 'realtime' then 1 else 2 end $$;

-- Tells the queue of a job that may start. The caller holds the lock of the data set.
create function fusou.dispatch(p_job_id uuid, p_sender text default null, p_delay interval default '0')
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  update public.jobs set dispatched_at = clock_timestamp() + p_delay where id = p_job_id returning * into v_job;
  return fusou.emit(
    'compaction.requested',
    v_job.id::text,
    jsonb_strip_nulls(jsonb_build_object(
      'datasetId', v_job.dataset_id,
      'triggeredAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'priority', v_job.priority,
      'jobId', v_job.id,
      'table', v_job.table_name,
      'periodTag', v_job.period_tag,
      'metricId', v_job.metric_id
    )),
    p_sender,
    p_delay
  );
end $$;

-- At most one running and one queued job a data set: a trigger joins the queued one, or makes it.
-- While another job runs the new one waits without a message; the end of the running one dispatches it.
-- The caller holds the lock of the data set.
create function fusou.request_job(
  p_dataset_id text, p_table text, p_period_tag text, p_priority text, p_requested_by uuid,
  p_sender text default null, p_message_id text default null, p_metric_id text default null,
  p_dispatch boolean default true
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
  v_message jsonb;
begin
  update public.jobs
  set triggers = triggers + 1,
      message_ids = message_ids || array_remove(array[p_message_id], null),
      priority = case
        when fusou.priority_rank(p_priority) < fusou.priority_rank(priority) then p_priority else priority
      end,
      table_name = case when table_name = p_table then table_name end,
      period_tag = case when table_name = p_table and period_tag = p_period_tag then period_tag end
  where dataset_id = p_dataset_id and kind = 'compaction' and state = 'queued'
  returning * into v_job;
  if found then
    return jsonb_build_object('jobId', v_job.id, 'joined', true, 'outbox', null);
  end if;

  insert into public.jobs (dataset_id, table_name, period_tag, priority, requested_by, message_ids, metric_id)
  values (
    p_dataset_id, p_table, p_period_tag, p_priority, p_requested_by, array_remove(array[p_message_id], null), p_metric_id
  )
  returning * into v_job;
  if p_dispatch and not exists (
    select 1 from public.jobs where dataset_id = p_dataset_id and kind = 'compaction' and state = 'running'
  ) then
    v_message := fusou.dispatch(v_job.id, p_sender);
  end if;
  return jsonb_build_object('jobId', v_job.id, 'joined', false, 'outbox', v_message);
end $$;

-- Registers an object that lies in the bucket: a row for each slice not known yet, the job, the message.
-- p_object: {r2Key, slices: [{table, periodTag, offset, length, rows, rowGroups, sha256, fingerprint, sortMin?, sortMax?}]}
-- An object of which nothing was kept is given to vacuum here, so that no refused byte stays behind.
create function public.register_upload(p_dataset_id text, p_user_id uuid, p_object jsonb, p_sender text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_version bigint;
  v_stored integer;
  v_job jsonb;
begin
  insert into public.datasets (id, owner_id) values (p_dataset_id, p_user_id) on conflict (id) do nothing;
  select * into strict v_dataset from public.datasets where id = p_dataset_id for update;
  if v_dataset.owner_id <> p_user_id then
    perform fusou.doom(p_object ->> 'r2Key');
    return jsonb_build_object('outcome', 'forbidden');
  end if;

  -- The same call again, its answer lost on the way; an object given to vacuum is not taken back.
  if exists (select 1 from public.files where r2_key = p_object ->> 'r2Key') then
    return jsonb_build_object(
      'outcome', 'stored', 'version', v_dataset.version, 'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  elsif exists (select 1 from public.garbage where r2_key = p_object ->> 'r2Key') then
    return jsonb_build_object(
      'outcome', 'duplicate', 'version', v_dataset.version, 'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  end if;

  v_version := v_dataset.version + 1;
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    content_sha256, schema_fingerprint, sort_min, sort_max, created_version, uploaded_by
  )
  select
    p_dataset_id, s."table", s."periodTag", p_object ->> 'r2Key', s."offset", s."length", s."rows", s."rowGroups", 0,
    s.sha256, s.fingerprint, s."sortMin", s."sortMax", v_version, p_user_id
  from jsonb_to_recordset(p_object -> 'slices') as s (
    "table" text, "periodTag" text, "offset" bigint, "length" bigint, "rows" bigint, "rowGroups" integer,
    sha256 text, fingerprint text, "sortMin" text, "sortMax" text
  )
  on conflict (dataset_id, table_name, period_tag, content_sha256) where level = 0 do nothing;
  get diagnostics v_stored = row_count;

  if v_stored = 0 then
    perform fusou.doom(p_object ->> 'r2Key');
    return jsonb_build_object(
      'outcome', 'duplicate',
      'version', v_dataset.version,
      'jobId', fusou.newest_job(p_dataset_id),
      'outbox', null
    );
  end if;

  update public.datasets
  set version = v_version,
      compaction_needed = compaction_needed or exists (
        select 1
        from public.files added
        join public.files other
          on other.dataset_id = added.dataset_id
          and other.table_name = added.table_name
          and other.period_tag = added.period_tag
          and other.schema_fingerprint = added.schema_fingerprint
          and other.id <> added.id
          and other.removed_version is null
          and other.quarantine_code is null
          and other.byte_length < fusou.small_file_bytes(v_dataset.settings)
        where added.r2_key = p_object ->> 'r2Key'
          and added.byte_length < fusou.small_file_bytes(v_dataset.settings)
      )
  where id = p_dataset_id;
  v_job := fusou.request_job(p_dataset_id, null, null, 'realtime', p_user_id, p_sender);
  return jsonb_build_object(
    'outcome', 'stored', 'version', v_version, 'jobId', v_job -> 'jobId', 'outbox', v_job -> 'outbox'
  );
end $$;

create function fusou.newest_job(p_dataset_id text)
returns uuid
language sql stable
set search_path = ''
as $$ select id from public.jobs where dataset_id = p_dataset_id order by created_at desc, id desc limit 1 $$;

-- Gives an object to vacuum unless a file row names it.
create function fusou.doom(p_key text)
returns void
language sql
set search_path = ''
as $$
  insert into public.garbage (r2_key)
  select p_key where not exists (select 1 from public.files where r2_key = p_key)
  on conflict do nothing
$$;

-- p_requester: the user who asks, null for an operator.
create function public.request_compaction(
  p_dataset_id text, p_requester uuid, p_table text default null, p_period_tag text default null,
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  if p_requester is not null and v_dataset.owner_id <> p_requester then
    return jsonb_build_object('outcome', 'forbidden');
  end if;
  return jsonb_build_object('outcome', 'requested')
    || fusou.request_job(p_dataset_id, p_table, p_period_tag, 'manual', p_requester, p_sender);
end $$;

-- The daily round: data sets that need it and have no job yet, the one whose last attempt is oldest first.
-- Calling it again goes on where it stopped, so a late or repeated run does no harm.
create function public.trigger_scheduled(p_limit integer, p_sender text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset record;
  v_job jsonb;
  v_datasets jsonb := '[]';
  v_outbox jsonb := '[]';
  v_remaining bigint;
begin
  if p_limit not between 1 and 100 then
    raise exception 'trigger_scheduled: limit must be 1..100' using errcode = '22023';
  end if;
  for v_dataset in
    select d.id from public.datasets d
    where d.compaction_needed
      and not exists (select 1 from public.jobs j where j.dataset_id = d.id and j.state in ('queued', 'running'))
    order by d.last_attempted_at nulls first, d.id
    limit p_limit
    for update skip locked
  loop
    v_job := fusou.request_job(v_dataset.id, null, null, 'scheduled', null, p_sender);
    -- Counted here and not only when the job starts: one that never starts must not come first for ever.
    update public.datasets set last_attempted_at = now() where id = v_dataset.id;
    v_datasets := v_datasets || jsonb_build_object('datasetId', v_dataset.id, 'jobId', v_job -> 'jobId');
    if jsonb_typeof(v_job -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_job -> 'outbox');
    end if;
  end loop;
  insert into public.heartbeats (name) values ('daily_trigger') on conflict (name) do update set beat_at = now();
  select count(*) into v_remaining from public.datasets d
  where d.compaction_needed
    and not exists (select 1 from public.jobs j where j.dataset_id = d.id and j.state in ('queued', 'running'));
  return jsonb_build_object('datasets', v_datasets, 'remaining', v_remaining, 'outbox', v_outbox);
end $$;

create function public.configure_dataset(p_dataset_id text, p_settings jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_settings jsonb;
begin
  update public.datasets set settings = jsonb_strip_nulls(settings || p_settings)
  where id = p_dataset_id
  returning settings into v_settings;
  if not found then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  if fusou.setting(v_settings, 'targetFileBytes') < 1 or fusou.setting(v_settings, 'retentionSeconds') < 0 then
    raise exception 'configure_dataset: targetFileBytes must be positive, retentionSeconds not negative'
      using errcode = '22023';
  end if;
  update public.datasets set compaction_needed = fusou.needs_compaction(id) where id = p_dataset_id;
  return jsonb_build_object('outcome', 'configured', 'settings', v_settings);
end $$;

-- Ways in: uploads and triggers. Every function that changes a dataset locks its row first, so that
-- what it decides about files and jobs holds until it commits. Order of locks: dataset, job, files, outbox.

-- A file at or above three quarters of the target is left alone by merges.
create function fusou.small_file_bytes(p_settings jsonb)
returns bigint
language sql immutable
set search_path = ''
as $$ select fusou.setting(p_settings, 'targetFileBytes') * 3 / 4 $$;

-- Nor is a file that takes half of the work of a merge or more: any two others can be merged with each other.
-- MAX_FILE_WORK_BYTES in merge-limits.ts.
create function fusou.small_file_work()
returns bigint
language sql immutable
set search_path = ''
as $$ select 1073741824::bigint $$;

create function fusou.priority_rank(p_priority text)
returns integer
language sql immutable
set search_path = ''
as $$ select case p_priority when 'manual' then 0 when 'realtime' then 1 else 2 end $$;

-- Who asks for a merge means all of it, the daily round what the tiers let merge, an upload what is due.
create function fusou.reach_of(p_priority text)
returns text
language sql immutable
set search_path = ''
as $$ select case p_priority when 'manual' then 'all' when 'realtime' then 'due' else 'tiers' end $$;

create function fusou.wider_reach(p_one text, p_other text)
returns text
language sql immutable
set search_path = ''
as $$ select case when 'rewrite' in (p_one, p_other) then 'rewrite' when 'all' in (p_one, p_other) then 'all' when 'tiers' in (p_one, p_other) then 'tiers' else 'due' end $$;

-- Tells the queue of a job that may start, which from then on has its slot. One write of the job: a second in the same
-- transaction would check the foreign key again, and so wait for the dataset of a job that admit() chose.
create function fusou.dispatch(p_job_id uuid, p_sender text default null, p_delay interval default '0')
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  update public.jobs
  set dispatched_at = clock_timestamp() + p_delay, admitted_at = coalesce(admitted_at, clock_timestamp())
  where id = p_job_id
  returning * into v_job;
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

-- At most one running and one queued job a dataset: a trigger joins the queued one, or makes it. It starts when
-- fusou.admit() finds a slot for it and no other job of the dataset runs; until then it waits without a message.
-- The caller holds the lock of the dataset.
create function fusou.request_job(
  p_dataset_id text, p_table text, p_period_tag text, p_priority text, p_requested_by uuid,
  p_sender text default null, p_message_id text default null, p_metric_id text default null,
  p_reach text default null, p_admit boolean default true
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_reach constant text := coalesce(p_reach, fusou.reach_of(p_priority));
  v_job public.jobs;
  v_messages jsonb := '[]';
begin
  update public.jobs
  set triggers = triggers + 1,
      message_ids = message_ids || array_remove(array[p_message_id], null),
      priority = case
        when fusou.priority_rank(p_priority) < fusou.priority_rank(priority) then p_priority else priority
      end,
      reach = fusou.wider_reach(reach, v_reach),
      table_name = case when table_name = p_table then table_name end,
      period_tag = case when table_name = p_table and period_tag = p_period_tag then period_tag end
  where dataset_id = p_dataset_id and kind = 'compaction' and state = 'queued'
  returning * into v_job;
  if found then
    return jsonb_build_object('jobId', v_job.id, 'joined', true, 'outbox', null);
  end if;

  if p_priority = 'manual' and p_requested_by is not null then
    perform fusou.count_job_by_hand(p_requested_by);
  end if;
  insert into public.jobs (dataset_id, table_name, period_tag, priority, reach, requested_by, message_ids, metric_id)
  values (
    p_dataset_id, p_table, p_period_tag, p_priority, v_reach, p_requested_by,
    array_remove(array[p_message_id], null), p_metric_id
  )
  returning * into v_job;
  update public.datasets set due_at = null where id = p_dataset_id;
  if p_admit then
    v_messages := fusou.admit(p_sender, v_job.id);
  end if;
  return jsonb_build_object('jobId', v_job.id, 'joined', false, 'outbox', v_messages -> 0);
end $$;

-- Whether a caller may upload to a dataset, asked before a byte is stored, and who owns what is stored there: its owner, or
-- the caller if the id is free. register_upload() decides; this spares the bucket what it would refuse.
create function public.check_upload(p_dataset_id text, p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may_upload(p_caller, p_dataset_id, v_dataset) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object(
    'outcome', 'ok', 'ownerId', coalesce(v_dataset.owner_id, fusou.user_of(p_caller)),
    'isNew', v_dataset.id is null
  );
end $$;

-- The first upload to a free id makes a dataset of the user.
create function fusou.may_upload(p_caller jsonb, p_dataset_id text, p_dataset public.datasets)
returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('uploads are for users and their keys');
  elsif p_dataset.id is null then
    return fusou.key_allows(p_caller, p_dataset_id, 'upload');
  end if;
  return fusou.may(p_caller, p_dataset, 'upload');
end $$;

-- The files that hold the slices of an object, in the order of the slices, as they were stored first or by this object.
create function fusou.uploaded_files(p_dataset_id text, p_object jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'fileId', f.id, 'table', s."table", 'periodTag', s."periodTag",
    'duplicate', f.r2_key <> p_object ->> 'r2Key' or f.byte_offset <> s."offset",
    'healed', f.r2_key = p_object ->> 'r2Key' and f.healed_at is not null,
    'quarantine', f.quarantine_code,
    'newSchema', exists (
      select 1 from public.schemas k
      where k.dataset_id = p_dataset_id and k.table_name = f.table_name and k.fingerprint = f.schema_fingerprint
        and k.first_key = f.r2_key and f.r2_key = p_object ->> 'r2Key'
    )
  ) order by s."offset"), '[]')
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, "offset" bigint, sha256 text)
  join public.files f
    on f.dataset_id = p_dataset_id and f.table_name = s."table" and f.period_tag = s."periodTag"
    and f.content_sha256 = s.sha256 and f.level = 0 and not f.discarded
$$;

-- The same content, stored before and not merged yet: what must be looked at before it is taken for a duplicate.
create function fusou.live_copies(p_dataset_id text, p_object jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(distinct jsonb_build_object(
    'fileId', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length, 'sha256', f.content_sha256,
    'quarantined', f.quarantine_code is not null
  )), '[]')
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, sha256 text)
  join public.files f
    on f.dataset_id = p_dataset_id and f.table_name = s."table" and f.period_tag = s."periodTag"
    and f.content_sha256 = s.sha256 and f.level = 0 and f.removed_version is null
$$;

-- Registers an object that lies in the bucket: a row for each slice not known yet, the job, the message.
-- p_object: {r2Key, slices: [{table, periodTag, offset, length, rows, rowGroups, sha256, fingerprint}]}
-- An object of which nothing was kept is given to vacuum here, so that no refused byte stays behind.
-- p_copies: null at first; if live files hold some of the content already, the answer is check_copies and nothing is
-- changed. The caller looks whether the bucket has their bytes and calls again with those that it has not,
-- [{fileId, r2Key}]: this object then takes the place of theirs, and they leave the quarantine.
-- p_replaces: a live fragment of the dataset that goes as the new one comes, in one version.
-- Outcomes: stored, healed, duplicate, check_copies; unknown_dataset, unknown_file, file_superseded (p_replaces was merged
-- into another file), schema_rejected (the table takes one schema only).
create function public.register_upload(
  p_dataset_id text, p_caller jsonb, p_object jsonb, p_sender text, p_copies jsonb default null,
  p_replaces uuid default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key constant text := p_object ->> 'r2Key';
  v_user_id constant uuid := fusou.user_of(p_caller);
  v_dataset public.datasets;
  v_replaced public.files;
  v_copies jsonb;
  v_old_keys text[];
  v_version bigint;
  v_stored integer;
  v_healed integer := 0;
  v_seen_version bigint;
  v_rejected text;
  v_found record;
  v_job jsonb := '{}';
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if v_dataset.id is null and fusou.may_upload(p_caller, p_dataset_id, v_dataset) then
    insert into public.datasets (id, owner_id) values (p_dataset_id, v_user_id) on conflict (id) do nothing;
    select * into strict v_dataset from public.datasets where id = p_dataset_id for update;
  end if;
  if not fusou.may_upload(p_caller, p_dataset_id, v_dataset) or v_dataset.id is null
    or (p_replaces is not null and not fusou.may(p_caller, v_dataset, 'manage'))
  then
    perform fusou.mark_for_deletion(v_key);
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;

  -- The same call again, its answer lost on the way; an object given to vacuum is not taken back.
  if exists (select 1 from public.files where r2_key = v_key)
    or exists (select 1 from public.garbage where r2_key = v_key)
  then
    return jsonb_build_object(
      'outcome', (
        select case when count(*) = 0 then 'duplicate' when bool_and(f.healed_at is not null) then 'healed' else 'stored' end
        from public.files f where f.r2_key = v_key
      ),
      'version', v_dataset.version, 'files', fusou.uploaded_files(p_dataset_id, p_object),
      'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  end if;

  if p_replaces is not null then
    select * into v_replaced from public.files where id = p_replaces and dataset_id = p_dataset_id and level = 0;
    if not found or (v_replaced.removed_version is not null and not v_replaced.discarded) then
      perform fusou.mark_for_deletion(v_key);
      return jsonb_build_object('outcome', case when v_replaced.id is null then 'unknown_file' else 'file_superseded' end);
    end if;
  end if;
  v_copies := fusou.live_copies(p_dataset_id, p_object);
  if p_copies is null and v_copies <> '[]' then
    return jsonb_build_object('outcome', 'check_copies', 'copies', v_copies);
  end if;

  select s."table" into v_rejected
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, fingerprint text)
  where fusou.settings_of_table(p_dataset_id, s."table") ->> 'schema' = 'reject'
    and exists (select 1 from public.schemas k where k.dataset_id = p_dataset_id and k.table_name = s."table")
    and not exists (
      select 1 from public.schemas k
      where k.dataset_id = p_dataset_id and k.table_name = s."table" and k.fingerprint = s.fingerprint
    )
  limit 1;
  if found then
    perform fusou.mark_for_deletion(v_key);
    return jsonb_build_object('outcome', 'schema_rejected', 'table', v_rejected);
  end if;

  v_version := v_dataset.version + 1;
  with broken as (
    select distinct on (f.id) f.id, f.r2_key, s."offset"
    from jsonb_to_recordset(p_copies) as c ("fileId" uuid, "r2Key" text)
    join public.files f
      on f.id = c."fileId" and f.r2_key = c."r2Key" and f.dataset_id = p_dataset_id
      and f.level = 0 and f.removed_version is null
    join jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, "offset" bigint, sha256 text)
      on s."table" = f.table_name and s."periodTag" = f.period_tag and s.sha256 = f.content_sha256
    order by f.id, s."offset"
  ), healed as (
    update public.files f
    set r2_key = v_key, byte_offset = b."offset", healed_at = now(),
        quarantine_code = null, quarantine_message = null, quarantined_by_job = null, quarantined_at = null,
        quarantine_acknowledged_at = null
    from broken b where f.id = b.id
    returning f.id
  ), cleared as (
    delete from public.suspects s using healed h where s.file_id = h.id
  )
  select array_agg(distinct b.r2_key), count(*) into v_old_keys, v_healed from broken b;
  perform fusou.mark_for_deletion(k) from unnest(v_old_keys) as k;

  -- Out before the new one comes in, unless it is the same content.
  update public.files f
  set removed_version = v_version, removed_at = now(), discarded = true, discarded_by = v_user_id
  where f.id = p_replaces and f.removed_version is null and not v_copies @> jsonb_build_array(jsonb_build_object('fileId', f.id));
  if found then
    delete from public.suspects where file_id = p_replaces;
  else
    v_replaced := null;
  end if;

  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    content_sha256, schema_fingerprint, created_version, uploaded_by, uploaded_with,
    work_bytes
  )
  select
    p_dataset_id, s."table", s."periodTag", v_key, s."offset", s."length", s."rows", s."rowGroups", 0,
    s.sha256, s.fingerprint, v_version, v_user_id, fusou.key_of(p_caller),
    coalesce(s."workBytes", 0)
  from jsonb_to_recordset(p_object -> 'slices') as s (
    "table" text, "periodTag" text, "offset" bigint, "length" bigint, "rows" bigint, "rowGroups" integer,
    sha256 text, fingerprint text,
    "workBytes" bigint
  )
  on conflict (dataset_id, table_name, period_tag, content_sha256) where level = 0 and not discarded do nothing;
  get diagnostics v_stored = row_count;
  insert into public.schemas (dataset_id, table_name, fingerprint, first_key)
  select distinct p_dataset_id, s."table", s.fingerprint, v_key
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, fingerprint text)
  order by 2, 3
  on conflict do nothing;

  if v_stored = 0 and v_healed = 0 then
    perform fusou.mark_for_deletion(v_key);
    if v_replaced.id is not null then
      update public.datasets set version = v_version where id = p_dataset_id;
      perform fusou.look_for_work(p_dataset_id);
    else
      v_version := v_dataset.version;
    end if;
    return jsonb_build_object(
      'outcome', 'duplicate', 'version', v_version, 'files', fusou.uploaded_files(p_dataset_id, p_object),
      'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  end if;

  -- Healing a file takes no more storage than it had.
  if v_stored > 0 then
    perform fusou.check_storage(v_dataset.owner_id);
  end if;

  -- The fragments that its groups hold now, counted no further than the policy asks. What a running job has planned
  -- with, or will, is no reason for another.
  v_seen_version := coalesce(
    (select coalesce(r.planned_version, v_version) from public.jobs r
     where r.dataset_id = p_dataset_id and r.state = 'running'),
    0
  );
  select
    coalesce(bool_or(fusou.tier_is_full(0, g.fresh)), false) as mergeable,
    coalesce(bool_or(fusou.is_due(v_dataset.settings, g.fresh, g.bytes, g.since)), false) as due,
    min(g.since) filter (where fusou.tier_is_full(0, g.fresh)) as since
  into v_found
  from (
    select distinct f.table_name, f.period_tag, fusou.merge_group_of(f) as merge_group
    from public.files f
    where f.r2_key = v_key and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
      and f.work_bytes < fusou.small_file_work()
  ) own
  cross join lateral (
    select count(*) as fresh, sum(s.byte_length) as bytes, min(s.created_at) as since
    from (
      -- two plans in one: of a group of one schema the index finds its files alone
      select f.byte_length, f.created_at from (
        select * from public.files one
        where own.merge_group <> 'union'
          and one.dataset_id = p_dataset_id
          and one.table_name = own.table_name
          and one.period_tag = own.period_tag
          and one.schema_fingerprint = own.merge_group
          and one.removed_version is null
          and one.quarantine_code is null
        union all
        select * from public.files any_of
        where own.merge_group = 'union'
          and any_of.dataset_id = p_dataset_id
          and any_of.table_name = own.table_name
          and any_of.period_tag = own.period_tag
          and any_of.removed_version is null
          and any_of.quarantine_code is null
          and fusou.merge_group_of(any_of) = 'union'
      ) f
      where f.fragments = 1
        and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
        and f.work_bytes < fusou.small_file_work()
        and f.created_version > v_seen_version
      limit greatest(2, fusou.setting(v_dataset.settings, 'mergeMinFiles'))
    ) s
  ) g;

  update public.datasets
  set version = v_version,
      deleted_at = null,
      compaction_needed = compaction_needed or v_found.mergeable,
      due_at = case
        when due_at is not null or not v_found.mergeable or fusou.has_open_job(id) then due_at
        else greatest(v_found.since, last_attempted_at)
          + make_interval(secs => fusou.setting(settings, 'mergeMaxAgeSeconds'))
      end
  where id = p_dataset_id;
  if v_healed > 0 or v_replaced.id is not null then
    perform fusou.look_for_work(p_dataset_id);
  end if;
  if v_found.due then
    v_job := fusou.request_job(p_dataset_id, null, null, 'realtime', v_user_id, p_sender);
  end if;
  return jsonb_build_object(
    'outcome', case when v_stored > 0 then 'stored' else 'healed' end, 'version', v_version,
    'files', fusou.uploaded_files(p_dataset_id, p_object),
    'jobId', v_job -> 'jobId', 'outbox', v_job -> 'outbox'
  );
end $$;

create function fusou.newest_job(p_dataset_id text)
returns uuid
language sql stable
set search_path = ''
as $$ select id from public.jobs where dataset_id = p_dataset_id order by created_at desc, id desc limit 1 $$;

-- Gives an object to vacuum unless a file row names it.
create function fusou.mark_for_deletion(p_key text)
returns void
language sql
set search_path = ''
as $$
  insert into public.garbage (r2_key)
  select p_key where not exists (select 1 from public.files where r2_key = p_key)
  on conflict do nothing
$$;

-- p_rewrite: also what is merged already, if it was written with other settings than those of now.
create function public.request_compaction(
  p_dataset_id text, p_caller jsonb, p_table text default null, p_period_tag text default null,
  p_sender text default null, p_rewrite boolean default false
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if not fusou.may(p_caller, v_dataset, 'manage') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  perform fusou.audit(
    p_caller, 'dataset.compact', v_dataset.owner_id, p_dataset_id, null, null,
    jsonb_strip_nulls(jsonb_build_object('table', p_table, 'periodTag', p_period_tag, 'rewrite', nullif(p_rewrite, false)))
  );
  return jsonb_build_object('outcome', 'requested')
    || fusou.request_job(p_dataset_id, p_table, p_period_tag, 'manual', fusou.user_of(p_caller), p_sender,
      p_reach => case when p_rewrite then 'rewrite' end);
end $$;

-- The daily round: datasets that need it and have no job yet, the one whose last attempt is oldest first.
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
  -- Before the first job is asked for: who has admitted one waits for no other lock.
  insert into public.heartbeats (name) values ('daily_trigger') on conflict (name) do update set beat_at = now();
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
  select count(*) into v_remaining from public.datasets d
  where d.compaction_needed
    and not exists (select 1 from public.jobs j where j.dataset_id = d.id and j.state in ('queued', 'running'));
  return jsonb_build_object('datasets', v_datasets, 'remaining', v_remaining, 'outbox', v_outbox);
end $$;

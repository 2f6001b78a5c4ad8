-- From live files to merged ones: the plan of an attempt, the swap of each merge by itself, and what becomes of files that
-- no merge can take.

-- The files for a plan: small live files in the scope of the job, of the groups that are in its reach, oldest first; for
-- a rewrite all that were written with other settings than those of now.
-- Suspects in its scope always come along, so that a job that narrows them down does not lose them out of reach.
create function public.list_mergeable_files(p_job_id uuid, p_attempt integer, p_max_files integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_job public.jobs;
  v_dataset public.datasets;
  v_files jsonb;
  v_left_apart jsonb;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into strict v_job from public.jobs where id = p_job_id;
  select * into strict v_dataset from public.datasets where id = v_job.dataset_id;

  update public.jobs set planned_version = v_dataset.version where id = p_job_id;

  with within_reach as (
    select g.table_name, g.period_tag, g.merge_group
    from fusou.small_groups(v_job.dataset_id) g
    where v_job.reach <> 'rewrite'
      and (v_job.table_name is null or g.table_name = v_job.table_name)
      and (v_job.period_tag is null or g.period_tag = v_job.period_tag)
      and case v_job.reach
        when 'all' then g.files >= 2
        when 'tiers' then fusou.tier_is_full(0, g.fresh) or g.upper_tier_full
        else g.upper_tier_full or fusou.is_due(v_dataset.settings, g.fresh, g.fresh_bytes, g.fresh_since)
      end
  ), chosen as (
    select f.id, f.table_name, f.period_tag, f.merge_group, f.byte_length, f.row_count, f.fragments, f.work_bytes,
      f.created_version, s.set_id, s.ends
    from (
      select l.*, fusou.merge_group(coalesce(t.settings, '{}'), l.schema_fingerprint, k.apart_reason) as merge_group,
        fusou.settings_key(coalesce(t.settings, '{}')) as wanted_key
      from public.files l
      left join public.table_settings t on t.dataset_id = l.dataset_id and t.table_name = l.table_name
      left join public.schemas k
        on k.dataset_id = l.dataset_id and k.table_name = l.table_name and k.fingerprint = l.schema_fingerprint
      where l.dataset_id = v_job.dataset_id and l.removed_version is null and l.quarantine_code is null
        and (v_job.table_name is null or l.table_name = v_job.table_name)
        and (v_job.period_tag is null or l.period_tag = v_job.period_tag)
    ) f
    left join within_reach g
      on g.table_name = f.table_name and g.period_tag = f.period_tag and g.merge_group = f.merge_group
    left join public.suspects s on s.file_id = f.id
    where case
      when v_job.reach = 'rewrite' then f.settings_key is distinct from f.wanted_key
      else (g.table_name is not null or s.file_id is not null)
        and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
        and f.work_bytes < fusou.small_file_work()
    end
    order by f.table_name, f.period_tag, f.merge_group, f.created_version, f.id
    limit p_max_files + 1
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id, 'table', c.table_name, 'periodTag', c.period_tag, 'mergeGroup', c.merge_group,
    'bytes', c.byte_length, 'rows', c.row_count, 'fragments', c.fragments,
    'workBytes', c.work_bytes,
    'suspect', case when c.set_id is not null then jsonb_build_object('setId', c.set_id, 'ends', c.ends) end
  ) order by c.table_name, c.period_tag, c.merge_group, c.created_version, c.id), '[]')
  into v_files from chosen c;

  -- Partitions that hold more than one schema, for the report: their files stay apart.
  select coalesce(jsonb_agg(jsonb_build_object('table', s.table_name, 'periodTag', s.period_tag, 'schemas', s.schemas)), '[]')
  into v_left_apart
  from (
    select f.table_name, f.period_tag,
      count(distinct fusou.merge_group(coalesce(t.settings, '{}'), f.schema_fingerprint, k.apart_reason)) as schemas
    from public.files f
    left join public.table_settings t on t.dataset_id = f.dataset_id and t.table_name = f.table_name
    left join public.schemas k
      on k.dataset_id = f.dataset_id and k.table_name = f.table_name and k.fingerprint = f.schema_fingerprint
    where f.dataset_id = v_job.dataset_id and f.removed_version is null
      and (v_job.table_name is null or f.table_name = v_job.table_name)
      and (v_job.period_tag is null or f.period_tag = v_job.period_tag)
    group by f.table_name, f.period_tag
    having count(distinct fusou.merge_group(coalesce(t.settings, '{}'), f.schema_fingerprint, k.apart_reason)) > 1
    order by f.table_name, f.period_tag
    limit 100
  ) s;

  return jsonb_build_object(
    'outcome', 'ok',
    'targetFileBytes', fusou.setting(v_dataset.settings, 'targetFileBytes'),
    'reach', v_job.reach,
    'more', jsonb_array_length(v_files) > p_max_files,
    'files', case when jsonb_array_length(v_files) > p_max_files then v_files - p_max_files else v_files end,
    'mixedPartitions', v_left_apart
  );
end $$;

-- Writes the plan of an attempt, once: a second call, from a retried or a late step, gets the plan that stands.
-- p_merges: [[fileId, ...], ...]; one file alone only if it is a suspect, or in a rewrite.
create function public.save_plan(p_job_id uuid, p_attempt integer, p_merges jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_dataset_id text;
  v_reach text;
  v_merge record;
  v_group record;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select dataset_id, reach into strict v_dataset_id, v_reach from public.jobs where id = p_job_id;
  if not exists (select 1 from public.merges where job_id = p_job_id and attempt = p_attempt) then
    for v_merge in
      select (ordinality)::integer as index, array(select jsonb_array_elements_text(value)::uuid) as ids
      from jsonb_array_elements(p_merges) with ordinality
    loop
      select count(*) as found, sum(f.row_count) as rows_in, sum(f.byte_length) as bytes_in,
        min(f.table_name) as table_name, min(f.period_tag) as period_tag,
        count(distinct (f.table_name, f.period_tag, fusou.merge_group_of(f))) as kinds
      into v_group
      from public.files f
      where f.id = any (v_merge.ids) and f.dataset_id = v_dataset_id and f.removed_version is null;
      if v_group.found <> cardinality(v_merge.ids) then
        delete from public.merges where job_id = p_job_id and attempt = p_attempt;
        return jsonb_build_object('outcome', 'conflict');
      elsif v_group.kinds <> 1 then
        raise exception 'save_plan: merge % mixes partitions or schemas', v_merge.index using errcode = '22023';
      elsif v_group.found = 1 and v_reach <> 'rewrite'
        and not exists (select 1 from public.suspects s where s.file_id = v_merge.ids[1])
      then
        raise exception 'save_plan: merge % has one input', v_merge.index using errcode = '22023';
      end if;
      insert into public.merges (job_id, attempt, index, table_name, period_tag, input_ids, rows_in, bytes_in)
      values (
        p_job_id, p_attempt, v_merge.index, v_group.table_name, v_group.period_tag, v_merge.ids,
        fusou.saturate(v_group.rows_in), fusou.saturate(v_group.bytes_in)
      );
    end loop;
  end if;
  return jsonb_build_object(
    'outcome', 'ok',
    'merges', (select count(*) from public.merges where job_id = p_job_id and attempt = p_attempt)
  );
end $$;

-- Outcomes: ok, committed and nothing_left (there is nothing to do any more), unknown_merge, and those of the fence.
create function public.open_merge(
  p_job_id uuid, p_attempt integer, p_index integer, p_lease_seconds integer, p_finished jsonb default '{}'
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text;
  v_merge public.merges;
  v_dataset_id text;
  v_settings jsonb;
begin
  v_outcome := public.enter_step(
    p_job_id, p_attempt, 'compact-' || p_index, p_lease_seconds, p_finished
  ) ->> 'outcome';
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  v_merge := fusou.shrink_merge(p_job_id, p_attempt, p_index);
  if v_merge.job_id is null then
    return jsonb_build_object('outcome', 'unknown_merge');
  elsif v_merge.state <> 'planned' then
    return jsonb_build_object('outcome', v_merge.state);
  end if;
  select j.dataset_id into strict v_dataset_id from public.jobs j where j.id = p_job_id;
  v_settings := fusou.settings_of_table(v_dataset_id, v_merge.table_name);
  update public.merges set settings = v_settings
  where job_id = p_job_id and attempt = p_attempt and index = p_index;
  return jsonb_build_object(
    'outcome', 'ok',
    'datasetId', v_dataset_id,
    'settings', v_settings,
    'ownerId', (
      select d.owner_id from public.jobs j join public.datasets d on d.id = j.dataset_id where j.id = p_job_id
    ),
    'table', v_merge.table_name,
    'periodTag', v_merge.period_tag,
    -- null: the schemas of the inputs are united
    'fingerprint', (
      select case when count(distinct f.schema_fingerprint) = 1 then min(f.schema_fingerprint) end
      from public.files f where f.id = any (v_merge.input_ids)
    ),
    'inputs', (
      select jsonb_agg(jsonb_build_object(
        'id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length, 'rows', f.row_count,
        'level', f.level, 'sha256', f.content_sha256, 'fingerprint', f.schema_fingerprint
      ) order by array_position(v_merge.input_ids, f.id))
      from public.files f where f.id = any (v_merge.input_ids)
    )
  );
end $$;

-- The swap: inputs out, output in, one version further; all of it or nothing.
-- p_output: {r2Key, bytes, rows, rowGroups, sha256, fingerprint, workBytes?, duplicateRows?}
-- Outcomes: committed, superseded (another try of this step has swapped already; this output is garbage),
-- conflict (an input is no longer live; open_merge() leaves it out), row_count_mismatch, stale_attempt, cancelled.
create function public.commit_merge(
  p_job_id uuid, p_attempt integer, p_index integer, p_output jsonb, p_lease_seconds integer
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_live record;
  v_dataset_id text;
  v_version bigint;
  v_output_id uuid;
  v_duplicate_rows constant bigint := coalesce((p_output ->> 'duplicateRows')::bigint, 0);
begin
  -- The object is whole: there is nothing to abort any more.
  delete from public.multipart_uploads where r2_key = p_output ->> 'r2Key';
  if v_outcome = 'ok' then
    select * into v_merge from public.merges
    where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
    if not found then
      v_outcome := 'unknown_merge';
    elsif v_merge.state = 'committed' and v_merge.output_key = p_output ->> 'r2Key' then
      return jsonb_build_object('outcome', 'committed', 'version', v_merge.version);
    elsif v_merge.state <> 'planned' then
      v_outcome := 'superseded';
    end if;
  end if;
  if v_outcome = 'ok' then
    perform 1 from public.files where id = any (v_merge.input_ids) for update;
    select count(*) as found, sum(f.row_count) as row_count, max(f.level) as level,
      sum(f.fragments) as fragments, min(f.dataset_id) as dataset_id, max(f.newest_upload_at) as newest_upload_at
    into v_live
    from public.files f
    where f.id = any (v_merge.input_ids) and f.removed_version is null and f.quarantine_code is null;
    if v_live.found <> cardinality(v_merge.input_ids) then
      v_outcome := 'conflict';
    elsif v_live.row_count <> (p_output ->> 'rows')::bigint + v_duplicate_rows
      or (v_duplicate_rows > 0 and not coalesce(v_merge.settings ? 'dedupeBy', false))
    then
      v_outcome := 'row_count_mismatch';
    end if;
  end if;
  if v_outcome <> 'ok' then
    perform fusou.mark_for_deletion(p_output ->> 'r2Key');
    return jsonb_build_object('outcome', v_outcome);
  end if;

  v_dataset_id := v_live.dataset_id;
  update public.datasets set version = version + 1 where id = v_dataset_id returning version into v_version;
  update public.files
  set removed_version = v_version, removed_at = now(), removed_by_job = p_job_id
  where id = any (v_merge.input_ids);
  delete from public.suspects where file_id = any (v_merge.input_ids);
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    fragments, content_sha256, schema_fingerprint, created_version, created_by_job,
    work_bytes, newest_upload_at, settings_key
  )
  values (
    v_dataset_id, v_merge.table_name, v_merge.period_tag, p_output ->> 'r2Key', 0, (p_output ->> 'bytes')::bigint,
    (p_output ->> 'rows')::bigint, (p_output ->> 'rowGroups')::integer, v_live.level + 1, v_live.fragments,
    p_output ->> 'sha256', p_output ->> 'fingerprint', v_version, p_job_id,
    coalesce((p_output ->> 'workBytes')::bigint, 0), v_live.newest_upload_at,
    fusou.settings_key(coalesce(v_merge.settings, '{}'))
  )
  returning id into v_output_id;
  insert into public.schemas (dataset_id, table_name, fingerprint)
  values (v_dataset_id, v_merge.table_name, p_output ->> 'fingerprint') on conflict do nothing;
  update public.merges
  set state = 'committed', duplicate_rows = v_duplicate_rows, output_id = v_output_id, output_key = p_output ->> 'r2Key', version = v_version
  where job_id = p_job_id and attempt = p_attempt and index = p_index;
  update public.jobs
  set files_in = files_in + v_live.found,
      files_out = files_out + 1,
      rows_in = fusou.saturate(rows_in::numeric + v_live.row_count),
      rows_out = fusou.saturate(rows_out + (p_output ->> 'rows')::numeric),
      bytes_in = fusou.saturate(bytes_in::numeric + v_merge.bytes_in),
      bytes_out = fusou.saturate(bytes_out + (p_output ->> 'bytes')::numeric),
      silent_leases = 0,
      lease_until = now() + make_interval(secs => p_lease_seconds)
  where id = p_job_id;
  perform fusou.look_for_work(v_dataset_id);
  return jsonb_build_object('outcome', 'committed', 'version', v_version);
end $$;

-- Takes out of a merge what is no longer live or is in quarantine. Fewer than two inputs are nothing to merge, but for a
-- suspect that was alone from the start. The caller holds the fence. Answers with the merge as it is then.
create function fusou.shrink_merge(p_job_id uuid, p_attempt integer, p_index integer)
returns public.merges
language plpgsql
set search_path = ''
as $$
declare
  v_merge public.merges;
  v_left record;
begin
  select * into v_merge from public.merges
  where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
  if v_merge.state is distinct from 'planned' then
    return v_merge;
  end if;
  select array_agg(f.id order by u.place) as ids, count(*) as files, sum(f.row_count) as rows_in, sum(f.byte_length) as bytes_in
  into v_left
  from unnest(v_merge.input_ids) with ordinality as u (id, place)
  join public.files f on f.id = u.id and f.removed_version is null and f.quarantine_code is null;
  if v_left.files < least(2, cardinality(v_merge.input_ids)) then
    update public.merges set state = 'nothing_left'
    where job_id = p_job_id and attempt = p_attempt and index = p_index returning * into v_merge;
  elsif v_left.files < cardinality(v_merge.input_ids) then
    update public.merges
    set input_ids = v_left.ids, rows_in = fusou.saturate(v_left.rows_in), bytes_in = fusou.saturate(v_left.bytes_in)
    where job_id = p_job_id and attempt = p_attempt and index = p_index returning * into v_merge;
  end if;
  return v_merge;
end $$;

-- Schemas that cannot be united with those of the other inputs, though the table says so: their files stay apart from now
-- on, this merge goes on without them, and a later job merges them with their own kind.
-- p_schemas: [{fingerprint, reason}]. Outcomes: ok, unknown_merge, and those of the fence.
create function public.set_schemas_apart(p_job_id uuid, p_attempt integer, p_index integer, p_schemas jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_dataset_id text;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into v_merge from public.merges
  where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_merge');
  end if;
  select dataset_id into strict v_dataset_id from public.jobs where id = p_job_id;
  update public.schemas s set apart_reason = left(a.reason, 500)
  from jsonb_to_recordset(p_schemas) as a (fingerprint text, reason text)
  where s.dataset_id = v_dataset_id and s.table_name = v_merge.table_name and s.fingerprint = a.fingerprint;
  update public.merges m
  set input_ids = kept.ids, rows_in = fusou.saturate(kept.rows_in), bytes_in = fusou.saturate(kept.bytes_in)
  from (
    select array_agg(f.id order by array_position(v_merge.input_ids, f.id)) as ids, sum(f.row_count) as rows_in,
      sum(f.byte_length) as bytes_in
    from public.files f
    where f.id = any (v_merge.input_ids) and fusou.merge_group_of(f) = 'union'
  ) kept
  where m.job_id = p_job_id and m.attempt = p_attempt and m.index = p_index and m.state = 'planned'
    and cardinality(kept.ids) >= 2;
  if not found then
    update public.merges set state = 'nothing_left'
    where job_id = p_job_id and attempt = p_attempt and index = p_index and state = 'planned';
  end if;
  perform fusou.look_for_work(v_dataset_id);
  return jsonb_build_object('outcome', 'ok');
end $$;

-- How many files a job names of those that it set aside; all of them are in the listing of files.
create function fusou.max_named_files()
returns integer
language sql immutable
set search_path = ''
as $$ select 20 $$;

-- Puts a live file into quarantine: readable, out of every later plan, until somebody releases it or uploads it again.
-- p_r2_key: the object that was read; a file that was healed meanwhile is another, and stays. Says whether it was done.
create function fusou.quarantine(p_file_id uuid, p_r2_key text, p_job_id uuid, p_code text, p_message text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_file public.files;
begin
  update public.files
  set quarantine_code = p_code, quarantine_message = left(p_message, 2000), quarantined_by_job = p_job_id,
      quarantined_at = now(), quarantine_acknowledged_at = null
  where id = p_file_id and removed_version is null and quarantine_code is null
    and (p_r2_key is null or r2_key = p_r2_key)
  returning * into v_file;
  if not found then
    return false;
  end if;
  delete from public.suspects where file_id = p_file_id;
  update public.jobs
  set files_set_aside = files_set_aside + 1,
      set_aside = case when jsonb_array_length(set_aside) >= fusou.max_named_files() then set_aside else
        set_aside || jsonb_build_object(
          'fileId', p_file_id, 'table', v_file.table_name, 'periodTag', v_file.period_tag,
          'code', p_code, 'message', left(p_message, 300)
        )
      end
  where id = p_job_id;
  return true;
end $$;

-- Inputs that no merge can take, all that were found: they go into quarantine and out of the merge, in one call. A call
-- that is made again changes nothing more.
-- p_faults: [{fileId, r2Key, code, message}]
-- Outcomes: ok (the rest can be merged), nothing_left, committed, unknown_merge, and those of the fence.
create function public.set_aside_inputs(p_job_id uuid, p_attempt integer, p_index integer, p_faults jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_fault record;
  v_count integer := 0;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into v_merge from public.merges where job_id = p_job_id and attempt = p_attempt and index = p_index;
  if not found then
    return jsonb_build_object('outcome', 'unknown_merge');
  elsif v_merge.state = 'planned' then
    for v_fault in
      select f."fileId", f."r2Key", f.code, f.message
      from jsonb_to_recordset(p_faults) as f ("fileId" uuid, "r2Key" text, code text, message text)
      where f."fileId" = any (v_merge.input_ids)
    loop
      if fusou.quarantine(v_fault."fileId", v_fault."r2Key", p_job_id, v_fault.code, v_fault.message) then
        v_count := v_count + 1;
      end if;
    end loop;
    v_merge := fusou.shrink_merge(p_job_id, p_attempt, p_index);
    perform fusou.look_for_work((select dataset_id from public.jobs where id = p_job_id));
  end if;
  return jsonb_build_object(
    'outcome', case v_merge.state when 'planned' then 'ok' else v_merge.state end, 'setAside', v_count
  );
end $$;

-- Ends of attempts that one job may spend on finding files; further ones count like any failure. What was learned stays,
-- and the next job goes on from there. Enough for four files in a merge of a thousand.
create function fusou.max_excused_ends()
returns integer
language sql immutable
set search_path = ''
as $$ select 64 $$;

-- An attempt ended inside a merge, and nothing says which file is to blame: the instance died of memory, computing time or a
-- reset (workflow_ended), an error was none that we know (internal), or rows were lost on the way (row_count_mismatch).
-- Once proves nothing, as a deploy resets instances too. The second end of a merge of the same files cuts them into
-- halves, each merged by itself, in which one end is enough to cut on. A file that is alone when it ends a merge twice is
-- set aside. So one file among n is found by 4 + log2(n) ends at the most, and a commit clears all inputs of suspicion.
-- Says whether the end told anything.
create function fusou.suspect_inputs(p_job public.jobs, p_code text, p_step text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  -- The rescuer knows only that the instance is gone; the job knows how far it had come.
  v_step constant text := case when p_code = 'workflow_ended' then p_job.step else p_step end;
  v_ids uuid[];
  v_ends integer;
  v_half integer;
begin
  if p_code not in ('workflow_ended', 'internal', 'row_count_mismatch') or v_step is null or v_step !~ '^compact-[0-9]+$' then
    return false;
  end if;
  select array_agg(u.id order by u.place) into v_ids
  from public.merges m
  cross join lateral unnest(m.input_ids) with ordinality as u (id, place)
  join public.files f on f.id = u.id and f.removed_version is null and f.quarantine_code is null
  where m.job_id = p_job.id and m.attempt = p_job.attempt and m.state = 'planned'
    and m.index = substring(v_step from '[0-9]+$')::integer;
  if v_ids is null then
    return false;
  end if;

  -- The same files as at an earlier end, or a new set of them.
  select s.ends into v_ends from public.suspects s
  where s.file_id = v_ids[1] and s.set_files = cardinality(v_ids) and not exists (
    select 1 from unnest(v_ids) as u (id)
    where not exists (select 1 from public.suspects o where o.set_id = s.set_id and o.file_id = u.id)
  );
  if coalesce(v_ends, 0) = 0 then
    perform fusou.suspect(v_ids, 1);
  elsif cardinality(v_ids) = 1 then
    perform fusou.quarantine(
      v_ids[1], null, p_job.id, 'merge_killed',
      'merging this file alone ended the Workflow twice without an error; before, so did each merge that had it'
    );
    perform fusou.look_for_work(p_job.dataset_id);
  else
    v_half := (cardinality(v_ids) + 1) / 2;
    perform fusou.suspect(v_ids[:v_half], case when v_half > 1 then 1 else 0 end);
    perform fusou.suspect(v_ids[v_half + 1:], case when cardinality(v_ids) - v_half > 1 then 1 else 0 end);
  end if;
  return true;
end $$;

-- Makes these files a set of suspects.
create function fusou.suspect(p_ids uuid[], p_ends integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_set_id constant uuid := gen_random_uuid();
begin
  insert into public.suspects (file_id, set_id, set_files, ends)
  select u.id, v_set_id, cardinality(p_ids), p_ends from unnest(p_ids) as u (id) order by u.id
  on conflict (file_id) do update
  set set_id = excluded.set_id, set_files = excluded.set_files, ends = excluded.ends;
end $$;

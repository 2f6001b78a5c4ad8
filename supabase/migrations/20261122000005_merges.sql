-- From live files to merged ones: the plan of an attempt, and the swap of each merge by itself.

-- What a plan is made from: small live files in the scope of the job, of the groups that are in its reach, oldest first.
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
    select g.table_name, g.period_tag, g.schema_fingerprint
    from fusou.small_groups(v_job.dataset_id) g
    where (v_job.table_name is null or g.table_name = v_job.table_name)
      and (v_job.period_tag is null or g.period_tag = v_job.period_tag)
      and case v_job.reach
        when 'all' then g.files >= 2
        when 'tiers' then fusou.tier_is_full(0, g.fresh) or g.upper_tier_full
        else g.upper_tier_full or fusou.is_due(v_dataset.settings, g.fresh, g.fresh_bytes, g.fresh_since)
      end
  ), chosen as (
    select f.id, f.table_name, f.period_tag, f.schema_fingerprint, f.byte_length, f.row_count, f.fragments,
      f.created_version
    from within_reach g
    join public.files f
      on f.table_name = g.table_name
      and f.period_tag = g.period_tag
      and f.schema_fingerprint = g.schema_fingerprint
    where f.dataset_id = v_job.dataset_id
      and f.removed_version is null
      and f.quarantine_code is null
      and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
    order by f.table_name, f.period_tag, f.schema_fingerprint, f.created_version, f.id
    limit p_max_files + 1
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id, 'table', c.table_name, 'periodTag', c.period_tag, 'fingerprint', c.schema_fingerprint,
    'bytes', c.byte_length, 'rows', c.row_count, 'fragments', c.fragments
  ) order by c.table_name, c.period_tag, c.schema_fingerprint, c.created_version, c.id), '[]')
  into v_files from chosen c;

  -- Partitions that hold more than one schema, for the report: their files stay apart.
  select coalesce(jsonb_agg(jsonb_build_object('table', s.table_name, 'periodTag', s.period_tag, 'schemas', s.schemas)), '[]')
  into v_left_apart
  from (
    select f.table_name, f.period_tag, count(distinct f.schema_fingerprint) as schemas
    from public.files f
    where f.dataset_id = v_job.dataset_id and f.removed_version is null
      and (v_job.table_name is null or f.table_name = v_job.table_name)
      and (v_job.period_tag is null or f.period_tag = v_job.period_tag)
    group by f.table_name, f.period_tag
    having count(distinct f.schema_fingerprint) > 1
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
-- p_merges: [[fileId, ...], ...]
create function public.save_plan(p_job_id uuid, p_attempt integer, p_merges jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_dataset_id text;
  v_merge record;
  v_group record;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select dataset_id into strict v_dataset_id from public.jobs where id = p_job_id;
  if not exists (select 1 from public.merges where job_id = p_job_id and attempt = p_attempt) then
    for v_merge in
      select (ordinality)::integer as index, array(select jsonb_array_elements_text(value)::uuid) as ids
      from jsonb_array_elements(p_merges) with ordinality
    loop
      select count(*) as found, sum(f.row_count) as rows_in, sum(f.byte_length) as bytes_in,
        min(f.table_name) as table_name, min(f.period_tag) as period_tag,
        count(distinct (f.table_name, f.period_tag, f.schema_fingerprint)) as kinds
      into v_group
      from public.files f
      where f.id = any (v_merge.ids) and f.dataset_id = v_dataset_id and f.removed_version is null;
      if v_group.found <> cardinality(v_merge.ids) then
        delete from public.merges where job_id = p_job_id and attempt = p_attempt;
        return jsonb_build_object('outcome', 'conflict');
      elsif v_group.kinds <> 1 then
        raise exception 'save_plan: merge % mixes partitions or schemas', v_merge.index using errcode = '22023';
      end if;
      insert into public.merges (job_id, attempt, index, table_name, period_tag, input_ids, rows_in, bytes_in)
      values (
        p_job_id, p_attempt, v_merge.index, v_group.table_name, v_group.period_tag, v_merge.ids,
        v_group.rows_in, v_group.bytes_in
      );
    end loop;
  end if;
  return jsonb_build_object(
    'outcome', 'ok',
    'merges', (select count(*) from public.merges where job_id = p_job_id and attempt = p_attempt)
  );
end $$;

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
begin
  v_outcome := public.enter_step(
    p_job_id, p_attempt, 'compact-' || p_index, p_lease_seconds, p_finished
  ) ->> 'outcome';
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into v_merge from public.merges where job_id = p_job_id and attempt = p_attempt and index = p_index;
  if not found then
    return jsonb_build_object('outcome', 'unknown_merge');
  elsif v_merge.state <> 'planned' then
    return jsonb_build_object('outcome', v_merge.state, 'code', v_merge.error_code);
  end if;
  return jsonb_build_object(
    'outcome', 'ok',
    'datasetId', (select dataset_id from public.jobs where id = p_job_id),
    'ownerId', (
      select d.owner_id from public.jobs j join public.datasets d on d.id = j.dataset_id where j.id = p_job_id
    ),
    'table', v_merge.table_name,
    'periodTag', v_merge.period_tag,
    'fingerprint', (select min(f.schema_fingerprint) from public.files f where f.id = any (v_merge.input_ids)),
    'inputs', (
      select jsonb_agg(jsonb_build_object(
        'id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length, 'rows', f.row_count,
        'level', f.level, 'sha256', f.content_sha256
      ) order by array_position(v_merge.input_ids, f.id))
      from public.files f where f.id = any (v_merge.input_ids)
    )
  );
end $$;

-- The swap: inputs out, output in, one version further; all of it or nothing.
-- p_output: {r2Key, bytes, rows, rowGroups, sha256, fingerprint, sortMin?, sortMax?}
-- Outcomes: committed, superseded (another try of this step has swapped already; this output is garbage),
-- conflict (an input is no longer live), row_count_mismatch, stale_attempt, cancelled.
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
      sum(f.fragments) as fragments, min(f.dataset_id) as dataset_id
    into v_live
    from public.files f
    where f.id = any (v_merge.input_ids) and f.removed_version is null and f.quarantine_code is null;
    if v_live.found <> cardinality(v_merge.input_ids) then
      v_outcome := 'conflict';
    elsif v_live.row_count <> (p_output ->> 'rows')::bigint then
      v_outcome := 'row_count_mismatch';
    end if;
  end if;
  if v_outcome <> 'ok' then
    perform fusou.doom(p_output ->> 'r2Key');
    return jsonb_build_object('outcome', v_outcome);
  end if;

  v_dataset_id := v_live.dataset_id;
  update public.datasets set version = version + 1 where id = v_dataset_id returning version into v_version;
  update public.files
  set removed_version = v_version, removed_at = now(), removed_by_job = p_job_id
  where id = any (v_merge.input_ids);
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    fragments, content_sha256, schema_fingerprint, sort_min, sort_max, created_version, created_by_job
  )
  values (
    v_dataset_id, v_merge.table_name, v_merge.period_tag, p_output ->> 'r2Key', 0, (p_output ->> 'bytes')::bigint,
    (p_output ->> 'rows')::bigint, (p_output ->> 'rowGroups')::integer, v_live.level + 1, v_live.fragments,
    p_output ->> 'sha256', p_output ->> 'fingerprint', p_output ->> 'sortMin', p_output ->> 'sortMax', v_version, p_job_id
  )
  returning id into v_output_id;
  update public.merges
  set state = 'committed', output_id = v_output_id, output_key = p_output ->> 'r2Key', version = v_version
  where job_id = p_job_id and attempt = p_attempt and index = p_index;
  update public.jobs
  set files_in = files_in + v_live.found,
      files_out = files_out + 1,
      rows_in = rows_in + v_live.row_count,
      rows_out = rows_out + (p_output ->> 'rows')::bigint,
      bytes_in = bytes_in + v_merge.bytes_in,
      bytes_out = bytes_out + (p_output ->> 'bytes')::bigint,
      silent_leases = 0,
      lease_until = now() + make_interval(secs => p_lease_seconds)
  where id = p_job_id;
  perform fusou.look_for_work(v_dataset_id);
  return jsonb_build_object('outcome', 'committed', 'version', v_version);
end $$;

-- A merge that can't be done as long as one of its inputs is what it is: that file goes into quarantine, live and
-- readable, out of every later plan, until an operator retries the job.
create function public.fail_merge(
  p_job_id uuid, p_attempt integer, p_index integer, p_file_id uuid, p_code text, p_message text
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  update public.merges
  set state = 'failed', error_code = p_code, error_message = left(p_message, 2000)
  where job_id = p_job_id and attempt = p_attempt and index = p_index and state = 'planned';
  if found then
    update public.files
    set quarantine_code = p_code, quarantine_message = left(p_message, 2000), quarantined_by_job = p_job_id
    where id = p_file_id
      and id = any (
        select unnest(input_ids) from public.merges
        where job_id = p_job_id and attempt = p_attempt and index = p_index
      );
  end if;
  return jsonb_build_object('outcome', 'failed');
end $$;

-- Operations beyond one job: many dead jobs tried again, files discarded, files released from quarantine.

-- Dead jobs, by id or by what they have in common, the one that died first first; dead jobs of one dataset are done by
-- one new job. A job named by its id is taken as often as it is named, others only until somebody asked again:
-- repeating the call goes on with the rest. Null filters match all.
create function public.redrive(
  p_caller jsonb, p_job_ids uuid[], p_dataset_id text, p_code text, p_dry_run boolean, p_limit integer,
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_account constant uuid := fusou.account_of(p_caller, 'manage');
  v_found record;
  v_found_ids uuid[] := '{}';
  v_found_id uuid;
  v_job public.jobs;
  v_asked jsonb;
  v_jobs jsonb := '[]';
  v_outbox jsonb := '[]';
begin
  if p_limit not between 1 and 100 then
    raise exception 'redrive: limit must be 1..100' using errcode = '22023';
  end if;
  -- In one order for all, and all before the first job is asked for: who has admitted one waits for no dataset.
  for v_found in
    select m.id, m.dataset_id from (
      select j.id, j.dataset_id, j.finished_at
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'dead'
        and (v_account is null or d.owner_id = v_account)
        and (p_dataset_id is null or j.dataset_id = p_dataset_id)
        and (p_code is null or j.error_code = p_code)
        and case when p_job_ids is null then j.retried_as is null else j.id = any (p_job_ids) end
      order by j.finished_at, j.id
      limit p_limit
    ) m
    order by m.dataset_id, m.finished_at, m.id
  loop
    if p_dry_run then
      v_jobs := v_jobs || jsonb_build_object('jobId', v_found.id, 'datasetId', v_found.dataset_id);
      continue;
    end if;
    perform 1 from public.datasets where id = v_found.dataset_id for update;
    v_found_ids := v_found_ids || v_found.id;
  end loop;
  foreach v_found_id in array v_found_ids loop
    v_job := fusou.open_job(v_found_id, p_caller);
    -- Somebody else asked while this call waited for the lock.
    if p_job_ids is null and v_job.retried_as is not null then
      continue;
    end if;
    v_asked := fusou.request_again(v_job, p_caller, p_sender);
    v_jobs := v_jobs || jsonb_build_object(
      'jobId', v_job.id, 'datasetId', v_job.dataset_id, 'newJobId', v_asked -> 'jobId'
    );
    if jsonb_typeof(v_asked -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_asked -> 'outbox');
    end if;
  end loop;
  return jsonb_build_object('jobs', v_jobs, 'outbox', v_outbox);
end $$;

-- A file that the caller may change, else a null row. Locks its dataset.
create function fusou.open_file(p_file_id uuid, p_caller jsonb)
returns public.files
language plpgsql
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_file public.files;
begin
  select d.* into v_dataset from public.datasets d
  where d.id = (select f.dataset_id from public.files f where f.id = p_file_id)
  for update;
  if fusou.may(p_caller, v_dataset, 'manage') then
    select * into v_file from public.files where id = p_file_id;
  end if;
  return v_file;
end $$;

create function fusou.audit_file(p_caller jsonb, p_action text, p_file public.files)
returns void
language sql
set search_path = ''
as $$
  select fusou.audit(
    p_caller, p_action, (select d.owner_id from public.datasets d where d.id = p_file.dataset_id), p_file.dataset_id,
    p_file.id::text, jsonb_strip_nulls(jsonb_build_object(
      'table', p_file.table_name, 'periodTag', p_file.period_tag, 'rows', p_file.row_count,
      'quarantine', p_file.quarantine_code
    ))
  )
$$;

-- Takes a live file, uploaded or merged, out of the dataset: its rows are in no later version, earlier ones keep it.
-- A merge that has it as an input goes on without it.
-- Outcomes: discarded (also when it was before), file_superseded (a merge took it: its rows are in another), unknown_file.
create function public.discard_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_file public.files := fusou.open_file(p_file_id, p_caller);
  v_version bigint;
begin
  if v_file.id is null then
    return jsonb_build_object('outcome', 'unknown_file');
  elsif v_file.removed_version is not null and not v_file.discarded then
    return jsonb_build_object('outcome', 'file_superseded');
  elsif v_file.removed_version is null then
    update public.datasets set version = version + 1 where id = v_file.dataset_id returning version into v_version;
    update public.files
    set removed_version = v_version, removed_at = now(), discarded = true, discarded_by = fusou.user_of(p_caller)
    where id = p_file_id returning * into v_file;
    delete from public.suspects where file_id = p_file_id;
    perform fusou.look_for_work(v_file.dataset_id);
    perform fusou.audit_file(p_caller, 'file.discard', v_file);
  end if;
  return jsonb_build_object(
    'outcome', 'discarded', 'datasetId', v_file.dataset_id, 'table', v_file.table_name,
    'periodTag', v_file.period_tag, 'rows', v_file.row_count, 'version', v_file.removed_version
  );
end $$;

-- Lets merges take a file again that is in quarantine: somebody has mended its object, or what could not merge it.
-- Outcomes: released, not_quarantined, unknown_file.
create function public.release_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_file public.files := fusou.open_file(p_file_id, p_caller);
begin
  if v_file.id is null then
    return jsonb_build_object('outcome', 'unknown_file');
  elsif v_file.removed_version is not null or v_file.quarantine_code is null then
    return jsonb_build_object('outcome', 'not_quarantined');
  end if;
  update public.files
  set quarantine_code = null, quarantine_message = null, quarantined_by_job = null, quarantined_at = null,
      quarantine_acknowledged_at = null
  where id = p_file_id;
  perform fusou.look_for_work(v_file.dataset_id);
  perform fusou.audit_file(p_caller, 'file.release', v_file);
  return jsonb_build_object('outcome', 'released', 'datasetId', v_file.dataset_id, 'code', v_file.quarantine_code);
end $$;

-- The operator knows of the files that are in quarantine now: the alert counts only those that come after.
-- Null filters match all. Answers with how many; a file that a call works on right now is left to the next one.
create function public.acknowledge_files(p_caller jsonb, p_dataset_id text, p_code text)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  perform fusou.require_operator(p_caller);
  with news as (
    select f.id from public.files f
    where f.removed_version is null and f.quarantine_code is not null and f.quarantine_acknowledged_at is null
      and (p_dataset_id is null or f.dataset_id = p_dataset_id)
      and (p_code is null or f.quarantine_code = p_code)
    for update skip locked
  )
  update public.files f set quarantine_acknowledged_at = now() from news where f.id = news.id;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform fusou.audit(
      p_caller, 'files.acknowledge', null, p_dataset_id, null, null,
      jsonb_build_object('files', v_count, 'code', p_code)
    );
  end if;
  return v_count;
end $$;

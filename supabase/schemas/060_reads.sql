-- Reading jobs and files.

-- The steps of an attempt are validate-dataset, get-metadata, one for each merge of its plan, and update-metadata.
create function fusou.steps_done(p_job public.jobs, p_merges bigint)
returns bigint
language sql immutable
set search_path = ''
as $$
  select case
    when p_job.result is not null then p_merges + 3
    when p_job.step = 'get-metadata' then 1
    when p_job.step ~ '^compact-[0-9]+$' then substring(p_job.step from '[0-9]+')::bigint + 1
    else 0
  end
$$;

-- Whether it is known how many steps the attempt has.
create function fusou.has_plan(p_job public.jobs)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_job.result is not null
    or exists (select 1 from public.merges m where m.job_id = p_job.id and m.attempt = p_job.attempt)
$$;

-- Whether a merge belongs to what the job does: committed by whatever attempt, or still planned in this one.
create function fusou.is_work(p_merge public.merges, p_attempt integer)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_merge.state = 'committed' or (p_merge.attempt = p_attempt and p_merge.state = 'planned') $$;

-- The planned sums count what the attempts before have committed too, as do those of what was read and written.
create function fusou.job_json(p_job public.jobs)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_job.id,
    'kind', p_job.kind,
    'state', p_job.state,
    'priority', p_job.priority,
    'datasetId', p_job.dataset_id,
    'table', p_job.table_name,
    'periodTag', p_job.period_tag,
    'metricId', p_job.metric_id,
    'reach', p_job.reach,
    'triggers', p_job.triggers,
    'attempt', p_job.attempt,
    'maxAttempts', p_job.max_attempts + p_job.excused_ends,
    'cancelRequested', p_job.cancel_requested_at is not null,
    'progress', (
      select jsonb_build_object(
        'step', p_job.step,
        'mergesPlanned', count(*) filter (where m.attempt = p_job.attempt),
        'mergesCommitted', count(*) filter (where m.attempt = p_job.attempt and m.state = 'committed'),
        'mergesLeftOut', count(*) filter (where m.attempt = p_job.attempt and m.state = 'nothing_left'),
        'stepsDone', fusou.steps_done(p_job, count(*) filter (where m.attempt = p_job.attempt)),
        'stepsPlanned', case
          when fusou.has_plan(p_job) then 3 + count(*) filter (where m.attempt = p_job.attempt)
        end,
        'filesIn', p_job.files_in, 'filesOut', p_job.files_out,
        'rowsIn', p_job.rows_in, 'rowsOut', p_job.rows_out,
        'bytesIn', p_job.bytes_in, 'bytesOut', p_job.bytes_out,
        'filesPlanned', coalesce(sum(cardinality(m.input_ids)) filter (where fusou.is_work(m, p_job.attempt)), 0),
        'rowsPlanned', fusou.saturate(coalesce(sum(m.rows_in) filter (where fusou.is_work(m, p_job.attempt)), 0)),
        'bytesPlanned', fusou.saturate(coalesce(sum(m.bytes_in) filter (where fusou.is_work(m, p_job.attempt)), 0))
      )
      from public.merges m where m.job_id = p_job.id
    ),
    'steps', p_job.step_durations,
    'error', case when p_job.error_code is not null then jsonb_build_object(
      'code', p_job.error_code, 'step', p_job.error_step, 'message', p_job.error_message
    ) end,
    'failures', p_job.failures,
    'partial', p_job.state = 'succeeded' and p_job.files_set_aside > 0,
    'setAside', jsonb_build_object('count', p_job.files_set_aside, 'files', p_job.set_aside),
    'result', p_job.result,
    'retriedAs', p_job.retried_as,
    'createdAt', p_job.created_at,
    'admittedAt', p_job.admitted_at,
    'dispatchedAt', p_job.dispatched_at,
    'startedAt', p_job.started_at,
    'finishedAt', p_job.finished_at,
    'leaseUntil', p_job.lease_until
  )
$$;

create function public.get_job(p_job_id uuid, p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select fusou.job_json(j) from public.jobs j join public.datasets d on d.id = j.dataset_id
  where j.id = p_job_id and fusou.may(p_caller, d, 'read')
$$;

-- Newest first. p_before: [createdAt, id] of the last job of the page before.
create function public.list_jobs(
  p_caller jsonb, p_state text, p_kind text, p_dataset_id text, p_before_created timestamptz, p_before_id uuid,
  p_limit integer
)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(fusou.job_json(p.job) order by (p.job).created_at desc, (p.job).id desc), '[]')
  from (
    select j as job
    from public.jobs j
    where (fusou.is_operator(p_caller) or j.dataset_id in (select fusou.datasets_of(p_caller)))
      and (p_state is null or j.state = p_state)
      and (p_kind is null or j.kind = p_kind)
      and (p_dataset_id is null or j.dataset_id = p_dataset_id)
      and (p_before_id is null or (j.created_at, j.id) < (p_before_created, p_before_id))
    order by j.created_at desc, j.id desc
    limit p_limit
  ) p
$$;

-- The files of one version, in order of table, period tag and id. p_version null: the current one.
-- p_quarantined: include, exclude or only; whether a file is in quarantine is told as it is now, in every version.
create function public.list_files(
  p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text, p_version bigint,
  p_after_table text, p_after_period text, p_after_id uuid, p_limit integer, p_quarantined text default 'include'
)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_version bigint;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  -- One answer for a dataset that is not there and one of somebody else: nobody learns which ids exist.
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_version := coalesce(p_version, v_dataset.version);
  if v_version > v_dataset.version then
    return jsonb_build_object('outcome', 'unknown_version');
  elsif v_version < v_dataset.oldest_version then
    return jsonb_build_object('outcome', 'version_gone');
  end if;
  return jsonb_build_object('outcome', 'ok', 'version', v_version, 'files', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', f.id, 'table', f.table_name, 'periodTag', f.period_tag, 'level', f.level, 'rows', f.row_count,
      'rowGroups', f.row_group_count, 'bytes', f.byte_length, 'sha256', f.content_sha256,
      'quarantine', f.quarantine_code, 'createdAt', f.created_at
    ) order by f.table_name, f.period_tag, f.id), '[]')
    from (
      select * from public.files f
      where f.dataset_id = p_dataset_id
        and f.created_version <= v_version
        and (f.removed_version is null or f.removed_version > v_version)
        and (p_table is null or f.table_name = p_table)
        and (p_period_tag is null or f.period_tag = p_period_tag)
        and (p_quarantined = 'include' or (p_quarantined = 'only') = (f.quarantine_code is not null))
        and (p_after_id is null or (f.table_name, f.period_tag, f.id) > (p_after_table, p_after_period, p_after_id))
      order by f.table_name, f.period_tag, f.id
      limit p_limit
    ) f
  ));
end $$;

create function public.get_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length,
    'sha256', f.content_sha256, 'createdAt', f.created_at, 'table', f.table_name
  )
  from public.files f join public.datasets d on d.id = f.dataset_id
  where f.id = p_file_id and fusou.may(p_caller, d, 'read')
$$;

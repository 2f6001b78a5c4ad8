-- What people who operate the system ask for beyond one job: figures for a monitor, and dead jobs tried again in numbers.

-- Every figure of GET /api/metrics at one moment. Sums only grow, as a counter must: jobs are not deleted, what a job
-- read and wrote is only added to, and the steps are those of ended jobs, which change no more.
create function public.metrics()
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  with kinds as (
    select 'compaction' as kind union select j.kind from public.jobs j
  ), counted as (
    select j.kind, j.state, count(*) as jobs from public.jobs j group by j.kind, j.state
  ), steps as (
    select j.kind, regexp_replace(s.key, '^compact-[0-9]+$', 'compact') as step, s.value::double precision as seconds
    from public.jobs j cross join lateral jsonb_each_text(j.step_durations) s
    where j.finished_at is not null
  ), buckets as (
    select s.kind, s.step, b.le, count(*) filter (where s.seconds <= b.le) as steps
    from steps s
    cross join unnest(array[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]::double precision[]) as b (le)
    group by s.kind, s.step, b.le
  )
  select jsonb_build_object(
    'jobs', (
      select jsonb_agg(
        jsonb_build_object('kind', k.kind, 'state', s.state, 'count', coalesce(c.jobs, 0)) order by k.kind, s.position
      )
      from kinds k
      cross join unnest(array['queued', 'running', 'succeeded', 'dead', 'cancelled'])
        with ordinality as s (state, position)
      left join counted c on c.kind = k.kind and c.state = s.state
    ),
    'work', (
      select jsonb_agg(jsonb_build_object(
        'kind', w.kind, 'retries', w.retries, 'filesIn', w.files_in, 'filesOut', w.files_out,
        'rowsIn', w.rows_in, 'rowsOut', w.rows_out, 'bytesIn', w.bytes_in, 'bytesOut', w.bytes_out
      ) order by w.kind)
      from (
        select k.kind,
          coalesce(sum(greatest(j.attempt - 1, 0)), 0) as retries,
          coalesce(sum(j.files_in), 0) as files_in, coalesce(sum(j.files_out), 0) as files_out,
          coalesce(sum(j.rows_in), 0) as rows_in, coalesce(sum(j.rows_out), 0) as rows_out,
          coalesce(sum(j.bytes_in), 0) as bytes_in, coalesce(sum(j.bytes_out), 0) as bytes_out
        from kinds k left join public.jobs j on j.kind = k.kind
        group by k.kind
      ) w
    ),
    'steps', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'kind', s.kind, 'step', s.step, 'count', s.steps, 'seconds', s.seconds, 'buckets', (
          select jsonb_agg(jsonb_build_object('le', b.le, 'count', b.steps) order by b.le)
          from buckets b where b.kind = s.kind and b.step = s.step
        )
      ) order by s.kind, s.step), '[]')
      from (
        select kind, step, count(*) as steps, sum(seconds) as seconds from steps group by kind, step
      ) s
    ),
    'oldestQueuedSeconds', (
      select coalesce(greatest(0, extract(epoch from now() - min(created_at))), 0)
      from public.jobs where state = 'queued'
    ),
    'expiredLeases', (select count(*) from public.jobs where state = 'running' and lease_until < now()),
    'outbox', (
      select jsonb_build_object(
        'pending', count(*) filter (where status = 'pending'),
        'inProgress', count(*) filter (where status = 'in_progress'),
        'dead', count(*) filter (where status = 'dead'),
        'oldestSeconds', coalesce(greatest(0, extract(
          epoch from now() - min(created_at) filter (where status in ('pending', 'in_progress'))
        )), 0)
      )
      from public.outbox where status <> 'published'
    ),
    'deadLetters', (select count(*) from public.dead_letters),
    'quarantinedFiles', (
      select count(*) from public.files where quarantine_code is not null and removed_version is null
    ),
    'datasetsWaiting', (select count(*) from public.datasets where compaction_needed)
  )
$$;

-- Dead jobs, by id or by what they have in common, the one that died first first; dead jobs of one data set are done by
-- one new job. A job named by its id is taken as often as it is named, others only until somebody asked again:
-- repeating the call goes on with the rest. Null filters match all.
create function public.redrive(
  p_requester uuid, p_job_ids uuid[], p_dataset_id text, p_code text, p_dry_run boolean, p_limit integer,
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_found record;
  v_job public.jobs;
  v_asked jsonb;
  v_jobs jsonb := '[]';
  v_outbox jsonb := '[]';
begin
  if p_limit not between 1 and 100 then
    raise exception 'redrive: limit must be 1..100' using errcode = '22023';
  end if;
  -- In one order for all: the locks of data sets are held until the end.
  for v_found in
    select m.id, m.dataset_id from (
      select j.id, j.dataset_id, j.finished_at
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'dead'
        and (p_requester is null or d.owner_id = p_requester)
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
    v_job := fusou.open_job(v_found.id, p_requester);
    -- Somebody else asked while this call waited for the lock.
    if p_job_ids is null and v_job.retried_as is not null then
      continue;
    end if;
    v_asked := fusou.ask_anew(v_job, p_requester, p_sender);
    v_jobs := v_jobs || jsonb_build_object(
      'jobId', v_job.id, 'datasetId', v_job.dataset_id, 'newJobId', v_asked -> 'jobId'
    );
    if jsonb_typeof(v_asked -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_asked -> 'outbox');
    end if;
  end loop;
  return jsonb_build_object('jobs', v_jobs, 'outbox', v_outbox);
end $$;

-- As in the migration of the grants.
do $$
declare
  fn regprocedure;
  callable constant text[] := array['metrics', 'redrive'];
begin
  for fn in
    select p.oid::regprocedure from pg_catalog.pg_proc p where p.pronamespace = 'fusou'::regnamespace
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', fn);
  end loop;
  for fn in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (callable)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', fn);
    execute format('grant execute on function %s to service_role', fn);
  end loop;
end $$;

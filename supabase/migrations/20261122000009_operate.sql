-- What people who operate the system ask for beyond one job: figures for a monitor.

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

-- As in the migration of the grants.
do $$
declare
  fn regprocedure;
  callable constant text[] := array['metrics'];
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

-- Figures: what people and monitors look at often, so none of it reads all jobs there ever were. Ended jobs are added
-- once to totals that stay small; a figure is a total and a look at the jobs that are not tallied yet. What should be few
-- is counted up to a bound.

create table public.job_totals (
  owner_id uuid not null,
  kind text not null,
  state text not null,
  jobs bigint not null,
  retries bigint not null,
  files_in bigint not null,
  files_out bigint not null,
  rows_in bigint not null,
  rows_out bigint not null,
  bytes_in bigint not null,
  bytes_out bigint not null,
  primary key (owner_id, kind, state)
);
alter table public.job_totals enable row level security;

create table public.step_totals (
  kind text not null,
  step text not null,
  le double precision not null,
  steps bigint not null,
  seconds double precision not null,
  primary key (kind, step, le)
);
alter table public.step_totals enable row level security;
comment on column public.step_totals.le is 'Upper bound of the bucket in seconds; a step counts in each that it fits into, and in Infinity.';

-- How jobs sum up. Retries are attempts after the first.
create function fusou.sum_jobs(p_job_ids uuid[])
returns setof public.job_totals
language sql stable
set search_path = ''
as $$
  select d.owner_id, j.kind, j.state, count(*), sum(greatest(j.attempt - 1, 0))::bigint,
    fusou.saturate(sum(j.files_in)), fusou.saturate(sum(j.files_out)),
    fusou.saturate(sum(j.rows_in)), fusou.saturate(sum(j.rows_out)),
    fusou.saturate(sum(j.bytes_in)), fusou.saturate(sum(j.bytes_out))
  from unnest(p_job_ids) as u (id) join public.jobs j on j.id = u.id join public.datasets d on d.id = j.dataset_id
  group by d.owner_id, j.kind, j.state
$$;

-- Steps of ended jobs, in buckets; the merges of a job are one step.
create function fusou.sum_steps(p_job_ids uuid[])
returns setof public.step_totals
language sql stable
set search_path = ''
as $$
  with bounds as (
    select b.le, b.position from unnest(
      array['Infinity', 1800, 600, 300, 120, 60, 30, 10, 5, 2.5, 1, 0.5, 0.25, 0.1]::double precision[]
    ) with ordinality as b (le, position)
  ), counted as (
    -- The bucket of a step is the last bound that it does not exceed; width_bucket() wants them ascending.
    select s.kind, s.step, s.bucket, count(*) as steps, sum(s.seconds) as seconds
    from (
      select j.kind, case when starts_with(d.key, 'compact-') then 'compact' else d.key end as step,
        d.value::double precision as seconds,
        1 + width_bucket(
          -d.value::double precision,
          array[-1800, -600, -300, -120, -60, -30, -10, -5, -2.5, -1, -0.5, -0.25, -0.1]::double precision[]
        ) as bucket
      from unnest(p_job_ids) as u (id) join public.jobs j on j.id = u.id
      cross join lateral jsonb_each_text(j.step_durations) d
      where j.finished_at is not null
    ) s
    group by s.kind, s.step, s.bucket
  )
  select k.kind, k.step, b.le, coalesce(sum(c.steps), 0)::bigint, coalesce(sum(c.seconds), 0)
  from (select distinct kind, step from counted) k
  cross join bounds b
  left join counted c on c.kind = k.kind and c.step = k.step and c.bucket >= b.position
  group by k.kind, k.step, b.le
$$;

-- Adds ended jobs to the totals, each once. Waits for no job: what somebody holds, the next call takes.
create function public.tally_jobs(p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job_ids uuid[];
begin
  with ended as (
    select j.id from public.jobs j
    where j.finished_at is not null and not j.tallied
    limit p_limit for update skip locked
  )
  select array_agg(e.id) into v_job_ids from ended e;
  if v_job_ids is null then
    return 0;
  end if;

  insert into public.job_totals as t
  select * from fusou.sum_jobs(v_job_ids) order by owner_id, kind, state
  on conflict (owner_id, kind, state) do update set
    jobs = t.jobs + excluded.jobs,
    retries = t.retries + excluded.retries,
    files_in = fusou.saturate(t.files_in::numeric + excluded.files_in),
    files_out = fusou.saturate(t.files_out::numeric + excluded.files_out),
    rows_in = fusou.saturate(t.rows_in::numeric + excluded.rows_in),
    rows_out = fusou.saturate(t.rows_out::numeric + excluded.rows_out),
    bytes_in = fusou.saturate(t.bytes_in::numeric + excluded.bytes_in),
    bytes_out = fusou.saturate(t.bytes_out::numeric + excluded.bytes_out);
  insert into public.step_totals as t
  select * from fusou.sum_steps(v_job_ids) order by kind, step, le
  on conflict (kind, step, le) do update set steps = t.steps + excluded.steps, seconds = t.seconds + excluded.seconds;
  update public.jobs set tallied = true where id = any (v_job_ids);
  return cardinality(v_job_ids);
end $$;

-- Totals and what is not tallied yet (jobs under way, and those that ended a moment ago), of one owner or of all.
create function fusou.all_totals(p_owner uuid)
returns setof public.job_totals
language sql stable
set search_path = ''
as $$
  select * from public.job_totals t where p_owner is null or t.owner_id = p_owner
  union all
  select d.owner_id, j.kind, j.state, count(*), sum(greatest(j.attempt - 1, 0))::bigint,
    fusou.saturate(sum(j.files_in)), fusou.saturate(sum(j.files_out)),
    fusou.saturate(sum(j.rows_in)), fusou.saturate(sum(j.rows_out)),
    fusou.saturate(sum(j.bytes_in)), fusou.saturate(sum(j.bytes_out))
  from public.jobs j join public.datasets d on d.id = j.dataset_id
  where not j.tallied and (p_owner is null or d.owner_id = p_owner)
  group by d.owner_id, j.kind, j.state
$$;

create function fusou.max_count()
returns integer
language sql immutable
set search_path = ''
as $$ select 100000 $$;

create function fusou.age_seconds(p_since timestamptz)
returns double precision
language sql stable
set search_path = ''
as $$ select case when p_since is not null then greatest(0, extract(epoch from now() - p_since)) end $$;

-- Every kind of job in every state, also those without a job.
create function fusou.counted_jobs(p_owner uuid)
returns table (kind text, state text, jobs bigint)
language sql stable
set search_path = ''
as $$
  with totals as (
    select t.kind, t.state, sum(t.jobs)::bigint as jobs from fusou.all_totals(p_owner) t group by t.kind, t.state
  )
  select k.kind, s.state, coalesce(t.jobs, 0)
  from (select 'compaction' as kind union select kind from totals) k
  cross join unnest(array['queued', 'running', 'succeeded', 'dead', 'cancelled']) with ordinality as s (state, position)
  left join totals t on t.kind = k.kind and t.state = s.state
  order by k.kind, s.position
$$;

-- Messages that are not sent; the age is that of the oldest one not given up.
create function fusou.outbox_figures()
returns table (pending bigint, in_progress bigint, dead bigint, dead_alerts bigint, oldest_at timestamptz, due_at timestamptz)
language sql stable
set search_path = ''
as $$
  select count(*) filter (where o.status = 'pending'), count(*) filter (where o.status = 'in_progress'),
    count(*) filter (where o.status = 'dead'),
    count(*) filter (where o.status = 'dead' and starts_with(o.type, 'alert.')),
    min(o.created_at) filter (where o.status <> 'dead'), min(o.next_attempt_at) filter (where o.status = 'pending')
  from (
    select status, type, created_at, next_attempt_at from public.outbox
    where status <> 'published' order by created_at limit fusou.max_count()
  ) o
$$;

create function fusou.open_letters()
returns table (letters bigint, oldest_at timestamptz)
language sql stable
set search_path = ''
as $$
  select count(*), min(l.received_at)
  from (
    select received_at from public.dead_letters where closed_at is null order by received_at limit fusou.max_count()
  ) l
$$;

create function fusou.quarantined_files(p_owner uuid)
returns bigint
language sql stable
set search_path = ''
as $$
  select count(*) from (
    select 1 from public.files f join public.datasets d on d.id = f.dataset_id
    where f.removed_version is null and f.quarantine_code is not null and (p_owner is null or d.owner_id = p_owner)
    limit fusou.max_count()
  ) f
$$;

create function fusou.slots()
returns jsonb
language sql stable
set search_path = ''
as $$ select jsonb_build_object('taken', fusou.slots_taken(), 'all', max_running_jobs) from public.admission $$;

create function fusou.expired_leases(p_owner uuid)
returns bigint
language sql stable
set search_path = ''
as $$
  select count(*) from public.jobs j join public.datasets d on d.id = j.dataset_id
  where j.state = 'running' and j.lease_until < now() and (p_owner is null or d.owner_id = p_owner)
$$;

-- Fields that only operators may see are null for an owner.
create function fusou.status_of(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  with counted as materialized (
    select * from fusou.counted_jobs(p_owner)
  )
  select jsonb_build_object(
    'jobs', (select jsonb_object_agg(s.state, s.jobs) from (select state, sum(jobs) as jobs from counted group by state) s),
    'jobsByKind', (
      select jsonb_object_agg(k.kind, k.states)
      from (select kind, jsonb_object_agg(state, jobs) as states from counted group by kind) k
    ),
    'oldestQueuedSeconds', (
      select floor(fusou.age_seconds(min(j.created_at)))
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'queued' and (p_owner is null or d.owner_id = p_owner)
    ),
    'oldestWaitingSeconds', (
      select floor(fusou.age_seconds(min(w.waiting_since)))
      from fusou.waiting_jobs('0') w join public.datasets d on d.id = w.dataset_id
      where p_owner is null or d.owner_id = p_owner
    ),
    'slots', case when p_owner is null then fusou.slots() end,
    'expiredLeases', fusou.expired_leases(p_owner),
    'datasetsWaiting', (
      select count(*) from public.datasets d
      where d.compaction_needed and (p_owner is null or d.owner_id = p_owner)
    ),
    'quarantinedFiles', fusou.quarantined_files(p_owner),
    'installation', case when p_owner is null then fusou.installation_json() end,
    'outbox', case when p_owner is null then (
      select jsonb_build_object(
        'open', o.pending + o.in_progress, 'dead', o.dead, 'deadAlerts', o.dead_alerts,
        'oldestSeconds', floor(fusou.age_seconds(o.oldest_at)), 'oldestDueSeconds', floor(fusou.age_seconds(o.due_at))
      )
      from fusou.outbox_figures() o
    ) end,
    'deadLetters', case when p_owner is null then (
      select jsonb_build_object('open', l.letters, 'oldestSeconds', floor(fusou.age_seconds(l.oldest_at)))
      from fusou.open_letters() l
    ) end,
    'alerts', case when p_owner is null then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'kind', a.kind, 'severity', a.severity, 'summary', a.summary, 'raisedAt', a.raised_at, 'told', a.told
      ) order by a.raised_at), '[]')
      from public.alerts a where a.raised_at is not null
    ) end,
    'cron', case when p_owner is null then fusou.cron_run() end
  )
$$;

create function public.job_status(p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$ select fusou.status_of(fusou.account_of(p_caller, 'read')) $$;

-- Whether somebody should still look at a dead job: nobody asked for its work again, and its letter is not closed.
create function fusou.dead_job_is_open(p_job public.jobs)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_job.retried_as is null
    and not exists (select 1 from public.dead_letters l where l.job_id = p_job.id and l.closed_at is not null)
$$;

-- Dead jobs, newest first, that match the filters; null filters match all.
create function fusou.dead_jobs(p_owner uuid, p_code text, p_dataset_id text, p_open boolean)
returns setof public.jobs
language sql stable
set search_path = ''
as $$
  select j.* from public.jobs j
  where j.state = 'dead'
    and (p_owner is null or exists (
      select 1 from public.datasets d where d.id = j.dataset_id and d.owner_id = p_owner
    ))
    and (p_code is null or j.error_code = p_code)
    and (p_dataset_id is null or j.dataset_id = p_dataset_id)
    and (p_open is null or fusou.dead_job_is_open(j) = p_open)
$$;

create function fusou.letters(p_owner uuid, p_code text, p_dataset_id text, p_open boolean)
returns setof public.dead_letters
language sql stable
set search_path = ''
as $$
  select l.* from public.dead_letters l
  where (p_owner is null or exists (
      select 1 from public.datasets d where d.id = l.dataset_id and d.owner_id = p_owner
    ))
    and (p_code is null or l.code = p_code)
    and (p_dataset_id is null or l.dataset_id = p_dataset_id)
    and (p_open is null or (l.closed_at is null) = p_open)
$$;

-- One page of dead jobs and one of what the dead-letter queue brought, newest first; the counts are of all that match the
-- filters, up to fusou.max_count().
-- p_after: `next` of the page before, {jobs: {at, id}?, letters: {at, id}?}; a list without an entry is at its end.
create function fusou.dead_letters_of(
  p_owner uuid, p_limit integer, p_code text, p_dataset_id text, p_open boolean, p_after jsonb
)
returns jsonb
language sql stable
set search_path = ''
as $$
  with jobs as materialized (
    select j.*, row_number() over (order by j.finished_at desc, j.id desc) as place
    from fusou.dead_jobs(p_owner, p_code, p_dataset_id, p_open) j
    where p_after is null
      or (j.finished_at, j.id) < ((p_after #>> '{jobs,at}')::timestamptz, (p_after #>> '{jobs,id}')::uuid)
    order by j.finished_at desc, j.id desc limit p_limit + 1
  ), letters as materialized (
    select l.*, row_number() over (order by l.received_at desc, l.id desc) as place
    from fusou.letters(p_owner, p_code, p_dataset_id, p_open) l
    where p_after is null
      or (l.received_at, l.id) < ((p_after #>> '{letters,at}')::timestamptz, (p_after #>> '{letters,id}')::bigint)
    order by l.received_at desc, l.id desc limit p_limit + 1
  ), next as (
    select jsonb_strip_nulls(jsonb_build_object(
      'jobs', (
        select jsonb_build_object('at', j.finished_at, 'id', j.id) from jobs j
        where j.place = p_limit and exists (select 1 from jobs m where m.place > p_limit)
      ),
      'letters', (
        select jsonb_build_object('at', l.received_at, 'id', l.id) from letters l
        where l.place = p_limit and exists (select 1 from letters m where m.place > p_limit)
      )
    )) as after
  )
  select jsonb_build_object(
    'workflowFailures', jsonb_build_object(
      'count', case
        when p_code is null and p_dataset_id is null and p_open is null
          then (select sum(c.jobs) from fusou.counted_jobs(p_owner) c where c.state = 'dead')
        else (
          select count(*) from (
            select 1 from fusou.dead_jobs(p_owner, p_code, p_dataset_id, p_open) limit fusou.max_count()
          ) d
        )
      end,
      'records', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', j.id, 'datasetId', j.dataset_id, 'attempt', j.attempt, 'code', j.error_code,
          'step', j.error_step, 'message', j.error_message, 'finishedAt', j.finished_at, 'retriedAs', j.retried_as
        ) order by j.place), '[]')
        from jobs j where j.place <= p_limit
      )
    ),
    'dlqFailures', jsonb_build_object(
      'count', (
        select count(*) from (
          select 1 from fusou.letters(p_owner, p_code, p_dataset_id, p_open) limit fusou.max_count()
        ) l
      ),
      'records', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', l.id, 'queue', l.queue, 'messageId', l.message_id, 'datasetId', l.dataset_id, 'jobId', l.job_id,
          'code', l.code, 'message', l.message, 'attempts', l.attempts, 'body', l.body, 'receivedAt', l.received_at,
          'closedAt', l.closed_at, 'closedHow', l.closed_how
        ) order by l.place), '[]')
        from letters l where l.place <= p_limit
      )
    ),
    'next', (select nullif(n.after, '{}') from next n)
  )
$$;

create function public.dead_letter_status(
  p_caller jsonb, p_limit integer, p_code text default null, p_dataset_id text default null,
  p_open boolean default null, p_after jsonb default null
)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select fusou.dead_letters_of(fusou.account_of(p_caller, 'read'), p_limit, p_code, p_dataset_id, p_open, p_after)
$$;

-- Every figure of GET /api/metrics at one moment. Sums only grow, as a counter must: what a job read and wrote is only
-- added to, an ended job changes no more, and it moves into the totals in the transaction that marks it.
-- Durations of steps are those of tallied jobs: they come a minute late.
create function public.metrics()
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'jobs', (select jsonb_agg(jsonb_build_object('kind', c.kind, 'state', c.state, 'count', c.jobs)) from fusou.counted_jobs(null) c),
    'work', (
      select jsonb_agg(jsonb_build_object(
        'kind', k.kind, 'retries', coalesce(w.retries, 0),
        'filesIn', coalesce(w.files_in, 0), 'filesOut', coalesce(w.files_out, 0),
        'rowsIn', coalesce(w.rows_in, 0), 'rowsOut', coalesce(w.rows_out, 0),
        'bytesIn', coalesce(w.bytes_in, 0), 'bytesOut', coalesce(w.bytes_out, 0)
      ) order by k.kind)
      from (select distinct c.kind from fusou.counted_jobs(null) c) k
      left join (
        select t.kind, fusou.saturate(sum(t.retries)) as retries,
          fusou.saturate(sum(t.files_in)) as files_in, fusou.saturate(sum(t.files_out)) as files_out,
          fusou.saturate(sum(t.rows_in)) as rows_in, fusou.saturate(sum(t.rows_out)) as rows_out,
          fusou.saturate(sum(t.bytes_in)) as bytes_in, fusou.saturate(sum(t.bytes_out)) as bytes_out
        from fusou.all_totals(null) t group by t.kind
      ) w on w.kind = k.kind
    ),
    'steps', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'kind', s.kind, 'step', s.step, 'count', s.steps, 'seconds', s.seconds, 'buckets', (
          select jsonb_agg(jsonb_build_object('le', b.le, 'count', b.steps) order by b.le)
          from public.step_totals b where b.kind = s.kind and b.step = s.step and b.le <> 'Infinity'
        )
      ) order by s.kind, s.step), '[]')
      from public.step_totals s where s.le = 'Infinity'
    ),
    'oldestQueuedSeconds', (
      select coalesce(fusou.age_seconds(min(created_at)), 0) from public.jobs where state = 'queued'
    ),
    'oldestWaitingSeconds', (
      select coalesce(fusou.age_seconds(min(waiting_since)), 0) from fusou.waiting_jobs('0')
    ),
    'slots', fusou.slots(),
    'expiredLeases', fusou.expired_leases(null),
    'outbox', (
      select jsonb_build_object(
        'pending', o.pending, 'inProgress', o.in_progress, 'dead', o.dead,
        'oldestSeconds', coalesce(fusou.age_seconds(o.oldest_at), 0)
      )
      from fusou.outbox_figures() o
    ),
    'deadLetters', (
      select jsonb_build_object('open', l.letters, 'oldestSeconds', coalesce(fusou.age_seconds(l.oldest_at), 0))
      from fusou.open_letters() l
    ),
    'quarantinedFiles', fusou.quarantined_files(null),
    'datasetsWaiting', (select count(*) from public.datasets where compaction_needed),
    'alerts', (
      select jsonb_agg(jsonb_build_object('kind', a.kind, 'raised', a.raised_at is not null, 'incidents', a.incident) order by a.kind)
      from public.alerts a
    ),
    'dailyTriggerSeconds', (select fusou.age_seconds(beat_at) from public.heartbeats where name = 'daily_trigger'),
    'cronRanAt', (select extract(epoch from beat_at) from public.heartbeats where name = 'cron'),
    'vacuum', jsonb_build_object(
      'garbage', (select count(*) from (select 1 from public.garbage limit fusou.max_count()) g),
      'oldestGarbageSeconds', (
        select coalesce(fusou.age_seconds(g.marked_at), 0)
        from (select 1) one left join lateral (select marked_at from public.garbage order by marked_at limit 1) g on true
      ),
      'openUploads', (
        select count(*) from (
          select 1 from public.multipart_uploads
          union all
          select 1 from public.resumable_uploads r where r.state in ('open', 'aborted')
          limit fusou.max_count()
        ) u
      ),
      'objectsDeleted', coalesce((select value from public.counters where name = 'objects_deleted'), 0),
      'uploadsAborted', coalesce((select value from public.counters where name = 'uploads_aborted'), 0)
    )
  )
$$;
create index garbage_oldest on public.garbage (marked_at);

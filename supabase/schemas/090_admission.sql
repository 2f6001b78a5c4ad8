-- Who runs when there is more work than workers. A job gets a slot before its message is sent, and keeps it until it
-- ends; whoever frees a slot gives it on in the same transaction, and the cron looks again each minute. So nothing polls,
-- and a job that was not admitted is only a row that waits.

create table public.admission (
  one boolean primary key default true constraint admission_one_row check (one),
  max_running_jobs integer not null default 24 constraint admission_max_running check (max_running_jobs >= 1),
  max_running_jobs_of_owner integer not null default 12 constraint admission_max_of_owner check (max_running_jobs_of_owner >= 1),
  ageing_seconds integer not null default 600 constraint admission_ageing check (ageing_seconds >= 0)
);
alter table public.admission enable row level security;
comment on table public.admission is 'Its one row is locked by whoever gives out slots, after all locks of datasets; who holds it waits for no other lock.';
insert into public.admission default values;

-- A job has its slot from its message on until it ends.
create function fusou.slots_taken()
returns bigint
language sql volatile
set search_path = ''
as $$ select count(*) from public.jobs where state = 'running' or (state = 'queued' and admitted_at is not null) $$;

-- Gives the free slots to the best of the jobs that wait, and writes their messages. Answers with those the sender is to
-- send: of p_job_id alone if it is named, the relay has the others. p_quiet: p_job_id is here already, it needs none.
--
-- The best is the one with the lowest rank: 0 manual, 1 realtime, 2 scheduled, one more for each slot that its owner
-- holds already, one less for each ageing_seconds that it has waited. So nobody starves: a job that was asked for more
-- than (2 + slots of its owner) * ageing_seconds later does not overtake, however many there are.
create function fusou.admit(p_sender text default null, p_job_id uuid default null, p_quiet boolean default false)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_admission public.admission;
  v_next_id uuid;
  v_messages jsonb := '[]';
begin
  select * into strict v_admission from public.admission for update;
  -- Merges of a catalog that was set back would make a second history beside the one in the bucket.
  while not fusou.has_pairing_problem() and fusou.slots_taken() < v_admission.max_running_jobs loop
    -- A row that is locked belongs to a call that changes the job right now; the next look finds it.
    with slots as (
      select d.owner_id, count(*) as held
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'running' or (j.state = 'queued' and j.admitted_at is not null)
      group by d.owner_id
    )
    select w.id into v_next_id
    from public.jobs w
    join public.datasets d on d.id = w.dataset_id
    left join slots s on s.owner_id = d.owner_id
    where w.state = 'queued'
      and w.admitted_at is null
      and coalesce(s.held, 0) < v_admission.max_running_jobs_of_owner
      and not exists (
        select 1 from public.jobs r where r.dataset_id = w.dataset_id and r.kind = w.kind and r.state = 'running'
      )
    order by
      w.created_at
        + make_interval(secs => (fusou.priority_rank(w.priority) + coalesce(s.held, 0)) * v_admission.ageing_seconds),
      fusou.priority_rank(w.priority), w.created_at, w.id
    limit 1
    for update of w skip locked;
    exit when not found;

    if v_next_id = p_job_id and p_quiet then
      update public.jobs set admitted_at = clock_timestamp() where id = v_next_id;
    elsif v_next_id = p_job_id or p_job_id is null then
      v_messages := v_messages || fusou.dispatch(v_next_id, p_sender);
    else
      perform fusou.dispatch(v_next_id);
    end if;
  end loop;
  return v_messages;
end $$;

-- The look of the cron: for slots that nobody gave on, after the limits were raised or a row was passed over.
create function public.admit_jobs()
returns integer
language sql security definer
set search_path = ''
as $$ select jsonb_array_length(fusou.admit()) $$;

create function fusou.admission_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'maxRunningJobs', max_running_jobs,
    'maxRunningJobsOfOwner', max_running_jobs_of_owner,
    'ageingSeconds', ageing_seconds
  )
  from public.admission
$$;

-- p_settings: {maxRunningJobs?, maxRunningJobsOfOwner?, ageingSeconds?}; what is left out stays.
create function public.configure_admission(p_caller jsonb, p_settings jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_before jsonb;
begin
  perform fusou.require_operator(p_caller);
  perform 1 from public.admission for update;
  v_before := fusou.admission_json();
  update public.admission
  set max_running_jobs = coalesce((p_settings ->> 'maxRunningJobs')::integer, max_running_jobs),
      max_running_jobs_of_owner = coalesce((p_settings ->> 'maxRunningJobsOfOwner')::integer, max_running_jobs_of_owner),
      ageing_seconds = coalesce((p_settings ->> 'ageingSeconds')::integer, ageing_seconds)
  where one;
  if v_before <> fusou.admission_json() then
    perform fusou.audit(p_caller, 'admission.configure', null, null, null, v_before, fusou.admission_json());
  end if;
  return fusou.admission_json();
end $$;

create function public.read_admission(p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform fusou.require_operator(p_caller);
  return fusou.admission_json();
end $$;

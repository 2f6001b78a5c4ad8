-- History that ends: rows of what is over go after a while, in bounded batches. Figures do not change by it, since only
-- jobs that are in the totals go.

create table public.retention (
  one boolean primary key default true constraint retention_one_row check (one),
  jobs_seconds integer not null default 7776000 constraint retention_jobs check (jobs_seconds >= 86400),
  letters_seconds integer not null default 7776000 constraint retention_letters check (letters_seconds >= 86400),
  unsettled_seconds integer not null default 31536000 constraint retention_unsettled check (unsettled_seconds >= 86400),
  outbox_seconds integer not null default 604800 constraint retention_outbox check (outbox_seconds >= 86400),
  audit_seconds integer not null default 63072000 constraint retention_audit check (audit_seconds >= 86400)
);
alter table public.retention enable row level security;
comment on column public.retention.jobs_seconds is 'Of jobs that succeeded, were cancelled or were tried again, with their merges.';
comment on column public.retention.letters_seconds is 'Of dead letters whose work somebody asked for again.';
comment on column public.retention.unsettled_seconds is
  'Of dead jobs, dead letters and dead messages that nobody has dealt with; never less than the others.';
comment on column public.retention.outbox_seconds is 'Of messages that were sent.';
comment on column public.retention.audit_seconds is 'Of entries of the audit, and of keys that were revoked or have expired.';
insert into public.retention default values;

create index jobs_retried_as on public.jobs (retried_as) where retried_as is not null;
create index outbox_dead on public.outbox (created_at) where status = 'dead';

create function fusou.retention_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'jobsSeconds', jobs_seconds, 'lettersSeconds', letters_seconds, 'unsettledSeconds', unsettled_seconds,
    'outboxSeconds', outbox_seconds, 'auditSeconds', audit_seconds
  )
  from public.retention
$$;

create function public.read_retention(p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform fusou.require_operator(p_caller);
  return fusou.retention_json();
end $$;

-- p_settings: {jobsSeconds?, lettersSeconds?, unsettledSeconds?, outboxSeconds?, auditSeconds?}; what is left out stays.
create function public.configure_retention(p_caller jsonb, p_settings jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_before jsonb;
begin
  perform fusou.require_operator(p_caller);
  perform 1 from public.retention for update;
  v_before := fusou.retention_json();
  update public.retention
  set jobs_seconds = coalesce((p_settings ->> 'jobsSeconds')::integer, jobs_seconds),
      letters_seconds = coalesce((p_settings ->> 'lettersSeconds')::integer, letters_seconds),
      unsettled_seconds = coalesce((p_settings ->> 'unsettledSeconds')::integer, unsettled_seconds),
      outbox_seconds = coalesce((p_settings ->> 'outboxSeconds')::integer, outbox_seconds),
      audit_seconds = coalesce((p_settings ->> 'auditSeconds')::integer, audit_seconds)
  where one;
  if v_before <> fusou.retention_json() then
    perform fusou.audit(p_caller, 'retention.configure', null, null, null, v_before, fusou.retention_json());
  end if;
  return fusou.retention_json();
end $$;

-- At most p_limit rows of each kind. A job stays as long as another says that this one does its work, a live file is in
-- quarantine for it, or an upload in parts of it is open. Waits for no lock: what somebody holds, the next call takes.
create function public.trim_history(p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_keep public.retention;
  v_job_ids uuid[];
  v_letters integer;
  v_messages integer;
  v_streams integer;
  v_entries integer;
begin
  select * into strict v_keep from public.retention;
  v_keep.unsettled_seconds := greatest(v_keep.unsettled_seconds, v_keep.jobs_seconds, v_keep.letters_seconds);
  with over as (
    select j.id from public.jobs j
    where j.finished_at < now() - make_interval(secs => v_keep.jobs_seconds)
      and j.tallied
      and (
        j.state <> 'dead' or j.retried_as is not null
        or j.finished_at < now() - make_interval(secs => v_keep.unsettled_seconds)
      )
      and not exists (select 1 from public.jobs r where r.retried_as = j.id)
      and not exists (
        select 1 from public.files f
        where f.dataset_id = j.dataset_id and f.removed_version is null and f.quarantine_code is not null
          and f.quarantined_by_job = j.id
      )
      and not exists (select 1 from public.multipart_uploads u where u.job_id = j.id)
    order by j.finished_at limit p_limit
    for update skip locked
  )
  select coalesce(array_agg(o.id), '{}') into v_job_ids from over o;
  delete from public.merges where job_id = any (v_job_ids);
  delete from public.jobs where id = any (v_job_ids);

  with over as (
    select l.id from public.dead_letters l
    where l.received_at < now() - make_interval(secs => v_keep.letters_seconds)
      and (l.closed_at is not null or l.received_at < now() - make_interval(secs => v_keep.unsettled_seconds))
    order by l.received_at limit p_limit
    for update skip locked
  )
  delete from public.dead_letters l using over o where l.id = o.id;
  get diagnostics v_letters = row_count;

  with over as (
    select o.id from public.outbox o
    where o.status = 'dead' and o.created_at < now() - make_interval(secs => v_keep.unsettled_seconds)
    order by o.created_at limit p_limit
    for update skip locked
  )
  delete from public.outbox m using over o where m.id = o.id;
  get diagnostics v_messages = row_count;

  with over as (
    select s.id from public.event_streams s where s.expires_at < now() limit p_limit for update skip locked
  )
  delete from public.event_streams s using over o where s.id = o.id;
  get diagnostics v_streams = row_count;

  with over as (
    select a.id from public.audit a
    where a.at < now() - make_interval(secs => v_keep.audit_seconds)
    order by a.at limit p_limit
    for update skip locked
  )
  delete from public.audit a using over o where a.id = o.id;
  get diagnostics v_entries = row_count;

  with over as (
    select k.id from public.access_keys k
    where least(k.revoked_at, k.expires_at) < now() - make_interval(secs => v_keep.audit_seconds)
    limit p_limit
    for update skip locked
  )
  delete from public.access_keys k using over o where k.id = o.id;

  return jsonb_build_object(
    'jobs', cardinality(v_job_ids), 'letters', v_letters, 'messages', v_messages, 'streams', v_streams,
    'auditEntries', v_entries
  );
end $$;

-- Alerts: one of each kind at a time. Trouble raises it, which is told to each channel once and again after a silence;
-- when the trouble has been away for a while it is resolved, which is told to whom it was told. Both go out by the outbox.

create table public.heartbeats (
  name text primary key,
  beat_at timestamptz not null default now()
);
alter table public.heartbeats enable row level security;
comment on table public.heartbeats is 'When something that should come regularly came last.';
-- Counted from the installation, or a trigger that never came would never be missed.
insert into public.heartbeats (name) values ('daily_trigger'), ('cron');

-- The cron has run to its end, whatever became of its chores.
create function public.record_cron_run()
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.heartbeats (name) values ('cron') on conflict (name) do update set beat_at = now();
  return jsonb_build_object('outcome', 'recorded');
end $$;

create function fusou.cron_run()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'lastRunAt', h.beat_at, 'ageSeconds', greatest(0, floor(extract(epoch from now() - h.beat_at)))
  )
  from public.heartbeats h where h.name = 'cron'
$$;

create function public.ping()
returns jsonb
language sql stable security definer
set search_path = ''
as $$ select jsonb_build_object('now', now(), 'cron', fusou.cron_run()) $$;

create table public.alerts (
  kind text primary key
    constraint alerts_kind check (kind in (
      'dead_letters', 'failure_rate', 'oldest_waiting', 'missed_daily_trigger', 'files_set_aside',
      'installation_mismatch', 'catalog_restored', 'orphans_stopped'
    )),
  severity text not null constraint alerts_severity check (severity in ('critical', 'error', 'warning')),
  incident bigint not null default 0,
  raised_at timestamptz,
  quiet_since timestamptz,
  told text[] not null default '{}',
  told_at timestamptz,
  known_causes text[] not null default '{}',
  causes_told_at timestamptz,
  resolved_at timestamptz,
  found bigint not null default 0,
  summary text,
  details jsonb not null default '{}'
);
alter table public.alerts enable row level security;
comment on column public.alerts.incident is 'Grows by one each time the alert is raised: with the kind it is what receivers tell incidents apart by.';
comment on column public.alerts.raised_at is 'Null when all is well.';
comment on column public.alerts.quiet_since is 'Since when the trouble of a raised alert is away.';
comment on column public.alerts.known_causes is
  'What this incident was told to be about, such as a code in a dataset; at most fusou.max_known_causes(). Others are new.';
comment on column public.alerts.told is 'Channels that know of this incident.';

insert into public.alerts (kind, severity) values
  ('dead_letters', 'error'), ('failure_rate', 'critical'), ('oldest_waiting', 'error'), ('missed_daily_trigger', 'warning'),
  ('files_set_aside', 'warning'),
  ('installation_mismatch', 'critical'), ('catalog_restored', 'critical'), ('orphans_stopped', 'error');

-- Queued jobs that no other of their dataset stands in front of, and since when: a job that waits for another of its
-- dataset begins to wait when that one ends. First for a slot, as long as all are taken, then for the queue.
-- Oldest first, a thousand at the most.
create function fusou.waiting_jobs(p_older interval)
returns table (job_id uuid, dataset_id text, priority text, waits_for text, waiting_since timestamptz)
language sql stable
set search_path = ''
as $$
  with old as (
    select j.id, j.dataset_id, j.kind, j.priority, j.created_at,
      case when j.admitted_at is null then 'slot' else 'queue' end as waits_for
    from public.jobs j
    where j.state = 'queued' and j.created_at < now() - p_older
      and not exists (
        select 1 from public.jobs r where r.dataset_id = j.dataset_id and r.kind = j.kind and r.state = 'running'
      )
    order by j.created_at
    limit 1000
  ), since as (
    select o.id, o.dataset_id, o.priority, o.waits_for, greatest(o.created_at, (
      select p.finished_at from public.jobs p
      where p.dataset_id = o.dataset_id and (p.created_at, p.id) < (o.created_at, o.id)
      order by p.created_at desc, p.id desc limit 1
    )) as waiting_since
    from old o
  )
  select s.id, s.dataset_id, s.priority, s.waits_for, s.waiting_since from since s
  where s.waiting_since < now() - p_older order by s.waiting_since, s.id
$$;
create index jobs_waiting_longest on public.jobs (created_at) where state = 'queued';

create function fusou.minutes(p_seconds double precision)
returns text
language sql immutable
set search_path = ''
as $$ select case when p_seconds < 7200 then round(p_seconds / 60) || ' min' else round(p_seconds / 3600) || ' h' end $$;

create function fusou.numbered(p_count bigint, p_noun text)
returns text
language sql immutable
set search_path = ''
as $$ select p_count || ' ' || p_noun || case when p_count = 1 then '' else 's' end $$;

create function fusou.max_known_causes()
returns integer
language sql immutable
set search_path = ''
as $$ select 200 $$;

create function fusou.cause(p_code text, p_dataset_id text)
returns text
language sql immutable
set search_path = ''
as $$ select left(p_code, 100) || coalesce(' in ' || p_dataset_id, '') $$;

-- Letters of the window that are open.
create function fusou.find_dead_letters(p_window_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with letters as (
    select l.* from public.dead_letters l
    where l.closed_at is null and l.received_at > now() - make_interval(secs => p_window_seconds)
    order by l.received_at desc limit 10000
  ), codes as (
    select code, count(*) as letters from letters group by code
  )
  select 'dead_letters', count(*) > 0, count(*),
    format('%s in %s', fusou.numbered(count(*), 'dead letter'), fusou.minutes(p_window_seconds)),
    jsonb_build_object(
      'causes', (
        select coalesce(jsonb_agg(c.cause), '[]')
        from (
          select fusou.cause(code, dataset_id) as cause from letters
          group by 1 order by max(received_at) desc, 1 limit fusou.max_known_causes()
        ) c
      ),
      'codes', (select coalesce(jsonb_object_agg(code, letters), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.job_id, 'datasetId', e.dataset_id, 'code', e.code, 'message', left(e.message, 300)
        )), '[]')
        from (select * from letters order by received_at desc, id desc limit 5) e
      )
    )
  from letters
$$;

-- The share of jobs that died among those that ended in the window; few jobs prove nothing.
create function fusou.find_failure_rate(p_window_seconds double precision, p_ratio double precision, p_min_jobs integer)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with ended as (
    select j.id, j.state, j.dataset_id, j.error_code, j.error_step, j.error_message, j.finished_at from public.jobs j
    where j.finished_at > now() - make_interval(secs => p_window_seconds) and j.state in ('succeeded', 'dead')
    order by j.finished_at desc limit 10000
  ), counted as (
    select count(*) as jobs, count(*) filter (where state = 'dead') as dead from ended
  ), codes as (
    select error_code, count(*) as jobs from ended where state = 'dead' group by error_code
  )
  select 'failure_rate', c.jobs >= greatest(p_min_jobs, 1) and c.dead >= p_ratio * c.jobs, c.dead,
    format('%s of %s died in %s', c.dead, fusou.numbered(c.jobs, 'job'), fusou.minutes(p_window_seconds)),
    jsonb_build_object(
      'ended', c.jobs,
      'causes', (
        select coalesce(jsonb_agg(d.cause), '[]')
        from (
          select fusou.cause(error_code, dataset_id) as cause from ended where state = 'dead'
          group by 1 order by max(finished_at) desc, 1 limit fusou.max_known_causes()
        ) d
      ),
      'codes', (select coalesce(jsonb_object_agg(error_code, jobs), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.id, 'datasetId', e.dataset_id, 'code', e.error_code, 'step', e.error_step,
          'message', left(e.error_message, 300)
        )), '[]')
        from (select * from ended where state = 'dead' order by finished_at desc, id limit 5) e
      )
    )
  from counted c
$$;

create function fusou.find_oldest_waiting(p_bound_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with late as (
    select * from fusou.waiting_jobs(make_interval(secs => p_bound_seconds))
  )
  select 'oldest_waiting', count(*) > 0, count(*),
    format(
      '%s waiting for longer than %s, the oldest for %s%s', fusou.numbered(count(*), 'job'), fusou.minutes(p_bound_seconds),
      fusou.minutes(coalesce(extract(epoch from now() - min(waiting_since)), 0)::double precision),
      ', ' || nullif(count(*) filter (where waits_for = 'slot'), 0) || ' for a slot'
    ),
    jsonb_build_object(
      'causes', (select coalesce(jsonb_agg(distinct 'waits for the ' || waits_for), '[]') from late),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.job_id, 'datasetId', e.dataset_id, 'priority', e.priority, 'waitsFor', e.waits_for,
          'waitingSince', e.waiting_since
        )), '[]')
        from (select * from late order by waiting_since, job_id limit 5) e
      )
    )
  from late
$$;

create function fusou.find_missed_trigger(p_bound_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select 'missed_daily_trigger',
    h.beat_at < now() - make_interval(secs => p_bound_seconds) and exists (select 1 from public.datasets),
    1::bigint,
    format('the daily trigger has not come for %s', fusou.minutes(extract(epoch from now() - h.beat_at)::double precision)),
    jsonb_build_object('lastTriggerAt', h.beat_at)
  from public.heartbeats h where h.name = 'daily_trigger'
$$;

-- Catalog and bucket do not fit together: a row for each of the two kinds of it.
create function fusou.find_pairing_problem()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select k.kind,
    i.problem is not null and k.kind = case when i.problem = 'catalog_restored' then i.problem else 'installation_mismatch' end,
    1::bigint,
    case i.problem
      when 'catalog_restored' then 'the bucket is newer than the catalog, which was set back to an older state'
      when 'foreign_bucket' then 'the bucket belongs to another installation'
      when 'missing_stamp' then 'the bucket no longer has the id of this installation'
      else 'the bucket has objects of unknown origin and no installation id'
    end || '; nothing is merged or deleted until an operator decides',
    jsonb_build_object('examples', '[]'::jsonb)
  from public.installation i
  cross join unnest(array['installation_mismatch', 'catalog_restored']) as k (kind)
$$;

create function fusou.find_stopped_sweep()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select 'orphans_stopped', s.stopped_at is not null, coalesce(s.last_orphans, 0),
    format('%s of %s objects have no row in the catalog; none of them is deleted until an operator decides',
      s.last_orphans, s.last_objects),
    jsonb_build_object('examples', (
      select coalesce(jsonb_agg(jsonb_build_object('message', e.r2_key)), '[]')
      from (select r2_key from public.orphan_suspects order by r2_key limit 5) e
    ))
  from public.sweeps s where s.name = 'orphans'
$$;

-- Files in quarantine that no operator has acknowledged.
create function fusou.find_files_set_aside()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with news as (
    select f.* from public.files f
    where f.removed_version is null and f.quarantine_code is not null and f.quarantine_acknowledged_at is null
    order by f.quarantined_at desc limit 10000
  ), codes as (
    select quarantine_code, count(*) as files from news group by quarantine_code order by count(*) desc limit 10
  )
  select 'files_set_aside', count(*) > 0, count(*),
    format(
      '%s set aside by merges, in %s', fusou.numbered(count(*), 'file'),
      fusou.numbered(count(distinct dataset_id), 'dataset')
    ),
    jsonb_build_object(
      'causes', (
        select coalesce(jsonb_agg(c.cause), '[]')
        from (
          select fusou.cause(quarantine_code, dataset_id) as cause from news
          group by 1 order by max(quarantined_at) desc, 1 limit fusou.max_known_causes()
        ) c
      ),
      'codes', (select coalesce(jsonb_object_agg(quarantine_code, files), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'fileId', e.id, 'jobId', e.quarantined_by_job, 'datasetId', e.dataset_id, 'code', e.quarantine_code,
          'message', left(e.quarantine_message, 300)
        )), '[]')
        from (select * from news order by quarantined_at desc, id desc limit 5) e
      )
    )
  from news
$$;

-- Looks for trouble and settles every alert, whoever calls at the same time. An alert that stands is told again when it
-- has new causes (`causes` of its details, a list of texts), but not more often than newCausesSeconds.
-- p_rules: bounds and windows in seconds, see AlertRules of the catalog package. p_channels: those that are configured.
-- Answers with what changed, and with the messages to send: `alert.<channel>`, born locked by p_sender unless an older
-- one of the same channel and kind is yet to be sent.
create function public.raise_alerts(p_rules jsonb, p_channels text[], p_sender text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_alert public.alerts;
  v_trouble record;
  v_remind boolean;
  v_causes text[];
  v_new_causes text[];
  v_details jsonb;
  v_channels text[];
  v_changes jsonb := '[]';
  v_outbox jsonb := '[]';
begin
  -- One caller at a time; what it looks at next is as the caller before has left it.
  perform 1 from public.alerts order by kind for update;
  for v_trouble in
    select * from fusou.find_dead_letters((p_rules ->> 'deadLettersWindowSeconds')::double precision)
    union all
    select * from fusou.find_failure_rate(
      (p_rules ->> 'failureWindowSeconds')::double precision, (p_rules ->> 'failureRatio')::double precision,
      (p_rules ->> 'failureMinJobs')::integer
    )
    union all
    select * from fusou.find_oldest_waiting((p_rules ->> 'waitingBoundSeconds')::double precision)
    union all
    select * from fusou.find_missed_trigger((p_rules ->> 'triggerBoundSeconds')::double precision)
    union all
    select * from fusou.find_files_set_aside()
    union all
    select * from fusou.find_pairing_problem()
    union all
    select * from fusou.find_stopped_sweep()
  loop
    select * into strict v_alert from public.alerts where kind = v_trouble.kind;
    v_causes := array(select jsonb_array_elements_text(coalesce(v_trouble.details -> 'causes', '[]')));
    v_details := v_trouble.details - 'causes';
    if v_trouble.firing then
      if v_alert.raised_at is null then
        update public.alerts
        set incident = incident + 1, raised_at = now(), told = '{}', told_at = null,
            known_causes = v_causes, causes_told_at = now()
        where kind = v_alert.kind returning * into v_alert;
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'raised', 'summary', v_trouble.summary);
      end if;
      -- A full list tells nothing new apart: the alert is then silent until it is told again as a whole.
      v_new_causes := array(
        select c from unnest(v_causes) as c
        where c <> all (v_alert.known_causes) and cardinality(v_alert.known_causes) < fusou.max_known_causes()
        order by c
      );
      v_remind := coalesce(
        v_alert.told_at <= now() - make_interval(secs => (p_rules ->> 'silenceSeconds')::double precision), false
      );
      if v_new_causes <> '{}' and (
        v_remind
        or v_alert.causes_told_at
          <= now() - make_interval(secs => coalesce((p_rules ->> 'newCausesSeconds')::double precision, 900))
      ) then
        v_remind := true;
        v_details := v_details || jsonb_build_object(
          'newCauses', to_jsonb(v_new_causes[1:10]), 'newCauseCount', cardinality(v_new_causes)
        );
        update public.alerts
        set known_causes = (known_causes || v_new_causes)[1:fusou.max_known_causes()], causes_told_at = now()
        where kind = v_alert.kind;
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'grown', 'summary', v_trouble.summary);
      end if;
      v_channels := array(select c from unnest(p_channels) as c where v_remind or c <> all (v_alert.told));
      update public.alerts
      set quiet_since = null,
          found = v_trouble.found,
          summary = v_trouble.summary,
          details = v_details,
          told = array(select distinct c from unnest(told || v_channels) as c order by c),
          told_at = case when v_channels <> '{}' then now() else told_at end
      where kind = v_alert.kind returning * into v_alert;
      v_outbox := v_outbox || fusou.tell(v_alert, 'trigger', v_channels, p_sender);
    elsif v_alert.raised_at is not null then
      update public.alerts set quiet_since = coalesce(quiet_since, now())
      where kind = v_alert.kind returning * into v_alert;
      if v_alert.quiet_since <= now() - make_interval(secs => (p_rules ->> 'quietSeconds')::double precision) then
        v_channels := array(select c from unnest(p_channels) as c where c = any (v_alert.told));
        v_outbox := v_outbox || fusou.tell(v_alert, 'resolve', v_channels, p_sender);
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'resolved', 'summary', v_alert.summary);
        update public.alerts set raised_at = null, quiet_since = null, resolved_at = now() where kind = v_alert.kind;
      end if;
    end if;
  end loop;
  return jsonb_build_object('changes', v_changes, 'outbox', v_outbox);
end $$;

-- Writes the messages of an alert. Answers with those that the sender is to send.
create function fusou.tell(p_alert public.alerts, p_action text, p_channels text[], p_sender text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_channel text;
  v_key text;
  v_message jsonb;
  v_mine boolean;
  v_outbox jsonb := '[]';
begin
  foreach v_channel in array p_channels loop
    v_key := 'alert.' || v_channel || ':' || p_alert.kind;
    v_mine := p_sender is not null and not fusou.has_open_message(v_key);
    v_message := fusou.emit(
      'alert.' || v_channel,
      v_key,
      jsonb_build_object(
        'kind', p_alert.kind,
        'action', p_action,
        'incident', p_alert.incident,
        'severity', p_alert.severity,
        'summary', p_alert.summary,
        'found', p_alert.found,
        'details', p_alert.details,
        'raisedAt', p_alert.raised_at,
        'at', now()
      ),
      case when v_mine then p_sender end
    );
    if v_mine then
      v_outbox := v_outbox || v_message;
    end if;
  end loop;
  return v_outbox;
end $$;

-- Uploads in parts. The bucket does not tell a Worker which are under way, so each is noted before its first part is
-- written; vacuum aborts those whose attempt is over. What died before the note has no parts, and the bucket itself
-- forgets it after seven days.

create table public.multipart_uploads (
  r2_key text primary key,
  upload_id text not null,
  job_id uuid not null references public.jobs (id),
  attempt integer not null,
  created_at timestamptz not null default now()
);
alter table public.multipart_uploads enable row level security;

create function public.open_multipart(p_job_id uuid, p_attempt integer, p_r2_key text, p_upload_id text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
begin
  if v_outcome = 'ok' then
    insert into public.multipart_uploads (r2_key, upload_id, job_id, attempt)
    values (p_r2_key, p_upload_id, p_job_id, p_attempt)
    on conflict (r2_key) do nothing;
  end if;
  return jsonb_build_object('outcome', v_outcome);
end $$;

-- An attempt that is over never comes back: its number only grows, and an ended job does not run again.
create function fusou.attempt_is_over(p_job_id uuid, p_attempt integer)
returns boolean
language sql stable
set search_path = ''
as $$
  select not exists (
    select 1 from public.jobs j where j.id = p_job_id and j.state = 'running' and j.attempt = p_attempt
  )
$$;

-- Nobody completes these: their attempt is over, or its try of the step ended long ago without a word.
create function fusou.abandoned_uploads()
returns setof public.multipart_uploads
language sql stable
set search_path = ''
as $$
  select u.* from public.multipart_uploads u
  where fusou.attempt_is_over(u.job_id, u.attempt) or u.created_at < now() - interval '1 day'
$$;

-- The answer repeats them until close_multiparts().
create function public.list_abandoned_uploads(p_limit integer, p_stamp bigint default null)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('r2Key', u.r2_key, 'uploadId', u.upload_id) order by u.created_at), '[]')
  from (select * from fusou.abandoned_uploads() order by created_at limit p_limit) u
  where fusou.deletions_allowed(p_stamp)
$$;

-- These are aborted, or were complete before: then the object lies under its key, and nothing will name it any more.
create function public.close_multiparts(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  -- First these, then garbage: the order of commit_merge().
  perform 1 from public.multipart_uploads where r2_key = any (p_keys) order by r2_key for update;
  insert into public.garbage (r2_key)
  select u.r2_key from public.multipart_uploads u
  where u.r2_key = any (p_keys)
    and fusou.attempt_is_over(u.job_id, u.attempt)
    and not exists (select 1 from public.files f where f.r2_key = u.r2_key)
  order by u.r2_key
  on conflict do nothing;
  delete from public.multipart_uploads where r2_key = any (p_keys);
  get diagnostics v_count = row_count;
  perform fusou.add_to_counter('uploads_aborted', v_count);
  return v_count;
end $$;

create table public.counters (
  name text primary key,
  value bigint not null
);
alter table public.counters enable row level security;
comment on table public.counters is 'What vacuum did since the installation.';

create function fusou.add_to_counter(p_name text, p_value bigint)
returns void
language sql
set search_path = ''
as $$
  insert into public.counters as c (name, value)
  select p_name, p_value where p_value > 0
  on conflict (name) do update set value = c.value + excluded.value
$$;

-- A dry run of vacuum, one page of one reason; changes nothing. Looks at p_limit rows at the most, so a page may be
-- empty although more follow: `next` is where it goes on, null at the end.
-- superseded: file rows whose retention is over; the object goes with the last row that names it.
-- refused: objects noted as garbage already. incomplete_upload: uploads in parts that nobody completes.
create function public.preview_vacuum(p_reason text, p_after jsonb, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_page jsonb;
begin
  case p_reason
  when 'superseded' then
    with examined as (
      select f.id, f.r2_key, f.byte_length, f.dataset_id, f.removed_at,
        now() - make_interval(secs => fusou.setting(d.settings, 'retentionSeconds')) as readable_from
      from public.files f join public.datasets d on d.id = f.dataset_id
      where f.removed_at is not null
        and (p_after is null or (f.removed_at, f.id) > ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid))
      order by f.removed_at, f.id limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object(
        'r2Key', e.r2_key, 'bytes', e.byte_length, 'datasetId', e.dataset_id, 'fileId', e.id, 'since', e.removed_at,
        'objectStays', exists (
          select 1 from public.files o
          where o.r2_key = e.r2_key and (o.removed_at is null or o.removed_at >= e.readable_from)
        )
      ) order by e.removed_at, e.id) filter (where e.removed_at < e.readable_from), '[]'),
      'next', case when count(*) = p_limit then (
        select jsonb_build_object('at', l.removed_at, 'id', l.id) from examined l order by l.removed_at desc, l.id desc limit 1
      ) end
    )
    into v_page from examined e;
  when 'refused' then
    with examined as (
      select g.r2_key, g.marked_at from public.garbage g
      where p_after is null or g.r2_key > p_after ->> 'key'
      order by g.r2_key limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object('r2Key', e.r2_key, 'since', e.marked_at) order by e.r2_key)
        filter (where not exists (select 1 from public.files f where f.r2_key = e.r2_key)), '[]'),
      'next', case when count(*) = p_limit then jsonb_build_object('key', max(e.r2_key)) end
    )
    into v_page from examined e;
  when 'incomplete_upload' then
    with examined as (
      select u.r2_key, u.job_id, u.attempt, u.created_at from fusou.abandoned_uploads() u
      where p_after is null or u.r2_key > p_after ->> 'key'
      order by u.r2_key limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object(
        'r2Key', e.r2_key, 'jobId', e.job_id, 'attempt', e.attempt, 'since', e.created_at
      ) order by e.r2_key), '[]'),
      'next', case when count(*) = p_limit then jsonb_build_object('key', max(e.r2_key)) end
    )
    into v_page from examined e;
  else
    raise exception 'preview_vacuum: the reason must be superseded, refused or incomplete_upload' using errcode = '22023';
  end case;
  return v_page;
end $$;

-- The orphans among these keys of objects older than a day.
create function public.list_orphans(p_keys text[])
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(k order by k), '[]') from unnest(p_keys) as k
  where fusou.is_orphan(k)
$$;

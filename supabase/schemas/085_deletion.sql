-- Deletion of data: at once in a new version, from the bucket when its retention is over, undone until then.

create table public.deletions (
  id bigint generated always as identity primary key,
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text,
  period_tag text,
  reason text not null constraint deletions_reason check (reason in ('request', 'retention')),
  version bigint not null,
  files bigint not null,
  rows bigint not null,
  bytes bigint not null,
  deleted_at timestamptz not null default now(),
  restored_at timestamptz,
  restored_version bigint
);
alter table public.deletions enable row level security;
comment on table public.deletions is 'What was deleted together; the rows of its files name it until vacuum takes them.';
comment on column public.deletions.table_name is 'Null: every table.';
comment on column public.deletions.reason is 'request: somebody asked; retention: it was older than deleteAfterDays.';
create index deletions_of_dataset on public.deletions (dataset_id, id desc);

create function fusou.deletion_json(p_deletion public.deletions, p_settings jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_deletion.id, 'table', p_deletion.table_name, 'periodTag', p_deletion.period_tag, 'reason', p_deletion.reason,
    'version', p_deletion.version, 'files', p_deletion.files, 'rows', p_deletion.rows, 'bytes', p_deletion.bytes,
    'deletedAt', p_deletion.deleted_at, 'restoredAt', p_deletion.restored_at, 'restoredVersion', p_deletion.restored_version,
    'restorableUntil', case when p_deletion.restored_at is null then
      p_deletion.deleted_at + make_interval(secs => fusou.setting(p_settings, 'retentionSeconds'))
    end
  )
$$;

-- Takes live files out of a dataset, in one version. The caller holds its lock. Null if there are none.
-- Uploads that were merged into them are no longer known either, so that their content may be uploaded again.
create function fusou.delete_files(
  p_dataset public.datasets, p_table text, p_period_tag text, p_file_ids uuid[], p_reason text, p_user_id uuid
)
returns public.deletions
language plpgsql
set search_path = ''
as $$
declare
  v_deletion public.deletions;
  v_found record;
begin
  select coalesce(array_agg(f.id), '{}') as ids, count(*) as files, coalesce(sum(f.row_count), 0) as row_count,
    coalesce(sum(f.byte_length), 0) as bytes
  into v_found
  from public.files f
  where f.dataset_id = p_dataset.id and f.removed_version is null
    and (p_table is null or f.table_name = p_table)
    and (p_period_tag is null or f.period_tag = p_period_tag)
    and (p_file_ids is null or f.id = any (p_file_ids));
  if v_found.files = 0 then
    return null;
  end if;
  insert into public.deletions (dataset_id, table_name, period_tag, reason, version, files, rows, bytes)
  values (
    p_dataset.id, p_table, p_period_tag, p_reason, p_dataset.version + 1, v_found.files,
    fusou.saturate(v_found.row_count), fusou.saturate(v_found.bytes)
  )
  returning * into v_deletion;
  update public.datasets set version = v_deletion.version where id = p_dataset.id;
  update public.files
  set removed_version = v_deletion.version, removed_at = now(), discarded = true, discarded_by = p_user_id,
      deletion_id = v_deletion.id
  where id = any (v_found.ids);
  delete from public.suspects where file_id = any (v_found.ids);
  if p_file_ids is null then
    update public.files f set discarded = true, deletion_id = v_deletion.id
    where f.dataset_id = p_dataset.id and f.level = 0 and f.removed_version is not null and not f.discarded
      and (p_table is null or f.table_name = p_table)
      and (p_period_tag is null or f.period_tag = p_period_tag);
  end if;
  perform fusou.look_for_work(p_dataset.id);
  return v_deletion;
end $$;

-- Deletes a table, a period of it, or with neither the whole dataset, which then is in no list until it is restored or
-- uploaded to. Outcomes: deleted (deletion null: there was nothing), unknown_dataset.
create function public.delete_data(p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_deletion public.deletions;
  v_job_id uuid;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_deletion := fusou.delete_files(v_dataset, p_table, p_period_tag, null, 'request', fusou.user_of(p_caller));
  if p_table is null then
    update public.datasets set deleted_at = coalesce(deleted_at, now()) where id = p_dataset_id;
    for v_job_id in
      select j.id from public.jobs j where j.dataset_id = p_dataset_id and j.state = 'queued'
    loop
      perform fusou.end_job(v_job_id, 'cancelled', null);
    end loop;
  end if;
  if v_deletion.id is not null then
    perform fusou.audit(
      p_caller, 'data.delete', v_dataset.owner_id, p_dataset_id, v_deletion.id::text,
      jsonb_strip_nulls(jsonb_build_object(
        'table', p_table, 'periodTag', p_period_tag, 'files', v_deletion.files, 'rows', v_deletion.rows
      ))
    );
  end if;
  return jsonb_build_object(
    'outcome', 'deleted',
    'deletion', case when v_deletion.id is not null then fusou.deletion_json(v_deletion, v_dataset.settings) end
  );
end $$;

-- The uploads of a deletion that came again since: what they hold may be there once only.
create function fusou.uploaded_again(p_deletion_id bigint)
returns table (gone public.files, again public.files)
language sql stable
set search_path = ''
as $$
  select g, a from public.files g
  join public.files a
    on a.dataset_id = g.dataset_id and a.table_name = g.table_name and a.period_tag = g.period_tag
    and a.content_sha256 = g.content_sha256 and a.level = 0 and not a.discarded
  where g.deletion_id = p_deletion_id and g.level = 0
$$;

-- Puts back what one deletion took, in a new version, under new ids. A file that was uploaded again since is there already.
-- A merged file that comes back supersedes uploads of its own that came again.
-- Outcomes: restored (also when it was before), unknown_dataset, unknown_deletion, deletion_gone (vacuum has taken some of
-- it), uploaded_again (a part of a merged file came again since, and is merged with other rows by now).
create function public.restore_deletion(p_dataset_id text, p_caller jsonb, p_deletion_id bigint)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_deletion public.deletions;
  v_version bigint;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  select * into v_deletion from public.deletions where id = p_deletion_id and dataset_id = p_dataset_id;
  if not found then
    return jsonb_build_object('outcome', 'unknown_deletion');
  elsif v_deletion.restored_at is not null then
    return jsonb_build_object('outcome', 'restored', 'deletion', fusou.deletion_json(v_deletion, v_dataset.settings));
  elsif (
    select count(*) from public.files f
    where f.deletion_id = p_deletion_id and f.removed_version = v_deletion.version
  ) <> v_deletion.files then
    return jsonb_build_object('outcome', 'deletion_gone');
  elsif exists (
    select 1 from fusou.uploaded_again(p_deletion_id) u
    where (u.gone).removed_version < v_deletion.version and (u.again).removed_version is not null
  ) then
    return jsonb_build_object('outcome', 'uploaded_again');
  end if;
  v_version := v_dataset.version + 1;
  update public.files f set removed_version = v_version, removed_at = now()
  where f.removed_version is null and f.id in (
    select (u.again).id from fusou.uploaded_again(p_deletion_id) u
    where (u.gone).removed_version < v_deletion.version
  );
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, work_bytes, level,
    fragments, content_sha256, schema_fingerprint, created_version, created_by_job, uploaded_by, uploaded_with,
    quarantine_code, quarantine_message, quarantined_by_job, quarantined_at, quarantine_acknowledged_at, healed_at,
    newest_upload_at, settings_key
  )
  select
    f.dataset_id, f.table_name, f.period_tag, f.r2_key, f.byte_offset, f.byte_length, f.row_count, f.row_group_count,
    f.work_bytes, f.level, f.fragments, f.content_sha256, f.schema_fingerprint, v_version,
    f.created_by_job, f.uploaded_by, f.uploaded_with, f.quarantine_code, f.quarantine_message, f.quarantined_by_job,
    f.quarantined_at, f.quarantine_acknowledged_at, f.healed_at, f.newest_upload_at, f.settings_key
  from public.files f
  where f.deletion_id = p_deletion_id and f.removed_version = v_deletion.version
    and not exists (select 1 from fusou.uploaded_again(p_deletion_id) u where (u.gone).id = f.id);
  perform fusou.check_storage(v_dataset.owner_id);
  -- The uploads that are merged into them are known again.
  update public.files f set discarded = false, deletion_id = null
  where f.deletion_id = p_deletion_id and f.level = 0 and f.removed_version < v_deletion.version
    and not exists (select 1 from fusou.uploaded_again(p_deletion_id) u where (u.gone).id = f.id);
  update public.datasets set version = v_version, deleted_at = null where id = p_dataset_id;
  update public.deletions set restored_at = now(), restored_version = v_version where id = p_deletion_id returning * into v_deletion;
  perform fusou.look_for_work(p_dataset_id);
  perform fusou.audit(
    p_caller, 'data.restore', v_dataset.owner_id, p_dataset_id, p_deletion_id::text, null,
    jsonb_build_object('files', v_deletion.files, 'rows', v_deletion.rows)
  );
  return jsonb_build_object('outcome', 'restored', 'deletion', fusou.deletion_json(v_deletion, v_dataset.settings));
end $$;

-- Newest first. p_before: the last deletion of the page before.
create function public.list_deletions(p_dataset_id text, p_caller jsonb, p_before bigint, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'ok', 'deletions', (
    select coalesce(jsonb_agg(fusou.deletion_json(l.deletion, v_dataset.settings) order by (l.deletion).id desc), '[]')
    from (
      select d as deletion from public.deletions d
      where d.dataset_id = p_dataset_id and (p_before is null or d.id < p_before)
      order by d.id desc limit p_limit
    ) l
  ));
end $$;

-- When the period that a tag names is over: of 2026, 2026-11 and 2026-11-26; null for a tag that is no date.
create function fusou.period_end(p_period_tag text)
returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  return case
    when p_period_tag ~ '^[12]\d{3}$' then make_timestamptz(p_period_tag::integer + 1, 1, 1, 0, 0, 0, 'UTC')
    when p_period_tag ~ '^[12]\d{3}-(0[1-9]|1[0-2])$' then make_timestamptz(
      left(p_period_tag, 4)::integer + right(p_period_tag, 2)::integer / 12, right(p_period_tag, 2)::integer % 12 + 1, 1,
      0, 0, 0, 'UTC'
    )
    when p_period_tag ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'
      then (p_period_tag || 'T00:00:00Z')::timestamptz + interval '1 day'
  end;
exception when datetime_field_overflow then
  return null;
end $$;

-- Retention of data: live files that are older than deleteAfterDays of their dataset. A file of a period that is a date
-- is as old as the end of that period, any other as the youngest upload in it. Each dataset is looked through once an hour, at
-- most p_limit of them a call.
create function public.delete_expired_data(p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset_id text;
  v_dataset public.datasets;
  v_ids uuid[];
  v_deletion public.deletions;
  v_deletions bigint := 0;
  v_files bigint := 0;
begin
  for v_dataset_id in
    with due as (
      select d.id, d.owner_id from public.datasets d
      where d.settings ? 'deleteAfterDays'
        and (d.data_checked_at is null or d.data_checked_at < now() - interval '1 hour')
      order by d.data_checked_at nulls first
      limit p_limit
      for update skip locked
    )
    -- In order of owners, whose usage each deletion locks: two callers wait for each other in one order.
    select due.id from due order by due.owner_id, due.id
  loop
    update public.datasets set data_checked_at = now() where id = v_dataset_id returning * into v_dataset;
    select array_agg(f.id) into v_ids from public.files f
    where f.dataset_id = v_dataset.id and f.removed_version is null and fusou.is_expired(f, v_dataset.settings);
    v_deletion := null;
    if v_ids is not null then
      v_deletion := fusou.delete_files(v_dataset, null, null, v_ids, 'retention', null);
    end if;
    if v_deletion.id is not null then
      v_deletions := v_deletions + 1;
      v_files := v_files + v_deletion.files;
    end if;
  end loop;
  return jsonb_build_object('datasets', v_deletions, 'files', v_files);
end $$;

create function fusou.is_expired(p_file public.files, p_settings jsonb)
returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce(fusou.period_end(p_file.period_tag), p_file.newest_upload_at)
    < now() - make_interval(days => (p_settings ->> 'deleteAfterDays')::integer)
$$;

-- Everything of a user: their datasets are deleted, their keys revoked, their roles on datasets of others ended. Asked by an
-- operator, or by the user. At most p_limit datasets a call; the caller repeats it while `more`.
create function public.delete_user_data(p_caller jsonb, p_user_id uuid, p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset_id text;
  v_count integer := 0;
begin
  if fusou.key_of(p_caller) is not null
    or not (fusou.is_operator(p_caller) or fusou.user_of(p_caller) is not distinct from p_user_id)
  then
    perform fusou.forbid('all data of a user is deleted by that user, signed in, or by an operator');
  end if;
  -- Before any dataset, as in complete_upload().
  with mine as (
    select u.id from public.resumable_uploads u where u.user_id = p_user_id and u.state = 'open' order by u.id for update
  )
  update public.resumable_uploads u set expires_at = least(u.expires_at, now()) from mine m where u.id = m.id;
  -- All datasets before the usage of their owner, which the first deletion takes: an upload holds one and waits for it.
  perform 1 from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null order by d.id limit p_limit for update;
  for v_dataset_id in
    select d.id from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null order by d.id limit p_limit
  loop
    perform public.delete_data(v_dataset_id, p_caller, null, null);
    v_count := v_count + 1;
  end loop;
  update public.access_keys set revoked_at = now() where user_id = p_user_id and revoked_at is null;
  delete from public.grants where user_id = p_user_id;
  if v_count > 0 then
    perform fusou.audit(p_caller, 'user.delete_data', p_user_id, null, p_user_id::text, jsonb_build_object('datasets', v_count));
  end if;
  return jsonb_build_object(
    'datasets', v_count,
    'more', exists (select 1 from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null)
  );
end $$;

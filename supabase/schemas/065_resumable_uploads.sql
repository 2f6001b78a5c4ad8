-- Resumable uploads: a client sends one file in parts, in any order and as often as it likes, and completes it. The parts
-- are those of a multipart upload of the bucket. A row is written before the first part, so that somebody can abort an
-- upload that its client abandons. Order of locks: upload, then those of register_upload().

create table public.resumable_uploads (
  id uuid primary key default gen_random_uuid(),
  dataset_id text not null,
  table_name text not null,
  period_tag text not null,
  file_name text,
  byte_length bigint not null constraint resumable_uploads_length check (byte_length > 0),
  content_sha256 text not null constraint resumable_uploads_sha256 check (content_sha256 ~ '^[0-9a-f]{64}$'),
  part_bytes bigint not null constraint resumable_uploads_part_bytes check (part_bytes > 0),
  user_id uuid not null,
  owner_id uuid not null,
  r2_key text collate "C" not null unique,
  bucket_upload_id text not null,
  state text not null default 'open'
    constraint resumable_uploads_state check (state in ('open', 'completed', 'refused', 'aborted')),
  result jsonb,
  opened_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint resumable_uploads_ended_has_result check (
    (state in ('completed', 'refused')) = (result is not null)
  )
);
alter table public.resumable_uploads enable row level security;
comment on column public.resumable_uploads.dataset_id is 'No reference: completing the upload may make the dataset.';
comment on column public.resumable_uploads.user_id is 'Who opened it: nobody else may send its parts.';
comment on column public.resumable_uploads.owner_id is 'Whose limits it counts against: the owner of the dataset when it was opened.';
comment on column public.resumable_uploads.bucket_upload_id is 'The id of the multipart upload in the bucket.';
comment on column public.resumable_uploads.state is
  'completed and refused: result has what every repeated call is answered; aborted: the bucket has yet to drop it.';
comment on column public.resumable_uploads.expires_at is
  'An open upload is aborted then, one that was completed or refused is forgotten.';
create index resumable_uploads_of_owner on public.resumable_uploads (owner_id) where state = 'open';
create index resumable_uploads_of_content on public.resumable_uploads (user_id, dataset_id, content_sha256);
create index resumable_uploads_expiring on public.resumable_uploads (expires_at);
create index resumable_uploads_aborted on public.resumable_uploads (opened_at) where state = 'aborted';

create table public.upload_parts (
  upload_id uuid not null references public.resumable_uploads (id) on delete cascade,
  number integer not null constraint upload_parts_number check (number >= 1),
  etag text not null,
  sha256 text not null constraint upload_parts_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  primary key (upload_id, number)
);
alter table public.upload_parts enable row level security;
comment on table public.upload_parts is 'Parts that the bucket has; a part that is being written is not among them.';

-- A day less than the bucket keeps a multipart upload, so that an upload that is open here is open there.
create function fusou.upload_lifetime()
returns interval
language sql immutable
set search_path = ''
as $$ select interval '6 days' $$;

create function fusou.part_count(p_upload public.resumable_uploads)
returns bigint
language sql immutable
set search_path = ''
as $$ select (p_upload.byte_length + p_upload.part_bytes - 1) / p_upload.part_bytes $$;

-- The state as callers see it: an open upload whose time is over takes nothing more, also before the cron has seen it.
create function fusou.upload_state(p_upload public.resumable_uploads)
returns text
language sql stable
set search_path = ''
as $$
  select case when p_upload.state = 'open' and p_upload.expires_at <= now() then 'expired' else p_upload.state end
$$;

create function fusou.upload_json(p_upload public.resumable_uploads)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'uploadId', p_upload.id,
    'datasetId', p_upload.dataset_id,
    'table', p_upload.table_name,
    'periodTag', p_upload.period_tag,
    'fileName', p_upload.file_name,
    'byteLength', p_upload.byte_length,
    'sha256', p_upload.content_sha256,
    'partBytes', p_upload.part_bytes,
    'parts', fusou.part_count(p_upload),
    'storedParts', (
      select coalesce(jsonb_agg(p.number order by p.number), '[]') from public.upload_parts p
      where p.upload_id = p_upload.id
    ),
    'state', fusou.upload_state(p_upload),
    'expiresAt', p_upload.expires_at
  )
$$;

-- Locks the upload of a caller. No row if there is none, if somebody else opened it, or if the caller may not upload to the
-- dataset any more.
create function fusou.own_upload(p_id uuid, p_caller jsonb)
returns public.resumable_uploads
language plpgsql
set search_path = ''
as $$
declare
  v_upload public.resumable_uploads;
  v_dataset public.datasets;
begin
  select * into v_upload from public.resumable_uploads where id = p_id for update;
  select * into v_dataset from public.datasets where id = v_upload.dataset_id;
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('uploads are for users and their keys');
  elsif v_upload.user_id is distinct from fusou.user_of(p_caller) then
    return null;
  elsif not fusou.may_upload(p_caller, v_upload.dataset_id, v_dataset) then
    return null;
  end if;
  return v_upload;
end $$;

-- The answer where an upload is not open: null if it is.
create function fusou.upload_end(p_upload public.resumable_uploads)
returns jsonb
language sql stable
set search_path = ''
as $$
  select case
    when p_upload.id is null then jsonb_build_object('outcome', 'unknown_upload')
    when fusou.upload_state(p_upload) <> 'open' then
      jsonb_build_object('outcome', 'ended', 'state', fusou.upload_state(p_upload))
  end
$$;

-- Opens an upload, or answers with the one that the caller has opened for the same content. Called twice: first without
-- p_bucket, then with the multipart upload that the caller has begun in the bucket meanwhile. The declared bytes count
-- against the limits of the owner while uploads are open; register_upload() checks what is stored in the end.
-- p_upload: {datasetId, table, periodTag, fileName, byteLength, sha256}; p_bucket: {r2Key, uploadId, partBytes}
-- p_again: also where the content was completed before and is still named; the bucket has lost it.
-- Outcomes: wanted {ownerId}, opened, resumed, completed {r2Key} (each with `upload`); unknown_dataset.
create function public.open_upload(
  p_caller jsonb, p_upload jsonb, p_bucket jsonb default null, p_again boolean default false
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user_id constant uuid := fusou.user_of(p_caller);
  v_dataset_id constant text := p_upload ->> 'datasetId';
  v_bytes constant bigint := (p_upload ->> 'byteLength')::bigint;
  v_dataset public.datasets;
  v_owner_id uuid;
  v_upload public.resumable_uploads;
begin
  select * into v_dataset from public.datasets where id = v_dataset_id;
  if not fusou.may_upload(p_caller, v_dataset_id, v_dataset) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_owner_id := coalesce(v_dataset.owner_id, v_user_id);
  -- One opener of an owner at a time, or two would both take the last place.
  perform fusou.add_usage(v_owner_id, 0, 0, 0);
  select u.* into v_upload from public.resumable_uploads u
  where u.user_id = v_user_id and u.dataset_id = v_dataset_id and u.content_sha256 = p_upload ->> 'sha256'
    and u.table_name = p_upload ->> 'table' and u.period_tag = p_upload ->> 'periodTag' and u.byte_length = v_bytes
    and (
      fusou.upload_state(u) = 'open'
      or (
        not p_again and u.state = 'completed'
        and exists (select 1 from public.files f where f.r2_key = u.r2_key and not f.discarded)
      )
    )
  order by u.state = 'open' desc, u.opened_at
  limit 1;
  if found then
    return jsonb_build_object(
      'outcome', case v_upload.state when 'open' then 'resumed' else 'completed' end,
      'upload', fusou.upload_json(v_upload), 'r2Key', v_upload.r2_key
    );
  end if;
  perform fusou.check_open_uploads(v_owner_id, v_bytes, v_dataset.id is null);
  if p_bucket is null then
    return jsonb_build_object('outcome', 'wanted', 'ownerId', v_owner_id);
  end if;
  insert into public.resumable_uploads (
    dataset_id, table_name, period_tag, file_name, byte_length, content_sha256, part_bytes, user_id, owner_id,
    r2_key, bucket_upload_id, expires_at
  )
  values (
    v_dataset_id, p_upload ->> 'table', p_upload ->> 'periodTag', p_upload ->> 'fileName', v_bytes,
    p_upload ->> 'sha256', (p_bucket ->> 'partBytes')::bigint, v_user_id, v_owner_id,
    p_bucket ->> 'r2Key', p_bucket ->> 'uploadId', now() + fusou.upload_lifetime()
  )
  returning * into v_upload;
  return jsonb_build_object('outcome', 'opened', 'upload', fusou.upload_json(v_upload), 'r2Key', v_upload.r2_key);
end $$;

-- Whether an owner may have one more upload of so many bytes open; the caller holds the row of the owner's usage.
create function fusou.check_open_uploads(p_owner uuid, p_bytes bigint, p_is_new_dataset boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage record;
  v_open record;
begin
  select * into strict v_usage from public.owner_usage where owner_id = p_owner;
  select count(*) as uploads, coalesce(sum(u.byte_length), 0) as bytes into v_open
  from public.resumable_uploads u where u.owner_id = p_owner and u.state = 'open';
  perform fusou.refuse_above_limit(
    p_owner, 'openUploads', v_open.uploads + 1, 'PT429', 'complete or delete one that is open'
  );
  if p_is_new_dataset then
    perform fusou.refuse_above_limit(
      p_owner, 'datasets', v_usage.datasets + 1, 'PT402',
      'upload to a dataset that you have, or ask the operator for more'
    );
  end if;
  perform fusou.refuse_above_limit(
    p_owner, 'liveFiles', v_usage.live_files + 1, 'PT402',
    'have files merged or deleted, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveBytes', fusou.saturate(v_usage.live_bytes + v_open.bytes + p_bytes), 'PT402',
    'delete files or uploads that are open, or ask the operator for more'
  );
end $$;

create function public.read_upload(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if v_upload.id is null then
    return jsonb_build_object('outcome', 'unknown_upload');
  end if;
  return jsonb_build_object('outcome', 'ok', 'upload', fusou.upload_json(v_upload));
end $$;

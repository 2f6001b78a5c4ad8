-- The parts of a resumable upload, and its end. The bucket keeps the part that was written last, so a part that is about
-- to be written again is forgotten first: nothing here ever names bytes that the bucket has replaced.

-- Before a part is written. p_sha256: what the caller says that its bytes have, or null; a part that is there with these
-- bytes is `stored`, and needs to be written no more.
-- Outcomes: ok, stored (each with byteLength, r2Key, bucketUploadId); no_such_part {parts}, ended {state}, unknown_upload.
create function public.begin_part(p_id uuid, p_caller jsonb, p_number integer, p_sha256 text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_is_stored boolean;
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  elsif p_number not between 1 and fusou.part_count(v_upload) then
    return jsonb_build_object('outcome', 'no_such_part', 'parts', fusou.part_count(v_upload));
  end if;
  v_is_stored := exists (
    select 1 from public.upload_parts p where p.upload_id = p_id and p.number = p_number and p.sha256 = p_sha256
  );
  if not v_is_stored then
    delete from public.upload_parts p where p.upload_id = p_id and p.number = p_number;
  end if;
  return jsonb_build_object(
    'outcome', case when v_is_stored then 'stored' else 'ok' end,
    'byteLength', least(v_upload.part_bytes, v_upload.byte_length - (p_number - 1) * v_upload.part_bytes),
    'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id
  );
end $$;

-- After the bucket has taken a part.
create function public.note_part(p_id uuid, p_caller jsonb, p_number integer, p_etag text, p_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  insert into public.upload_parts as p (upload_id, number, etag, sha256) values (p_id, p_number, p_etag, p_sha256)
  on conflict (upload_id, number) do update set etag = excluded.etag, sha256 = excluded.sha256;
  return jsonb_build_object('outcome', 'ok');
end $$;

-- The bucket has other parts than those noted here, since two callers wrote the same part at once: all are sent again.
create function public.forget_parts(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  delete from public.upload_parts where upload_id = p_id;
  return jsonb_build_object('outcome', 'ok');
end $$;

-- Before the object is completed in the bucket and examined, which an upload that is about to expire is given time for.
-- Outcomes: ready {upload, ownerId, isNew, r2Key, bucketUploadId, parts: [{number, etag}]}, incomplete {missing: the first
-- of them}; completed {upload, result}, refused {code, detail}: answered again; ended {state}, unknown_upload.
create function public.begin_completion(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_dataset public.datasets;
  v_missing jsonb;
begin
  if v_upload.state = 'completed' then
    return jsonb_build_object('outcome', 'completed', 'upload', fusou.upload_json(v_upload), 'result', v_upload.result);
  elsif v_upload.state = 'refused' then
    return v_upload.result || jsonb_build_object('outcome', 'refused');
  elsif fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  select jsonb_agg(m.number) into v_missing from (
    select n.number from generate_series(1, fusou.part_count(v_upload)) as n (number)
    where not exists (select 1 from public.upload_parts p where p.upload_id = p_id and p.number = n.number)
    order by n.number limit 20
  ) m;
  if v_missing is not null then
    return jsonb_build_object('outcome', 'incomplete', 'missing', v_missing);
  end if;
  update public.resumable_uploads set expires_at = greatest(expires_at, now() + interval '1 hour')
  where id = p_id returning * into v_upload;
  select * into v_dataset from public.datasets where id = v_upload.dataset_id;
  return jsonb_build_object(
    'outcome', 'ready', 'upload', fusou.upload_json(v_upload),
    'ownerId', coalesce(v_dataset.owner_id, v_upload.user_id), 'isNew', v_dataset.id is null,
    'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id,
    'parts', (
      select jsonb_agg(jsonb_build_object('number', p.number, 'etag', p.etag) order by p.number)
      from public.upload_parts p where p.upload_id = p_id
    )
  );
end $$;

-- Registers the object of an upload as register_upload() does, and ends the upload, in one transaction. A repeated call
-- is answered as the first. A call that exceeds a limit changes nothing: the upload stays open, and can be completed once
-- there is room.
-- p_object, p_copies: as of register_upload(). Outcomes: those of register_upload(); ended {state}, unknown_upload.
create function public.complete_upload(
  p_id uuid, p_caller jsonb, p_object jsonb, p_sender text, p_copies jsonb default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_answer jsonb;
begin
  if v_upload.state = 'completed' then
    return v_upload.result || jsonb_build_object('outbox', null);
  elsif fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  elsif p_object ->> 'r2Key' <> v_upload.r2_key then
    raise exception 'complete_upload: the object of this upload is %', v_upload.r2_key using errcode = '22023';
  end if;
  v_answer := public.register_upload(v_upload.dataset_id, p_caller, p_object, p_sender, p_copies);
  if v_answer ->> 'outcome' in ('stored', 'healed', 'duplicate') then
    update public.resumable_uploads
    set state = 'completed',
        result = v_answer - 'outbox' || jsonb_build_object(
          'rows', (select fusou.saturate(sum((s ->> 'rows')::numeric)) from jsonb_array_elements(p_object -> 'slices') as s)
        )
    where id = p_id;
  elsif v_answer ->> 'outcome' <> 'check_copies' then
    update public.resumable_uploads
    set state = 'refused',
        result = jsonb_build_object('code', v_answer ->> 'outcome', 'detail', case v_answer ->> 'outcome'
          when 'schema_rejected' then format('table %s takes files of one schema, and this has another', v_upload.table_name)
          else format('no dataset %s of yours, and its id is not free; use another', v_upload.dataset_id)
        end)
    where id = p_id;
  end if;
  return v_answer;
end $$;

-- Ends an upload whose bytes are not taken; its object is given to vacuum. p_code, p_detail: the answer of every later call.
-- Outcomes: refused {isNamed: whether adoption has registered the object meanwhile}; ended {state}, unknown_upload.
create function public.refuse_upload(p_id uuid, p_caller jsonb, p_code text, p_detail text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  update public.resumable_uploads
  set state = 'refused', result = jsonb_build_object('code', p_code, 'detail', left(p_detail, 2000))
  where id = p_id;
  perform fusou.mark_for_deletion(v_upload.r2_key);
  return jsonb_build_object(
    'outcome', 'refused', 'isNamed', exists (select 1 from public.files f where f.r2_key = v_upload.r2_key)
  );
end $$;

-- From here on nothing of the upload is taken. The caller aborts it in the bucket, then forgets it; if it dies, the cron
-- does so.
create function public.abort_upload(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if v_upload.state is null then
    return jsonb_build_object('outcome', 'unknown_upload');
  elsif v_upload.state in ('completed', 'refused') then
    return fusou.upload_end(v_upload);
  end if;
  update public.resumable_uploads set state = 'aborted' where id = p_id;
  return jsonb_build_object('outcome', 'aborted', 'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id);
end $$;

-- Ends what has expired, and answers with the uploads that the bucket has yet to drop, until forget_uploads().
-- p_stamp: see fusou.deletions_allowed(). A catalog that was set back may have uploads open that were completed since.
create function public.expire_uploads(p_limit integer, p_stamp bigint default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if not fusou.deletions_allowed(p_stamp) then
    return '[]';
  end if;
  with over as (
    select u.id from public.resumable_uploads u
    where u.expires_at <= now() and u.state in ('completed', 'refused')
    order by u.expires_at limit p_limit
    for update skip locked
  )
  delete from public.resumable_uploads u using over o where u.id = o.id;
  with over as (
    select u.id from public.resumable_uploads u
    where u.expires_at <= now() and u.state = 'open'
    order by u.expires_at limit p_limit
    for update skip locked
  )
  update public.resumable_uploads u set state = 'aborted' from over o where u.id = o.id;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'r2Key', a.r2_key, 'bucketUploadId', a.bucket_upload_id
    ) order by a.opened_at), '[]')
    from (select * from public.resumable_uploads where state = 'aborted' order by opened_at limit p_limit) a
  );
end $$;

-- The bucket has dropped these, or they were complete before: then the object lies under its key, and vacuum takes it.
create function public.forget_uploads(p_ids uuid[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_keys text[];
begin
  perform 1 from public.resumable_uploads where id = any (p_ids) order by id for update;
  with gone as (
    delete from public.resumable_uploads where id = any (p_ids) and state = 'aborted' returning r2_key
  )
  select coalesce(array_agg(g.r2_key order by g.r2_key), '{}') into v_keys from gone g;
  perform fusou.mark_for_deletion(k) from unnest(v_keys) as k;
  perform fusou.add_to_counter('uploads_aborted', cardinality(v_keys));
  return cardinality(v_keys);
end $$;

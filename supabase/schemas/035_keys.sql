-- Keys: made, listed and revoked by the user for whom they act.

create function fusou.max_keys()
returns integer
language sql immutable
set search_path = ''
as $$ select 1000 $$;

create function fusou.key_json(p_key public.access_keys)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_key.id, 'name', p_key.name, 'hint', p_key.hint, 'scopes', p_key.scopes, 'datasets', p_key.datasets,
    'createdAt', p_key.created_at, 'expiresAt', p_key.expires_at, 'lastUsedAt', p_key.last_used_at,
    'revokedAt', p_key.revoked_at,
    'state', case
      when p_key.revoked_at is not null then 'revoked'
      when p_key.expires_at <= now() then 'expired'
      else 'active'
    end
  )
$$;

-- p_key: {id, name, hint, secretSha256, scopes, datasets?, expiresAt?}. The id is the caller's, so that a repeated call
-- makes one key. Outcomes: created, too_many_keys.
create function public.create_key(p_caller jsonb, p_key jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  if fusou.user_of(p_caller) is null or fusou.key_of(p_caller) is not null then
    perform fusou.forbid('keys are made by a signed-in user');
  end if;
  -- One maker of keys of a user at a time, or two would both make the last one.
  perform fusou.add_usage(fusou.user_of(p_caller), 0, 0, 0);
  if (
    select count(*) from public.access_keys k
    where k.user_id = fusou.user_of(p_caller) and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  ) >= fusou.max_keys() then
    return jsonb_build_object('outcome', 'too_many_keys', 'max', fusou.max_keys());
  end if;
  insert into public.access_keys (id, user_id, name, hint, secret_sha256, scopes, datasets, expires_at)
  values (
    (p_key ->> 'id')::uuid, fusou.user_of(p_caller), p_key ->> 'name', p_key ->> 'hint', p_key ->> 'secretSha256',
    array(select jsonb_array_elements_text(p_key -> 'scopes')),
    case when jsonb_typeof(p_key -> 'datasets') = 'array' then array(select jsonb_array_elements_text(p_key -> 'datasets')) end,
    (p_key ->> 'expiresAt')::timestamptz
  )
  on conflict (id) do nothing
  returning * into v_key;
  if v_key.id is null then
    select * into strict v_key from public.access_keys k
    where k.id = (p_key ->> 'id')::uuid and k.user_id = fusou.user_of(p_caller);
  else
    perform fusou.audit(
      p_caller, 'key.create', v_key.user_id, null, v_key.id::text, null,
      fusou.key_json(v_key) - array['lastUsedAt', 'revokedAt', 'state', 'id']
    );
  end if;
  return jsonb_build_object('outcome', 'created', 'key', fusou.key_json(v_key));
end $$;

-- Newest first. p_before: [createdAt, id] of the last key of the page before.
create function public.list_keys(p_caller jsonb, p_before_created timestamptz, p_before_id uuid, p_limit integer)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(fusou.key_json(p.key) order by (p.key).created_at desc, (p.key).id desc), '[]')
  from (
    select k as key from public.access_keys k
    where k.user_id = fusou.user_of(p_caller)
      and (p_before_id is null or (k.created_at, k.id) < (p_before_created, p_before_id))
    order by k.created_at desc, k.id desc
    limit p_limit
  ) p
$$;

-- Outcomes: revoked (also when it was before), unknown_key.
create function public.revoke_key(p_caller jsonb, p_key_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k
  where k.id = p_key_id and (fusou.is_operator(p_caller) or k.user_id = fusou.user_of(p_caller))
  for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is null then
    update public.access_keys set revoked_at = now() where id = p_key_id returning * into v_key;
    perform fusou.audit(p_caller, 'key.revoke', v_key.user_id, null, p_key_id::text, jsonb_build_object('name', v_key.name));
  end if;
  return jsonb_build_object('outcome', 'revoked', 'key', fusou.key_json(v_key));
end $$;

-- Who calls with a key, asked by each isolate once a minute. Notes the use of the key, at most once an hour.
-- Outcomes: valid, revoked, expired, unknown_key.
create function public.authenticate_key(p_key_id uuid, p_secret_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k where k.id = p_key_id and k.secret_sha256 = p_secret_sha256;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is not null then
    return jsonb_build_object('outcome', 'revoked');
  elsif v_key.expires_at <= now() then
    return jsonb_build_object('outcome', 'expired');
  end if;
  -- Devices with one key ask at the same time: one of them notes the use, the others do not wait for it.
  update public.access_keys set last_used_at = now()
  where id = (
    select k.id from public.access_keys k
    where k.id = p_key_id and (k.last_used_at is null or k.last_used_at < now() - interval '1 hour')
    for update skip locked
  );
  return jsonb_build_object(
    'outcome', 'valid', 'userId', v_key.user_id, 'scopes', v_key.scopes, 'expiresAt', v_key.expires_at,
    'forAllDatasets', v_key.datasets is null
  );
end $$;

-- The key that signs links of a caller to a dataset: the key that the caller has, or one that is made for it the first time.
-- p_id and p_secret_sha256 are of the new one; nobody has its secret. Revoking the key ends its links.
-- Outcomes: ok {keyId, secretSha256}, unknown_dataset.
create function public.link_key(p_dataset_id text, p_caller jsonb, p_id uuid, p_secret_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_key public.access_keys;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif fusou.user_of(p_caller) is null then
    perform fusou.forbid('a link acts for a user; sign in as one');
  elsif fusou.key_of(p_caller) is not null then
    select * into strict v_key from fusou.valid_key(p_caller);
  else
    insert into public.access_keys (id, user_id, name, hint, secret_sha256, scopes, datasets, for_links)
    values (
      p_id, fusou.user_of(p_caller), left('links to ' || p_dataset_id, 100), 'links', p_secret_sha256, array['read'],
      array[p_dataset_id], true
    )
    on conflict (user_id, datasets) where for_links and revoked_at is null do nothing
    returning * into v_key;
    if v_key.id is not null then
      perform fusou.audit(
        p_caller, 'key.create', v_key.user_id, p_dataset_id, v_key.id::text, null,
        fusou.key_json(v_key) - array['lastUsedAt', 'revokedAt', 'state', 'id']
      );
    else
      select * into strict v_key from public.access_keys k
      where k.user_id = fusou.user_of(p_caller) and k.for_links and k.revoked_at is null and k.datasets = array[p_dataset_id];
    end if;
  end if;
  return jsonb_build_object('outcome', 'ok', 'keyId', v_key.id, 'secretSha256', v_key.secret_sha256);
end $$;

-- With what the links of a key are signed, asked by each isolate once a minute.
-- Outcomes: valid {userId, secretSha256, scopes}, revoked, expired, unknown_key.
create function public.read_link_key(p_key_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k where k.id = p_key_id;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is not null then
    return jsonb_build_object('outcome', 'revoked');
  elsif v_key.expires_at <= now() then
    return jsonb_build_object('outcome', 'expired');
  end if;
  return jsonb_build_object(
    'outcome', 'valid', 'userId', v_key.user_id, 'secretSha256', v_key.secret_sha256, 'scopes', v_key.scopes
  );
end $$;

-- Datasets as people see them: reserved, shared, handed over.

-- A dataset of whatever state, for the calls below, which lock it. False in `found` is told by a null id.
create function fusou.open_dataset(p_dataset_id text, p_caller jsonb, p_right text)
returns public.datasets
language plpgsql
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if not fusou.may(p_caller, v_dataset, p_right) then
    return null;
  end if;
  return v_dataset;
end $$;

-- The id of a dataset before its first upload. p_look: only says what it would do, so that the caller can write the owner
-- to the bucket before. Outcomes: free (with p_look), reserved, exists (it is the caller's already), unknown_dataset (the id
-- is taken by somebody else).
create function public.reserve_dataset(p_dataset_id text, p_caller jsonb, p_look boolean)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('datasets belong to users; an operator has none');
  elsif not fusou.key_allows(p_caller, p_dataset_id, 'manage') then
    perform fusou.forbid(format('this key may not manage %s', p_dataset_id));
  end if;
  if p_look and not exists (select 1 from public.datasets where id = p_dataset_id) then
    return jsonb_build_object('outcome', 'free', 'ownerId', fusou.user_of(p_caller));
  end if;
  insert into public.datasets (id, owner_id) values (p_dataset_id, fusou.user_of(p_caller))
  on conflict (id) do nothing returning * into v_dataset;
  if found then
    perform fusou.check_storage(v_dataset.owner_id);
    perform fusou.audit(p_caller, 'dataset.reserve', v_dataset.owner_id, p_dataset_id);
    return jsonb_build_object('outcome', 'reserved', 'ownerId', v_dataset.owner_id);
  end if;
  select * into strict v_dataset from public.datasets where id = p_dataset_id;
  if v_dataset.owner_id <> fusou.user_of(p_caller) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'exists', 'ownerId', v_dataset.owner_id);
end $$;

-- Outcomes: granted, unknown_dataset, unknown_user, is_owner (the owner has every right already).
create function public.grant_role(p_dataset_id text, p_caller jsonb, p_user_id uuid, p_role text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_before text;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif v_dataset.owner_id = p_user_id then
    return jsonb_build_object('outcome', 'is_owner');
  elsif not fusou.user_exists(p_user_id) then
    return jsonb_build_object('outcome', 'unknown_user');
  end if;
  select g.role into v_before from public.grants g where g.dataset_id = p_dataset_id and g.user_id = p_user_id;
  if v_before is distinct from p_role then
    insert into public.grants (dataset_id, user_id, role, granted_by)
    values (p_dataset_id, p_user_id, p_role, fusou.user_of(p_caller))
    on conflict (dataset_id, user_id) do update
    set role = excluded.role, granted_at = now(), granted_by = excluded.granted_by;
    perform fusou.audit(
      p_caller, 'dataset.grant', v_dataset.owner_id, p_dataset_id, p_user_id::text, to_jsonb(v_before), to_jsonb(p_role)
    );
  end if;
  return jsonb_build_object('outcome', 'granted', 'role', p_role);
end $$;

-- Anybody may give up their own role. Outcomes: revoked (also when there was none), unknown_dataset, is_owner.
create function public.revoke_role(p_dataset_id text, p_caller jsonb, p_user_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(
    p_dataset_id, p_caller,
    case when p_user_id = fusou.user_of(p_caller) and fusou.key_of(p_caller) is null then 'read' else 'manage' end
  );
  v_role text;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif v_dataset.owner_id = p_user_id then
    return jsonb_build_object('outcome', 'is_owner');
  end if;
  delete from public.grants where dataset_id = p_dataset_id and user_id = p_user_id returning role into v_role;
  if found then
    perform fusou.audit(
      p_caller, 'dataset.revoke', v_dataset.owner_id, p_dataset_id, p_user_id::text, to_jsonb(v_role)
    );
  end if;
  return jsonb_build_object('outcome', 'revoked');
end $$;

-- The owner first, then by user.
create function public.list_grants(p_dataset_id text, p_caller jsonb, p_after uuid, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'manage') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'ok', 'ownerId', v_dataset.owner_id, 'grants', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'userId', g.user_id, 'role', g.role, 'grantedAt', g.granted_at, 'grantedBy', g.granted_by
    ) order by g.user_id), '[]')
    from (
      select * from public.grants g where g.dataset_id = p_dataset_id and (p_after is null or g.user_id > p_after)
      order by g.user_id limit p_limit
    ) g
  ));
end $$;

-- Hands a dataset over. The new owner must have room for it; the old one keeps no right. Repeating the call as the old
-- owner finds no dataset. Outcomes: transferred, unknown_dataset, unknown_user.
create function public.transfer_dataset(p_dataset_id text, p_caller jsonb, p_user_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'own');
  v_live record;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif not fusou.user_exists(p_user_id) then
    return jsonb_build_object('outcome', 'unknown_user');
  elsif v_dataset.owner_id <> p_user_id then
    select count(*) as files, coalesce(sum(f.byte_length), 0) as bytes into v_live
    from public.files f where f.dataset_id = p_dataset_id and f.removed_version is null;
    -- In the order of their ids, as everywhere where two owners are counted.
    if v_dataset.owner_id < p_user_id then
      perform fusou.add_usage(v_dataset.owner_id, -1, -v_live.files, -v_live.bytes);
      perform fusou.add_usage(p_user_id, 1, v_live.files, v_live.bytes);
    else
      perform fusou.add_usage(p_user_id, 1, v_live.files, v_live.bytes);
      perform fusou.add_usage(v_dataset.owner_id, -1, -v_live.files, -v_live.bytes);
    end if;
    perform fusou.check_storage(p_user_id);
    delete from public.grants where dataset_id = p_dataset_id and user_id = p_user_id;
    update public.datasets
    set owner_id = p_user_id, earlier_owners = array_append(array_remove(earlier_owners, owner_id), owner_id)
    where id = p_dataset_id;
    -- Both sides see it in their audit.
    perform fusou.audit(
      p_caller, 'dataset.transfer', owner, p_dataset_id, p_user_id::text, to_jsonb(v_dataset.owner_id), to_jsonb(p_user_id)
    )
    from unnest(array[v_dataset.owner_id, p_user_id]) as owner;
  end if;
  return jsonb_build_object(
    'outcome', 'transferred', 'ownerId', p_user_id,
    'earlierOwners', (select d.earlier_owners from public.datasets d where d.id = p_dataset_id)
  );
end $$;

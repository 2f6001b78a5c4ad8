-- Who may do what: owners, grants, keys. Each public function that acts for somebody takes p_caller and asks here.
--
-- p_caller, written by the Workers from a token or key that they have checked:
--   {"operator": true}                      may do everything
--   {"user": uuid}                          a signed-in user
--   {"user": uuid, "key": uuid}             a program with a key of that user: never more than the user, and no more than
--                                           the scopes and datasets of the key
-- and for the audit: "address" (of the client) and "requestId".

create table public.grants (
  dataset_id text not null references public.datasets (id) on delete cascade,
  user_id uuid not null,
  role text not null constraint grants_role check (role in ('reader', 'writer', 'manager')),
  granted_at timestamptz not null default now(),
  granted_by uuid,
  primary key (dataset_id, user_id)
);
alter table public.grants enable row level security;
comment on table public.grants is 'Who else may use a dataset. The owner needs no row.';
comment on column public.grants.granted_by is 'The user who granted it; null for an operator.';
create index grants_of_user on public.grants (user_id, dataset_id collate "C");

create table public.access_keys (
  id uuid primary key,
  user_id uuid not null,
  name text not null constraint access_keys_name check (length(name) between 1 and 100),
  hint text not null,
  secret_sha256 text not null constraint access_keys_sha256 check (secret_sha256 ~ '^[0-9a-f]{64}$'),
  scopes text[] not null
    constraint access_keys_scopes check (cardinality(scopes) >= 1 and scopes <@ array['read', 'upload', 'manage']),
  datasets text[] constraint access_keys_datasets check (cardinality(datasets) between 1 and 100),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  for_links boolean not null default false
);
alter table public.access_keys enable row level security;
comment on column public.access_keys.secret_sha256 is 'Of the whole key. The key itself is shown once and never stored.';
comment on column public.access_keys.hint is 'The first characters of the key, by which its owner recognizes it.';
comment on column public.access_keys.datasets is
  'Patterns of dataset ids: a whole id, or a prefix that ends in *. Null: every dataset of the user.';
comment on column public.access_keys.last_used_at is 'Written at most once an hour.';
comment on column public.access_keys.for_links is
  'Made to sign links of its user to one dataset; nobody has the key itself, whose hash signs.';
create unique index access_keys_for_links on public.access_keys (user_id, datasets) where for_links and revoked_at is null;
create index access_keys_of_user on public.access_keys (user_id, created_at desc, id desc);

create function fusou.is_operator(p_caller jsonb)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_caller -> 'operator' is not distinct from 'true'::jsonb $$;

-- The user for whom a caller acts; null for an operator.
create function fusou.user_of(p_caller jsonb)
returns uuid
language sql immutable
set search_path = ''
as $$ select (p_caller ->> 'user')::uuid $$;

create function fusou.key_of(p_caller jsonb)
returns uuid
language sql immutable
set search_path = ''
as $$ select (p_caller ->> 'key')::uuid $$;

-- Ends the call; the text is for the client.
create function fusou.forbid(p_detail text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception '%', p_detail using errcode = 'PT403';
end $$;

-- Whether a dataset id fits one of the patterns of a key.
create function fusou.fits_pattern(p_dataset_id text, p_patterns text[])
returns boolean
language sql immutable
set search_path = ''
as $$
  select p_patterns is null or exists (
    select 1 from unnest(p_patterns) as p (pattern)
    where p.pattern = p_dataset_id
      or (right(p.pattern, 1) = '*' and starts_with(p_dataset_id, left(p.pattern, -1)))
  )
$$;

-- The key of a caller while it is valid; no row for a caller without a key, or with one that was revoked or has expired.
create function fusou.valid_key(p_caller jsonb)
returns setof public.access_keys
language sql stable
set search_path = ''
as $$
  select k.* from public.access_keys k
  where k.id = fusou.key_of(p_caller) and k.user_id = fusou.user_of(p_caller)
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;

-- Whether the key of a caller lets it use a right on a dataset; true for a caller without a key.
create function fusou.key_allows(p_caller jsonb, p_dataset_id text, p_right text)
returns boolean
language sql stable
set search_path = ''
as $$
  select fusou.key_of(p_caller) is null or exists (
    select 1 from fusou.valid_key(p_caller) k
    where p_right = any (k.scopes) and fusou.fits_pattern(p_dataset_id, k.datasets)
  )
$$;

-- Which roles have a right. `own` is for what only the owner may do; no key has it.
create function fusou.role_allows(p_role text, p_right text)
returns boolean
language sql immutable
set search_path = ''
as $$
  select case p_right
    when 'read' then p_role in ('reader', 'writer', 'manager', 'owner')
    when 'upload' then p_role in ('writer', 'manager', 'owner')
    when 'manage' then p_role in ('manager', 'owner')
    when 'own' then p_role = 'owner'
    else false
  end
$$;

-- The role of a user on a dataset; null for a stranger. Anybody who is signed in reads a public dataset.
create function fusou.role_on(p_user_id uuid, p_dataset public.datasets)
returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_dataset.owner_id = p_user_id then 'owner'
    else coalesce(
      (select g.role from public.grants g where g.dataset_id = p_dataset.id and g.user_id = p_user_id),
      case when p_dataset.is_public then 'reader' end
    )
  end
$$;

-- Whether a caller may use a right on a dataset. False also where there is no such dataset: nobody learns which ids exist.
-- A caller who may see it but not do this is refused with PT403.
create function fusou.may(p_caller jsonb, p_dataset public.datasets, p_right text)
returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_role text;
begin
  if p_dataset.id is null then
    return false;
  elsif fusou.is_operator(p_caller) then
    return true;
  elsif not fusou.key_allows(p_caller, p_dataset.id, p_right) then
    return false;
  end if;
  v_role := fusou.role_on(fusou.user_of(p_caller), p_dataset);
  if v_role is null then
    return false;
  elsif not fusou.role_allows(v_role, p_right) then
    perform fusou.forbid(case
      when p_right = 'own' then format('only the owner of %s may do this; you are a %s', p_dataset.id, v_role)
      else format('this needs the right to %s %s; you are a %s of it', p_right, p_dataset.id, v_role)
    end);
  end if;
  return true;
end $$;

-- The datasets that a user owns or was granted, for lists; those that are public for everybody are not among them.
create function fusou.datasets_of(p_caller jsonb)
returns setof text
language sql stable
set search_path = ''
as $$
  select ids.id from (
    select d.id from public.datasets d where d.owner_id = fusou.user_of(p_caller)
    union
    select g.dataset_id from public.grants g where g.user_id = fusou.user_of(p_caller)
  ) ids
  where fusou.key_allows(p_caller, ids.id, 'read')
$$;

-- For calls about all that somebody owns: the owner, null for an operator. A key may make them if it has the right and is
-- not for some datasets only.
create function fusou.account_of(p_caller jsonb, p_right text)
returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  if fusou.is_operator(p_caller) then
    return null;
  elsif fusou.user_of(p_caller) is null then
    perform fusou.forbid('this call needs a user');
  elsif fusou.key_of(p_caller) is not null then
    select * into v_key from fusou.valid_key(p_caller);
    if v_key.id is null or not p_right = any (v_key.scopes) then
      perform fusou.forbid(format('this key has not the scope %s', p_right));
    elsif v_key.datasets is not null then
      perform fusou.forbid('this key is for some datasets only, and the call is about all of them');
    end if;
  end if;
  return fusou.user_of(p_caller);
end $$;

-- Whether there is such a user. True where Supabase Auth keeps no users in this database.
create function fusou.user_exists(p_user_id uuid)
returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_exists boolean := true;
begin
  if to_regclass('auth.users') is not null then
    execute 'select exists (select 1 from auth.users where id = $1)' into v_exists using p_user_id;
  end if;
  return v_exists;
end $$;

-- For calls that concern the installation.
create function fusou.require_operator(p_caller jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not fusou.is_operator(p_caller) then
    perform fusou.forbid('this call is for operators');
  end if;
end $$;

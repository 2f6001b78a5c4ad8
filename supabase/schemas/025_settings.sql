-- Settings of datasets and tables, and the schemas of a table. See docs/configuration.md.

create table public.table_settings (
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  settings jsonb not null,
  changed_at timestamptz not null default now(),
  primary key (dataset_id, table_name)
);
alter table public.table_settings enable row level security;
comment on column public.table_settings.settings is
  'sortBy, dedupeBy, keep, codec, schema, rowGroupRows, rowGroupBytes; only what differs from the default.';

create table public.schemas (
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  fingerprint text not null,
  first_seen_at timestamptz not null default now(),
  first_key text,
  apart_reason text,
  primary key (dataset_id, table_name, fingerprint)
);
alter table public.schemas enable row level security;
comment on table public.schemas is 'Every schema that a file of the table has, or has had.';
comment on column public.schemas.first_key is 'The object with which the schema came.';
comment on column public.schemas.apart_reason is
  'Why files of this schema are not merged with those of others, though the table unites its schemas; null: they are.';

-- The setting of a dataset, or its default.
create function fusou.setting(p_settings jsonb, p_name text)
returns bigint
language sql immutable
set search_path = ''
as $$
  select coalesce(
    (p_settings ->> p_name)::bigint,
    case p_name
      when 'targetFileBytes' then 134217728
      when 'retentionSeconds' then 604800
      when 'mergeMinFiles' then 32
      when 'mergeMinBytes' then 33554432
      when 'mergeMaxAgeSeconds' then 900
    end
  )
$$;

-- The settings of a table that differ from the defaults.
create function fusou.settings_of_table(p_dataset_id text, p_table text)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(
    (select t.settings from public.table_settings t where t.dataset_id = p_dataset_id and t.table_name = p_table), '{}'
  )
$$;

-- Stands for the settings with which a merged file was written: of two files with one key, neither needs to be rewritten.
create function fusou.settings_key(p_settings jsonb)
returns text
language sql immutable
set search_path = ''
as $$ select md5((p_settings - 'schema')::text || coalesce(nullif(p_settings ->> 'schema', 'reject'), 'separate')) $$;

-- Files of one partition are merged with each other if they have one merge group: a schema, or all schemas that the table
-- unites.
create function fusou.merge_group(p_settings jsonb, p_fingerprint text, p_apart_reason text)
returns text
language sql immutable
set search_path = ''
as $$ select case when p_settings ->> 'schema' = 'union' and p_apart_reason is null then 'union' else p_fingerprint end $$;

create function fusou.merge_group_of(p_file public.files)
returns text
language sql stable
set search_path = ''
as $$
  select fusou.merge_group(
    fusou.settings_of_table(p_file.dataset_id, p_file.table_name), p_file.schema_fingerprint,
    (
      select s.apart_reason from public.schemas s
      where s.dataset_id = p_file.dataset_id and s.table_name = p_file.table_name
        and s.fingerprint = p_file.schema_fingerprint
    )
  )
$$;

-- Table files: one version of a table, read as one Parquet file that is never stored. Its bytes are those of its live
-- files, each at an address of the table, and a composed footer that points to them.
--
-- The bytes at an address never change: a reader that has read a footer finds the bytes that it names, or an error, but
-- never others, whatever was uploaded, merged and deleted since. A pinned version has addresses of its own, without gaps.

create table public.table_spaces (
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  next_address bigint not null,
  primary key (dataset_id, table_name)
);
alter table public.table_spaces enable row level security;
comment on column public.table_spaces.next_address is 'Addresses from here on were never given to anything.';

create table public.composed_footers (
  id uuid primary key,
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  period_tag text,
  version bigint not null,
  pinned boolean not null,
  left_out_key text not null,
  left_out bigint not null,
  address bigint,
  tail_bytes bigint,
  layout_bytes bigint,
  row_count bigint,
  refused_code text,
  refused_detail text,
  r2_key text collate "C" not null,
  begun_at timestamptz not null default now(),
  completed_at timestamptz,
  constraint composed_footers_whole check (
    completed_at is null or refused_code is not null
    or (address is not null and tail_bytes is not null and layout_bytes is not null and row_count is not null)
  )
);
alter table public.composed_footers enable row level security;
comment on table public.composed_footers is
  'Footers of table files. A row is written before its object, and completed after it; one that is not completed within an hour goes.';
comment on column public.composed_footers.period_tag is 'Null: all periods.';
comment on column public.composed_footers.left_out is 'Files in quarantine when it was composed: they are not in the table file.';
comment on column public.composed_footers.left_out_key is 'Stands for these files; of an unpinned table file, others mean another footer.';
comment on column public.composed_footers.tail_bytes is 'The end of the table file, from its address on: pages of nulls and the footer.';
comment on column public.composed_footers.layout_bytes is
  'Of a pinned version, the list of its files, which lies behind the tail in the object.';
comment on column public.composed_footers.refused_code is 'Why the version cannot be read as one file; this does not change either.';
create unique index composed_footers_one on public.composed_footers (
  dataset_id, table_name, period_tag, version, pinned, (case when pinned then '' else left_out_key end)
) nulls not distinct where completed_at is not null;
create index composed_footers_addresses on public.composed_footers (dataset_id, table_name, address) where not pinned;
create index composed_footers_versions on public.composed_footers (dataset_id, version);
create index composed_footers_of_object on public.composed_footers (r2_key);
create index composed_footers_begun on public.composed_footers (begun_at) where completed_at is null;

-- Unused addresses before each file: more than engines read beside what they want. DuckDB joins ranges over gaps of
-- 16 KiB, arrow-rs of 1 MiB, Polars of an eighth of what it reads; fsspec reads 5 MiB ahead.
create function fusou.guard_bytes(p_length bigint)
returns bigint
language sql immutable
set search_path = ''
as $$ select 6291456 + least(p_length / 8, 8388608) $$;

-- Before each footer, whose pages of nulls are read with the columns of any file: hyparquet reads up to 32 MiB at once.
create function fusou.footer_guard_bytes()
returns bigint
language sql immutable
set search_path = ''
as $$ select 67108864::bigint $$;

-- Addresses end at 2^53, the last that every client counts exactly: 1.4 billion small files, one a second for 45 years.
create function fusou.end_of_addresses()
returns bigint
language sql immutable
set search_path = ''
as $$ select 9007199254740992 $$;

-- The addresses of one thing of a table; null when there are no more. A new space begins at random: should the catalog be
-- lost and made again, a reader with an old footer does not find other bytes where it looks.
create function fusou.reserve_addresses(p_dataset_id text, p_table text, p_length bigint, p_guard bigint)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_taken constant bigint := p_guard + p_length;
  v_next bigint;
begin
  insert into public.table_spaces as s (dataset_id, table_name, next_address)
  values (p_dataset_id, p_table, 1048576 + floor(random() * 65536)::bigint * 268435456 + v_taken)
  on conflict (dataset_id, table_name) do update set next_address = s.next_address + v_taken
  where s.next_address + v_taken <= fusou.end_of_addresses()
  returning s.next_address into v_next;
  return v_next - p_length;
end $$;

create function fusou.place_file()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.address := fusou.reserve_addresses(
    new.dataset_id, new.table_name, new.byte_length, fusou.guard_bytes(new.byte_length)
  );
  return new;
end $$;
create trigger files_placed before insert on public.files for each row execute function fusou.place_file();

-- The files of a table in one version. Two looks, each by its own index: what is live now, and what was removed since.
create function fusou.files_in_version(p_dataset_id text, p_table text, p_period_tag text, p_version bigint)
returns setof public.files
language sql stable
set search_path = ''
as $$
  select f.* from public.files f
  where f.dataset_id = p_dataset_id and f.table_name = p_table and (p_period_tag is null or f.period_tag = p_period_tag)
    and f.removed_version is null and f.created_version <= p_version
  union all
  select f.* from public.files f
  where f.dataset_id = p_dataset_id and f.table_name = p_table and (p_period_tag is null or f.period_tag = p_period_tag)
    and f.removed_version > p_version and f.created_version <= p_version
$$;

-- The files of a version that are in quarantine now: how many, and a key that stands for them.
create function fusou.left_out(
  p_dataset_id text, p_table text, p_period_tag text, p_version bigint, out files bigint, out key text
)
language sql stable
set search_path = ''
as $$
  select count(*), md5(coalesce(string_agg(q.id::text, ',' order by q.id), ''))
  from (
    select f.id from public.files f
    where f.dataset_id = p_dataset_id and f.table_name = p_table and (p_period_tag is null or f.period_tag = p_period_tag)
      and f.removed_version is null and f.created_version <= p_version and f.quarantine_code is not null
    union all
    select f.id from public.files f
    where f.dataset_id = p_dataset_id and f.table_name = p_table and (p_period_tag is null or f.period_tag = p_period_tag)
      and f.removed_version > p_version and f.created_version <= p_version and f.quarantine_code is not null
  ) q
$$;

create function fusou.footer_json(p_footer public.composed_footers)
returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_footer.id, 'version', p_footer.version, 'address', p_footer.address, 'tailBytes', p_footer.tail_bytes,
    'layoutBytes', p_footer.layout_bytes, 'rows', p_footer.row_count, 'leftOut', p_footer.left_out,
    'r2Key', p_footer.r2_key
  )
$$;

create function fusou.max_files_of_table_file()
returns integer
language sql immutable
set search_path = ''
as $$ select 10000 $$;

-- Bytes of addresses for a footer that is not composed yet.
create function fusou.max_tail_bytes()
returns bigint
language sql immutable
set search_path = ''
as $$ select 10485760 $$;

-- Opens a table file. p_version null: the newest. p_pinned: with addresses of its own, which begin at 0.
-- Outcomes: ready {footer}; refused {code, detail}; compose {id, version, address, leftOut, r2Key}: the caller composes it,
-- calls complete_footer(), and everybody else waits for it; busy: somebody composes it; unknown_dataset, unknown_table,
-- unknown_version, version_gone; too_many_files {files, max}; no_addresses.
create function public.open_table(
  p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text, p_version bigint, p_pinned boolean, p_id uuid
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_version bigint;
  v_left_out record;
  v_footer public.composed_footers;
  v_files bigint;
  v_address bigint;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_version := coalesce(p_version, v_dataset.version);
  if v_version > v_dataset.version then
    return jsonb_build_object('outcome', 'unknown_version');
  elsif v_version < v_dataset.oldest_version then
    return jsonb_build_object('outcome', 'version_gone');
  end if;
  v_left_out := fusou.left_out(p_dataset_id, p_table, p_period_tag, v_version);
  select * into v_footer from public.composed_footers c
  where c.dataset_id = p_dataset_id and c.table_name = p_table and c.period_tag is not distinct from p_period_tag
    and c.version = v_version and c.pinned = p_pinned and (c.pinned or c.left_out_key = v_left_out.key)
    and c.completed_at is not null;
  if v_footer.refused_code is not null then
    return jsonb_build_object('outcome', 'refused', 'code', v_footer.refused_code, 'detail', v_footer.refused_detail);
  elsif v_footer.id is not null then
    return jsonb_build_object('outcome', 'ready', 'footer', fusou.footer_json(v_footer));
  end if;

  -- One composer of a table at a time: the others wait here for a moment, and then see that somebody is at it.
  perform 1 from public.table_spaces s where s.dataset_id = p_dataset_id and s.table_name = p_table for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_table');
  end if;
  select * into v_footer from public.composed_footers c
  where c.dataset_id = p_dataset_id and c.table_name = p_table and c.period_tag is not distinct from p_period_tag
    and c.version = v_version and c.pinned = p_pinned and (c.pinned or c.left_out_key = v_left_out.key)
    and c.id <> p_id and (c.completed_at is not null or c.begun_at > now() - interval '60 seconds')
  limit 1;
  if found then
    return jsonb_build_object('outcome', 'busy');
  end if;
  select count(*) into v_files from (
    select 1 from fusou.files_in_version(p_dataset_id, p_table, p_period_tag, v_version) f
    where f.quarantine_code is null limit fusou.max_files_of_table_file() + 1
  ) f;
  if v_files = 0 then
    return jsonb_build_object('outcome', 'unknown_table');
  elsif v_files > fusou.max_files_of_table_file() then
    return jsonb_build_object('outcome', 'too_many_files', 'max', fusou.max_files_of_table_file());
  end if;
  if not p_pinned then
    v_address := fusou.reserve_addresses(
      p_dataset_id, p_table, fusou.max_tail_bytes(), fusou.footer_guard_bytes()
    );
  end if;
  if not p_pinned and (v_address is null or exists (
    select 1 from fusou.files_in_version(p_dataset_id, p_table, p_period_tag, v_version) f where f.address is null
  )) then
    return jsonb_build_object('outcome', 'no_addresses');
  end if;
  insert into public.composed_footers (
    id, dataset_id, table_name, period_tag, version, pinned, left_out_key, left_out, address, r2_key
  )
  values (
    p_id, p_dataset_id, p_table, p_period_tag, v_version, p_pinned, v_left_out.key, v_left_out.files, v_address,
    format('datasets/%s/tables/%s.footer', p_dataset_id, p_id)
  )
  on conflict (id) do nothing;
  select * into strict v_footer from public.composed_footers where id = p_id;
  return jsonb_build_object(
    'outcome', 'compose', 'id', p_id, 'version', v_footer.version, 'address', v_footer.address,
    'leftOut', v_footer.left_out, 'r2Key', v_footer.r2_key
  );
end $$;

-- The files that a footer is composed of, in the order in which they came. p_after: the last one before.
create function public.list_footer_files(p_id uuid, p_after_version bigint, p_after_id uuid, p_limit integer)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', p.id, 'address', p.address, 'r2Key', p.r2_key, 'offset', p.byte_offset, 'length', p.byte_length,
    'periodTag', p.period_tag, 'createdVersion', p.created_version
  ) order by p.created_version, p.id), '[]')
  from (
    select f.* from public.composed_footers c,
      fusou.files_in_version(c.dataset_id, c.table_name, c.period_tag, c.version) f
    where c.id = p_id and f.quarantine_code is null
      and (p_after_id is null or (f.created_version, f.id) > (p_after_version, p_after_id))
    order by f.created_version, f.id
    limit p_limit
  ) p
$$;

-- The object of a footer is stored. Outcomes: ready {footer}; changed: other files are in quarantine since, or the row was
-- taken back; the object is deleted, and the caller begins again.
create function public.complete_footer(
  p_id uuid, p_address bigint, p_tail_bytes bigint, p_layout_bytes bigint, p_rows bigint
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_footer public.composed_footers;
  v_left_out record;
begin
  select * into v_footer from public.composed_footers where id = p_id;
  perform 1 from public.table_spaces s
  where s.dataset_id = v_footer.dataset_id and s.table_name = v_footer.table_name for update;
  select * into v_footer from public.composed_footers where id = p_id for update;
  if v_footer.completed_at is not null then
    return jsonb_build_object('outcome', 'ready', 'footer', fusou.footer_json(v_footer));
  elsif v_footer.id is null then
    return jsonb_build_object('outcome', 'changed');
  end if;
  v_left_out := fusou.left_out(v_footer.dataset_id, v_footer.table_name, v_footer.period_tag, v_footer.version);
  if v_left_out.key <> v_footer.left_out_key or p_tail_bytes > fusou.max_tail_bytes() or exists (
    select 1 from public.composed_footers c
    where c.dataset_id = v_footer.dataset_id and c.table_name = v_footer.table_name
      and c.period_tag is not distinct from v_footer.period_tag and c.version = v_footer.version
      and c.pinned = v_footer.pinned and (c.pinned or c.left_out_key = v_footer.left_out_key)
      and c.completed_at is not null
  ) then
    perform fusou.drop_footer(p_id);
    return jsonb_build_object('outcome', 'changed');
  end if;
  update public.composed_footers
  set address = p_address, tail_bytes = p_tail_bytes, layout_bytes = p_layout_bytes, row_count = p_rows,
      completed_at = now()
  where id = p_id
  returning * into v_footer;
  return jsonb_build_object('outcome', 'ready', 'footer', fusou.footer_json(v_footer));
end $$;

-- Ends a footer that was not composed. With a code, the version is refused from now on; without one, somebody else may try.
create function public.fail_footer(p_id uuid, p_code text default null, p_detail text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if p_code is null then
    perform fusou.drop_footer(p_id);
    return jsonb_build_object('outcome', 'ended');
  end if;
  update public.composed_footers c
  set refused_code = p_code, refused_detail = left(p_detail, 2000), completed_at = now()
  where c.id = p_id and c.completed_at is null and not exists (
    select 1 from public.composed_footers o
    where o.dataset_id = c.dataset_id and o.table_name = c.table_name
      and o.period_tag is not distinct from c.period_tag and o.version = c.version and o.pinned = c.pinned
      and (o.pinned or o.left_out_key = c.left_out_key) and o.completed_at is not null
  );
  return jsonb_build_object('outcome', 'ended');
end $$;

create function fusou.drop_footer(p_id uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_key text;
begin
  delete from public.composed_footers where id = p_id and completed_at is null returning r2_key into v_key;
  if found then
    perform fusou.mark_for_deletion(v_key);
  end if;
end $$;

-- The version of a dataset at a moment, as clients ask for it who do not know versions. p_table null: any, also of a dataset
-- without data. p_at null: the newest. p_later: the first version at or after p_at, else the last at or before it.
-- Outcomes: ok {version}; unknown_dataset; unknown_table: it has no live files; unknown_version: there is none yet after p_at;
-- version_gone: the version at p_at can no longer be read.
create function public.version_at(
  p_dataset_id text, p_caller jsonb, p_table text, p_at timestamptz, p_later boolean
)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_version bigint;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif p_table is not null and not exists (
    select 1 from public.files f
    where f.dataset_id = p_dataset_id and f.table_name = p_table and f.removed_version is null
  ) then
    return jsonb_build_object('outcome', 'unknown_table');
  elsif p_at is null then
    return jsonb_build_object('outcome', 'ok', 'version', v_dataset.version);
  end if;
  -- Each change of a version added files, took some out, or did both. The files themselves are the record of when.
  if p_later then
    select least(
      (select min(f.created_version) from public.files f where f.dataset_id = p_dataset_id and f.created_at >= p_at),
      (select min(f.removed_version) from public.files f where f.dataset_id = p_dataset_id and f.removed_at >= p_at)
    ) into v_version;
    if v_version is null then
      return jsonb_build_object('outcome', 'unknown_version');
    end if;
    return jsonb_build_object('outcome', 'ok', 'version', greatest(v_version, v_dataset.oldest_version));
  end if;
  select greatest(
    (select max(f.created_version) from public.files f where f.dataset_id = p_dataset_id and f.created_at <= p_at),
    (select max(f.removed_version) from public.files f where f.dataset_id = p_dataset_id and f.removed_at <= p_at)
  ) into v_version;
  if v_version is null or v_version < v_dataset.oldest_version then
    return jsonb_build_object('outcome', 'version_gone');
  end if;
  return jsonb_build_object('outcome', 'ok', 'version', v_version);
end $$;

-- Files and footers at the addresses [p_from, p_to) of a table, in order, and the next one behind them: up to p_limit
-- things, of which the last may be only the end of what was asked. The caller knows by `guard` what is empty and what is gone.
-- Outcomes: ok {length, things}; not_open: nobody has opened the table file yet; unknown_dataset.
create function public.read_addresses(
  p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text, p_from bigint, p_to bigint, p_limit integer
)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_length bigint;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  select c.address + c.tail_bytes into v_length from public.composed_footers c
  where c.dataset_id = p_dataset_id and c.table_name = p_table and not c.pinned
    and c.period_tag is not distinct from p_period_tag and c.tail_bytes is not null
  order by c.address desc limit 1;
  if not found then
    return jsonb_build_object('outcome', 'not_open');
  end if;
  return jsonb_build_object('outcome', 'ok', 'length', v_length, 'things', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'address', t.address, 'length', t.length, 'guard', t.guard, 'r2Key', t.r2_key, 'offset', t.byte_offset
    ) order by t.address), '[]')
    from (
      select * from (
        (select f.address, f.byte_length as length, fusou.guard_bytes(f.byte_length) as guard, f.r2_key, f.byte_offset
         from public.files f
         where f.dataset_id = p_dataset_id and f.table_name = p_table and f.address >= coalesce((
           select g.address from public.files g
           where g.dataset_id = p_dataset_id and g.table_name = p_table and g.address <= p_from
           order by g.address desc limit 1
         ), p_from) and f.address <= coalesce((
           select g.address from public.files g
           where g.dataset_id = p_dataset_id and g.table_name = p_table and g.address >= p_to
           order by g.address limit 1
         ), p_to)
         order by f.address limit p_limit)
        union all
        (select c.address, c.tail_bytes, fusou.footer_guard_bytes(), c.r2_key, 0
         from public.composed_footers c
         where c.dataset_id = p_dataset_id and c.table_name = p_table and not c.pinned and c.tail_bytes is not null
           and c.address >= coalesce((
             select g.address from public.composed_footers g
             where g.dataset_id = p_dataset_id and g.table_name = p_table and not g.pinned and g.address <= p_from
             order by g.address desc limit 1
           ), p_from) and c.address <= coalesce((
             select g.address from public.composed_footers g
             where g.dataset_id = p_dataset_id and g.table_name = p_table and not g.pinned and g.address >= p_to
             order by g.address limit 1
           ), p_to)
         order by c.address limit p_limit)
      ) u
      order by u.address limit p_limit
    ) t
  ));
end $$;

-- The composer of a footer has died.
create function fusou.drop_abandoned_footers(p_limit integer)
returns void
language sql
set search_path = ''
as $$
  select fusou.drop_footer(c.id) from (
    select id from public.composed_footers
    where completed_at is null and begun_at < now() - interval '1 hour'
    order by begun_at limit p_limit
  ) c
$$;

-- Footers go with their version, and their objects become garbage.
create function fusou.versions_gone()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_keys text[];
begin
  with gone as (
    delete from public.composed_footers c where c.dataset_id = new.id and c.version < new.oldest_version returning c.r2_key
  )
  select array_agg(g.r2_key order by g.r2_key) into v_keys from gone g;
  perform fusou.mark_for_deletion(k) from unnest(v_keys) as k;
  return null;
end $$;
create trigger datasets_aged after update of oldest_version on public.datasets
  for each row when (new.oldest_version > old.oldest_version) execute function fusou.versions_gone();

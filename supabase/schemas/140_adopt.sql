-- Adoption: rows for objects of the bucket that the catalog does not know, after it was set back or lost. A scan walks
-- over the bucket and notes what each object holds, as its bytes say; then each dataset is put in order by itself.
--
-- The identity of a row is the upload that it came with: each merged object names the contents (SHA-256) of all uploads
-- that it holds, its leaves, and the merged objects that it replaced, its ancestors. An object is adopted only if none
-- of its leaves stays in another live file, so no row is live twice; what it wholly contains it replaces, as the lost
-- merge did. What cannot be decided is kept, and named.

create table public.adoption (
  one boolean primary key default true constraint adoption_one check (one),
  scan uuid not null,
  started_at timestamptz not null default now()
);
alter table public.adoption enable row level security;
comment on table public.adoption is 'The scan under way: there is one at a time, and a new one discards what the last one noted.';

create table public.adoption_objects (
  r2_key text collate "C" not null,
  byte_offset bigint not null,
  known boolean not null,
  dataset_id text not null,
  table_name text not null,
  period_tag text not null,
  owner_id uuid,
  dataset_owner uuid,
  earlier_owners uuid[] not null default '{}',
  byte_length bigint,
  row_count bigint,
  row_group_count integer,
  work_bytes bigint,
  content_sha256 text,
  schema_fingerprint text,
  level integer not null,
  ancestors text[] not null default '{}',
  fault text,
  primary key (r2_key, byte_offset)
);
alter table public.adoption_objects enable row level security;
comment on column public.adoption_objects.known is 'A live merged file of the catalog, noted for its leaves.';
comment on column public.adoption_objects.dataset_owner is 'Whom the bucket names as owner of the dataset.';
comment on column public.adoption_objects.fault is 'Why this object cannot be adopted whatever the catalog holds.';
create index adoption_objects_of_dataset on public.adoption_objects (dataset_id);

create table public.adoption_leaves (
  dataset_id text not null,
  table_name text not null,
  period_tag text not null,
  content_sha256 text not null,
  r2_key text collate "C" not null,
  primary key (r2_key, content_sha256)
);
alter table public.adoption_leaves enable row level security;
create index adoption_leaves_by_content on public.adoption_leaves (dataset_id, table_name, period_tag, content_sha256);

create table public.adoption_missing (
  file_id uuid primary key
);
alter table public.adoption_missing enable row level security;
comment on table public.adoption_missing is 'Live files whose object the scan did not find.';


create function public.begin_adoption()
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_scan uuid := gen_random_uuid();
begin
  insert into public.adoption (scan) values (v_scan)
  on conflict (one) do update set scan = excluded.scan, started_at = now();
  delete from public.adoption_objects where r2_key is not null;
  delete from public.adoption_leaves where r2_key is not null;
  delete from public.adoption_missing where file_id is not null;
  return jsonb_build_object('scan', v_scan);
end $$;

create function fusou.is_scan(p_scan uuid)
returns boolean
language sql stable
set search_path = ''
as $$ select exists (select 1 from public.adoption where scan = p_scan) $$;

-- The next page of keys, in the order of the bucket. p_after: the last key before the page, null at the start;
-- p_last: the last key of the page, null if the bucket ends with it. Live files between the two that the page lacks have
-- lost their object. Answers with the keys to inspect, and with live merged files whose leaves are to be read.
create function public.begin_adoption_page(p_scan uuid, p_after text, p_last text, p_keys text[])
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if not fusou.is_scan(p_scan) then
    return jsonb_build_object('outcome', 'unknown_scan');
  end if;
  insert into public.adoption_missing (file_id)
  select f.id from public.files f, public.adoption a
  where f.removed_version is null
    and (p_after is null or f.r2_key > p_after)
    and (p_last is null or f.r2_key <= p_last)
    -- A younger file may have been stored after its place in the listing was passed.
    and f.created_at < a.started_at - interval '1 minute'
    and not exists (select 1 from unnest(p_keys) as k where k = f.r2_key)
  on conflict do nothing;
  return jsonb_build_object(
    'outcome', 'ok',
    'unnamed', (
      select coalesce(jsonb_agg(k order by k), '[]') from unnest(p_keys) as k
      where not exists (select 1 from public.files f where f.r2_key = k)
        and not exists (select 1 from public.garbage g where g.r2_key = k)
    ),
    'merged', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'r2Key', f.r2_key, 'datasetId', f.dataset_id, 'table', f.table_name, 'periodTag', f.period_tag, 'level', f.level
      ) order by f.r2_key), '[]')
      from public.files f where f.r2_key = any (p_keys) and f.level > 0 and f.removed_version is null
    )
  );
end $$;

-- p_objects: [{r2Key, offset, known, datasetId, table, periodTag, ownerId?, datasetOwner?, earlierOwners?, length?, rows?, rowGroups?, workBytes?, sha256?,
-- fingerprint?, level, ancestors?, leaves?, fault?}]
create function public.note_adoption_objects(p_scan uuid, p_objects jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if not fusou.is_scan(p_scan) then
    return jsonb_build_object('outcome', 'unknown_scan');
  end if;
  insert into public.adoption_objects (
    r2_key, byte_offset, known, dataset_id, table_name, period_tag, owner_id, dataset_owner, earlier_owners,
    byte_length, row_count, row_group_count, work_bytes, content_sha256, schema_fingerprint, level, ancestors, fault
  )
  select o."r2Key", o."offset", o.known, o."datasetId", o."table", o."periodTag", o."ownerId", o."datasetOwner",
    coalesce(o."earlierOwners", '{}'), o."length", o."rows", o."rowGroups", o."workBytes", o.sha256, o.fingerprint, o."level",
    array(select jsonb_array_elements_text(coalesce(o.ancestors, '[]'))), o.fault
  from jsonb_to_recordset(p_objects) as o (
    "r2Key" text, "offset" bigint, known boolean, "datasetId" text, "table" text, "periodTag" text, "ownerId" uuid,
    "datasetOwner" uuid, "earlierOwners" uuid[],
    "length" bigint, "rows" bigint, "rowGroups" integer, "workBytes" bigint, sha256 text, fingerprint text, "level" integer,
    ancestors jsonb, fault text
  )
  on conflict do nothing;
  insert into public.adoption_leaves (dataset_id, table_name, period_tag, content_sha256, r2_key)
  select o."datasetId", o."table", o."periodTag", l.leaf, o."r2Key"
  from jsonb_to_recordset(p_objects) as o (
    "r2Key" text, "datasetId" text, "table" text, "periodTag" text, leaves jsonb
  )
  cross join lateral jsonb_array_elements_text(coalesce(o.leaves, '[]')) as l (leaf)
  on conflict do nothing;
  return jsonb_build_object('outcome', 'ok');
end $$;

-- Live files that share a leaf with an object of the scan, or that it replaced. contained: all leaves of the file are
-- leaves of the object; present: its own object is in the bucket.
create function fusou.adoption_overlap(p_object public.adoption_objects)
returns table (file_id uuid, leaf text, contained boolean, present boolean)
language sql stable
set search_path = ''
as $$
  with leaves as (
    select l.content_sha256 from public.adoption_leaves l where l.r2_key = p_object.r2_key and p_object.level > 0
    union all
    select p_object.content_sha256 where p_object.level = 0
  ), touched as (
    select f.id, l.content_sha256, f.r2_key, f.level
    from leaves l join public.files f
      on f.dataset_id = p_object.dataset_id and f.table_name = p_object.table_name
      and f.period_tag = p_object.period_tag and f.content_sha256 = l.content_sha256
    where f.level = 0 and f.removed_version is null
    union all
    select f.id, l.content_sha256, f.r2_key, f.level
    from leaves l join public.adoption_leaves other
      on other.dataset_id = p_object.dataset_id and other.table_name = p_object.table_name
      and other.period_tag = p_object.period_tag and other.content_sha256 = l.content_sha256
    join public.files f on f.r2_key = other.r2_key
    where f.level > 0 and f.removed_version is null
    union all
    select f.id, null, f.r2_key, f.level from public.files f
    where f.r2_key = any (p_object.ancestors) and f.level > 0 and f.removed_version is null
  )
  select t.id, t.content_sha256,
    t.level = 0 or t.r2_key = any (p_object.ancestors) or not exists (
      select 1 from public.adoption_leaves o
      where o.r2_key = t.r2_key and o.content_sha256 not in (select content_sha256 from leaves)
    ),
    not exists (select 1 from public.adoption_missing m where m.file_id = t.id)
  from touched t
$$;

-- Whether uploads that a merged object holds were deleted, and are nowhere else: what the catalog says is deleted stays so
-- until it is restored, and then would be there twice.
create function fusou.holds_deleted(p_object public.adoption_objects)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_object.level > 0 and exists (
    select 1 from public.adoption_leaves l
    join public.files f
      on f.dataset_id = p_object.dataset_id and f.table_name = p_object.table_name
      and f.period_tag = p_object.period_tag and f.content_sha256 = l.content_sha256 and f.level = 0
    where l.r2_key = p_object.r2_key and f.deletion_id is not null and f.discarded
      and not exists (
        select 1 from public.files k
        where k.dataset_id = f.dataset_id and k.table_name = f.table_name and k.period_tag = f.period_tag
          and k.content_sha256 = f.content_sha256 and k.level = 0 and not k.discarded
      )
  )
$$;

-- Judges what adoption does with one object now.
-- adopt: nothing of it is live elsewhere but what it contains; heal: the catalog has its row and has lost its bytes;
-- held: all of it is live elsewhere; entangled: a part of it is live in a file that holds other rows too, or was deleted and
-- may be restored; unclear: it cannot be told, since the leaves of a live file are not known.
create function fusou.judge_adoption(p_object public.adoption_objects)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_leaves bigint;
  v_found record;
begin
  if p_object.fault is not null then
    return p_object.fault;
  end if;
  select count(*) into v_leaves from public.adoption_leaves l where l.r2_key = p_object.r2_key;
  if p_object.level = 0 then
    v_leaves := 1;
  end if;
  select count(distinct o.leaf) filter (where o.present) as held, coalesce(bool_and(o.contained), true) as contained,
    bool_or(not o.present) as missing
  into v_found from fusou.adoption_overlap(p_object) o;
  if v_found.held >= v_leaves then
    return 'held';
  elsif exists (
    select 1 from public.files f
    where f.dataset_id = p_object.dataset_id and f.table_name = p_object.table_name
      and f.period_tag = p_object.period_tag and f.level > 0 and f.removed_version is null
      and f.r2_key <> all (p_object.ancestors)
      and not exists (select 1 from public.adoption_leaves l where l.r2_key = f.r2_key)
  ) then
    return 'unclear';
  elsif not v_found.contained or fusou.holds_deleted(p_object) then
    return 'entangled';
  elsif p_object.level > 0 then
    return 'adopt';
  elsif not exists (
    select 1 from public.files f
    where f.dataset_id = p_object.dataset_id and f.table_name = p_object.table_name
      and f.period_tag = p_object.period_tag and f.content_sha256 = p_object.content_sha256 and f.level = 0
  ) then
    -- A merged file without bytes holds it: only an object that replaces the whole file can take its place.
    return case when v_found.missing then 'unclear' else 'adopt' end;
  end if;
  return case when v_found.missing then 'heal' else 'unclear' end;
end $$;

create function fusou.adopt_object(p_object public.adoption_objects)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_version bigint;
begin
  update public.datasets set version = version + 1 where id = p_object.dataset_id returning version into v_version;
  -- Versions that need bytes which are gone become unreadable, as after vacuum.
  delete from public.files
  where id in (select o.file_id from fusou.adoption_overlap(p_object) o where not o.present);
  if found then
    update public.datasets set oldest_version = v_version where id = p_object.dataset_id;
  end if;
  delete from public.suspects where file_id in (select o.file_id from fusou.adoption_overlap(p_object) o);
  update public.files set removed_version = v_version, removed_at = now()
  where id in (select o.file_id from fusou.adoption_overlap(p_object) o);
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level, fragments,
    content_sha256, schema_fingerprint, work_bytes, created_version, uploaded_by
  )
  values (
    p_object.dataset_id, p_object.table_name, p_object.period_tag, p_object.r2_key, p_object.byte_offset,
    p_object.byte_length, p_object.row_count, p_object.row_group_count, p_object.level,
    greatest(1, (select count(*) from public.adoption_leaves l where l.r2_key = p_object.r2_key)),
    p_object.content_sha256, p_object.schema_fingerprint, coalesce(p_object.work_bytes, 0), v_version,
    case when p_object.level = 0 then p_object.owner_id end
  );
  insert into public.schemas (dataset_id, table_name, fingerprint)
  values (p_object.dataset_id, p_object.table_name, p_object.schema_fingerprint) on conflict do nothing;
end $$;

create function fusou.heal_file(p_object public.adoption_objects)
returns void
language sql
set search_path = ''
as $$
  with healed as (
    update public.files f
    set r2_key = p_object.r2_key, byte_offset = p_object.byte_offset, healed_at = now(),
        quarantine_code = null, quarantine_message = null, quarantined_by_job = null, quarantined_at = null,
        quarantine_acknowledged_at = null
    where f.dataset_id = p_object.dataset_id and f.table_name = p_object.table_name
      and f.period_tag = p_object.period_tag and f.content_sha256 = p_object.content_sha256
      and f.level = 0 and f.removed_version is null
    returning f.id
  )
  delete from public.adoption_missing m using healed where m.file_id = healed.id
$$;

-- An upload whose rows an adopted merge holds: its content stays known, so that a late repetition of the call stores it
-- no second time, and vacuum takes its object after the retention. It is part of no version that anybody can read.
create function fusou.remember_upload(p_object public.adoption_objects)
returns void
language sql
set search_path = ''
as $$
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    content_sha256, schema_fingerprint, work_bytes, created_version, removed_version, removed_at, uploaded_by
  )
  select
    p_object.dataset_id, p_object.table_name, p_object.period_tag, p_object.r2_key, p_object.byte_offset,
    p_object.byte_length, p_object.row_count, p_object.row_group_count, 0, p_object.content_sha256,
    p_object.schema_fingerprint, coalesce(p_object.work_bytes, 0), -1, 0, now(), p_object.owner_id
  where p_object.level = 0
  on conflict (dataset_id, table_name, period_tag, content_sha256) where level = 0 and not discarded do nothing
$$;

-- Live files that have lost their object, and nothing has taken its place.
create function fusou.count_missing(p_dataset_id text)
returns bigint
language sql stable
set search_path = ''
as $$
  select count(*) from public.adoption_missing m join public.files f on f.id = m.file_id
  where f.dataset_id = p_dataset_id and f.removed_version is null
$$;

-- Puts up to p_limit objects of one dataset in order, the largest merges first. The caller repeats it while `more`, then
-- goes on with the dataset `next`. p_after: the dataset before; null for the first. A dry run does the same work in a
-- transaction that is taken back; since it begins from the start each time, it never has `more`.
create function public.adopt_dataset(p_scan uuid, p_after text, p_limit integer, p_dry_run boolean)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_dataset_id text;
  v_object public.adoption_objects;
  v_judgment text;
  v_pass integer;
  v_done integer := 0;
  v_changed boolean;
  v_counts jsonb := '{}';
  v_items jsonb := '[]';
  v_missing bigint;
begin
  if not fusou.is_scan(p_scan) then
    return jsonb_build_object('outcome', 'unknown_scan');
  end if;
  select min(u.dataset_id) into v_dataset_id
  from (
    select o.dataset_id from public.adoption_objects o where not o.known
    union all
    select f.dataset_id from public.adoption_missing m join public.files f on f.id = m.file_id
  ) u
  where p_after is null or u.dataset_id > p_after;
  if v_dataset_id is null then
    return jsonb_build_object('outcome', 'done');
  end if;

  begin
    -- The owner of a dataset that the catalog has lost: the bucket names the one that the catalog had, or merges do;
    -- else most uploads do.
    insert into public.datasets (id, owner_id, earlier_owners)
    select v_dataset_id, coalesce((max(o.dataset_owner::text))::uuid, o.owner_id),
      (
        select e.earlier_owners from public.adoption_objects e
        where e.dataset_id = v_dataset_id order by cardinality(e.earlier_owners) desc limit 1
      )
    from public.adoption_objects o
    where o.dataset_id = v_dataset_id and not o.known and o.fault is null and o.owner_id is not null
    group by o.owner_id
    order by coalesce(bool_or(o.owner_id = o.dataset_owner), false) desc, bool_or(o.level > 0) desc, count(*) desc,
      o.owner_id
    limit 1
    on conflict (id) do update set earlier_owners = excluded.earlier_owners
    where datasets.owner_id = excluded.owner_id and datasets.earlier_owners = '{}';
    select * into v_dataset from public.datasets where id = v_dataset_id for update;

    -- A merge may wait for a larger one that contains what stands in its way: passes go on until nothing changes.
    for v_pass in 1..10 loop
      v_changed := false;
      for v_object in
        select o.* from public.adoption_objects o
        where o.dataset_id = v_dataset_id and not o.known and o.fault is null
          and (o.owner_id = v_dataset.owner_id or o.owner_id = any (v_dataset.earlier_owners))
          and not exists (
            select 1 from public.files f
            where f.r2_key = o.r2_key and f.byte_offset = o.byte_offset and f.dataset_id = o.dataset_id
          )
          and not exists (select 1 from public.garbage g where g.r2_key = o.r2_key)
        order by (select count(*) from public.adoption_leaves l where l.r2_key = o.r2_key) desc, o.level desc,
          o.r2_key, o.byte_offset
      loop
        exit when v_done >= p_limit and not p_dry_run;
        v_judgment := fusou.judge_adoption(v_object);
        if v_judgment = 'adopt' then
          perform fusou.adopt_object(v_object);
        elsif v_judgment = 'heal' then
          perform fusou.heal_file(v_object);
        else
          continue;
        end if;
        v_changed := true;
        v_done := v_done + 1;
        v_counts := fusou.add_to_tally(v_counts, v_judgment, v_object.row_count);
        v_items := fusou.add_to_list(v_items, v_object, v_judgment);
      end loop;
      exit when not v_changed or (v_done >= p_limit and not p_dry_run);
    end loop;

    -- The rest, once nothing more can be adopted.
    if v_done < p_limit or p_dry_run then
      delete from public.kept_objects k using public.adoption_objects o
      where o.r2_key = k.r2_key and o.dataset_id = v_dataset_id;
      for v_object in
        select o.* from public.adoption_objects o
        where o.dataset_id = v_dataset_id and not o.known
          and not exists (
            select 1 from public.files f
            where f.r2_key = o.r2_key and f.byte_offset = o.byte_offset and f.dataset_id = o.dataset_id
          )
          and not exists (select 1 from public.garbage g where g.r2_key = o.r2_key)
        order by o.r2_key, o.byte_offset
      loop
        v_judgment := case
          when v_object.fault is null and v_object.owner_id is distinct from v_dataset.owner_id
            and v_object.owner_id <> all (v_dataset.earlier_owners) then 'foreign_owner'
          else fusou.judge_adoption(v_object)
        end;
        v_counts := fusou.add_to_tally(v_counts, v_judgment, v_object.row_count);
        if v_judgment = 'held' then
          perform fusou.remember_upload(v_object);
        else
          insert into public.kept_objects (r2_key, reason) values (v_object.r2_key, v_judgment) on conflict do nothing;
          v_items := fusou.add_to_list(v_items, v_object, v_judgment);
        end if;
      end loop;
    end if;
    if v_dataset.id is not null then
      perform fusou.look_for_work(v_dataset_id);
    end if;
    v_missing := fusou.count_missing(v_dataset_id);
    if p_dry_run then
      raise exception 'dry run' using errcode = 'DRYRN';
    end if;
  exception when sqlstate 'DRYRN' then
    null;
  end;
  return jsonb_build_object(
    'outcome', 'ok', 'datasetId', v_dataset_id, 'more', v_done >= p_limit and not p_dry_run,
    'counts', v_counts, 'items', v_items, 'missing', v_missing
  );
end $$;

create function fusou.add_to_tally(p_counts jsonb, p_judgment text, p_rows bigint)
returns jsonb
language sql immutable
set search_path = ''
as $$
  select p_counts || jsonb_build_object(p_judgment, jsonb_build_object(
    'objects', coalesce((p_counts -> p_judgment ->> 'objects')::bigint, 0) + 1,
    'rows', coalesce((p_counts -> p_judgment ->> 'rows')::bigint, 0) + coalesce(p_rows, 0)
  ))
$$;

-- A hundred are named; the tally counts all.
create function fusou.add_to_list(p_items jsonb, p_object public.adoption_objects, p_judgment text)
returns jsonb
language sql immutable
set search_path = ''
as $$
  select case when jsonb_array_length(p_items) >= 100 then p_items else p_items || jsonb_build_object(
    'r2Key', p_object.r2_key, 'offset', p_object.byte_offset, 'table', p_object.table_name,
    'periodTag', p_object.period_tag, 'rows', p_object.row_count, 'judgment', p_judgment
  ) end
$$;

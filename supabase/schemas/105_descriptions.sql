-- Lists and descriptions of datasets and tables: sizes, versions, and why something is not merged yet.

-- One row of a list.
create function fusou.dataset_json(p_dataset public.datasets, p_user_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_dataset.id, 'ownerId', p_dataset.owner_id, 'role', fusou.role_on(p_user_id, p_dataset),
    'public', p_dataset.is_public, 'version', p_dataset.version, 'oldestVersion', p_dataset.oldest_version,
    'createdAt', p_dataset.created_at, 'lastCompactedAt', p_dataset.last_compacted_at, 'deletedAt', p_dataset.deleted_at
  )
$$;

create function fusou.is_listed(p_dataset public.datasets, p_scope text, p_caller jsonb)
returns boolean
language sql stable
set search_path = ''
as $$
  select (p_scope = 'deleted') = (p_dataset.deleted_at is not null)
    and fusou.key_allows(p_caller, p_dataset.id, 'read')
$$;

-- In order of id. p_scope: own, shared (granted by others), public (of anybody), all (own and shared; for an operator, every
-- dataset), deleted (own, as long as they can be restored). p_prefix: the beginning of ids. p_after: the last id of the page
-- before.
create function public.list_datasets(p_caller jsonb, p_scope text, p_prefix text, p_after text, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_user_id constant uuid := fusou.user_of(p_caller);
  v_everything constant boolean := fusou.is_operator(p_caller);
  -- No id contains ~, and its byte is greater than every byte of one: all ids with the prefix lie between these two.
  v_from constant text := greatest(coalesce(p_after, '') collate "C", coalesce(p_prefix, ''));
  v_to constant text := coalesce(p_prefix, '') || '~';
begin
  -- Each way in is an ordered read of an index, of which no more is taken than a page.
  return (
    select coalesce(jsonb_agg(fusou.dataset_json(d, v_user_id) order by d.id collate "C"), '[]')
    from public.datasets d
    where d.id in (
      select ids.id from (
        (
          select o.id from public.datasets o
          where p_scope in ('own', 'all', 'deleted') and o.owner_id = v_user_id
            and o.id collate "C" >= v_from and o.id collate "C" < v_to and o.id is distinct from p_after
            and fusou.is_listed(o, p_scope, p_caller)
          order by o.id collate "C" limit p_limit
        )
        union
        (
          select g.dataset_id from public.grants g join public.datasets s on s.id = g.dataset_id
          where p_scope in ('shared', 'all') and g.user_id = v_user_id
            and g.dataset_id collate "C" >= v_from and g.dataset_id collate "C" < v_to
            and g.dataset_id is distinct from p_after
            and fusou.is_listed(s, p_scope, p_caller)
          order by g.dataset_id collate "C" limit p_limit
        )
        union
        (
          select u.id from public.datasets u
          where u.is_public and p_scope = 'public'
            and u.id collate "C" >= v_from and u.id collate "C" < v_to and u.id is distinct from p_after
            and fusou.is_listed(u, p_scope, p_caller)
          order by u.id collate "C" limit p_limit
        )
        union
        (
          select a.id from public.datasets a
          where v_everything and p_scope in ('all', 'deleted')
            and a.id collate "C" >= v_from and a.id collate "C" < v_to and a.id is distinct from p_after
            and fusou.is_listed(a, p_scope, p_caller)
          order by a.id collate "C" limit p_limit
        )
      ) ids
      order by ids.id collate "C"
      limit p_limit
    )
  );
end $$;

-- Sums of the live files of a dataset.
create function public.describe_dataset(p_dataset_id text, p_caller jsonb)
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
  return jsonb_build_object('outcome', 'ok', 'dataset',
    fusou.dataset_json(v_dataset, fusou.user_of(p_caller)) || jsonb_build_object(
      'settings', v_dataset.settings,
      'nextMergeAt', v_dataset.due_at
    ) || (
      select jsonb_build_object(
        'tables', count(distinct f.table_name), 'files', count(*), 'rows', fusou.saturate(coalesce(sum(f.row_count), 0)),
        'bytes', fusou.saturate(coalesce(sum(f.byte_length), 0)), 'fragments', fusou.saturate(coalesce(sum(f.fragments), 0)),
        'quarantinedFiles', count(*) filter (where f.quarantine_code is not null)
      )
      from public.files f where f.dataset_id = p_dataset_id and f.removed_version is null
    )
  );
end $$;

-- In order of table. p_after: the last table of the page before.
create function public.list_tables(p_dataset_id text, p_caller jsonb, p_after text, p_limit integer)
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
  return jsonb_build_object('outcome', 'ok', 'version', v_dataset.version, 'tables', (
    select coalesce(jsonb_agg(t.described order by t.table_name), '[]')
    from (
      select f.table_name, jsonb_build_object(
        'table', f.table_name, 'files', count(*), 'rows', fusou.saturate(sum(f.row_count)),
        'bytes', fusou.saturate(sum(f.byte_length)), 'fragments', fusou.saturate(sum(f.fragments)),
        'periods', count(distinct f.period_tag), 'schemas', count(distinct f.schema_fingerprint),
        'newestUploadAt', max(f.newest_upload_at)
      ) as described
      from public.files f
      where f.dataset_id = p_dataset_id and f.removed_version is null and (p_after is null or f.table_name > p_after)
      group by f.table_name
      order by f.table_name
      limit p_limit
    ) t
  ));
end $$;

-- Why the small files of one merge group are not merged now: each rule with what there is and what it asks.
create function fusou.waiting_json(p_settings jsonb, p_fresh bigint, p_bytes numeric, p_since timestamptz, p_due boolean)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'newFiles', p_fresh, 'newBytes', fusou.saturate(p_bytes), 'oldestNewFileAt', p_since, 'due', p_due,
    'rules', jsonb_build_array(
      jsonb_build_object('rule', 'mergeMinFiles', 'have', p_fresh, 'need', fusou.setting(p_settings, 'mergeMinFiles')),
      jsonb_build_object(
        'rule', 'mergeMinBytes', 'have', fusou.saturate(p_bytes), 'need', fusou.setting(p_settings, 'mergeMinBytes')
      ),
      jsonb_build_object(
        'rule', 'mergeMaxAgeSeconds', 'have', floor(coalesce(extract(epoch from now() - p_since), 0)),
        'need', fusou.setting(p_settings, 'mergeMaxAgeSeconds')
      )
    ),
    'dueAt', case
      when p_fresh >= 2 then p_since + make_interval(secs => fusou.setting(p_settings, 'mergeMaxAgeSeconds'))
    end
  )
$$;

-- One table: its settings, its schemas with the place of a file that has each, its files by tier, and what waits where.
create function public.describe_table(p_dataset_id text, p_table text, p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_settings jsonb;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_settings := fusou.settings_of_table(p_dataset_id, p_table);
  if v_settings = '{}' and not exists (
    select 1 from public.schemas s where s.dataset_id = p_dataset_id and s.table_name = p_table
  ) then
    return jsonb_build_object('outcome', 'unknown_table');
  end if;
  return jsonb_build_object(
    'outcome', 'ok',
    'version', v_dataset.version,
    'settings', v_settings,
    'files', (
      select jsonb_build_object(
        'count', count(*), 'rows', fusou.saturate(coalesce(sum(f.row_count), 0)),
        'bytes', fusou.saturate(coalesce(sum(f.byte_length), 0)),
        'fragments', fusou.saturate(coalesce(sum(f.fragments), 0)),
        'quarantined', count(*) filter (where f.quarantine_code is not null),
        'otherSettings', count(*) filter (
          where f.level > 0 and f.settings_key is distinct from fusou.settings_key(v_settings)
        ),
        'periods', count(distinct f.period_tag),
        'newestUploadAt', max(f.newest_upload_at),
        'lastMergedAt', max(f.created_at) filter (where f.level > 0)
      )
      from public.files f where f.dataset_id = p_dataset_id and f.table_name = p_table and f.removed_version is null
    ),
    'tiers', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'tier', t.tier, 'files', t.files, 'rows', fusou.saturate(t.row_count), 'bytes', fusou.saturate(t.bytes)
      ) order by t.tier), '[]')
      from (
        select fusou.tier(f.fragments) as tier, count(*) as files, sum(f.row_count) as row_count, sum(f.byte_length) as bytes
        from public.files f where f.dataset_id = p_dataset_id and f.table_name = p_table and f.removed_version is null
        group by 1
      ) t
    ),
    'schemas', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'fingerprint', s.fingerprint, 'firstSeenAt', s.first_seen_at, 'apartReason', s.apart_reason,
        'files', s.files, 'sample', s.sample
      ) order by s.files desc, s.fingerprint), '[]')
      from (
        select k.*, l.files, (
          select jsonb_build_object('id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length)
          from public.files f
          where f.dataset_id = p_dataset_id and f.table_name = p_table and f.schema_fingerprint = k.fingerprint
            and f.removed_version is null and f.quarantine_code is null
          limit 1
        ) as sample
        from public.schemas k
        left join lateral (
          select count(*) as files from public.files f
          where f.dataset_id = p_dataset_id and f.table_name = p_table and f.schema_fingerprint = k.fingerprint
            and f.removed_version is null
        ) l on true
        where k.dataset_id = p_dataset_id and k.table_name = p_table
        order by l.files desc, k.fingerprint
        limit 20
      ) s
    ),
    'waiting', (
      select coalesce(jsonb_agg(
        jsonb_build_object('periodTag', g.period_tag, 'smallFiles', g.files, 'tierIsFull', g.upper_tier_full)
          || fusou.waiting_json(
            v_dataset.settings, g.fresh, g.fresh_bytes, g.fresh_since,
            g.upper_tier_full or fusou.is_due(v_dataset.settings, g.fresh, g.fresh_bytes, g.fresh_since)
          )
        order by g.period_tag
      ), '[]')
      from (
        select * from fusou.small_groups(p_dataset_id) s
        where s.table_name = p_table and s.files >= 2
        order by s.period_tag limit 100
      ) g
    ),
    'openJob', (
      select jsonb_build_object('id', j.id, 'state', j.state) from public.jobs j
      where j.dataset_id = p_dataset_id and j.state in ('queued', 'running')
      order by j.state desc limit 1
    ),
    'lastCompactedAt', v_dataset.last_compacted_at
  );
end $$;

-- Newest first: each version that can be read, and what it changed. p_before: the last version of the page before.
create function public.list_versions(p_dataset_id text, p_caller jsonb, p_before bigint, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_top bigint;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_top := least(v_dataset.version, p_before - 1);
  return jsonb_build_object('outcome', 'ok', 'version', v_dataset.version, 'oldestVersion', v_dataset.oldest_version, 'versions', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'version', v.number,
      'at', coalesce(added.at, removed.at),
      'change', case
        when added.job_id is not null then 'merge'
        when coalesce(added.files, 0) > 0 and coalesce(removed.files, 0) = 0 then 'upload'
        when coalesce(added.files, 0) > 0 then 'replacement'
        when removed.deletions > 0 or removed.discarded > 0 then 'deletion'
        when coalesce(removed.files, 0) > 0 then 'removal'
        else 'other'
      end,
      'jobId', added.job_id,
      'filesAdded', coalesce(added.files, 0), 'rowsAdded', fusou.saturate(coalesce(added.row_count, 0)),
      'filesRemoved', coalesce(removed.files, 0), 'rowsRemoved', fusou.saturate(coalesce(removed.row_count, 0)),
      'tables', coalesce(added.tables, removed.tables, '[]')
    ) order by v.number desc), '[]')
    from generate_series(greatest(v_dataset.oldest_version, 1, v_top - p_limit + 1), v_top) as v (number)
    left join lateral (
      select count(*) as files, sum(f.row_count) as row_count, min(f.created_at) as at,
        (array_agg(f.created_by_job) filter (where f.level > 0))[1] as job_id,
        jsonb_agg(distinct f.table_name) as tables
      from public.files f where f.dataset_id = p_dataset_id and f.created_version = v.number
    ) added on true
    left join lateral (
      select count(*) as files, sum(f.row_count) as row_count, min(f.removed_at) as at,
        count(*) filter (where f.deletion_id is not null) as deletions, count(*) filter (where f.discarded) as discarded,
        jsonb_agg(distinct f.table_name) as tables
      from public.files f where f.dataset_id = p_dataset_id and f.removed_version = v.number
    ) removed on true
  ));
end $$;

-- The receipt of the merge that made a file: what went in, what came out, with the hash of each.
create function public.get_receipt(p_file_id uuid, p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_file public.files;
  v_dataset public.datasets;
  v_merge public.merges;
begin
  select * into v_file from public.files where id = p_file_id;
  select * into v_dataset from public.datasets where id = v_file.dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_file');
  end if;
  select * into v_merge from public.merges where output_id = p_file_id;
  if not found then
    return jsonb_build_object('outcome', 'no_receipt');
  end if;
  return jsonb_build_object('outcome', 'ok', 'receipt', jsonb_build_object(
    'datasetId', v_file.dataset_id, 'table', v_file.table_name, 'periodTag', v_file.period_tag, 'version', v_merge.version,
    'jobId', v_merge.job_id, 'mergedAt', v_file.created_at, 'settings', coalesce(v_merge.settings, '{}'),
    'output', jsonb_build_object(
      'fileId', v_file.id, 'sha256', v_file.content_sha256, 'rows', v_file.row_count, 'bytes', v_file.byte_length
    ),
    'rowsIn', v_merge.rows_in, 'rowsOut', v_file.row_count, 'duplicateRows', v_merge.duplicate_rows,
    'inputsMissing', cardinality(v_merge.input_ids) - (
      select count(*) from public.files f where f.id = any (v_merge.input_ids)
    ),
    'inputs', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'fileId', f.id, 'sha256', f.content_sha256, 'rows', f.row_count, 'bytes', f.byte_length, 'level', f.level
      ) order by array_position(v_merge.input_ids, f.id)), '[]')
      from public.files f where f.id = any (v_merge.input_ids)
    )
  ));
end $$;

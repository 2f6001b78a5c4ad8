-- Which merges are worth a job: tiers of files, and the policy of a dataset. See docs/merging.md.

-- The tier of a file by the uploads in it: 0 is a fragment, and tier t holds 2 * 8^(t-1) of them or more.
-- The rule of tierOf() in plan-merges.ts.
create function fusou.tier(p_fragments bigint)
returns integer
language sql immutable
set search_path = ''
as $$ select (length(ltrim(p_fragments::bit(64)::text, '0')) + 1) / 3 $$;

-- So many small files of one tier are merged into one of a higher tier: two fragments, eight of any other.
create function fusou.tier_is_full(p_tier integer, p_files bigint)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_files >= case p_tier when 0 then 2 else 8 end $$;

-- The small live files of a dataset by table, period tag and merge group, within which files are merged:
-- how many, how many fragments among them with their bytes and since when they wait, and whether a tier is full.
create function fusou.small_groups(p_dataset_id text)
returns table (
  table_name text, period_tag text, merge_group text,
  files bigint, fresh bigint, fresh_bytes numeric, fresh_since timestamptz, upper_tier_full boolean
)
language sql stable
set search_path = ''
as $$
  select t.table_name, t.period_tag, t.merge_group,
    sum(t.files)::bigint,
    coalesce(sum(t.files) filter (where t.tier = 0), 0)::bigint,
    coalesce(sum(t.bytes) filter (where t.tier = 0), 0),
    min(t.since) filter (where t.tier = 0),
    bool_or(t.tier > 0 and fusou.tier_is_full(t.tier, t.files))
  from (
    select f.table_name, f.period_tag,
      fusou.merge_group(coalesce(t.settings, '{}'), f.schema_fingerprint, k.apart_reason) as merge_group,
      fusou.tier(f.fragments) as tier,
      count(*) as files, sum(f.byte_length) as bytes, min(f.created_at) as since
    from public.files f
    join public.datasets d on d.id = f.dataset_id
    left join public.table_settings t on t.dataset_id = f.dataset_id and t.table_name = f.table_name
    left join public.schemas k
      on k.dataset_id = f.dataset_id and k.table_name = f.table_name and k.fingerprint = f.schema_fingerprint
    where f.dataset_id = p_dataset_id
      and f.removed_version is null
      and f.quarantine_code is null
      and f.byte_length < fusou.small_file_bytes(d.settings)
      and f.work_bytes < fusou.small_file_work()
    group by 1, 2, 3, 4
  ) t
  group by 1, 2, 3
$$;

-- The policy of a dataset: whether fragments of one group, not merged yet, are worth a job now.
-- The rule of isMergeDue() in merge-policy.ts.
create function fusou.is_due(p_settings jsonb, p_fresh bigint, p_bytes numeric, p_since timestamptz)
returns boolean
language sql stable
set search_path = ''
as $$
  select fusou.tier_is_full(0, p_fresh) and (
    p_fresh >= fusou.setting(p_settings, 'mergeMinFiles')
    or p_bytes >= fusou.setting(p_settings, 'mergeMinBytes')
    or p_since <= now() - make_interval(secs => fusou.setting(p_settings, 'mergeMaxAgeSeconds'))
  )
$$;

-- Whether a merge is worth a job of its own now.
create function fusou.has_due_merge(p_dataset_id text)
returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce(bool_or(g.upper_tier_full or fusou.is_due(d.settings, g.fresh, g.fresh_bytes, g.fresh_since)), false)
  from public.datasets d cross join fusou.small_groups(d.id) g
  where d.id = p_dataset_id
$$;

-- Decides again, from the files that are live now, whether compaction is needed and when it falls due by age.
-- p_rest: the last job did not do what there was; its work waits for a whole age again rather than for a minute.
create function fusou.look_for_work(p_dataset_id text, p_rest boolean default false)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_needed boolean;
  v_since timestamptz;
begin
  select
    coalesce(bool_or(fusou.tier_is_full(0, g.fresh) or g.upper_tier_full), false),
    min(g.fresh_since) filter (where fusou.tier_is_full(0, g.fresh))
  into v_needed, v_since
  from fusou.small_groups(p_dataset_id) g;
  update public.datasets d
  set compaction_needed = v_needed,
      due_at = case
        when v_since is not null and not fusou.has_open_job(d.id) then
          greatest(v_since, d.last_attempted_at, case when p_rest then now() end)
            + make_interval(secs => fusou.setting(d.settings, 'mergeMaxAgeSeconds'))
      end
  where d.id = p_dataset_id;
end $$;

create function fusou.has_open_job(p_dataset_id text)
returns boolean
language sql stable
set search_path = ''
as $$ select exists (select 1 from public.jobs where dataset_id = p_dataset_id and state in ('queued', 'running')) $$;

-- The look of the cron at age: small files that have waited as long as the policy of their dataset allows, without an
-- upload since that would have noticed. At most p_limit datasets a call, the longest overdue first.
create function public.request_due_merges(p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset_id text;
  v_count integer := 0;
begin
  for v_dataset_id in
    select d.id from public.datasets d where d.due_at <= now() order by d.due_at limit p_limit for update skip locked
  loop
    if not fusou.has_open_job(v_dataset_id) and fusou.has_due_merge(v_dataset_id) then
      perform fusou.request_job(v_dataset_id, null, null, 'realtime', null);
      v_count := v_count + 1;
    else
      perform fusou.look_for_work(v_dataset_id);
    end if;
  end loop;
  return v_count;
end $$;

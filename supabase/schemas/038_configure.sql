-- Settings over HTTP: of a dataset, and of each table in it.

-- Sets what p_settings names; null goes back to the default. The edge has checked each value; this checks once more what
-- would stop merges. p_public null: as it is. Outcomes: configured, unknown_dataset.
create function public.configure_dataset(p_dataset_id text, p_caller jsonb, p_settings jsonb, p_public boolean default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_after public.datasets;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  update public.datasets
  set settings = jsonb_strip_nulls(settings || p_settings), is_public = coalesce(p_public, is_public),
      data_checked_at = case when p_settings ? 'deleteAfterDays' then null else data_checked_at end
  where id = p_dataset_id
  returning * into v_after;
  if fusou.setting(v_after.settings, 'targetFileBytes') < 1 or fusou.setting(v_after.settings, 'retentionSeconds') < 0
    or fusou.setting(v_after.settings, 'mergeMinFiles') < 1 or fusou.setting(v_after.settings, 'mergeMinBytes') < 1
    or fusou.setting(v_after.settings, 'mergeMaxAgeSeconds') < 0
    or (v_after.settings ->> 'deleteAfterDays')::integer not between 1 and 36500
  then
    raise exception 'configure_dataset: targetFileBytes, mergeMinFiles and mergeMinBytes must be positive, '
      'retentionSeconds and mergeMaxAgeSeconds not negative, deleteAfterDays 1..36500' using errcode = '22023';
  end if;
  if (v_after.settings, v_after.is_public) <> (v_dataset.settings, v_dataset.is_public) then
    perform fusou.look_for_work(p_dataset_id);
    perform fusou.audit(
      p_caller, 'dataset.configure', v_dataset.owner_id, p_dataset_id, null,
      v_dataset.settings || jsonb_build_object('public', v_dataset.is_public),
      v_after.settings || jsonb_build_object('public', v_after.is_public)
    );
  end if;
  return jsonb_build_object('outcome', 'configured', 'settings', v_after.settings, 'public', v_after.is_public);
end $$;

-- Sets what p_settings names; null goes back to the default. A table may be configured before its first upload.
-- Outcomes: configured, unknown_dataset.
create function public.configure_table(p_dataset_id text, p_table text, p_caller jsonb, p_settings jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_before jsonb;
  v_after jsonb;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_before := fusou.settings_of_table(p_dataset_id, p_table);
  v_after := jsonb_strip_nulls(v_before || p_settings);
  if v_after <> v_before then
    insert into public.table_settings (dataset_id, table_name, settings) values (p_dataset_id, p_table, v_after)
    on conflict (dataset_id, table_name) do update set settings = excluded.settings, changed_at = now();
    -- Schemas that could not be united may fit the next time somebody asks for it.
    if v_after ->> 'schema' is distinct from v_before ->> 'schema' then
      update public.schemas set apart_reason = null where dataset_id = p_dataset_id and table_name = p_table;
    end if;
    perform fusou.look_for_work(p_dataset_id);
    perform fusou.audit(p_caller, 'table.configure', v_dataset.owner_id, p_dataset_id, p_table, v_before, v_after);
  end if;
  return jsonb_build_object('outcome', 'configured', 'settings', v_after);
end $$;

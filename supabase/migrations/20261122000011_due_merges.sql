-- The look of the cron at age: small files that have waited as long as the policy of their data set allows, without an
-- upload since that would have noticed. At most p_limit data sets a call, the longest overdue first.
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

-- As in the migration of the grants, for this one and the one before.
do $$
declare
  fn regprocedure;
  callable constant text[] := array['admit_jobs', 'configure_admission', 'request_due_merges'];
begin
  for fn in
    select p.oid::regprocedure from pg_catalog.pg_proc p where p.pronamespace = 'fusou'::regnamespace
  loop
    execute format('revoke all on function %s from public, anon, authenticated, service_role', fn);
  end loop;
  for fn in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (callable)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', fn);
    execute format('grant execute on function %s to service_role', fn);
  end loop;
end $$;

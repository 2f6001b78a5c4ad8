-- As in the migration of the grants, for the topics since.
do $$
declare
  name text;
  fn regprocedure;
  callable constant text[] := array[
    'raise_alerts',
    'open_multipart', 'list_abandoned_uploads', 'close_multiparts', 'preview_vacuum', 'list_orphans',
    'tally_jobs', 'job_status', 'dead_letter_status', 'metrics'
  ];
begin
  foreach name in array array['heartbeats', 'alerts', 'multipart_uploads', 'counters', 'job_totals', 'step_totals'] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', name);
  end loop;
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

-- Only the Workers, which hold the secret key, may call the public functions; nobody calls what lies in fusou.
do $$
declare
  fn regprocedure;
  callable constant text[] := array[
    'claim_outbox', 'complete_outbox', 'release_outbox',
    'register_upload', 'request_compaction', 'trigger_scheduled', 'configure_dataset',
    'accept_message', 'enter_step', 'fail_attempt', 'finish_job', 'cancel_job', 'retry_job',
    'list_expired_leases', 'redispatch_stale_jobs', 'retell_deaths', 'record_dead_letter',
    'list_mergeable_files', 'save_plan', 'open_merge', 'commit_merge', 'fail_merge',
    'get_job', 'list_jobs', 'list_files', 'get_file', 'ping',
    'claim_garbage', 'complete_garbage', 'doom_orphans', 'begin_sweep', 'end_sweep', 'trim_outbox'
  ];
begin
  revoke all on schema fusou from public;
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

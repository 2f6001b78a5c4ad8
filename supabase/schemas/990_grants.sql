-- Last, so that it finds every function. The Workers, which hold the secret key, may call these and nothing else; what lies
-- in the schema fusou is for nobody.
do $$
declare
  fn regprocedure;
  callable constant text[] := array[
    'open_upload', 'read_upload', 'begin_part', 'note_part', 'forget_parts', 'begin_completion', 'complete_upload',
    'refuse_upload', 'abort_upload', 'expire_uploads', 'forget_uploads',
    'claim_outbox', 'complete_outbox', 'release_outbox',
    'check_upload', 'register_upload', 'request_compaction', 'trigger_scheduled', 'configure_dataset',
    'accept_message', 'enter_step', 'fail_attempt', 'finish_job', 'cancel_job', 'retry_job',
    'list_expired_leases', 'redispatch_stale_jobs', 'repeat_death_notices', 'record_dead_letter',
    'list_mergeable_files', 'save_plan', 'open_merge', 'commit_merge', 'set_aside_inputs',
    'discard_file', 'release_file', 'acknowledge_files',
    'get_job', 'list_jobs', 'list_files', 'get_file', 'ping',
    'claim_garbage', 'complete_garbage', 'mark_keys_for_deletion', 'begin_sweep', 'record_sweep_page', 'mark_orphans',
    'accept_orphans', 'trim_outbox', 'check_installation', 'accept_installation', 'pause_deletions',
    'begin_adoption', 'begin_adoption_page', 'note_adoption_objects', 'adopt_dataset',
    'redrive', 'admit_jobs', 'configure_admission', 'request_due_merges', 'raise_alerts',
    'open_multipart', 'list_abandoned_uploads', 'close_multiparts', 'preview_vacuum', 'list_orphans',
    'tally_jobs', 'job_status', 'dead_letter_status', 'metrics',
    'open_event_stream', 'close_event_stream', 'configure_limits', 'read_limits',
    'configure_retention', 'trim_history',
    'record_cron_run', 'acknowledge_letter', 'read_admission',
    'create_key', 'list_keys', 'revoke_key', 'authenticate_key', 'list_audit',
    'configure_table', 'list_datasets', 'describe_dataset', 'list_tables', 'describe_table', 'list_versions', 'get_receipt',
    'delete_data', 'restore_deletion', 'list_deletions', 'delete_expired_data', 'delete_user_data', 'set_schemas_apart',
    'read_retention',
    'create_webhook', 'list_webhooks', 'delete_webhook', 'claim_webhooks', 'settle_webhook',
    'open_table', 'list_footer_files', 'complete_footer', 'fail_footer', 'read_addresses', 'version_at', 'link_key', 'read_link_key',
    'reserve_dataset', 'grant_role', 'revoke_role', 'list_grants', 'transfer_dataset'
  ];
begin
  for fn in
    select p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname = any (callable)
  loop
    execute format('grant execute on function %s to service_role', fn);
  end loop;
end $$;

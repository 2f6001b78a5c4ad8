-- The catalog: which files hold the rows of a dataset, and what work is under way on them.
-- Nothing but the functions of the files after this one touches these tables.

create schema fusou;
comment on schema fusou is 'Parts of the public functions; not reachable over HTTP.';

-- Counts end at 2^53 - 1, the last whole number that JSON carries exactly to every client: a sum that would exceed it
-- stays there. A figure may then be too low, but no answer is refused for it.
create function fusou.saturate(p_sum numeric)
returns bigint
language sql immutable
set search_path = ''
as $$ select least(p_sum, 9007199254740991)::bigint $$;

create table public.datasets (
  id text primary key constraint datasets_id_pattern check (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  owner_id uuid not null,
  settings jsonb not null default '{}',
  version bigint not null default 0,
  oldest_version bigint not null default 0,
  compaction_needed boolean not null default false,
  due_at timestamptz,
  last_attempted_at timestamptz,
  last_compacted_at timestamptz,
  created_at timestamptz not null default now(),
  is_public boolean not null default false,
  earlier_owners uuid[] not null default '{}',
  deleted_at timestamptz,
  data_checked_at timestamptz,
  constraint datasets_versions_in_order check (0 <= oldest_version and oldest_version <= version)
);
alter table public.datasets enable row level security;
comment on column public.datasets.version is 'Grows by one with each change of the live files: an upload or a swap.';
comment on column public.datasets.is_public is 'Anybody who is signed in may read it.';
comment on column public.datasets.earlier_owners is
  'Who owned it before it was handed over: objects in the bucket still name them.';
comment on column public.datasets.deleted_at is 'Since when it is deleted: empty, and in no list. An upload, or restoring it, ends that.';
comment on column public.datasets.data_checked_at is 'When its files were last looked through for data older than deleteAfterDays.';
comment on column public.datasets.oldest_version is 'Vacuum has taken the files of earlier versions.';
comment on column public.datasets.settings is 'targetFileBytes, retentionSeconds, merge…; see fusou.setting().';
comment on column public.datasets.due_at is
  'When small files have waited long enough for a job of their own; null where none wait, or a job is there already.';

create index datasets_waiting on public.datasets (last_attempted_at nulls first, id) where compaction_needed;
create index datasets_due on public.datasets (due_at) where due_at is not null;
-- Lists are in the order of the bytes of ids, whatever the collation of the database.
create index datasets_ids on public.datasets (id collate "C");
create index datasets_owner on public.datasets (owner_id, id collate "C");
create index datasets_public on public.datasets (id collate "C") where is_public;
create index datasets_expiring on public.datasets (data_checked_at nulls first) where settings ? 'deleteAfterDays';

create table public.jobs (
  id uuid primary key default gen_random_uuid(),
  kind text not null default 'compaction' constraint jobs_kind check (kind in ('compaction')),
  dataset_id text not null references public.datasets (id),
  table_name text,
  period_tag text,
  priority text not null constraint jobs_priority check (priority in ('realtime', 'manual', 'scheduled')),
  reach text not null constraint jobs_reach check (reach in ('due', 'tiers', 'all', 'rewrite')),
  state text not null default 'queued'
    constraint jobs_state check (state in ('queued', 'running', 'succeeded', 'dead', 'cancelled')),
  triggers integer not null default 1,
  requested_by uuid,
  message_ids text[] not null default '{}',
  metric_id text,
  attempt integer not null default 0,
  max_attempts integer not null default 5 constraint jobs_max_attempts check (max_attempts >= 1),
  uncounted_attempts integer not null default 0 constraint jobs_uncounted_attempts check (uncounted_attempts >= 0),
  lease_until timestamptz,
  silent_leases integer not null default 0,
  planned_version bigint,
  cancel_requested_at timestamptz,
  step text,
  step_durations jsonb not null default '{}',
  files_in bigint not null default 0,
  files_out bigint not null default 0,
  rows_in bigint not null default 0,
  rows_out bigint not null default 0,
  bytes_in bigint not null default 0,
  bytes_out bigint not null default 0,
  error_code text,
  error_step text,
  error_message text,
  result jsonb,
  retried_as uuid references public.jobs (id),
  failures jsonb not null default '[]',
  excused_ends integer not null default 0,
  files_set_aside bigint not null default 0,
  set_aside jsonb not null default '[]',
  tallied boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  admitted_at timestamptz,
  dispatched_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  death_notified_at timestamptz,
  constraint jobs_running_has_lease check ((state = 'running') = (lease_until is not null)),
  constraint jobs_ended_has_time check ((state in ('succeeded', 'dead', 'cancelled')) = (finished_at is not null)),
  constraint jobs_dead_has_reason check (state <> 'dead' or error_code is not null)
);
alter table public.jobs enable row level security;
comment on column public.jobs.silent_leases is 'How many leases in a row the rescuer renewed: since the attempt last called by itself.';
comment on column public.jobs.uncounted_attempts is
  'How many attempts the platform ended, by a deployment or a reset: each raised max_attempts by one, up to a bound.';
comment on column public.jobs.triggers is 'How many triggers this job answers: the first and those that joined it while queued.';
comment on column public.jobs.message_ids is 'The hand-sent messages that asked for this job, so that a redelivery finds it again.';
comment on column public.jobs.reach is
  'Which files it merges: due, those that the policy of the dataset finds worth a job; tiers, all that the tiers let merge; all, also the tails; rewrite, every file that was written with other settings.';
comment on column public.jobs.planned_version is 'The version its plan was made from: what came later is left to a successor.';
comment on column public.jobs.admitted_at is 'Since when it has one of the slots for running jobs; see fusou.admit().';
comment on column public.jobs.death_notified_at is 'When the dead-letter queue was last sent word of a dead job; null again when a letter has come.';
comment on column public.jobs.table_name is 'Scope; null means every table.';
comment on column public.jobs.failures is 'What ended each attempt that failed: [{attempt, code, step, message, at}].';
comment on column public.jobs.excused_ends is
  'Attempts that ended inside a merge without an error that names a file, and were spent on finding that file; they do not count against max_attempts.';
comment on column public.jobs.files_set_aside is 'How many inputs of its merges it put into quarantine; the rest was merged without them.';
comment on column public.jobs.set_aside is 'The first of them: [{fileId, table, periodTag, code, message}]; see fusou.max_named_files().';
comment on column public.jobs.tallied is 'Ended, and counted in job_totals and step_totals.';
comment on column public.jobs.retried_as is 'The job that does the work of this dead or cancelled one, since somebody asked again.';

create unique index jobs_one_running on public.jobs (dataset_id, kind) where state = 'running';
create unique index jobs_one_queued on public.jobs (dataset_id, kind) where state = 'queued';
create index jobs_of_message on public.jobs using gin (message_ids) where message_ids <> '{}';
create index jobs_newest on public.jobs (created_at desc, id desc);
create index jobs_of_dataset on public.jobs (dataset_id, created_at desc, id desc);
create index jobs_slots on public.jobs (dataset_id) where state = 'running' or (state = 'queued' and admitted_at is not null);
create index jobs_waiting on public.jobs (created_at) where state = 'queued' and admitted_at is null;
-- The figures are sums over what is tallied and a look at these: all that is under way, and what ended a moment ago.
create index jobs_untallied on public.jobs (dataset_id) where not tallied;
create index jobs_ended on public.jobs (finished_at, state) where finished_at is not null;
create index jobs_dead on public.jobs (finished_at, id) where state = 'dead';
create index jobs_death_notices on public.jobs (death_notified_at) where death_notified_at is not null;
create index jobs_leases on public.jobs (lease_until) where state = 'running';

create table public.files (
  id uuid primary key default gen_random_uuid(),
  dataset_id text not null references public.datasets (id),
  table_name text not null,
  period_tag text not null,
  r2_key text collate "C" not null,
  byte_offset bigint not null constraint files_offset check (byte_offset >= 0),
  byte_length bigint not null constraint files_length check (byte_length > 0),
  row_count bigint not null constraint files_rows check (row_count >= 0),
  row_group_count integer not null constraint files_row_groups check (row_group_count >= 0),
  work_bytes bigint not null default 0 constraint files_work check (work_bytes >= 0),
  level integer not null constraint files_level check (level >= 0),
  fragments bigint not null default 1 constraint files_fragments check (fragments >= 1),
  content_sha256 text not null constraint files_sha256 check (content_sha256 ~ '^[0-9a-f]{64}$'),
  schema_fingerprint text not null,
  created_version bigint not null,
  removed_version bigint,
  created_by_job uuid,
  removed_by_job uuid,
  uploaded_by uuid,
  uploaded_with uuid,
  created_at timestamptz not null default now(),
  removed_at timestamptz,
  quarantine_code text,
  quarantine_message text,
  quarantined_by_job uuid,
  quarantined_at timestamptz,
  quarantine_acknowledged_at timestamptz,
  healed_at timestamptz,
  discarded boolean not null default false,
  discarded_by uuid,
  newest_upload_at timestamptz not null default now(),
  settings_key text,
  deletion_id bigint,
  address bigint,
  constraint files_quarantined_whole check ((quarantine_code is null) = (quarantined_at is null)),
  constraint files_discarded_removed check (not discarded or removed_version is not null),
  constraint files_removed_whole check ((removed_version is null) = (removed_at is null)),
  constraint files_removed_later check (removed_version > created_version)
);
alter table public.files enable row level security;
comment on column public.files.created_by_job is
  'No reference, nor are the other jobs of a file: a job goes after its retention, and its id stays for the log.';
comment on column public.files.uploaded_with is 'The key of the program that uploaded it; null for a user who did so by themselves.';
comment on column public.files.level is 'How often a row in it was rewritten at the most.';
comment on column public.files.work_bytes is
  'What a merge of it takes, as if it were all bytes to unpack (workBytes of inspectParquet); 0 where it is not known.';
comment on column public.files.fragments is 'How many uploads it is merged from; decides its tier, see fusou.tier().';
comment on column public.files.quarantine_code is
  'Why merges leave this file out. Its rows stay live and readable; nothing is skipped in silence.';
comment on column public.files.quarantine_acknowledged_at is 'When an operator was content to know of it; the alert no longer counts the file.';
comment on column public.files.healed_at is 'When the same bytes, uploaded again, took the place of an object that was damaged or missing.';
comment on column public.files.newest_upload_at is 'When the youngest upload whose rows are in it came.';
comment on column public.files.settings_key is
  'Of a merged file: fusou.settings_key() of the settings with which it was written, as far as they fitted.';
comment on column public.files.address is
  'Where its bytes lie in the table file of its table; see fusou.reserve_addresses(). Null: the addresses were used up.';
comment on column public.files.deletion_id is 'The deletion that took it out of the dataset; see public.deletions.';
comment on column public.files.discarded is 'Removed because somebody asked, not by a merge: its rows are in no later version.';
comment on column public.files.discarded_by is 'The user who asked; null for an operator.';

-- A fragment that was merged keeps its row until vacuum, so a late retry of its upload is still known as a duplicate.
-- One that was discarded may be uploaded again.
create unique index files_one_per_content on public.files (dataset_id, table_name, period_tag, content_sha256)
  where level = 0 and not discarded;
create index files_live on public.files (dataset_id, table_name, period_tag, schema_fingerprint, fragments, byte_length)
  where removed_version is null and quarantine_code is null;
create index files_of_dataset on public.files (dataset_id, table_name, period_tag, id);
create index files_removed on public.files (removed_at) where removed_at is not null;
create index files_quarantined on public.files (dataset_id) where removed_version is null and quarantine_code is not null;
create index files_quarantine_news on public.files (quarantined_at)
  where removed_version is null and quarantine_code is not null and quarantine_acknowledged_at is null;
create index files_created on public.files (dataset_id, created_version);
create index files_removed_version on public.files (dataset_id, removed_version) where removed_version is not null;
create index files_of_deletion on public.files (deletion_id) where deletion_id is not null;
create index files_of_object on public.files (r2_key);
create unique index files_addresses on public.files (dataset_id, table_name, address) where address is not null;

-- Files whose merge ended without an error that names a file: memory, computing time, a reset. A set is merged by itself,
-- so that the next end tells more; see fusou.suspect_inputs().
create table public.suspects (
  file_id uuid primary key references public.files (id) on delete cascade,
  set_id uuid not null,
  set_files integer not null constraint suspects_set_files check (set_files >= 1),
  ends integer not null constraint suspects_ends check (ends >= 0),
  since timestamptz not null default now()
);
alter table public.suspects enable row level security;
comment on column public.suspects.set_id is 'Files with one set_id are merged together and with no others.';
comment on column public.suspects.set_files is 'How many files the set had when it was made: one that has lost some is another set.';
comment on column public.suspects.ends is 'How many merges of this set have ended so; at the second the set is cut in halves.';

create table public.merges (
  job_id uuid not null references public.jobs (id),
  attempt integer not null,
  index integer not null,
  table_name text not null,
  period_tag text not null,
  input_ids uuid[] not null constraint merges_inputs check (cardinality(input_ids) >= 1),
  rows_in bigint not null,
  bytes_in bigint not null,
  state text not null default 'planned'
    constraint merges_state check (state in ('planned', 'committed', 'nothing_left')),
  output_id uuid references public.files (id) on delete set null,
  output_key text,
  version bigint,
  settings jsonb,
  duplicate_rows bigint not null default 0,
  primary key (job_id, attempt, index)
);
alter table public.merges enable row level security;
comment on table public.merges is 'The plan of each attempt: one row for each output file to write.';
comment on column public.merges.input_ids is
  'Shrinks when inputs are set aside or discarded. One alone is a suspect that is rewritten to learn whether it can be.';
comment on column public.merges.settings is 'The settings of the table when the merge began.';
comment on column public.merges.duplicate_rows is 'Rows that were left out because of dedupeBy.';
comment on column public.merges.state is 'nothing_left: too few inputs were left to merge; input_ids are then those of the plan.';
create index merges_output on public.merges (output_id) where output_id is not null;

create table public.outbox (
  id bigint generated always as identity primary key,
  type text not null,
  key text not null,
  payload jsonb not null,
  status text not null default 'pending'
    constraint outbox_status check (status in ('pending', 'in_progress', 'published', 'dead')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  locked_by text,
  locked_until timestamptz,
  error text,
  created_at timestamptz not null default now(),
  published_at timestamptz,
  constraint outbox_locked_in_progress check (
    (status = 'in_progress') = (locked_by is not null) and (status = 'in_progress') = (locked_until is not null)
  )
);
alter table public.outbox enable row level security;
create index outbox_due on public.outbox (next_attempt_at, id) where status = 'pending';
create index outbox_locks on public.outbox (locked_until) where status = 'in_progress';
create index outbox_open_keys on public.outbox (key) where status in ('pending', 'in_progress');
create index outbox_unsent on public.outbox (created_at) where status <> 'published';
create index outbox_published on public.outbox (published_at) where status = 'published';

create table public.dead_letters (
  id bigint generated always as identity primary key,
  queue text not null,
  message_id text not null,
  body jsonb not null,
  code text not null,
  message text not null,
  attempts integer not null,
  dataset_id text,
  job_id uuid,
  received_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_how text constraint dead_letters_closed_how check (closed_how in ('retried', 'succeeded', 'acknowledged')),
  closed_by uuid,
  constraint dead_letters_once unique (queue, message_id),
  constraint dead_letters_closed_whole check ((closed_at is null) = (closed_how is null))
);
alter table public.dead_letters enable row level security;
comment on column public.dead_letters.closed_how is
  'Why nobody needs to look any more: its work was asked for again, its job succeeded, or somebody acknowledged it. Null while it is open.';
comment on column public.dead_letters.closed_by is 'The user who acknowledged it; null for an operator.';
create index dead_letters_newest on public.dead_letters (received_at desc, id desc);
create index dead_letters_open on public.dead_letters (received_at) where closed_at is null;
create index dead_letters_of_job on public.dead_letters (job_id) where job_id is not null;

create table public.garbage (
  r2_key text primary key,
  marked_at timestamptz not null default now()
);
alter table public.garbage enable row level security;
comment on table public.garbage is 'Objects that no file row names any more; vacuum deletes them, then these rows.';

create table public.sweeps (
  name text primary key,
  cursor text,
  next_at timestamptz not null,
  round bigint not null default 1,
  objects bigint not null default 0,
  orphans bigint not null default 0,
  last_objects bigint,
  last_orphans bigint,
  approved_round bigint,
  accepted_orphans bigint,
  stopped_at timestamptz
);
alter table public.sweeps enable row level security;
comment on table public.sweeps is 'A walk over all objects of the bucket, in rounds: where it continues, and what it has found.';
comment on column public.sweeps.objects is 'Objects of this round so far; orphans likewise.';
comment on column public.sweeps.last_orphans is 'Orphans of the last complete round.';
comment on column public.sweeps.approved_round is 'The last complete round, if its orphans were few enough to be marked for deletion.';
comment on column public.sweeps.accepted_orphans is 'How many orphans a person has accepted; holds for one round.';
comment on column public.sweeps.stopped_at is 'Since when each round has found too many orphans.';


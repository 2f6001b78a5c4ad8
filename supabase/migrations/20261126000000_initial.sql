-- A hosted project has these roles. An embedded one creates them only when it sees a table with row-level security,
-- which is too late for the grants of the files after this one.
do $$
declare
  name text;
begin
  foreach name in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select 1 from pg_catalog.pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  if not (select rolbypassrls from pg_catalog.pg_roles where rolname = 'service_role') then
    alter role service_role bypassrls;
  end if;
end $$;

-- Nothing is open by default: what the files after this one create is for its owner alone, and 990_grants.sql lists every
-- function that the Workers may call. A hosted project would grant each new table, sequence and function to these roles.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
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

-- Who may do what: owners, grants, keys. Each public function that acts for somebody takes p_caller and asks here.
--
-- p_caller, written by the Workers from a token or key that they have checked:
--   {"operator": true}                      may do everything
--   {"user": uuid}                          a signed-in user
--   {"user": uuid, "key": uuid}             a program with a key of that user: never more than the user, and no more than
--                                           the scopes and datasets of the key
-- and for the audit: "address" (of the client) and "requestId".

create table public.grants (
  dataset_id text not null references public.datasets (id) on delete cascade,
  user_id uuid not null,
  role text not null constraint grants_role check (role in ('reader', 'writer', 'manager')),
  granted_at timestamptz not null default now(),
  granted_by uuid,
  primary key (dataset_id, user_id)
);
alter table public.grants enable row level security;
comment on table public.grants is 'Who else may use a dataset. The owner needs no row.';
comment on column public.grants.granted_by is 'The user who granted it; null for an operator.';
create index grants_of_user on public.grants (user_id, dataset_id collate "C");

create table public.access_keys (
  id uuid primary key,
  user_id uuid not null,
  name text not null constraint access_keys_name check (length(name) between 1 and 100),
  hint text not null,
  secret_sha256 text not null constraint access_keys_sha256 check (secret_sha256 ~ '^[0-9a-f]{64}$'),
  scopes text[] not null
    constraint access_keys_scopes check (cardinality(scopes) >= 1 and scopes <@ array['read', 'upload', 'manage']),
  datasets text[] constraint access_keys_datasets check (cardinality(datasets) between 1 and 100),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  for_links boolean not null default false
);
alter table public.access_keys enable row level security;
comment on column public.access_keys.secret_sha256 is 'Of the whole key. The key itself is shown once and never stored.';
comment on column public.access_keys.hint is 'The first characters of the key, by which its owner recognizes it.';
comment on column public.access_keys.datasets is
  'Patterns of dataset ids: a whole id, or a prefix that ends in *. Null: every dataset of the user.';
comment on column public.access_keys.last_used_at is 'Written at most once an hour.';
comment on column public.access_keys.for_links is
  'Made to sign links of its user to one dataset; nobody has the key itself, whose hash signs.';
create unique index access_keys_for_links on public.access_keys (user_id, datasets) where for_links and revoked_at is null;
create index access_keys_of_user on public.access_keys (user_id, created_at desc, id desc);

create function fusou.is_operator(p_caller jsonb)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_caller -> 'operator' is not distinct from 'true'::jsonb $$;

-- The user for whom a caller acts; null for an operator.
create function fusou.user_of(p_caller jsonb)
returns uuid
language sql immutable
set search_path = ''
as $$ select (p_caller ->> 'user')::uuid $$;

create function fusou.key_of(p_caller jsonb)
returns uuid
language sql immutable
set search_path = ''
as $$ select (p_caller ->> 'key')::uuid $$;

-- Ends the call; the text is for the client.
create function fusou.forbid(p_detail text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise exception '%', p_detail using errcode = 'PT403';
end $$;

-- Whether a dataset id fits one of the patterns of a key.
create function fusou.fits_pattern(p_dataset_id text, p_patterns text[])
returns boolean
language sql immutable
set search_path = ''
as $$
  select p_patterns is null or exists (
    select 1 from unnest(p_patterns) as p (pattern)
    where p.pattern = p_dataset_id
      or (right(p.pattern, 1) = '*' and starts_with(p_dataset_id, left(p.pattern, -1)))
  )
$$;

-- The key of a caller while it is valid; no row for a caller without a key, or with one that was revoked or has expired.
create function fusou.valid_key(p_caller jsonb)
returns setof public.access_keys
language sql stable
set search_path = ''
as $$
  select k.* from public.access_keys k
  where k.id = fusou.key_of(p_caller) and k.user_id = fusou.user_of(p_caller)
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;

-- Whether the key of a caller lets it use a right on a dataset; true for a caller without a key.
create function fusou.key_allows(p_caller jsonb, p_dataset_id text, p_right text)
returns boolean
language sql stable
set search_path = ''
as $$
  select fusou.key_of(p_caller) is null or exists (
    select 1 from fusou.valid_key(p_caller) k
    where p_right = any (k.scopes) and fusou.fits_pattern(p_dataset_id, k.datasets)
  )
$$;

-- Which roles have a right. `own` is for what only the owner may do; no key has it.
create function fusou.role_allows(p_role text, p_right text)
returns boolean
language sql immutable
set search_path = ''
as $$
  select case p_right
    when 'read' then p_role in ('reader', 'writer', 'manager', 'owner')
    when 'upload' then p_role in ('writer', 'manager', 'owner')
    when 'manage' then p_role in ('manager', 'owner')
    when 'own' then p_role = 'owner'
    else false
  end
$$;

-- The role of a user on a dataset; null for a stranger. Anybody who is signed in reads a public dataset.
create function fusou.role_on(p_user_id uuid, p_dataset public.datasets)
returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_dataset.owner_id = p_user_id then 'owner'
    else coalesce(
      (select g.role from public.grants g where g.dataset_id = p_dataset.id and g.user_id = p_user_id),
      case when p_dataset.is_public then 'reader' end
    )
  end
$$;

-- Whether a caller may use a right on a dataset. False also where there is no such dataset: nobody learns which ids exist.
-- A caller who may see it but not do this is refused with PT403.
create function fusou.may(p_caller jsonb, p_dataset public.datasets, p_right text)
returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_role text;
begin
  if p_dataset.id is null then
    return false;
  elsif fusou.is_operator(p_caller) then
    return true;
  elsif not fusou.key_allows(p_caller, p_dataset.id, p_right) then
    return false;
  end if;
  v_role := fusou.role_on(fusou.user_of(p_caller), p_dataset);
  if v_role is null then
    return false;
  elsif not fusou.role_allows(v_role, p_right) then
    perform fusou.forbid(case
      when p_right = 'own' then format('only the owner of %s may do this; you are a %s', p_dataset.id, v_role)
      else format('this needs the right to %s %s; you are a %s of it', p_right, p_dataset.id, v_role)
    end);
  end if;
  return true;
end $$;

-- The datasets that a user owns or was granted, for lists; those that are public for everybody are not among them.
create function fusou.datasets_of(p_caller jsonb)
returns setof text
language sql stable
set search_path = ''
as $$
  select ids.id from (
    select d.id from public.datasets d where d.owner_id = fusou.user_of(p_caller)
    union
    select g.dataset_id from public.grants g where g.user_id = fusou.user_of(p_caller)
  ) ids
  where fusou.key_allows(p_caller, ids.id, 'read')
$$;

-- For calls about all that somebody owns: the owner, null for an operator. A key may make them if it has the right and is
-- not for some datasets only.
create function fusou.account_of(p_caller jsonb, p_right text)
returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  if fusou.is_operator(p_caller) then
    return null;
  elsif fusou.user_of(p_caller) is null then
    perform fusou.forbid('this call needs a user');
  elsif fusou.key_of(p_caller) is not null then
    select * into v_key from fusou.valid_key(p_caller);
    if v_key.id is null or not p_right = any (v_key.scopes) then
      perform fusou.forbid(format('this key has not the scope %s', p_right));
    elsif v_key.datasets is not null then
      perform fusou.forbid('this key is for some datasets only, and the call is about all of them');
    end if;
  end if;
  return fusou.user_of(p_caller);
end $$;

-- Whether there is such a user. True where Supabase Auth keeps no users in this database.
create function fusou.user_exists(p_user_id uuid)
returns boolean
language plpgsql stable
set search_path = ''
as $$
declare
  v_exists boolean := true;
begin
  if to_regclass('auth.users') is not null then
    execute 'select exists (select 1 from auth.users where id = $1)' into v_exists using p_user_id;
  end if;
  return v_exists;
end $$;

-- For calls that concern the installation.
create function fusou.require_operator(p_caller jsonb)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not fusou.is_operator(p_caller) then
    perform fusou.forbid('this call is for operators');
  end if;
end $$;
-- Who changed what, when and from where: a row for every change that a person, or a program with a key, asks for.

create table public.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null constraint audit_actor check (actor in ('operator', 'user', 'key')),
  user_id uuid,
  key_id uuid,
  address text,
  request_id text,
  action text not null,
  owner_id uuid,
  dataset_id text,
  target text,
  before jsonb,
  after jsonb
);
alter table public.audit enable row level security;
comment on column public.audit.user_id is 'Who acted, also by a key; null for an operator.';
comment on column public.audit.owner_id is 'Whose dataset, key or account it is about; null for what belongs to the installation.';
comment on column public.audit.target is 'The id of what was changed, where it is not the dataset itself: a file, a job, a user, a key.';
comment on column public.audit.before is 'What was there before, in short; null where nothing was.';
create index audit_of_owner on public.audit (owner_id, id desc);
create index audit_of_user on public.audit (user_id, id desc);
create index audit_of_dataset on public.audit (dataset_id, id desc);
create index audit_times on public.audit (at);

create function fusou.audit(
  p_caller jsonb, p_action text, p_owner_id uuid, p_dataset_id text default null, p_target text default null,
  p_before jsonb default null, p_after jsonb default null
)
returns void
language sql
set search_path = ''
as $$
  insert into public.audit (
    actor, user_id, key_id, address, request_id, action, owner_id, dataset_id, target, before, after
  )
  values (
    case
      when fusou.is_operator(p_caller) then 'operator'
      when fusou.key_of(p_caller) is not null then 'key'
      else 'user'
    end,
    fusou.user_of(p_caller), fusou.key_of(p_caller), p_caller ->> 'address', p_caller ->> 'requestId',
    p_action, p_owner_id, p_dataset_id, p_target, p_before, p_after
  )
$$;

-- Newest first: an operator sees all, a user what they did and what was done to what they own. Null filters match all.
-- p_before_id: the last entry of the page before.
create function public.list_audit(
  p_caller jsonb, p_dataset_id text, p_action text, p_before_id bigint, p_limit integer
)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_account constant uuid := fusou.account_of(p_caller, 'manage');
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'at', a.at, 'actor', a.actor, 'userId', a.user_id, 'keyId', a.key_id, 'address', a.address,
      'requestId', a.request_id, 'action', a.action, 'ownerId', a.owner_id, 'datasetId', a.dataset_id,
      'target', a.target, 'before', a.before, 'after', a.after
    ) order by a.id desc), '[]')
    from (
      -- two ordered reads of an index each, of which no more is taken than a page
      select * from (
        (
          select * from public.audit o
          where (v_account is null or o.owner_id = v_account)
            and (p_dataset_id is null or o.dataset_id = p_dataset_id)
            and (p_action is null or o.action = p_action)
            and (p_before_id is null or o.id < p_before_id)
          order by o.id desc limit p_limit
        )
        union
        (
          select * from public.audit u
          where u.user_id = v_account
            and (p_dataset_id is null or u.dataset_id = p_dataset_id)
            and (p_action is null or u.action = p_action)
            and (p_before_id is null or u.id < p_before_id)
          order by u.id desc limit p_limit
        )
      ) both_ways
      order by id desc limit p_limit
    ) a
  );
end $$;
-- The outbox: messages are written in the transaction of the change that they tell of, and sent after it.

-- Exponential backoff with full-range jitter on its upper half: between half and all of base * 2^attempts, capped.
create function fusou.backoff(attempts integer, base_seconds double precision, cap_seconds double precision)
returns interval
language sql volatile
set search_path = ''
as $$
  select make_interval(secs => least(cap_seconds, base_seconds * 2.0 ^ least(attempts, 30)) * (0.5 + random() / 2))
$$;

-- Adds a message. With a sender it is born locked by it: the sender publishes it at once, and if it dies
-- the lock runs out and the relay takes over.
create function fusou.emit(
  p_type text, p_key text, p_payload jsonb,
  p_sender text default null, p_delay interval default '0'
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into public.outbox (type, key, payload, status, locked_by, locked_until, next_attempt_at)
  values (
    p_type, p_key, p_payload,
    case when p_sender is null then 'pending' else 'in_progress' end,
    p_sender,
    case when p_sender is null then null else now() + interval '60 seconds' end,
    now() + p_delay
  )
  returning id into v_id;
  return jsonb_build_object('id', v_id, 'type', p_type, 'payload', p_payload);
end $$;

create function public.claim_outbox(
  max_batch integer,
  lock_seconds integer,
  worker_id text,
  include_type_prefix text default null,
  exclude_type_prefix text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_rows jsonb;
begin
  if max_batch not between 1 and 1000 or lock_seconds not between 0 and 3600 or coalesce(worker_id, '') = '' then
    raise exception 'claim_outbox: max_batch 1..1000, lock_seconds 0..3600 and a worker_id are needed'
      using errcode = '22023';
  end if;

  with expired as (
    select o.id from public.outbox o
    where o.status = 'in_progress' and o.locked_until < now()
    for update skip locked
  )
  update public.outbox o
  set status = fusou.status_after_failure(o.attempts + 1),
      attempts = o.attempts + 1,
      next_attempt_at = now(),
      locked_by = null,
      locked_until = null,
      error = 'lock_expired: ' || o.locked_by || ' did not report back'
  from expired where o.id = expired.id;

  with due as (
    select o.id from public.outbox o
    where o.status = 'pending' and o.next_attempt_at <= now()
      and (include_type_prefix is null or starts_with(o.type, include_type_prefix))
      and (exclude_type_prefix is null or not starts_with(o.type, exclude_type_prefix))
      -- The end of an alert must not overtake its beginning.
      and not (starts_with(o.type, 'alert.') and fusou.has_open_message(o.key, o.id))
    order by o.next_attempt_at, o.id
    limit max_batch
    for update skip locked
  ), claimed as (
    update public.outbox o
    set status = 'in_progress',
        locked_by = worker_id,
        locked_until = now() + make_interval(secs => lock_seconds)
    from due where o.id = due.id
    returning o.id, o.type, o.payload
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'type', c.type, 'payload', c.payload) order by c.id), '[]')
  into v_rows from claimed c;
  return v_rows;
end $$;

-- Whether a message of this key is yet to be sent that is older than this one; without an id, any.
create function fusou.has_open_message(p_key text, p_before_id bigint default null)
returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select 1 from public.outbox o
    where o.key = p_key and o.status in ('pending', 'in_progress') and (p_before_id is null or o.id < p_before_id)
  )
$$;

-- Between two tries: a queue comes back within minutes, a receiver of alerts may be away for hours.
create function fusou.longest_pause_seconds(p_type text)
returns integer
language sql immutable
set search_path = ''
as $$ select case when starts_with(p_type, 'alert.') then 900 else 60 end $$;

-- Twenty failures are about fifteen minutes of a queue that refuses, and two hours and a half of a receiver of alerts;
-- a dead row shows in the status and, where a job hangs on it, the job is dispatched again.
create function fusou.status_after_failure(failures integer)
returns text
language sql immutable
set search_path = ''
as $$ select case when failures >= 20 then 'dead' else 'pending' end $$;

-- Both lock in the order of ids: a sender whose step runs twice reports the same messages twice at once.
create function public.complete_outbox(p_ids bigint[], p_worker_id text)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  with mine as (
    select o.id from public.outbox o
    where o.id = any (p_ids) and o.status = 'in_progress' and o.locked_by = p_worker_id
    order by o.id for update
  )
  update public.outbox o
  set status = 'published', published_at = now(), locked_by = null, locked_until = null, error = null
  from mine where o.id = mine.id;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- p_retry_after_seconds: when the receiver wants to be asked again; never sooner than the backoff, nor later than an hour.
-- p_permanent: no retry can help.
create function public.release_outbox(
  p_ids bigint[], p_worker_id text, p_error text,
  p_retry_after_seconds double precision default 0, p_permanent boolean default false
)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  with mine as (
    select o.id from public.outbox o
    where o.id = any (p_ids) and o.status = 'in_progress' and o.locked_by = p_worker_id
    order by o.id for update
  )
  update public.outbox o
  set status = case when p_permanent then 'dead' else fusou.status_after_failure(o.attempts + 1) end,
      attempts = o.attempts + 1,
      next_attempt_at = now() + greatest(
        fusou.backoff(o.attempts, 1, fusou.longest_pause_seconds(o.type)),
        make_interval(secs => least(p_retry_after_seconds, 3600))
      ),
      locked_by = null,
      locked_until = null,
      error = left(p_error, 1000)
  from mine where o.id = mine.id;
  get diagnostics v_count = row_count;
  return v_count;
end $$;
-- Settings of datasets and tables, and the schemas of a table. See docs/configuration.md.

create table public.table_settings (
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  settings jsonb not null,
  changed_at timestamptz not null default now(),
  primary key (dataset_id, table_name)
);
alter table public.table_settings enable row level security;
comment on column public.table_settings.settings is
  'sortBy, dedupeBy, keep, codec, schema, rowGroupRows, rowGroupBytes; only what differs from the default.';

create table public.schemas (
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text not null,
  fingerprint text not null,
  first_seen_at timestamptz not null default now(),
  first_key text,
  apart_reason text,
  primary key (dataset_id, table_name, fingerprint)
);
alter table public.schemas enable row level security;
comment on table public.schemas is 'Every schema that a file of the table has, or has had.';
comment on column public.schemas.first_key is 'The object with which the schema came.';
comment on column public.schemas.apart_reason is
  'Why files of this schema are not merged with those of others, though the table unites its schemas; null: they are.';

-- The setting of a dataset, or its default.
create function fusou.setting(p_settings jsonb, p_name text)
returns bigint
language sql immutable
set search_path = ''
as $$
  select coalesce(
    (p_settings ->> p_name)::bigint,
    case p_name
      when 'targetFileBytes' then 134217728
      when 'retentionSeconds' then 604800
      when 'mergeMinFiles' then 32
      when 'mergeMinBytes' then 33554432
      when 'mergeMaxAgeSeconds' then 900
    end
  )
$$;

-- The settings of a table that differ from the defaults.
create function fusou.settings_of_table(p_dataset_id text, p_table text)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(
    (select t.settings from public.table_settings t where t.dataset_id = p_dataset_id and t.table_name = p_table), '{}'
  )
$$;

-- Stands for the settings with which a merged file was written: of two files with one key, neither needs to be rewritten.
create function fusou.settings_key(p_settings jsonb)
returns text
language sql immutable
set search_path = ''
as $$ select md5((p_settings - 'schema')::text || coalesce(nullif(p_settings ->> 'schema', 'reject'), 'separate')) $$;

-- Files of one partition are merged with each other if they have one merge group: a schema, or all schemas that the table
-- unites.
create function fusou.merge_group(p_settings jsonb, p_fingerprint text, p_apart_reason text)
returns text
language sql immutable
set search_path = ''
as $$ select case when p_settings ->> 'schema' = 'union' and p_apart_reason is null then 'union' else p_fingerprint end $$;

create function fusou.merge_group_of(p_file public.files)
returns text
language sql stable
set search_path = ''
as $$
  select fusou.merge_group(
    fusou.settings_of_table(p_file.dataset_id, p_file.table_name), p_file.schema_fingerprint,
    (
      select s.apart_reason from public.schemas s
      where s.dataset_id = p_file.dataset_id and s.table_name = p_file.table_name
        and s.fingerprint = p_file.schema_fingerprint
    )
  )
$$;
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
-- Ways in: uploads and triggers. Every function that changes a dataset locks its row first, so that
-- what it decides about files and jobs holds until it commits. Order of locks: dataset, job, files, outbox.

-- A file at or above three quarters of the target is left alone by merges.
create function fusou.small_file_bytes(p_settings jsonb)
returns bigint
language sql immutable
set search_path = ''
as $$ select fusou.setting(p_settings, 'targetFileBytes') * 3 / 4 $$;

-- Nor is a file that takes half of the work of a merge or more: any two others can be merged with each other.
-- MAX_FILE_WORK_BYTES in merge-limits.ts.
create function fusou.small_file_work()
returns bigint
language sql immutable
set search_path = ''
as $$ select 1073741824::bigint $$;

create function fusou.priority_rank(p_priority text)
returns integer
language sql immutable
set search_path = ''
as $$ select case p_priority when 'manual' then 0 when 'realtime' then 1 else 2 end $$;

-- Who asks for a merge means all of it, the daily round what the tiers let merge, an upload what is due.
create function fusou.reach_of(p_priority text)
returns text
language sql immutable
set search_path = ''
as $$ select case p_priority when 'manual' then 'all' when 'realtime' then 'due' else 'tiers' end $$;

create function fusou.wider_reach(p_one text, p_other text)
returns text
language sql immutable
set search_path = ''
as $$ select case when 'rewrite' in (p_one, p_other) then 'rewrite' when 'all' in (p_one, p_other) then 'all' when 'tiers' in (p_one, p_other) then 'tiers' else 'due' end $$;

-- Tells the queue of a job that may start, which from then on has its slot. One write of the job: a second in the same
-- transaction would check the foreign key again, and so wait for the dataset of a job that admit() chose.
create function fusou.dispatch(p_job_id uuid, p_sender text default null, p_delay interval default '0')
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  update public.jobs
  set dispatched_at = clock_timestamp() + p_delay, admitted_at = coalesce(admitted_at, clock_timestamp())
  where id = p_job_id
  returning * into v_job;
  return fusou.emit(
    'compaction.requested',
    v_job.id::text,
    jsonb_strip_nulls(jsonb_build_object(
      'datasetId', v_job.dataset_id,
      'triggeredAt', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'priority', v_job.priority,
      'jobId', v_job.id,
      'table', v_job.table_name,
      'periodTag', v_job.period_tag,
      'metricId', v_job.metric_id
    )),
    p_sender,
    p_delay
  );
end $$;

-- At most one running and one queued job a dataset: a trigger joins the queued one, or makes it. It starts when
-- fusou.admit() finds a slot for it and no other job of the dataset runs; until then it waits without a message.
-- The caller holds the lock of the dataset.
create function fusou.request_job(
  p_dataset_id text, p_table text, p_period_tag text, p_priority text, p_requested_by uuid,
  p_sender text default null, p_message_id text default null, p_metric_id text default null,
  p_reach text default null, p_admit boolean default true
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_reach constant text := coalesce(p_reach, fusou.reach_of(p_priority));
  v_job public.jobs;
  v_messages jsonb := '[]';
begin
  update public.jobs
  set triggers = triggers + 1,
      message_ids = message_ids || array_remove(array[p_message_id], null),
      priority = case
        when fusou.priority_rank(p_priority) < fusou.priority_rank(priority) then p_priority else priority
      end,
      reach = fusou.wider_reach(reach, v_reach),
      table_name = case when table_name = p_table then table_name end,
      period_tag = case when table_name = p_table and period_tag = p_period_tag then period_tag end
  where dataset_id = p_dataset_id and kind = 'compaction' and state = 'queued'
  returning * into v_job;
  if found then
    return jsonb_build_object('jobId', v_job.id, 'joined', true, 'outbox', null);
  end if;

  if p_priority = 'manual' and p_requested_by is not null then
    perform fusou.count_job_by_hand(p_requested_by);
  end if;
  insert into public.jobs (dataset_id, table_name, period_tag, priority, reach, requested_by, message_ids, metric_id)
  values (
    p_dataset_id, p_table, p_period_tag, p_priority, v_reach, p_requested_by,
    array_remove(array[p_message_id], null), p_metric_id
  )
  returning * into v_job;
  update public.datasets set due_at = null where id = p_dataset_id;
  if p_admit then
    v_messages := fusou.admit(p_sender, v_job.id);
  end if;
  return jsonb_build_object('jobId', v_job.id, 'joined', false, 'outbox', v_messages -> 0);
end $$;

-- Whether a caller may upload to a dataset, asked before a byte is stored, and who owns what is stored there: its owner, or
-- the caller if the id is free. register_upload() decides; this spares the bucket what it would refuse.
create function public.check_upload(p_dataset_id text, p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may_upload(p_caller, p_dataset_id, v_dataset) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object(
    'outcome', 'ok', 'ownerId', coalesce(v_dataset.owner_id, fusou.user_of(p_caller)),
    'isNew', v_dataset.id is null
  );
end $$;

-- The first upload to a free id makes a dataset of the user.
create function fusou.may_upload(p_caller jsonb, p_dataset_id text, p_dataset public.datasets)
returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('uploads are for users and their keys');
  elsif p_dataset.id is null then
    return fusou.key_allows(p_caller, p_dataset_id, 'upload');
  end if;
  return fusou.may(p_caller, p_dataset, 'upload');
end $$;

-- The files that hold the slices of an object, in the order of the slices, as they were stored first or by this object.
create function fusou.uploaded_files(p_dataset_id text, p_object jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'fileId', f.id, 'table', s."table", 'periodTag', s."periodTag",
    'duplicate', f.r2_key <> p_object ->> 'r2Key' or f.byte_offset <> s."offset",
    'healed', f.r2_key = p_object ->> 'r2Key' and f.healed_at is not null,
    'quarantine', f.quarantine_code,
    'newSchema', exists (
      select 1 from public.schemas k
      where k.dataset_id = p_dataset_id and k.table_name = f.table_name and k.fingerprint = f.schema_fingerprint
        and k.first_key = f.r2_key and f.r2_key = p_object ->> 'r2Key'
    )
  ) order by s."offset"), '[]')
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, "offset" bigint, sha256 text)
  join public.files f
    on f.dataset_id = p_dataset_id and f.table_name = s."table" and f.period_tag = s."periodTag"
    and f.content_sha256 = s.sha256 and f.level = 0 and not f.discarded
$$;

-- The same content, stored before and not merged yet: what must be looked at before it is taken for a duplicate.
create function fusou.live_copies(p_dataset_id text, p_object jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(distinct jsonb_build_object(
    'fileId', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length, 'sha256', f.content_sha256,
    'quarantined', f.quarantine_code is not null
  )), '[]')
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, sha256 text)
  join public.files f
    on f.dataset_id = p_dataset_id and f.table_name = s."table" and f.period_tag = s."periodTag"
    and f.content_sha256 = s.sha256 and f.level = 0 and f.removed_version is null
$$;

-- Registers an object that lies in the bucket: a row for each slice not known yet, the job, the message.
-- p_object: {r2Key, slices: [{table, periodTag, offset, length, rows, rowGroups, sha256, fingerprint}]}
-- An object of which nothing was kept is given to vacuum here, so that no refused byte stays behind.
-- p_copies: null at first; if live files hold some of the content already, the answer is check_copies and nothing is
-- changed. The caller looks whether the bucket has their bytes and calls again with those that it has not,
-- [{fileId, r2Key}]: this object then takes the place of theirs, and they leave the quarantine.
-- p_replaces: a live fragment of the dataset that goes as the new one comes, in one version.
-- Outcomes: stored, healed, duplicate, check_copies; unknown_dataset, unknown_file, file_superseded (p_replaces was merged
-- into another file), schema_rejected (the table takes one schema only).
create function public.register_upload(
  p_dataset_id text, p_caller jsonb, p_object jsonb, p_sender text, p_copies jsonb default null,
  p_replaces uuid default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key constant text := p_object ->> 'r2Key';
  v_user_id constant uuid := fusou.user_of(p_caller);
  v_dataset public.datasets;
  v_replaced public.files;
  v_copies jsonb;
  v_old_keys text[];
  v_version bigint;
  v_stored integer;
  v_healed integer := 0;
  v_seen_version bigint;
  v_rejected text;
  v_found record;
  v_job jsonb := '{}';
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if v_dataset.id is null and fusou.may_upload(p_caller, p_dataset_id, v_dataset) then
    insert into public.datasets (id, owner_id) values (p_dataset_id, v_user_id) on conflict (id) do nothing;
    select * into strict v_dataset from public.datasets where id = p_dataset_id for update;
  end if;
  if not fusou.may_upload(p_caller, p_dataset_id, v_dataset) or v_dataset.id is null
    or (p_replaces is not null and not fusou.may(p_caller, v_dataset, 'manage'))
  then
    perform fusou.mark_for_deletion(v_key);
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;

  -- The same call again, its answer lost on the way; an object given to vacuum is not taken back.
  if exists (select 1 from public.files where r2_key = v_key)
    or exists (select 1 from public.garbage where r2_key = v_key)
  then
    return jsonb_build_object(
      'outcome', (
        select case when count(*) = 0 then 'duplicate' when bool_and(f.healed_at is not null) then 'healed' else 'stored' end
        from public.files f where f.r2_key = v_key
      ),
      'version', v_dataset.version, 'files', fusou.uploaded_files(p_dataset_id, p_object),
      'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  end if;

  if p_replaces is not null then
    select * into v_replaced from public.files where id = p_replaces and dataset_id = p_dataset_id and level = 0;
    if not found or (v_replaced.removed_version is not null and not v_replaced.discarded) then
      perform fusou.mark_for_deletion(v_key);
      return jsonb_build_object('outcome', case when v_replaced.id is null then 'unknown_file' else 'file_superseded' end);
    end if;
  end if;
  v_copies := fusou.live_copies(p_dataset_id, p_object);
  if p_copies is null and v_copies <> '[]' then
    return jsonb_build_object('outcome', 'check_copies', 'copies', v_copies);
  end if;

  select s."table" into v_rejected
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, fingerprint text)
  where fusou.settings_of_table(p_dataset_id, s."table") ->> 'schema' = 'reject'
    and exists (select 1 from public.schemas k where k.dataset_id = p_dataset_id and k.table_name = s."table")
    and not exists (
      select 1 from public.schemas k
      where k.dataset_id = p_dataset_id and k.table_name = s."table" and k.fingerprint = s.fingerprint
    )
  limit 1;
  if found then
    perform fusou.mark_for_deletion(v_key);
    return jsonb_build_object('outcome', 'schema_rejected', 'table', v_rejected);
  end if;

  v_version := v_dataset.version + 1;
  with broken as (
    select distinct on (f.id) f.id, f.r2_key, s."offset"
    from jsonb_to_recordset(p_copies) as c ("fileId" uuid, "r2Key" text)
    join public.files f
      on f.id = c."fileId" and f.r2_key = c."r2Key" and f.dataset_id = p_dataset_id
      and f.level = 0 and f.removed_version is null
    join jsonb_to_recordset(p_object -> 'slices') as s ("table" text, "periodTag" text, "offset" bigint, sha256 text)
      on s."table" = f.table_name and s."periodTag" = f.period_tag and s.sha256 = f.content_sha256
    order by f.id, s."offset"
  ), healed as (
    update public.files f
    set r2_key = v_key, byte_offset = b."offset", healed_at = now(),
        quarantine_code = null, quarantine_message = null, quarantined_by_job = null, quarantined_at = null,
        quarantine_acknowledged_at = null
    from broken b where f.id = b.id
    returning f.id
  ), cleared as (
    delete from public.suspects s using healed h where s.file_id = h.id
  )
  select array_agg(distinct b.r2_key), count(*) into v_old_keys, v_healed from broken b;
  perform fusou.mark_for_deletion(k) from unnest(v_old_keys) as k;

  -- Out before the new one comes in, unless it is the same content.
  update public.files f
  set removed_version = v_version, removed_at = now(), discarded = true, discarded_by = v_user_id
  where f.id = p_replaces and f.removed_version is null and not v_copies @> jsonb_build_array(jsonb_build_object('fileId', f.id));
  if found then
    delete from public.suspects where file_id = p_replaces;
  else
    v_replaced := null;
  end if;

  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    content_sha256, schema_fingerprint, created_version, uploaded_by, uploaded_with,
    work_bytes
  )
  select
    p_dataset_id, s."table", s."periodTag", v_key, s."offset", s."length", s."rows", s."rowGroups", 0,
    s.sha256, s.fingerprint, v_version, v_user_id, fusou.key_of(p_caller),
    coalesce(s."workBytes", 0)
  from jsonb_to_recordset(p_object -> 'slices') as s (
    "table" text, "periodTag" text, "offset" bigint, "length" bigint, "rows" bigint, "rowGroups" integer,
    sha256 text, fingerprint text,
    "workBytes" bigint
  )
  on conflict (dataset_id, table_name, period_tag, content_sha256) where level = 0 and not discarded do nothing;
  get diagnostics v_stored = row_count;
  insert into public.schemas (dataset_id, table_name, fingerprint, first_key)
  select distinct p_dataset_id, s."table", s.fingerprint, v_key
  from jsonb_to_recordset(p_object -> 'slices') as s ("table" text, fingerprint text)
  order by 2, 3
  on conflict do nothing;

  if v_stored = 0 and v_healed = 0 then
    perform fusou.mark_for_deletion(v_key);
    if v_replaced.id is not null then
      update public.datasets set version = v_version where id = p_dataset_id;
      perform fusou.look_for_work(p_dataset_id);
    else
      v_version := v_dataset.version;
    end if;
    return jsonb_build_object(
      'outcome', 'duplicate', 'version', v_version, 'files', fusou.uploaded_files(p_dataset_id, p_object),
      'jobId', fusou.newest_job(p_dataset_id), 'outbox', null
    );
  end if;

  -- Healing a file takes no more storage than it had.
  if v_stored > 0 then
    perform fusou.check_storage(v_dataset.owner_id);
  end if;

  -- The fragments that its groups hold now, counted no further than the policy asks. What a running job has planned
  -- with, or will, is no reason for another.
  v_seen_version := coalesce(
    (select coalesce(r.planned_version, v_version) from public.jobs r
     where r.dataset_id = p_dataset_id and r.state = 'running'),
    0
  );
  select
    coalesce(bool_or(fusou.tier_is_full(0, g.fresh)), false) as mergeable,
    coalesce(bool_or(fusou.is_due(v_dataset.settings, g.fresh, g.bytes, g.since)), false) as due,
    min(g.since) filter (where fusou.tier_is_full(0, g.fresh)) as since
  into v_found
  from (
    select distinct f.table_name, f.period_tag, fusou.merge_group_of(f) as merge_group
    from public.files f
    where f.r2_key = v_key and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
      and f.work_bytes < fusou.small_file_work()
  ) own
  cross join lateral (
    select count(*) as fresh, sum(s.byte_length) as bytes, min(s.created_at) as since
    from (
      -- two plans in one: of a group of one schema the index finds its files alone
      select f.byte_length, f.created_at from (
        select * from public.files one
        where own.merge_group <> 'union'
          and one.dataset_id = p_dataset_id
          and one.table_name = own.table_name
          and one.period_tag = own.period_tag
          and one.schema_fingerprint = own.merge_group
          and one.removed_version is null
          and one.quarantine_code is null
        union all
        select * from public.files any_of
        where own.merge_group = 'union'
          and any_of.dataset_id = p_dataset_id
          and any_of.table_name = own.table_name
          and any_of.period_tag = own.period_tag
          and any_of.removed_version is null
          and any_of.quarantine_code is null
          and fusou.merge_group_of(any_of) = 'union'
      ) f
      where f.fragments = 1
        and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
        and f.work_bytes < fusou.small_file_work()
        and f.created_version > v_seen_version
      limit greatest(2, fusou.setting(v_dataset.settings, 'mergeMinFiles'))
    ) s
  ) g;

  update public.datasets
  set version = v_version,
      deleted_at = null,
      compaction_needed = compaction_needed or v_found.mergeable,
      due_at = case
        when due_at is not null or not v_found.mergeable or fusou.has_open_job(id) then due_at
        else greatest(v_found.since, last_attempted_at)
          + make_interval(secs => fusou.setting(settings, 'mergeMaxAgeSeconds'))
      end
  where id = p_dataset_id;
  if v_healed > 0 or v_replaced.id is not null then
    perform fusou.look_for_work(p_dataset_id);
  end if;
  if v_found.due then
    v_job := fusou.request_job(p_dataset_id, null, null, 'realtime', v_user_id, p_sender);
  end if;
  return jsonb_build_object(
    'outcome', case when v_stored > 0 then 'stored' else 'healed' end, 'version', v_version,
    'files', fusou.uploaded_files(p_dataset_id, p_object),
    'jobId', v_job -> 'jobId', 'outbox', v_job -> 'outbox'
  );
end $$;

create function fusou.newest_job(p_dataset_id text)
returns uuid
language sql stable
set search_path = ''
as $$ select id from public.jobs where dataset_id = p_dataset_id order by created_at desc, id desc limit 1 $$;

-- Gives an object to vacuum unless a file row names it.
create function fusou.mark_for_deletion(p_key text)
returns void
language sql
set search_path = ''
as $$
  insert into public.garbage (r2_key)
  select p_key where not exists (select 1 from public.files where r2_key = p_key)
  on conflict do nothing
$$;

-- p_rewrite: also what is merged already, if it was written with other settings than those of now.
create function public.request_compaction(
  p_dataset_id text, p_caller jsonb, p_table text default null, p_period_tag text default null,
  p_sender text default null, p_rewrite boolean default false
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if not fusou.may(p_caller, v_dataset, 'manage') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  perform fusou.audit(
    p_caller, 'dataset.compact', v_dataset.owner_id, p_dataset_id, null, null,
    jsonb_strip_nulls(jsonb_build_object('table', p_table, 'periodTag', p_period_tag, 'rewrite', nullif(p_rewrite, false)))
  );
  return jsonb_build_object('outcome', 'requested')
    || fusou.request_job(p_dataset_id, p_table, p_period_tag, 'manual', fusou.user_of(p_caller), p_sender,
      p_reach => case when p_rewrite then 'rewrite' end);
end $$;

-- The daily round: datasets that need it and have no job yet, the one whose last attempt is oldest first.
-- Calling it again goes on where it stopped, so a late or repeated run does no harm.
create function public.trigger_scheduled(p_limit integer, p_sender text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset record;
  v_job jsonb;
  v_datasets jsonb := '[]';
  v_outbox jsonb := '[]';
  v_remaining bigint;
begin
  if p_limit not between 1 and 100 then
    raise exception 'trigger_scheduled: limit must be 1..100' using errcode = '22023';
  end if;
  -- Before the first job is asked for: who has admitted one waits for no other lock.
  insert into public.heartbeats (name) values ('daily_trigger') on conflict (name) do update set beat_at = now();
  for v_dataset in
    select d.id from public.datasets d
    where d.compaction_needed
      and not exists (select 1 from public.jobs j where j.dataset_id = d.id and j.state in ('queued', 'running'))
    order by d.last_attempted_at nulls first, d.id
    limit p_limit
    for update skip locked
  loop
    v_job := fusou.request_job(v_dataset.id, null, null, 'scheduled', null, p_sender);
    -- Counted here and not only when the job starts: one that never starts must not come first for ever.
    update public.datasets set last_attempted_at = now() where id = v_dataset.id;
    v_datasets := v_datasets || jsonb_build_object('datasetId', v_dataset.id, 'jobId', v_job -> 'jobId');
    if jsonb_typeof(v_job -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_job -> 'outbox');
    end if;
  end loop;
  select count(*) into v_remaining from public.datasets d
  where d.compaction_needed
    and not exists (select 1 from public.jobs j where j.dataset_id = d.id and j.state in ('queued', 'running'));
  return jsonb_build_object('datasets', v_datasets, 'remaining', v_remaining, 'outbox', v_outbox);
end $$;
-- Keys: made, listed and revoked by the user for whom they act.

create function fusou.max_keys()
returns integer
language sql immutable
set search_path = ''
as $$ select 1000 $$;

create function fusou.key_json(p_key public.access_keys)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_key.id, 'name', p_key.name, 'hint', p_key.hint, 'scopes', p_key.scopes, 'datasets', p_key.datasets,
    'createdAt', p_key.created_at, 'expiresAt', p_key.expires_at, 'lastUsedAt', p_key.last_used_at,
    'revokedAt', p_key.revoked_at,
    'state', case
      when p_key.revoked_at is not null then 'revoked'
      when p_key.expires_at <= now() then 'expired'
      else 'active'
    end
  )
$$;

-- p_key: {id, name, hint, secretSha256, scopes, datasets?, expiresAt?}. The id is the caller's, so that a repeated call
-- makes one key. Outcomes: created, too_many_keys.
create function public.create_key(p_caller jsonb, p_key jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  if fusou.user_of(p_caller) is null or fusou.key_of(p_caller) is not null then
    perform fusou.forbid('keys are made by a signed-in user');
  end if;
  -- One maker of keys of a user at a time, or two would both make the last one.
  perform fusou.add_usage(fusou.user_of(p_caller), 0, 0, 0);
  if (
    select count(*) from public.access_keys k
    where k.user_id = fusou.user_of(p_caller) and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  ) >= fusou.max_keys() then
    return jsonb_build_object('outcome', 'too_many_keys', 'max', fusou.max_keys());
  end if;
  insert into public.access_keys (id, user_id, name, hint, secret_sha256, scopes, datasets, expires_at)
  values (
    (p_key ->> 'id')::uuid, fusou.user_of(p_caller), p_key ->> 'name', p_key ->> 'hint', p_key ->> 'secretSha256',
    array(select jsonb_array_elements_text(p_key -> 'scopes')),
    case when jsonb_typeof(p_key -> 'datasets') = 'array' then array(select jsonb_array_elements_text(p_key -> 'datasets')) end,
    (p_key ->> 'expiresAt')::timestamptz
  )
  on conflict (id) do nothing
  returning * into v_key;
  if v_key.id is null then
    select * into strict v_key from public.access_keys k
    where k.id = (p_key ->> 'id')::uuid and k.user_id = fusou.user_of(p_caller);
  else
    perform fusou.audit(
      p_caller, 'key.create', v_key.user_id, null, v_key.id::text, null,
      fusou.key_json(v_key) - array['lastUsedAt', 'revokedAt', 'state', 'id']
    );
  end if;
  return jsonb_build_object('outcome', 'created', 'key', fusou.key_json(v_key));
end $$;

-- Newest first. p_before: [createdAt, id] of the last key of the page before.
create function public.list_keys(p_caller jsonb, p_before_created timestamptz, p_before_id uuid, p_limit integer)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(fusou.key_json(p.key) order by (p.key).created_at desc, (p.key).id desc), '[]')
  from (
    select k as key from public.access_keys k
    where k.user_id = fusou.user_of(p_caller)
      and (p_before_id is null or (k.created_at, k.id) < (p_before_created, p_before_id))
    order by k.created_at desc, k.id desc
    limit p_limit
  ) p
$$;

-- Outcomes: revoked (also when it was before), unknown_key.
create function public.revoke_key(p_caller jsonb, p_key_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k
  where k.id = p_key_id and (fusou.is_operator(p_caller) or k.user_id = fusou.user_of(p_caller))
  for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is null then
    update public.access_keys set revoked_at = now() where id = p_key_id returning * into v_key;
    perform fusou.audit(p_caller, 'key.revoke', v_key.user_id, null, p_key_id::text, jsonb_build_object('name', v_key.name));
  end if;
  return jsonb_build_object('outcome', 'revoked', 'key', fusou.key_json(v_key));
end $$;

-- Who calls with a key, asked by each isolate once a minute. Notes the use of the key, at most once an hour.
-- Outcomes: valid, revoked, expired, unknown_key.
create function public.authenticate_key(p_key_id uuid, p_secret_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k where k.id = p_key_id and k.secret_sha256 = p_secret_sha256;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is not null then
    return jsonb_build_object('outcome', 'revoked');
  elsif v_key.expires_at <= now() then
    return jsonb_build_object('outcome', 'expired');
  end if;
  -- Devices with one key ask at the same time: one of them notes the use, the others do not wait for it.
  update public.access_keys set last_used_at = now()
  where id = (
    select k.id from public.access_keys k
    where k.id = p_key_id and (k.last_used_at is null or k.last_used_at < now() - interval '1 hour')
    for update skip locked
  );
  return jsonb_build_object(
    'outcome', 'valid', 'userId', v_key.user_id, 'scopes', v_key.scopes, 'expiresAt', v_key.expires_at,
    'forAllDatasets', v_key.datasets is null
  );
end $$;

-- The key that signs links of a caller to a dataset: the key that the caller has, or one that is made for it the first time.
-- p_id and p_secret_sha256 are of the new one; nobody has its secret. Revoking the key ends its links.
-- Outcomes: ok {keyId, secretSha256}, unknown_dataset.
create function public.link_key(p_dataset_id text, p_caller jsonb, p_id uuid, p_secret_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_key public.access_keys;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif fusou.user_of(p_caller) is null then
    perform fusou.forbid('a link acts for a user; sign in as one');
  elsif fusou.key_of(p_caller) is not null then
    select * into strict v_key from fusou.valid_key(p_caller);
  else
    insert into public.access_keys (id, user_id, name, hint, secret_sha256, scopes, datasets, for_links)
    values (
      p_id, fusou.user_of(p_caller), left('links to ' || p_dataset_id, 100), 'links', p_secret_sha256, array['read'],
      array[p_dataset_id], true
    )
    on conflict (user_id, datasets) where for_links and revoked_at is null do nothing
    returning * into v_key;
    if v_key.id is not null then
      perform fusou.audit(
        p_caller, 'key.create', v_key.user_id, p_dataset_id, v_key.id::text, null,
        fusou.key_json(v_key) - array['lastUsedAt', 'revokedAt', 'state', 'id']
      );
    else
      select * into strict v_key from public.access_keys k
      where k.user_id = fusou.user_of(p_caller) and k.for_links and k.revoked_at is null and k.datasets = array[p_dataset_id];
    end if;
  end if;
  return jsonb_build_object('outcome', 'ok', 'keyId', v_key.id, 'secretSha256', v_key.secret_sha256);
end $$;

-- With what the links of a key are signed, asked by each isolate once a minute.
-- Outcomes: valid {userId, secretSha256, scopes}, revoked, expired, unknown_key.
create function public.read_link_key(p_key_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_key public.access_keys;
begin
  select * into v_key from public.access_keys k where k.id = p_key_id;
  if not found then
    return jsonb_build_object('outcome', 'unknown_key');
  elsif v_key.revoked_at is not null then
    return jsonb_build_object('outcome', 'revoked');
  elsif v_key.expires_at <= now() then
    return jsonb_build_object('outcome', 'expired');
  end if;
  return jsonb_build_object(
    'outcome', 'valid', 'userId', v_key.user_id, 'secretSha256', v_key.secret_sha256, 'scopes', v_key.scopes
  );
end $$;
-- Datasets as people see them: reserved, shared, handed over.

-- A dataset of whatever state, for the calls below, which lock it. False in `found` is told by a null id.
create function fusou.open_dataset(p_dataset_id text, p_caller jsonb, p_right text)
returns public.datasets
language plpgsql
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id for update;
  if not fusou.may(p_caller, v_dataset, p_right) then
    return null;
  end if;
  return v_dataset;
end $$;

-- The id of a dataset before its first upload. p_look: only says what it would do, so that the caller can write the owner
-- to the bucket before. Outcomes: free (with p_look), reserved, exists (it is the caller's already), unknown_dataset (the id
-- is taken by somebody else).
create function public.reserve_dataset(p_dataset_id text, p_caller jsonb, p_look boolean)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('datasets belong to users; an operator has none');
  elsif not fusou.key_allows(p_caller, p_dataset_id, 'manage') then
    perform fusou.forbid(format('this key may not manage %s', p_dataset_id));
  end if;
  if p_look and not exists (select 1 from public.datasets where id = p_dataset_id) then
    return jsonb_build_object('outcome', 'free', 'ownerId', fusou.user_of(p_caller));
  end if;
  insert into public.datasets (id, owner_id) values (p_dataset_id, fusou.user_of(p_caller))
  on conflict (id) do nothing returning * into v_dataset;
  if found then
    perform fusou.check_storage(v_dataset.owner_id);
    perform fusou.audit(p_caller, 'dataset.reserve', v_dataset.owner_id, p_dataset_id);
    return jsonb_build_object('outcome', 'reserved', 'ownerId', v_dataset.owner_id);
  end if;
  select * into strict v_dataset from public.datasets where id = p_dataset_id;
  if v_dataset.owner_id <> fusou.user_of(p_caller) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'exists', 'ownerId', v_dataset.owner_id);
end $$;

-- Outcomes: granted, unknown_dataset, unknown_user, is_owner (the owner has every right already).
create function public.grant_role(p_dataset_id text, p_caller jsonb, p_user_id uuid, p_role text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_before text;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif v_dataset.owner_id = p_user_id then
    return jsonb_build_object('outcome', 'is_owner');
  elsif not fusou.user_exists(p_user_id) then
    return jsonb_build_object('outcome', 'unknown_user');
  end if;
  select g.role into v_before from public.grants g where g.dataset_id = p_dataset_id and g.user_id = p_user_id;
  if v_before is distinct from p_role then
    insert into public.grants (dataset_id, user_id, role, granted_by)
    values (p_dataset_id, p_user_id, p_role, fusou.user_of(p_caller))
    on conflict (dataset_id, user_id) do update
    set role = excluded.role, granted_at = now(), granted_by = excluded.granted_by;
    perform fusou.audit(
      p_caller, 'dataset.grant', v_dataset.owner_id, p_dataset_id, p_user_id::text, to_jsonb(v_before), to_jsonb(p_role)
    );
  end if;
  return jsonb_build_object('outcome', 'granted', 'role', p_role);
end $$;

-- Anybody may give up their own role. Outcomes: revoked (also when there was none), unknown_dataset, is_owner.
create function public.revoke_role(p_dataset_id text, p_caller jsonb, p_user_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(
    p_dataset_id, p_caller,
    case when p_user_id = fusou.user_of(p_caller) and fusou.key_of(p_caller) is null then 'read' else 'manage' end
  );
  v_role text;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif v_dataset.owner_id = p_user_id then
    return jsonb_build_object('outcome', 'is_owner');
  end if;
  delete from public.grants where dataset_id = p_dataset_id and user_id = p_user_id returning role into v_role;
  if found then
    perform fusou.audit(
      p_caller, 'dataset.revoke', v_dataset.owner_id, p_dataset_id, p_user_id::text, to_jsonb(v_role)
    );
  end if;
  return jsonb_build_object('outcome', 'revoked');
end $$;

-- The owner first, then by user.
create function public.list_grants(p_dataset_id text, p_caller jsonb, p_after uuid, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'manage') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'ok', 'ownerId', v_dataset.owner_id, 'grants', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'userId', g.user_id, 'role', g.role, 'grantedAt', g.granted_at, 'grantedBy', g.granted_by
    ) order by g.user_id), '[]')
    from (
      select * from public.grants g where g.dataset_id = p_dataset_id and (p_after is null or g.user_id > p_after)
      order by g.user_id limit p_limit
    ) g
  ));
end $$;

-- Hands a dataset over. The new owner must have room for it; the old one keeps no right. Repeating the call as the old
-- owner finds no dataset. Outcomes: transferred, unknown_dataset, unknown_user.
create function public.transfer_dataset(p_dataset_id text, p_caller jsonb, p_user_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'own');
  v_live record;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif not fusou.user_exists(p_user_id) then
    return jsonb_build_object('outcome', 'unknown_user');
  elsif v_dataset.owner_id <> p_user_id then
    select count(*) as files, coalesce(sum(f.byte_length), 0) as bytes into v_live
    from public.files f where f.dataset_id = p_dataset_id and f.removed_version is null;
    -- In the order of their ids, as everywhere where two owners are counted.
    if v_dataset.owner_id < p_user_id then
      perform fusou.add_usage(v_dataset.owner_id, -1, -v_live.files, -v_live.bytes);
      perform fusou.add_usage(p_user_id, 1, v_live.files, v_live.bytes);
    else
      perform fusou.add_usage(p_user_id, 1, v_live.files, v_live.bytes);
      perform fusou.add_usage(v_dataset.owner_id, -1, -v_live.files, -v_live.bytes);
    end if;
    perform fusou.check_storage(p_user_id);
    delete from public.grants where dataset_id = p_dataset_id and user_id = p_user_id;
    update public.datasets
    set owner_id = p_user_id, earlier_owners = array_append(array_remove(earlier_owners, owner_id), owner_id)
    where id = p_dataset_id;
    -- Both sides see it in their audit.
    perform fusou.audit(
      p_caller, 'dataset.transfer', owner, p_dataset_id, p_user_id::text, to_jsonb(v_dataset.owner_id), to_jsonb(p_user_id)
    )
    from unnest(array[v_dataset.owner_id, p_user_id]) as owner;
  end if;
  return jsonb_build_object(
    'outcome', 'transferred', 'ownerId', p_user_id,
    'earlierOwners', (select d.earlier_owners from public.datasets d where d.id = p_dataset_id)
  );
end $$;
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
-- The life of a job. queued -> running -> succeeded | dead | cancelled; queued -> cancelled | dead.
-- A retry keeps the job running under the next attempt number, so the old attempt is fenced off at once and
-- a queued successor keeps its place.

create function fusou.failure(p_attempt integer, p_code text, p_step text, p_message text)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'attempt', p_attempt, 'code', p_code, 'step', p_step, 'message', left(p_message, 2000), 'at', now()
  )
$$;

-- Ends a job and gives its slot to who waits for one. Answers with the messages to send.
-- The caller holds the lock of the dataset.
create function fusou.end_job(
  p_job_id uuid, p_state text, p_sender text,
  p_code text default null, p_step text default null, p_message text default null
)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  update public.jobs
  set state = p_state,
      lease_until = null,
      finished_at = clock_timestamp(),
      error_code = coalesce(p_code, error_code),
      error_step = coalesce(p_step, error_step),
      error_message = coalesce(left(p_message, 2000), error_message),
      failures = case
        when p_code is null then failures else failures || fusou.failure(attempt, p_code, p_step, p_message)
      end
  where id = p_job_id
  returning * into v_job;

  update public.datasets d
  set last_compacted_at = case when p_state = 'succeeded' then now() else d.last_compacted_at end
  where d.id = v_job.dataset_id;
  perform fusou.look_for_work(v_job.dataset_id, p_state <> 'succeeded');
  return fusou.admit(p_sender);
end $$;

-- The fence before every write of an attempt: locks the dataset and the job, and says whether this attempt may go on.
-- 'ok' | 'stale_attempt' | 'cancelled' | 'unknown_job'
create function fusou.fence(p_job_id uuid, p_attempt integer)
returns text
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  perform 1 from public.datasets d
  where d.id = (select dataset_id from public.jobs where id = p_job_id)
  for update;
  select * into v_job from public.jobs where id = p_job_id for update;
  if not found then
    return 'unknown_job';
  elsif v_job.state = 'cancelled' then
    return 'cancelled';
  elsif v_job.state <> 'running' or v_job.attempt <> p_attempt then
    return 'stale_attempt';
  elsif v_job.cancel_requested_at is not null then
    perform fusou.end_job(p_job_id, 'cancelled', null);
    return 'cancelled';
  end if;
  return 'ok';
end $$;

-- Called by the consumer for each message: registers the job if the message names none, and starts its next attempt.
-- Outcomes: claimed (start the instance of this attempt), running (a redelivery; see that the instance exists),
-- waiting (another job of the dataset runs, or no slot is free; the end of a job, or the cron, dispatches this one),
-- ended, unknown_dataset, unknown_job.
create function public.accept_message(
  p_message_id text, p_dataset_id text, p_job_id uuid, p_priority text, p_table text, p_period_tag text,
  p_metric_id text, p_lease_seconds integer
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job public.jobs;
  v_job_id uuid := p_job_id;
begin
  perform 1 from public.datasets where id = p_dataset_id for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  if v_job_id is null then
    select id into v_job_id from public.jobs
    where message_ids <> '{}' and message_ids @> array[p_message_id] and dataset_id = p_dataset_id
    limit 1;
    if not found then
      v_job_id := (fusou.request_job(
        p_dataset_id, p_table, p_period_tag, p_priority, null, null, p_message_id, p_metric_id, null, false
      ) ->> 'jobId')::uuid;
    end if;
  end if;

  select * into v_job from public.jobs where id = v_job_id and dataset_id = p_dataset_id for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_job');
  elsif v_job.state = 'running' then
    return jsonb_build_object('outcome', 'running', 'jobId', v_job.id, 'attempt', v_job.attempt);
  elsif v_job.state <> 'queued' then
    return jsonb_build_object('outcome', 'ended', 'jobId', v_job.id, 'state', v_job.state);
  elsif exists (
    select 1 from public.jobs where dataset_id = p_dataset_id and kind = v_job.kind and state = 'running'
  ) then
    return jsonb_build_object('outcome', 'waiting', 'jobId', v_job.id);
  end if;
  if v_job.admitted_at is null then
    perform fusou.admit(null, v_job.id, true);
    perform 1 from public.jobs where id = v_job.id and admitted_at is not null;
    if not found then
      return jsonb_build_object('outcome', 'waiting', 'jobId', v_job.id);
    end if;
  end if;

  update public.jobs
  set state = 'running',
      attempt = attempt + 1,
      started_at = coalesce(started_at, clock_timestamp()),
      lease_until = now() + make_interval(secs => p_lease_seconds)
  where id = v_job.id
  returning * into v_job;
  update public.datasets set last_attempted_at = now() where id = p_dataset_id;
  return jsonb_build_object('outcome', 'claimed', 'jobId', v_job.id, 'attempt', v_job.attempt);
end $$;

-- Each step begins with this: proves that the attempt is current, renews its lease, names the step for the operator.
-- p_step null: only the lease, for the rescuer, who is told how many ran out in silence.
-- p_finished: {step: seconds} of steps that ended since the last call.
create function public.enter_step(
  p_job_id uuid, p_attempt integer, p_step text, p_lease_seconds integer, p_finished jsonb default '{}'
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_silent_leases integer;
begin
  if v_outcome = 'ok' then
    update public.jobs
    set step = coalesce(p_step, step),
        step_durations = step_durations || p_finished,
        silent_leases = case when p_step is null then silent_leases + 1 else 0 end,
        lease_until = now() + make_interval(secs => p_lease_seconds)
    where id = p_job_id
    returning silent_leases into v_silent_leases;
  end if;
  return jsonb_strip_nulls(jsonb_build_object('outcome', v_outcome, 'silentLeases', v_silent_leases));
end $$;

-- An attempt that failed: the next one after a pause, or the end. The message of either goes out by the outbox,
-- that of a dead job to the dead-letter queue. An end that narrows down which file causes it is excused: it does not
-- count against max_attempts.
-- p_counted false: the platform ended the attempt, as by a deployment. The job gets one attempt more, a bounded number
-- of times, so that one that is reset each time still ends.
create function public.fail_attempt(
  p_job_id uuid, p_attempt integer, p_code text, p_step text, p_message text, p_transient boolean,
  p_lease_seconds integer, p_sender text default null, p_counted boolean default true
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_job public.jobs;
  v_excused boolean;
  v_delay interval;
  v_uncounted integer;
  v_outbox jsonb := '[]';
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome, 'outbox', v_outbox);
  end if;
  select * into strict v_job from public.jobs where id = p_job_id;
  v_excused := p_counted and fusou.suspect_inputs(v_job, p_code, p_step)
    and v_job.excused_ends < fusou.max_excused_ends();
  v_uncounted := (not p_counted and v_job.uncounted_attempts < fusou.max_uncounted_attempts())::integer;
  if v_excused
    or (p_transient and v_job.attempt - v_job.excused_ends < v_job.max_attempts + v_uncounted)
  then
    v_delay := fusou.backoff(
      v_job.attempt - v_job.excused_ends - v_job.uncounted_attempts - v_uncounted, 10, 600
    );
    update public.jobs
    set attempt = attempt + 1,
        excused_ends = excused_ends + case when v_excused then 1 else 0 end,
        max_attempts = max_attempts + v_uncounted,
        uncounted_attempts = uncounted_attempts + v_uncounted,
        step = null,
        silent_leases = 0,
        error_code = p_code,
        error_step = p_step,
        error_message = left(p_message, 2000),
        failures = failures || fusou.failure(attempt, p_code, p_step, p_message),
        lease_until = now() + v_delay + make_interval(secs => p_lease_seconds)
    where id = p_job_id;
    perform fusou.dispatch(p_job_id, null, v_delay);
    return jsonb_build_object(
      'outcome', 'retrying', 'attempt', v_job.attempt + 1,
      'delaySeconds', extract(epoch from v_delay), 'outbox', v_outbox
    );
  end if;
  return jsonb_build_object('outcome', 'dead', 'outbox', fusou.mark_dead(p_job_id, p_code, p_step, p_message, p_sender));
end $$;

create function fusou.max_uncounted_attempts()
returns integer
language sql immutable
set search_path = ''
as $$ select 5 $$;

-- Closes the letters of a job that are open.
create function fusou.close_letters(p_job_id uuid, p_how text)
returns void
language sql
set search_path = ''
as $$
  update public.dead_letters set closed_at = now(), closed_how = p_how where job_id = p_job_id and closed_at is null
$$;

-- Declares a job dead and tells the dead-letter queue. Answers with the messages to send.
create function fusou.mark_dead(p_job_id uuid, p_code text, p_step text, p_message text, p_sender text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_admitted jsonb := fusou.end_job(p_job_id, 'dead', p_sender, p_code, p_step, p_message);
begin
  return jsonb_build_array(fusou.notify_death(p_job_id, p_sender)) || v_admitted;
end $$;

create function fusou.notify_death(p_job_id uuid, p_sender text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_job public.jobs;
begin
  update public.jobs set death_notified_at = clock_timestamp() where id = p_job_id returning * into strict v_job;
  return fusou.emit(
    'job.dead',
    p_job_id::text || '-dead-' || v_job.attempt,
    jsonb_build_object(
      'datasetId', v_job.dataset_id,
      'jobId', v_job.id,
      'attempt', v_job.attempt,
      'code', v_job.error_code,
      'step', v_job.error_step,
      'message', v_job.error_message
    ),
    p_sender
  );
end $$;

-- Dead jobs of which no dead letter came since, although word was sent a while ago: the queue lost it.
create function public.repeat_death_notices(p_older_seconds integer, p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  for v_job in
    select j.id from public.jobs j
    where j.death_notified_at < now() - make_interval(secs => p_older_seconds)
      and not exists (
        select 1 from public.outbox o
        where o.key = j.id::text || '-dead-' || j.attempt and o.status in ('pending', 'in_progress')
      )
    order by j.death_notified_at, j.id limit p_limit
    for update skip locked
  loop
    perform fusou.notify_death(v_job.id, null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- p_more: the plan left files for another job. A job that set files aside has succeeded in part: what could be merged
-- is merged, and job_json() names what could not.
create function public.finish_job(
  p_job_id uuid, p_attempt integer, p_result jsonb, p_more boolean, p_finished jsonb default '{}',
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_job public.jobs;
begin
  select * into v_job from public.jobs where id = p_job_id;
  if v_outcome = 'stale_attempt' and v_job.attempt = p_attempt and v_job.state in ('succeeded', 'dead') then
    return jsonb_build_object('outcome', v_job.state, 'outbox', '[]'::jsonb);
  elsif v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome, 'outbox', '[]'::jsonb);
  end if;
  -- The last step is this call.
  update public.jobs
  set result = p_result,
      step = null,
      step_durations = step_durations || p_finished || jsonb_build_object(
        'update-metadata', round(extract(epoch from clock_timestamp() - now()), 3)
      ),
      error_code = null, error_step = null, error_message = null
  where id = p_job_id;
  if p_more then
    perform fusou.request_job(
      v_job.dataset_id, v_job.table_name, v_job.period_tag, 'scheduled', null, p_reach => v_job.reach, p_admit => false
    );
  -- Its outputs may have filled a tier, and files that it passed over or never saw may be due. Only after a job that got
  -- something done, set something aside or looked at a part: two that find nothing would follow each other without end.
  elsif (v_job.files_out > 0 or v_job.files_set_aside > 0 or v_job.table_name is not null)
    and fusou.has_due_merge(v_job.dataset_id)
  then
    perform fusou.request_job(
      v_job.dataset_id, null, null, 'scheduled', null, p_reach => 'due', p_admit => false
    );
  end if;
  perform fusou.close_letters(p_job_id, 'succeeded');
  return jsonb_build_object('outcome', 'succeeded', 'outbox', fusou.end_job(p_job_id, 'succeeded', p_sender));
end $$;

-- A job on which the caller may act, else a null row. Locks its dataset and the job.
create function fusou.open_job(p_job_id uuid, p_caller jsonb)
returns public.jobs
language plpgsql
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_job public.jobs;
begin
  select d.* into v_dataset from public.datasets d
  where d.id = (select dataset_id from public.jobs where id = p_job_id)
  for update;
  if fusou.may(p_caller, v_dataset, 'manage') then
    select * into v_job from public.jobs where id = p_job_id for update;
  end if;
  return v_job;
end $$;

-- Whether an attempt has called: until then it is a row alone, and its instance may not exist.
create function fusou.attempt_began(p_job public.jobs)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_job.step is not null
    or exists (select 1 from public.merges m where m.job_id = p_job.id and m.attempt = p_job.attempt)
$$;

create function fusou.audit_job(p_caller jsonb, p_action text, p_job public.jobs, p_after jsonb default null)
returns void
language sql
set search_path = ''
as $$
  select fusou.audit(
    p_caller, p_action, (select d.owner_id from public.datasets d where d.id = p_job.dataset_id), p_job.dataset_id,
    p_job.id::text, jsonb_strip_nulls(jsonb_build_object('state', p_job.state, 'error', p_job.error_code)), p_after
  )
$$;

-- A queued job, or one whose attempt has not begun, ends at once, a running one at its next step; either way what is half
-- done stays invisible. An instance that begins after the end is told so by the fence.
create function public.cancel_job(p_job_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job public.jobs := fusou.open_job(p_job_id, p_caller);
begin
  if v_job.id is null then
    return jsonb_build_object('outcome', 'unknown_job');
  elsif v_job.state = 'queued' or (v_job.state = 'running' and not fusou.attempt_began(v_job)) then
    perform fusou.end_job(p_job_id, 'cancelled', null);
    perform fusou.audit_job(p_caller, 'job.cancel', v_job);
    return jsonb_build_object('outcome', 'cancelled');
  elsif v_job.state = 'running' then
    if v_job.cancel_requested_at is null then
      perform fusou.audit_job(p_caller, 'job.cancel', v_job);
    end if;
    update public.jobs set cancel_requested_at = coalesce(cancel_requested_at, now()) where id = p_job_id;
    return jsonb_build_object('outcome', 'cancelling');
  end if;
  return jsonb_build_object('outcome', 'ended', 'state', v_job.state);
end $$;

-- Asks again for the work of a job that ended. What is in quarantine stays there: only release_file(), or an upload of
-- the same bytes that heals it, lets a merge take it again. The caller holds the lock of the dataset.
create function fusou.request_again(p_job public.jobs, p_caller jsonb, p_sender text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_asked jsonb;
begin
  perform fusou.close_letters(p_job.id, 'retried');
  v_asked := fusou.request_job(
    p_job.dataset_id, p_job.table_name, p_job.period_tag, 'manual', fusou.user_of(p_caller), p_sender,
    p_reach => fusou.wider_reach('tiers', p_job.reach)
  );
  update public.jobs set retried_as = (v_asked ->> 'jobId')::uuid where id = p_job.id;
  perform fusou.audit_job(p_caller, 'job.retry', p_job, v_asked -> 'jobId');
  return v_asked;
end $$;

-- Somebody has seen to a letter, or needs to do nothing: it no longer counts as open. Operators close any, users those of
-- datasets that they manage. One that is closed already stays as it is.
create function public.acknowledge_letter(p_letter_id bigint, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_letter public.dead_letters;
  v_dataset public.datasets;
begin
  select * into v_letter from public.dead_letters where id = p_letter_id for update;
  select * into v_dataset from public.datasets where id = v_letter.dataset_id;
  if v_letter.id is null or not (fusou.is_operator(p_caller) or fusou.may(p_caller, v_dataset, 'manage')) then
    return jsonb_build_object('outcome', 'unknown_letter');
  end if;
  if v_letter.closed_at is null then
    update public.dead_letters
    set closed_at = now(), closed_how = 'acknowledged', closed_by = fusou.user_of(p_caller)
    where id = p_letter_id
    returning * into v_letter;
    perform fusou.audit(
      p_caller, 'letter.acknowledge', v_dataset.owner_id, v_letter.dataset_id, p_letter_id::text,
      jsonb_build_object('code', v_letter.code)
    );
  end if;
  return jsonb_build_object(
    'outcome', 'closed', 'closedAt', v_letter.closed_at, 'closedHow', v_letter.closed_how
  );
end $$;

-- One dead or cancelled job.
create function public.retry_job(p_job_id uuid, p_caller jsonb, p_sender text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job public.jobs := fusou.open_job(p_job_id, p_caller);
begin
  if v_job.id is null then
    return jsonb_build_object('outcome', 'unknown_job');
  elsif v_job.state not in ('dead', 'cancelled') then
    return jsonb_build_object('outcome', 'not_dead', 'state', v_job.state);
  end if;
  return jsonb_build_object('outcome', 'requested') || fusou.request_again(v_job, p_caller, p_sender);
end $$;

-- Running jobs whose lease ran out. The caller asks the Workflow what became of each.
create function public.list_expired_leases(p_limit integer)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('jobId', e.id, 'attempt', e.attempt) order by e.lease_until), '[]')
  from (
    select id, attempt, lease_until from public.jobs
    where state = 'running' and lease_until < now()
    order by lease_until limit p_limit
  ) e
$$;

-- Queued jobs that have a slot but no message any more: none under way, none delivered for a while.
-- Happens when a queue loses a message that it had taken.
create function public.redispatch_stale_jobs(p_older_seconds integer, p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  for v_job in
    select j.id, j.dataset_id from public.jobs j
    where j.state = 'queued'
      and j.admitted_at is not null
      and j.dispatched_at < now() - make_interval(secs => p_older_seconds)
      and not exists (select 1 from public.outbox o where o.key = j.id::text and o.status in ('pending', 'in_progress'))
    order by j.created_at limit p_limit
  loop
    -- Holding the locks of those before, it waits for none: whoever works on this one will see to the job, or the next call.
    perform 1 from public.datasets where id = v_job.dataset_id for update skip locked;
    if not found then
      continue;
    end if;
    -- Asked again under the lock: another call may have dispatched it since.
    perform 1 from public.jobs j
    where j.id = v_job.id and j.state = 'queued'
      and j.dispatched_at < now() - make_interval(secs => p_older_seconds)
      and not exists (select 1 from public.outbox o where o.key = j.id::text and o.status in ('pending', 'in_progress'));
    if found then
      perform fusou.dispatch(v_job.id);
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end $$;

-- Records a letter of the dead-letter queue, whole and once. A job that its message could not start is dead with it.
-- p_letter: {queue, messageId, body, code, message, attempts, datasetId, jobId}; body is whatever JSON was sent
create function public.record_dead_letter(p_letter jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job_id constant uuid := (p_letter ->> 'jobId')::uuid;
  v_code constant text := p_letter ->> 'code';
  v_message constant text := left(p_letter ->> 'message', 2000);
  v_job public.jobs;
begin
  insert into public.dead_letters (queue, message_id, body, code, message, attempts, dataset_id, job_id)
  values (
    p_letter ->> 'queue', p_letter ->> 'messageId', p_letter -> 'body', v_code, v_message,
    (p_letter ->> 'attempts')::integer, p_letter ->> 'datasetId', v_job_id
  )
  on conflict on constraint dead_letters_once do nothing;
  if not found then
    return jsonb_build_object('outcome', 'duplicate');
  end if;
  perform 1 from public.datasets d where d.id = (select j.dataset_id from public.jobs j where j.id = v_job_id) for update;
  select * into v_job from public.jobs where id = v_job_id for update;
  update public.jobs set death_notified_at = null where id = v_job.id and death_notified_at is not null;
  if v_job.state = 'queued' and v_job.dataset_id = p_letter ->> 'datasetId' then
    perform fusou.end_job(v_job_id, 'dead', null, v_code, 'queue', v_message);
  elsif v_job.retried_as is not null then
    perform fusou.close_letters(v_job_id, 'retried');
  elsif v_job.state = 'succeeded' then
    perform fusou.close_letters(v_job_id, 'succeeded');
  end if;
  return jsonb_build_object('outcome', 'recorded');
end $$;
-- From live files to merged ones: the plan of an attempt, the swap of each merge by itself, and what becomes of files that
-- no merge can take.

-- The files for a plan: small live files in the scope of the job, of the groups that are in its reach, oldest first; for
-- a rewrite all that were written with other settings than those of now.
-- Suspects in its scope always come along, so that a job that narrows them down does not lose them out of reach.
create function public.list_mergeable_files(p_job_id uuid, p_attempt integer, p_max_files integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_job public.jobs;
  v_dataset public.datasets;
  v_files jsonb;
  v_left_apart jsonb;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into strict v_job from public.jobs where id = p_job_id;
  select * into strict v_dataset from public.datasets where id = v_job.dataset_id;

  update public.jobs set planned_version = v_dataset.version where id = p_job_id;

  with within_reach as (
    select g.table_name, g.period_tag, g.merge_group
    from fusou.small_groups(v_job.dataset_id) g
    where v_job.reach <> 'rewrite'
      and (v_job.table_name is null or g.table_name = v_job.table_name)
      and (v_job.period_tag is null or g.period_tag = v_job.period_tag)
      and case v_job.reach
        when 'all' then g.files >= 2
        when 'tiers' then fusou.tier_is_full(0, g.fresh) or g.upper_tier_full
        else g.upper_tier_full or fusou.is_due(v_dataset.settings, g.fresh, g.fresh_bytes, g.fresh_since)
      end
  ), chosen as (
    select f.id, f.table_name, f.period_tag, f.merge_group, f.byte_length, f.row_count, f.fragments, f.work_bytes,
      f.created_version, s.set_id, s.ends
    from (
      select l.*, fusou.merge_group(coalesce(t.settings, '{}'), l.schema_fingerprint, k.apart_reason) as merge_group,
        fusou.settings_key(coalesce(t.settings, '{}')) as wanted_key
      from public.files l
      left join public.table_settings t on t.dataset_id = l.dataset_id and t.table_name = l.table_name
      left join public.schemas k
        on k.dataset_id = l.dataset_id and k.table_name = l.table_name and k.fingerprint = l.schema_fingerprint
      where l.dataset_id = v_job.dataset_id and l.removed_version is null and l.quarantine_code is null
        and (v_job.table_name is null or l.table_name = v_job.table_name)
        and (v_job.period_tag is null or l.period_tag = v_job.period_tag)
    ) f
    left join within_reach g
      on g.table_name = f.table_name and g.period_tag = f.period_tag and g.merge_group = f.merge_group
    left join public.suspects s on s.file_id = f.id
    where case
      when v_job.reach = 'rewrite' then f.settings_key is distinct from f.wanted_key
      else (g.table_name is not null or s.file_id is not null)
        and f.byte_length < fusou.small_file_bytes(v_dataset.settings)
        and f.work_bytes < fusou.small_file_work()
    end
    order by f.table_name, f.period_tag, f.merge_group, f.created_version, f.id
    limit p_max_files + 1
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id, 'table', c.table_name, 'periodTag', c.period_tag, 'mergeGroup', c.merge_group,
    'bytes', c.byte_length, 'rows', c.row_count, 'fragments', c.fragments,
    'workBytes', c.work_bytes,
    'suspect', case when c.set_id is not null then jsonb_build_object('setId', c.set_id, 'ends', c.ends) end
  ) order by c.table_name, c.period_tag, c.merge_group, c.created_version, c.id), '[]')
  into v_files from chosen c;

  -- Partitions that hold more than one schema, for the report: their files stay apart.
  select coalesce(jsonb_agg(jsonb_build_object('table', s.table_name, 'periodTag', s.period_tag, 'schemas', s.schemas)), '[]')
  into v_left_apart
  from (
    select f.table_name, f.period_tag,
      count(distinct fusou.merge_group(coalesce(t.settings, '{}'), f.schema_fingerprint, k.apart_reason)) as schemas
    from public.files f
    left join public.table_settings t on t.dataset_id = f.dataset_id and t.table_name = f.table_name
    left join public.schemas k
      on k.dataset_id = f.dataset_id and k.table_name = f.table_name and k.fingerprint = f.schema_fingerprint
    where f.dataset_id = v_job.dataset_id and f.removed_version is null
      and (v_job.table_name is null or f.table_name = v_job.table_name)
      and (v_job.period_tag is null or f.period_tag = v_job.period_tag)
    group by f.table_name, f.period_tag
    having count(distinct fusou.merge_group(coalesce(t.settings, '{}'), f.schema_fingerprint, k.apart_reason)) > 1
    order by f.table_name, f.period_tag
    limit 100
  ) s;

  return jsonb_build_object(
    'outcome', 'ok',
    'targetFileBytes', fusou.setting(v_dataset.settings, 'targetFileBytes'),
    'reach', v_job.reach,
    'more', jsonb_array_length(v_files) > p_max_files,
    'files', case when jsonb_array_length(v_files) > p_max_files then v_files - p_max_files else v_files end,
    'mixedPartitions', v_left_apart
  );
end $$;

-- Writes the plan of an attempt, once: a second call, from a retried or a late step, gets the plan that stands.
-- p_merges: [[fileId, ...], ...]; one file alone only if it is a suspect, or in a rewrite.
create function public.save_plan(p_job_id uuid, p_attempt integer, p_merges jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_dataset_id text;
  v_reach text;
  v_merge record;
  v_group record;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select dataset_id, reach into strict v_dataset_id, v_reach from public.jobs where id = p_job_id;
  if not exists (select 1 from public.merges where job_id = p_job_id and attempt = p_attempt) then
    for v_merge in
      select (ordinality)::integer as index, array(select jsonb_array_elements_text(value)::uuid) as ids
      from jsonb_array_elements(p_merges) with ordinality
    loop
      select count(*) as found, sum(f.row_count) as rows_in, sum(f.byte_length) as bytes_in,
        min(f.table_name) as table_name, min(f.period_tag) as period_tag,
        count(distinct (f.table_name, f.period_tag, fusou.merge_group_of(f))) as kinds
      into v_group
      from public.files f
      where f.id = any (v_merge.ids) and f.dataset_id = v_dataset_id and f.removed_version is null;
      if v_group.found <> cardinality(v_merge.ids) then
        delete from public.merges where job_id = p_job_id and attempt = p_attempt;
        return jsonb_build_object('outcome', 'conflict');
      elsif v_group.kinds <> 1 then
        raise exception 'save_plan: merge % mixes partitions or schemas', v_merge.index using errcode = '22023';
      elsif v_group.found = 1 and v_reach <> 'rewrite'
        and not exists (select 1 from public.suspects s where s.file_id = v_merge.ids[1])
      then
        raise exception 'save_plan: merge % has one input', v_merge.index using errcode = '22023';
      end if;
      insert into public.merges (job_id, attempt, index, table_name, period_tag, input_ids, rows_in, bytes_in)
      values (
        p_job_id, p_attempt, v_merge.index, v_group.table_name, v_group.period_tag, v_merge.ids,
        fusou.saturate(v_group.rows_in), fusou.saturate(v_group.bytes_in)
      );
    end loop;
  end if;
  return jsonb_build_object(
    'outcome', 'ok',
    'merges', (select count(*) from public.merges where job_id = p_job_id and attempt = p_attempt)
  );
end $$;

-- Outcomes: ok, committed and nothing_left (there is nothing to do any more), unknown_merge, and those of the fence.
create function public.open_merge(
  p_job_id uuid, p_attempt integer, p_index integer, p_lease_seconds integer, p_finished jsonb default '{}'
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text;
  v_merge public.merges;
  v_dataset_id text;
  v_settings jsonb;
begin
  v_outcome := public.enter_step(
    p_job_id, p_attempt, 'compact-' || p_index, p_lease_seconds, p_finished
  ) ->> 'outcome';
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  v_merge := fusou.shrink_merge(p_job_id, p_attempt, p_index);
  if v_merge.job_id is null then
    return jsonb_build_object('outcome', 'unknown_merge');
  elsif v_merge.state <> 'planned' then
    return jsonb_build_object('outcome', v_merge.state);
  end if;
  select j.dataset_id into strict v_dataset_id from public.jobs j where j.id = p_job_id;
  v_settings := fusou.settings_of_table(v_dataset_id, v_merge.table_name);
  update public.merges set settings = v_settings
  where job_id = p_job_id and attempt = p_attempt and index = p_index;
  return jsonb_build_object(
    'outcome', 'ok',
    'datasetId', v_dataset_id,
    'settings', v_settings,
    'ownerId', (
      select d.owner_id from public.jobs j join public.datasets d on d.id = j.dataset_id where j.id = p_job_id
    ),
    'table', v_merge.table_name,
    'periodTag', v_merge.period_tag,
    -- null: the schemas of the inputs are united
    'fingerprint', (
      select case when count(distinct f.schema_fingerprint) = 1 then min(f.schema_fingerprint) end
      from public.files f where f.id = any (v_merge.input_ids)
    ),
    'inputs', (
      select jsonb_agg(jsonb_build_object(
        'id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length, 'rows', f.row_count,
        'level', f.level, 'sha256', f.content_sha256, 'fingerprint', f.schema_fingerprint
      ) order by array_position(v_merge.input_ids, f.id))
      from public.files f where f.id = any (v_merge.input_ids)
    )
  );
end $$;

-- The swap: inputs out, output in, one version further; all of it or nothing.
-- p_output: {r2Key, bytes, rows, rowGroups, sha256, fingerprint, workBytes?, duplicateRows?}
-- Outcomes: committed, superseded (another try of this step has swapped already; this output is garbage),
-- conflict (an input is no longer live; open_merge() leaves it out), row_count_mismatch, stale_attempt, cancelled.
create function public.commit_merge(
  p_job_id uuid, p_attempt integer, p_index integer, p_output jsonb, p_lease_seconds integer
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_live record;
  v_dataset_id text;
  v_version bigint;
  v_output_id uuid;
  v_duplicate_rows constant bigint := coalesce((p_output ->> 'duplicateRows')::bigint, 0);
begin
  -- The object is whole: there is nothing to abort any more.
  delete from public.multipart_uploads where r2_key = p_output ->> 'r2Key';
  if v_outcome = 'ok' then
    select * into v_merge from public.merges
    where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
    if not found then
      v_outcome := 'unknown_merge';
    elsif v_merge.state = 'committed' and v_merge.output_key = p_output ->> 'r2Key' then
      return jsonb_build_object('outcome', 'committed', 'version', v_merge.version);
    elsif v_merge.state <> 'planned' then
      v_outcome := 'superseded';
    end if;
  end if;
  if v_outcome = 'ok' then
    perform 1 from public.files where id = any (v_merge.input_ids) for update;
    select count(*) as found, sum(f.row_count) as row_count, max(f.level) as level,
      sum(f.fragments) as fragments, min(f.dataset_id) as dataset_id, max(f.newest_upload_at) as newest_upload_at
    into v_live
    from public.files f
    where f.id = any (v_merge.input_ids) and f.removed_version is null and f.quarantine_code is null;
    if v_live.found <> cardinality(v_merge.input_ids) then
      v_outcome := 'conflict';
    elsif v_live.row_count <> (p_output ->> 'rows')::bigint + v_duplicate_rows
      or (v_duplicate_rows > 0 and not coalesce(v_merge.settings ? 'dedupeBy', false))
    then
      v_outcome := 'row_count_mismatch';
    end if;
  end if;
  if v_outcome <> 'ok' then
    perform fusou.mark_for_deletion(p_output ->> 'r2Key');
    return jsonb_build_object('outcome', v_outcome);
  end if;

  v_dataset_id := v_live.dataset_id;
  update public.datasets set version = version + 1 where id = v_dataset_id returning version into v_version;
  update public.files
  set removed_version = v_version, removed_at = now(), removed_by_job = p_job_id
  where id = any (v_merge.input_ids);
  delete from public.suspects where file_id = any (v_merge.input_ids);
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, level,
    fragments, content_sha256, schema_fingerprint, created_version, created_by_job,
    work_bytes, newest_upload_at, settings_key
  )
  values (
    v_dataset_id, v_merge.table_name, v_merge.period_tag, p_output ->> 'r2Key', 0, (p_output ->> 'bytes')::bigint,
    (p_output ->> 'rows')::bigint, (p_output ->> 'rowGroups')::integer, v_live.level + 1, v_live.fragments,
    p_output ->> 'sha256', p_output ->> 'fingerprint', v_version, p_job_id,
    coalesce((p_output ->> 'workBytes')::bigint, 0), v_live.newest_upload_at,
    fusou.settings_key(coalesce(v_merge.settings, '{}'))
  )
  returning id into v_output_id;
  insert into public.schemas (dataset_id, table_name, fingerprint)
  values (v_dataset_id, v_merge.table_name, p_output ->> 'fingerprint') on conflict do nothing;
  update public.merges
  set state = 'committed', duplicate_rows = v_duplicate_rows, output_id = v_output_id, output_key = p_output ->> 'r2Key', version = v_version
  where job_id = p_job_id and attempt = p_attempt and index = p_index;
  update public.jobs
  set files_in = files_in + v_live.found,
      files_out = files_out + 1,
      rows_in = fusou.saturate(rows_in::numeric + v_live.row_count),
      rows_out = fusou.saturate(rows_out + (p_output ->> 'rows')::numeric),
      bytes_in = fusou.saturate(bytes_in::numeric + v_merge.bytes_in),
      bytes_out = fusou.saturate(bytes_out + (p_output ->> 'bytes')::numeric),
      silent_leases = 0,
      lease_until = now() + make_interval(secs => p_lease_seconds)
  where id = p_job_id;
  perform fusou.look_for_work(v_dataset_id);
  return jsonb_build_object('outcome', 'committed', 'version', v_version);
end $$;

-- Takes out of a merge what is no longer live or is in quarantine. Fewer than two inputs are nothing to merge, but for a
-- suspect that was alone from the start. The caller holds the fence. Answers with the merge as it is then.
create function fusou.shrink_merge(p_job_id uuid, p_attempt integer, p_index integer)
returns public.merges
language plpgsql
set search_path = ''
as $$
declare
  v_merge public.merges;
  v_left record;
begin
  select * into v_merge from public.merges
  where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
  if v_merge.state is distinct from 'planned' then
    return v_merge;
  end if;
  select array_agg(f.id order by u.place) as ids, count(*) as files, sum(f.row_count) as rows_in, sum(f.byte_length) as bytes_in
  into v_left
  from unnest(v_merge.input_ids) with ordinality as u (id, place)
  join public.files f on f.id = u.id and f.removed_version is null and f.quarantine_code is null;
  if v_left.files < least(2, cardinality(v_merge.input_ids)) then
    update public.merges set state = 'nothing_left'
    where job_id = p_job_id and attempt = p_attempt and index = p_index returning * into v_merge;
  elsif v_left.files < cardinality(v_merge.input_ids) then
    update public.merges
    set input_ids = v_left.ids, rows_in = fusou.saturate(v_left.rows_in), bytes_in = fusou.saturate(v_left.bytes_in)
    where job_id = p_job_id and attempt = p_attempt and index = p_index returning * into v_merge;
  end if;
  return v_merge;
end $$;

-- Schemas that cannot be united with those of the other inputs, though the table says so: their files stay apart from now
-- on, this merge goes on without them, and a later job merges them with their own kind.
-- p_schemas: [{fingerprint, reason}]. Outcomes: ok, unknown_merge, and those of the fence.
create function public.set_schemas_apart(p_job_id uuid, p_attempt integer, p_index integer, p_schemas jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_dataset_id text;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into v_merge from public.merges
  where job_id = p_job_id and attempt = p_attempt and index = p_index for update;
  if not found then
    return jsonb_build_object('outcome', 'unknown_merge');
  end if;
  select dataset_id into strict v_dataset_id from public.jobs where id = p_job_id;
  update public.schemas s set apart_reason = left(a.reason, 500)
  from jsonb_to_recordset(p_schemas) as a (fingerprint text, reason text)
  where s.dataset_id = v_dataset_id and s.table_name = v_merge.table_name and s.fingerprint = a.fingerprint;
  update public.merges m
  set input_ids = kept.ids, rows_in = fusou.saturate(kept.rows_in), bytes_in = fusou.saturate(kept.bytes_in)
  from (
    select array_agg(f.id order by array_position(v_merge.input_ids, f.id)) as ids, sum(f.row_count) as rows_in,
      sum(f.byte_length) as bytes_in
    from public.files f
    where f.id = any (v_merge.input_ids) and fusou.merge_group_of(f) = 'union'
  ) kept
  where m.job_id = p_job_id and m.attempt = p_attempt and m.index = p_index and m.state = 'planned'
    and cardinality(kept.ids) >= 2;
  if not found then
    update public.merges set state = 'nothing_left'
    where job_id = p_job_id and attempt = p_attempt and index = p_index and state = 'planned';
  end if;
  perform fusou.look_for_work(v_dataset_id);
  return jsonb_build_object('outcome', 'ok');
end $$;

-- How many files a job names of those that it set aside; all of them are in the listing of files.
create function fusou.max_named_files()
returns integer
language sql immutable
set search_path = ''
as $$ select 20 $$;

-- Puts a live file into quarantine: readable, out of every later plan, until somebody releases it or uploads it again.
-- p_r2_key: the object that was read; a file that was healed meanwhile is another, and stays. Says whether it was done.
create function fusou.quarantine(p_file_id uuid, p_r2_key text, p_job_id uuid, p_code text, p_message text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_file public.files;
begin
  update public.files
  set quarantine_code = p_code, quarantine_message = left(p_message, 2000), quarantined_by_job = p_job_id,
      quarantined_at = now(), quarantine_acknowledged_at = null
  where id = p_file_id and removed_version is null and quarantine_code is null
    and (p_r2_key is null or r2_key = p_r2_key)
  returning * into v_file;
  if not found then
    return false;
  end if;
  delete from public.suspects where file_id = p_file_id;
  update public.jobs
  set files_set_aside = files_set_aside + 1,
      set_aside = case when jsonb_array_length(set_aside) >= fusou.max_named_files() then set_aside else
        set_aside || jsonb_build_object(
          'fileId', p_file_id, 'table', v_file.table_name, 'periodTag', v_file.period_tag,
          'code', p_code, 'message', left(p_message, 300)
        )
      end
  where id = p_job_id;
  return true;
end $$;

-- Inputs that no merge can take, all that were found: they go into quarantine and out of the merge, in one call. A call
-- that is made again changes nothing more.
-- p_faults: [{fileId, r2Key, code, message}]
-- Outcomes: ok (the rest can be merged), nothing_left, committed, unknown_merge, and those of the fence.
create function public.set_aside_inputs(p_job_id uuid, p_attempt integer, p_index integer, p_faults jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
  v_merge public.merges;
  v_fault record;
  v_count integer := 0;
begin
  if v_outcome <> 'ok' then
    return jsonb_build_object('outcome', v_outcome);
  end if;
  select * into v_merge from public.merges where job_id = p_job_id and attempt = p_attempt and index = p_index;
  if not found then
    return jsonb_build_object('outcome', 'unknown_merge');
  elsif v_merge.state = 'planned' then
    for v_fault in
      select f."fileId", f."r2Key", f.code, f.message
      from jsonb_to_recordset(p_faults) as f ("fileId" uuid, "r2Key" text, code text, message text)
      where f."fileId" = any (v_merge.input_ids)
    loop
      if fusou.quarantine(v_fault."fileId", v_fault."r2Key", p_job_id, v_fault.code, v_fault.message) then
        v_count := v_count + 1;
      end if;
    end loop;
    v_merge := fusou.shrink_merge(p_job_id, p_attempt, p_index);
    perform fusou.look_for_work((select dataset_id from public.jobs where id = p_job_id));
  end if;
  return jsonb_build_object(
    'outcome', case v_merge.state when 'planned' then 'ok' else v_merge.state end, 'setAside', v_count
  );
end $$;

-- Ends of attempts that one job may spend on finding files; further ones count like any failure. What was learned stays,
-- and the next job goes on from there. Enough for four files in a merge of a thousand.
create function fusou.max_excused_ends()
returns integer
language sql immutable
set search_path = ''
as $$ select 64 $$;

-- An attempt ended inside a merge, and nothing says which file is to blame: the instance died of memory, computing time or a
-- reset (workflow_ended), an error was none that we know (internal), or rows were lost on the way (row_count_mismatch).
-- Once proves nothing, as a deploy resets instances too. The second end of a merge of the same files cuts them into
-- halves, each merged by itself, in which one end is enough to cut on. A file that is alone when it ends a merge twice is
-- set aside. So one file among n is found by 4 + log2(n) ends at the most, and a commit clears all inputs of suspicion.
-- Says whether the end told anything.
create function fusou.suspect_inputs(p_job public.jobs, p_code text, p_step text)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  -- The rescuer knows only that the instance is gone; the job knows how far it had come.
  v_step constant text := case when p_code = 'workflow_ended' then p_job.step else p_step end;
  v_ids uuid[];
  v_ends integer;
  v_half integer;
begin
  if p_code not in ('workflow_ended', 'internal', 'row_count_mismatch') or v_step is null or v_step !~ '^compact-[0-9]+$' then
    return false;
  end if;
  select array_agg(u.id order by u.place) into v_ids
  from public.merges m
  cross join lateral unnest(m.input_ids) with ordinality as u (id, place)
  join public.files f on f.id = u.id and f.removed_version is null and f.quarantine_code is null
  where m.job_id = p_job.id and m.attempt = p_job.attempt and m.state = 'planned'
    and m.index = substring(v_step from '[0-9]+$')::integer;
  if v_ids is null then
    return false;
  end if;

  -- The same files as at an earlier end, or a new set of them.
  select s.ends into v_ends from public.suspects s
  where s.file_id = v_ids[1] and s.set_files = cardinality(v_ids) and not exists (
    select 1 from unnest(v_ids) as u (id)
    where not exists (select 1 from public.suspects o where o.set_id = s.set_id and o.file_id = u.id)
  );
  if coalesce(v_ends, 0) = 0 then
    perform fusou.suspect(v_ids, 1);
  elsif cardinality(v_ids) = 1 then
    perform fusou.quarantine(
      v_ids[1], null, p_job.id, 'merge_killed',
      'merging this file alone ended the Workflow twice without an error; before, so did each merge that had it'
    );
    perform fusou.look_for_work(p_job.dataset_id);
  else
    v_half := (cardinality(v_ids) + 1) / 2;
    perform fusou.suspect(v_ids[:v_half], case when v_half > 1 then 1 else 0 end);
    perform fusou.suspect(v_ids[v_half + 1:], case when cardinality(v_ids) - v_half > 1 then 1 else 0 end);
  end if;
  return true;
end $$;

-- Makes these files a set of suspects.
create function fusou.suspect(p_ids uuid[], p_ends integer)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_set_id constant uuid := gen_random_uuid();
begin
  insert into public.suspects (file_id, set_id, set_files, ends)
  select u.id, v_set_id, cardinality(p_ids), p_ends from unnest(p_ids) as u (id) order by u.id
  on conflict (file_id) do update
  set set_id = excluded.set_id, set_files = excluded.set_files, ends = excluded.ends;
end $$;
-- Reading jobs and files.

-- The steps of an attempt are validate-dataset, get-metadata, one for each merge of its plan, and update-metadata.
create function fusou.steps_done(p_job public.jobs, p_merges bigint)
returns bigint
language sql immutable
set search_path = ''
as $$
  select case
    when p_job.result is not null then p_merges + 3
    when p_job.step = 'get-metadata' then 1
    when p_job.step ~ '^compact-[0-9]+$' then substring(p_job.step from '[0-9]+')::bigint + 1
    else 0
  end
$$;

-- Whether it is known how many steps the attempt has.
create function fusou.has_plan(p_job public.jobs)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_job.result is not null
    or exists (select 1 from public.merges m where m.job_id = p_job.id and m.attempt = p_job.attempt)
$$;

-- Whether a merge belongs to what the job does: committed by whatever attempt, or still planned in this one.
create function fusou.is_work(p_merge public.merges, p_attempt integer)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_merge.state = 'committed' or (p_merge.attempt = p_attempt and p_merge.state = 'planned') $$;

-- The planned sums count what the attempts before have committed too, as do those of what was read and written.
create function fusou.job_json(p_job public.jobs)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_job.id,
    'kind', p_job.kind,
    'state', p_job.state,
    'priority', p_job.priority,
    'datasetId', p_job.dataset_id,
    'table', p_job.table_name,
    'periodTag', p_job.period_tag,
    'metricId', p_job.metric_id,
    'reach', p_job.reach,
    'triggers', p_job.triggers,
    'attempt', p_job.attempt,
    'maxAttempts', p_job.max_attempts + p_job.excused_ends,
    'cancelRequested', p_job.cancel_requested_at is not null,
    'progress', (
      select jsonb_build_object(
        'step', p_job.step,
        'mergesPlanned', count(*) filter (where m.attempt = p_job.attempt),
        'mergesCommitted', count(*) filter (where m.attempt = p_job.attempt and m.state = 'committed'),
        'mergesLeftOut', count(*) filter (where m.attempt = p_job.attempt and m.state = 'nothing_left'),
        'stepsDone', fusou.steps_done(p_job, count(*) filter (where m.attempt = p_job.attempt)),
        'stepsPlanned', case
          when fusou.has_plan(p_job) then 3 + count(*) filter (where m.attempt = p_job.attempt)
        end,
        'filesIn', p_job.files_in, 'filesOut', p_job.files_out,
        'rowsIn', p_job.rows_in, 'rowsOut', p_job.rows_out,
        'bytesIn', p_job.bytes_in, 'bytesOut', p_job.bytes_out,
        'filesPlanned', coalesce(sum(cardinality(m.input_ids)) filter (where fusou.is_work(m, p_job.attempt)), 0),
        'rowsPlanned', fusou.saturate(coalesce(sum(m.rows_in) filter (where fusou.is_work(m, p_job.attempt)), 0)),
        'bytesPlanned', fusou.saturate(coalesce(sum(m.bytes_in) filter (where fusou.is_work(m, p_job.attempt)), 0))
      )
      from public.merges m where m.job_id = p_job.id
    ),
    'steps', p_job.step_durations,
    'error', case when p_job.error_code is not null then jsonb_build_object(
      'code', p_job.error_code, 'step', p_job.error_step, 'message', p_job.error_message
    ) end,
    'failures', p_job.failures,
    'partial', p_job.state = 'succeeded' and p_job.files_set_aside > 0,
    'setAside', jsonb_build_object('count', p_job.files_set_aside, 'files', p_job.set_aside),
    'result', p_job.result,
    'retriedAs', p_job.retried_as,
    'createdAt', p_job.created_at,
    'admittedAt', p_job.admitted_at,
    'dispatchedAt', p_job.dispatched_at,
    'startedAt', p_job.started_at,
    'finishedAt', p_job.finished_at,
    'leaseUntil', p_job.lease_until
  )
$$;

create function public.get_job(p_job_id uuid, p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select fusou.job_json(j) from public.jobs j join public.datasets d on d.id = j.dataset_id
  where j.id = p_job_id and fusou.may(p_caller, d, 'read')
$$;

-- Newest first. p_before: [createdAt, id] of the last job of the page before.
create function public.list_jobs(
  p_caller jsonb, p_state text, p_kind text, p_dataset_id text, p_before_created timestamptz, p_before_id uuid,
  p_limit integer
)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(fusou.job_json(p.job) order by (p.job).created_at desc, (p.job).id desc), '[]')
  from (
    select j as job
    from public.jobs j
    where (fusou.is_operator(p_caller) or j.dataset_id in (select fusou.datasets_of(p_caller)))
      and (p_state is null or j.state = p_state)
      and (p_kind is null or j.kind = p_kind)
      and (p_dataset_id is null or j.dataset_id = p_dataset_id)
      and (p_before_id is null or (j.created_at, j.id) < (p_before_created, p_before_id))
    order by j.created_at desc, j.id desc
    limit p_limit
  ) p
$$;

-- The files of one version, in order of table, period tag and id. p_version null: the current one.
-- p_quarantined: include, exclude or only; whether a file is in quarantine is told as it is now, in every version.
create function public.list_files(
  p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text, p_version bigint,
  p_after_table text, p_after_period text, p_after_id uuid, p_limit integer, p_quarantined text default 'include'
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
  -- One answer for a dataset that is not there and one of somebody else: nobody learns which ids exist.
  if not fusou.may(p_caller, v_dataset, 'read') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_version := coalesce(p_version, v_dataset.version);
  if v_version > v_dataset.version then
    return jsonb_build_object('outcome', 'unknown_version');
  elsif v_version < v_dataset.oldest_version then
    return jsonb_build_object('outcome', 'version_gone');
  end if;
  return jsonb_build_object('outcome', 'ok', 'version', v_version, 'files', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', f.id, 'table', f.table_name, 'periodTag', f.period_tag, 'level', f.level, 'rows', f.row_count,
      'rowGroups', f.row_group_count, 'bytes', f.byte_length, 'sha256', f.content_sha256,
      'quarantine', f.quarantine_code, 'createdAt', f.created_at
    ) order by f.table_name, f.period_tag, f.id), '[]')
    from (
      select * from public.files f
      where f.dataset_id = p_dataset_id
        and f.created_version <= v_version
        and (f.removed_version is null or f.removed_version > v_version)
        and (p_table is null or f.table_name = p_table)
        and (p_period_tag is null or f.period_tag = p_period_tag)
        and (p_quarantined = 'include' or (p_quarantined = 'only') = (f.quarantine_code is not null))
        and (p_after_id is null or (f.table_name, f.period_tag, f.id) > (p_after_table, p_after_period, p_after_id))
      order by f.table_name, f.period_tag, f.id
      limit p_limit
    ) f
  ));
end $$;

create function public.get_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', f.id, 'r2Key', f.r2_key, 'offset', f.byte_offset, 'length', f.byte_length,
    'sha256', f.content_sha256, 'createdAt', f.created_at, 'table', f.table_name
  )
  from public.files f join public.datasets d on d.id = f.dataset_id
  where f.id = p_file_id and fusou.may(p_caller, d, 'read')
$$;
-- Resumable uploads: a client sends one file in parts, in any order and as often as it likes, and completes it. The parts
-- are those of a multipart upload of the bucket. A row is written before the first part, so that somebody can abort an
-- upload that its client abandons. Order of locks: upload, then those of register_upload().

create table public.resumable_uploads (
  id uuid primary key default gen_random_uuid(),
  dataset_id text not null,
  table_name text not null,
  period_tag text not null,
  file_name text,
  byte_length bigint not null constraint resumable_uploads_length check (byte_length > 0),
  content_sha256 text not null constraint resumable_uploads_sha256 check (content_sha256 ~ '^[0-9a-f]{64}$'),
  part_bytes bigint not null constraint resumable_uploads_part_bytes check (part_bytes > 0),
  user_id uuid not null,
  owner_id uuid not null,
  r2_key text collate "C" not null unique,
  bucket_upload_id text not null,
  state text not null default 'open'
    constraint resumable_uploads_state check (state in ('open', 'completed', 'refused', 'aborted')),
  result jsonb,
  opened_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint resumable_uploads_ended_has_result check (
    (state in ('completed', 'refused')) = (result is not null)
  )
);
alter table public.resumable_uploads enable row level security;
comment on column public.resumable_uploads.dataset_id is 'No reference: completing the upload may make the dataset.';
comment on column public.resumable_uploads.user_id is 'Who opened it: nobody else may send its parts.';
comment on column public.resumable_uploads.owner_id is 'Whose limits it counts against: the owner of the dataset when it was opened.';
comment on column public.resumable_uploads.bucket_upload_id is 'The id of the multipart upload in the bucket.';
comment on column public.resumable_uploads.state is
  'completed and refused: result has what every repeated call is answered; aborted: the bucket has yet to drop it.';
comment on column public.resumable_uploads.expires_at is
  'An open upload is aborted then, one that was completed or refused is forgotten.';
create index resumable_uploads_of_owner on public.resumable_uploads (owner_id) where state = 'open';
create index resumable_uploads_of_content on public.resumable_uploads (user_id, dataset_id, content_sha256);
create index resumable_uploads_expiring on public.resumable_uploads (expires_at);
create index resumable_uploads_aborted on public.resumable_uploads (opened_at) where state = 'aborted';

create table public.upload_parts (
  upload_id uuid not null references public.resumable_uploads (id) on delete cascade,
  number integer not null constraint upload_parts_number check (number >= 1),
  etag text not null,
  sha256 text not null constraint upload_parts_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  primary key (upload_id, number)
);
alter table public.upload_parts enable row level security;
comment on table public.upload_parts is 'Parts that the bucket has; a part that is being written is not among them.';

-- A day less than the bucket keeps a multipart upload, so that an upload that is open here is open there.
create function fusou.upload_lifetime()
returns interval
language sql immutable
set search_path = ''
as $$ select interval '6 days' $$;

create function fusou.part_count(p_upload public.resumable_uploads)
returns bigint
language sql immutable
set search_path = ''
as $$ select (p_upload.byte_length + p_upload.part_bytes - 1) / p_upload.part_bytes $$;

-- The state as callers see it: an open upload whose time is over takes nothing more, also before the cron has seen it.
create function fusou.upload_state(p_upload public.resumable_uploads)
returns text
language sql stable
set search_path = ''
as $$
  select case when p_upload.state = 'open' and p_upload.expires_at <= now() then 'expired' else p_upload.state end
$$;

create function fusou.upload_json(p_upload public.resumable_uploads)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'uploadId', p_upload.id,
    'datasetId', p_upload.dataset_id,
    'table', p_upload.table_name,
    'periodTag', p_upload.period_tag,
    'fileName', p_upload.file_name,
    'byteLength', p_upload.byte_length,
    'sha256', p_upload.content_sha256,
    'partBytes', p_upload.part_bytes,
    'parts', fusou.part_count(p_upload),
    'storedParts', (
      select coalesce(jsonb_agg(p.number order by p.number), '[]') from public.upload_parts p
      where p.upload_id = p_upload.id
    ),
    'state', fusou.upload_state(p_upload),
    'expiresAt', p_upload.expires_at
  )
$$;

-- Locks the upload of a caller. No row if there is none, if somebody else opened it, or if the caller may not upload to the
-- dataset any more.
create function fusou.own_upload(p_id uuid, p_caller jsonb)
returns public.resumable_uploads
language plpgsql
set search_path = ''
as $$
declare
  v_upload public.resumable_uploads;
  v_dataset public.datasets;
begin
  select * into v_upload from public.resumable_uploads where id = p_id for update;
  select * into v_dataset from public.datasets where id = v_upload.dataset_id;
  if fusou.user_of(p_caller) is null then
    perform fusou.forbid('uploads are for users and their keys');
  elsif v_upload.user_id is distinct from fusou.user_of(p_caller) then
    return null;
  elsif not fusou.may_upload(p_caller, v_upload.dataset_id, v_dataset) then
    return null;
  end if;
  return v_upload;
end $$;

-- The answer where an upload is not open: null if it is.
create function fusou.upload_end(p_upload public.resumable_uploads)
returns jsonb
language sql stable
set search_path = ''
as $$
  select case
    when p_upload.id is null then jsonb_build_object('outcome', 'unknown_upload')
    when fusou.upload_state(p_upload) <> 'open' then
      jsonb_build_object('outcome', 'ended', 'state', fusou.upload_state(p_upload))
  end
$$;

-- Opens an upload, or answers with the one that the caller has opened for the same content. Called twice: first without
-- p_bucket, then with the multipart upload that the caller has begun in the bucket meanwhile. The declared bytes count
-- against the limits of the owner while uploads are open; register_upload() checks what is stored in the end.
-- p_upload: {datasetId, table, periodTag, fileName, byteLength, sha256}; p_bucket: {r2Key, uploadId, partBytes}
-- p_again: also where the content was completed before and is still named; the bucket has lost it.
-- Outcomes: wanted {ownerId}, opened, resumed, completed {r2Key} (each with `upload`); unknown_dataset.
create function public.open_upload(
  p_caller jsonb, p_upload jsonb, p_bucket jsonb default null, p_again boolean default false
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user_id constant uuid := fusou.user_of(p_caller);
  v_dataset_id constant text := p_upload ->> 'datasetId';
  v_bytes constant bigint := (p_upload ->> 'byteLength')::bigint;
  v_dataset public.datasets;
  v_owner_id uuid;
  v_upload public.resumable_uploads;
begin
  select * into v_dataset from public.datasets where id = v_dataset_id;
  if not fusou.may_upload(p_caller, v_dataset_id, v_dataset) then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_owner_id := coalesce(v_dataset.owner_id, v_user_id);
  -- One opener of an owner at a time, or two would both take the last place.
  perform fusou.add_usage(v_owner_id, 0, 0, 0);
  select u.* into v_upload from public.resumable_uploads u
  where u.user_id = v_user_id and u.dataset_id = v_dataset_id and u.content_sha256 = p_upload ->> 'sha256'
    and u.table_name = p_upload ->> 'table' and u.period_tag = p_upload ->> 'periodTag' and u.byte_length = v_bytes
    and (
      fusou.upload_state(u) = 'open'
      or (
        not p_again and u.state = 'completed'
        and exists (select 1 from public.files f where f.r2_key = u.r2_key and not f.discarded)
      )
    )
  order by u.state = 'open' desc, u.opened_at
  limit 1;
  if found then
    return jsonb_build_object(
      'outcome', case v_upload.state when 'open' then 'resumed' else 'completed' end,
      'upload', fusou.upload_json(v_upload), 'r2Key', v_upload.r2_key
    );
  end if;
  perform fusou.check_open_uploads(v_owner_id, v_bytes, v_dataset.id is null);
  if p_bucket is null then
    return jsonb_build_object('outcome', 'wanted', 'ownerId', v_owner_id);
  end if;
  insert into public.resumable_uploads (
    dataset_id, table_name, period_tag, file_name, byte_length, content_sha256, part_bytes, user_id, owner_id,
    r2_key, bucket_upload_id, expires_at
  )
  values (
    v_dataset_id, p_upload ->> 'table', p_upload ->> 'periodTag', p_upload ->> 'fileName', v_bytes,
    p_upload ->> 'sha256', (p_bucket ->> 'partBytes')::bigint, v_user_id, v_owner_id,
    p_bucket ->> 'r2Key', p_bucket ->> 'uploadId', now() + fusou.upload_lifetime()
  )
  returning * into v_upload;
  return jsonb_build_object('outcome', 'opened', 'upload', fusou.upload_json(v_upload), 'r2Key', v_upload.r2_key);
end $$;

-- Whether an owner may have one more upload of so many bytes open; the caller holds the row of the owner's usage.
create function fusou.check_open_uploads(p_owner uuid, p_bytes bigint, p_is_new_dataset boolean)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage record;
  v_open record;
begin
  select * into strict v_usage from public.owner_usage where owner_id = p_owner;
  select count(*) as uploads, coalesce(sum(u.byte_length), 0) as bytes into v_open
  from public.resumable_uploads u where u.owner_id = p_owner and u.state = 'open';
  perform fusou.refuse_above_limit(
    p_owner, 'openUploads', v_open.uploads + 1, 'PT429', 'complete or delete one that is open'
  );
  if p_is_new_dataset then
    perform fusou.refuse_above_limit(
      p_owner, 'datasets', v_usage.datasets + 1, 'PT402',
      'upload to a dataset that you have, or ask the operator for more'
    );
  end if;
  perform fusou.refuse_above_limit(
    p_owner, 'liveFiles', v_usage.live_files + 1, 'PT402',
    'have files merged or deleted, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveBytes', fusou.saturate(v_usage.live_bytes + v_open.bytes + p_bytes), 'PT402',
    'delete files or uploads that are open, or ask the operator for more'
  );
end $$;

create function public.read_upload(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if v_upload.id is null then
    return jsonb_build_object('outcome', 'unknown_upload');
  end if;
  return jsonb_build_object('outcome', 'ok', 'upload', fusou.upload_json(v_upload));
end $$;
-- The parts of a resumable upload, and its end. The bucket keeps the part that was written last, so a part that is about
-- to be written again is forgotten first: nothing here ever names bytes that the bucket has replaced.

-- Before a part is written. p_sha256: what the caller says that its bytes have, or null; a part that is there with these
-- bytes is `stored`, and needs to be written no more.
-- Outcomes: ok, stored (each with byteLength, r2Key, bucketUploadId); no_such_part {parts}, ended {state}, unknown_upload.
create function public.begin_part(p_id uuid, p_caller jsonb, p_number integer, p_sha256 text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_is_stored boolean;
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  elsif p_number not between 1 and fusou.part_count(v_upload) then
    return jsonb_build_object('outcome', 'no_such_part', 'parts', fusou.part_count(v_upload));
  end if;
  v_is_stored := exists (
    select 1 from public.upload_parts p where p.upload_id = p_id and p.number = p_number and p.sha256 = p_sha256
  );
  if not v_is_stored then
    delete from public.upload_parts p where p.upload_id = p_id and p.number = p_number;
  end if;
  return jsonb_build_object(
    'outcome', case when v_is_stored then 'stored' else 'ok' end,
    'byteLength', least(v_upload.part_bytes, v_upload.byte_length - (p_number - 1) * v_upload.part_bytes),
    'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id
  );
end $$;

-- After the bucket has taken a part.
create function public.note_part(p_id uuid, p_caller jsonb, p_number integer, p_etag text, p_sha256 text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  insert into public.upload_parts as p (upload_id, number, etag, sha256) values (p_id, p_number, p_etag, p_sha256)
  on conflict (upload_id, number) do update set etag = excluded.etag, sha256 = excluded.sha256;
  return jsonb_build_object('outcome', 'ok');
end $$;

-- The bucket has other parts than those noted here, since two callers wrote the same part at once: all are sent again.
create function public.forget_parts(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  delete from public.upload_parts where upload_id = p_id;
  return jsonb_build_object('outcome', 'ok');
end $$;

-- Before the object is completed in the bucket and examined, which an upload that is about to expire is given time for.
-- Outcomes: ready {upload, ownerId, isNew, r2Key, bucketUploadId, parts: [{number, etag}]}, incomplete {missing: the first
-- of them}; completed {upload, result}, refused {code, detail}: answered again; ended {state}, unknown_upload.
create function public.begin_completion(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_dataset public.datasets;
  v_missing jsonb;
begin
  if v_upload.state = 'completed' then
    return jsonb_build_object('outcome', 'completed', 'upload', fusou.upload_json(v_upload), 'result', v_upload.result);
  elsif v_upload.state = 'refused' then
    return v_upload.result || jsonb_build_object('outcome', 'refused');
  elsif fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  select jsonb_agg(m.number) into v_missing from (
    select n.number from generate_series(1, fusou.part_count(v_upload)) as n (number)
    where not exists (select 1 from public.upload_parts p where p.upload_id = p_id and p.number = n.number)
    order by n.number limit 20
  ) m;
  if v_missing is not null then
    return jsonb_build_object('outcome', 'incomplete', 'missing', v_missing);
  end if;
  update public.resumable_uploads set expires_at = greatest(expires_at, now() + interval '1 hour')
  where id = p_id returning * into v_upload;
  select * into v_dataset from public.datasets where id = v_upload.dataset_id;
  return jsonb_build_object(
    'outcome', 'ready', 'upload', fusou.upload_json(v_upload),
    'ownerId', coalesce(v_dataset.owner_id, v_upload.user_id), 'isNew', v_dataset.id is null,
    'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id,
    'parts', (
      select jsonb_agg(jsonb_build_object('number', p.number, 'etag', p.etag) order by p.number)
      from public.upload_parts p where p.upload_id = p_id
    )
  );
end $$;

-- Registers the object of an upload as register_upload() does, and ends the upload, in one transaction. A repeated call
-- is answered as the first. A call that exceeds a limit changes nothing: the upload stays open, and can be completed once
-- there is room.
-- p_object, p_copies: as of register_upload(). Outcomes: those of register_upload(); ended {state}, unknown_upload.
create function public.complete_upload(
  p_id uuid, p_caller jsonb, p_object jsonb, p_sender text, p_copies jsonb default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
  v_answer jsonb;
begin
  if v_upload.state = 'completed' then
    return v_upload.result || jsonb_build_object('outbox', null);
  elsif fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  elsif p_object ->> 'r2Key' <> v_upload.r2_key then
    raise exception 'complete_upload: the object of this upload is %', v_upload.r2_key using errcode = '22023';
  end if;
  v_answer := public.register_upload(v_upload.dataset_id, p_caller, p_object, p_sender, p_copies);
  if v_answer ->> 'outcome' in ('stored', 'healed', 'duplicate') then
    update public.resumable_uploads
    set state = 'completed',
        result = v_answer - 'outbox' || jsonb_build_object(
          'rows', (select fusou.saturate(sum((s ->> 'rows')::numeric)) from jsonb_array_elements(p_object -> 'slices') as s)
        )
    where id = p_id;
  elsif v_answer ->> 'outcome' <> 'check_copies' then
    update public.resumable_uploads
    set state = 'refused',
        result = jsonb_build_object('code', v_answer ->> 'outcome', 'detail', case v_answer ->> 'outcome'
          when 'schema_rejected' then format('table %s takes files of one schema, and this has another', v_upload.table_name)
          else format('no dataset %s of yours, and its id is not free; use another', v_upload.dataset_id)
        end)
    where id = p_id;
  end if;
  return v_answer;
end $$;

-- Ends an upload whose bytes are not taken; its object is given to vacuum. p_code, p_detail: the answer of every later call.
-- Outcomes: refused {isNamed: whether adoption has registered the object meanwhile}; ended {state}, unknown_upload.
create function public.refuse_upload(p_id uuid, p_caller jsonb, p_code text, p_detail text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if fusou.upload_end(v_upload) is not null then
    return fusou.upload_end(v_upload);
  end if;
  update public.resumable_uploads
  set state = 'refused', result = jsonb_build_object('code', p_code, 'detail', left(p_detail, 2000))
  where id = p_id;
  perform fusou.mark_for_deletion(v_upload.r2_key);
  return jsonb_build_object(
    'outcome', 'refused', 'isNamed', exists (select 1 from public.files f where f.r2_key = v_upload.r2_key)
  );
end $$;

-- From here on nothing of the upload is taken. The caller aborts it in the bucket, then forgets it; if it dies, the cron
-- does so.
create function public.abort_upload(p_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_upload constant public.resumable_uploads := fusou.own_upload(p_id, p_caller);
begin
  if v_upload.state is null then
    return jsonb_build_object('outcome', 'unknown_upload');
  elsif v_upload.state in ('completed', 'refused') then
    return fusou.upload_end(v_upload);
  end if;
  update public.resumable_uploads set state = 'aborted' where id = p_id;
  return jsonb_build_object('outcome', 'aborted', 'r2Key', v_upload.r2_key, 'bucketUploadId', v_upload.bucket_upload_id);
end $$;

-- Ends what has expired, and answers with the uploads that the bucket has yet to drop, until forget_uploads().
-- p_stamp: see fusou.deletions_allowed(). A catalog that was set back may have uploads open that were completed since.
create function public.expire_uploads(p_limit integer, p_stamp bigint default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  if not fusou.deletions_allowed(p_stamp) then
    return '[]';
  end if;
  with over as (
    select u.id from public.resumable_uploads u
    where u.expires_at <= now() and u.state in ('completed', 'refused')
    order by u.expires_at limit p_limit
    for update skip locked
  )
  delete from public.resumable_uploads u using over o where u.id = o.id;
  with over as (
    select u.id from public.resumable_uploads u
    where u.expires_at <= now() and u.state = 'open'
    order by u.expires_at limit p_limit
    for update skip locked
  )
  update public.resumable_uploads u set state = 'aborted' from over o where u.id = o.id;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'r2Key', a.r2_key, 'bucketUploadId', a.bucket_upload_id
    ) order by a.opened_at), '[]')
    from (select * from public.resumable_uploads where state = 'aborted' order by opened_at limit p_limit) a
  );
end $$;

-- The bucket has dropped these, or they were complete before: then the object lies under its key, and vacuum takes it.
create function public.forget_uploads(p_ids uuid[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_keys text[];
begin
  perform 1 from public.resumable_uploads where id = any (p_ids) order by id for update;
  with gone as (
    delete from public.resumable_uploads where id = any (p_ids) and state = 'aborted' returning r2_key
  )
  select coalesce(array_agg(g.r2_key order by g.r2_key), '{}') into v_keys from gone g;
  perform fusou.mark_for_deletion(k) from unnest(v_keys) as k;
  perform fusou.add_to_counter('uploads_aborted', cardinality(v_keys));
  return cardinality(v_keys);
end $$;
-- Vacuum: the only thing that deletes objects. First, in one transaction, the versions that need an object become
-- unreadable, its file rows go and its key is noted as garbage; then the object is deleted, then the note.
-- Dying in between means deleting again.

-- p_stamp: what check_installation() answered in this run; see fusou.deletions_allowed().
create function public.claim_garbage(p_limit integer, p_stamp bigint default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset record;
  v_keys text[];
begin
  if not fusou.deletions_allowed(p_stamp) then
    return '[]';
  end if;
  perform fusou.drop_abandoned_footers(p_limit);
  for v_dataset in
    select d.id, d.settings from public.datasets d
    where exists (
      select 1 from public.files f
      where f.dataset_id = d.id
        and f.removed_at < now() - make_interval(secs => fusou.setting(d.settings, 'retentionSeconds'))
    )
    limit p_limit
    for update skip locked
  loop
    with expired as (
      select f.id, f.r2_key, f.removed_version from public.files f
      where f.dataset_id = v_dataset.id
        and f.removed_at < now() - make_interval(secs => fusou.setting(v_dataset.settings, 'retentionSeconds'))
      order by f.removed_version
      limit p_limit
    ), aged as (
      update public.datasets d
      set oldest_version = greatest(d.oldest_version, (select max(removed_version) from expired))
      where d.id = v_dataset.id
    ), gone as (
      delete from public.files f using expired where f.id = expired.id returning f.r2_key
    )
    select array_agg(distinct gone.r2_key) into v_keys from gone;
    insert into public.garbage (r2_key)
    select k from unnest(v_keys) as k
    where not exists (select 1 from public.files f where f.r2_key = k)
    on conflict do nothing;
  end loop;

  -- Asked again at the last moment: an object that a file names is never deleted, even if something marked it.
  return (
    select coalesce(jsonb_agg(g.r2_key), '[]')
    from (
      select d.r2_key from public.garbage d
      -- Whatever went wrong before: what a file row names is not deleted.
      where not exists (select 1 from public.files f where f.r2_key = d.r2_key)
      order by d.marked_at limit p_limit
    ) g
  );
end $$;

create function public.complete_garbage(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  with mine as (select g.r2_key from public.garbage g where g.r2_key = any (p_keys) order by g.r2_key for update)
  delete from public.garbage g using mine where g.r2_key = mine.r2_key;
  get diagnostics v_count = row_count;
  perform fusou.add_to_counter('objects_deleted', v_count);
  return v_count;
end $$;

-- Keys of objects that the caller itself has just stored and then refused; those that no file row names become garbage.
create function public.mark_keys_for_deletion(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into public.garbage (r2_key)
  select k from unnest(p_keys) as k
  where not exists (select 1 from public.files f where f.r2_key = k)
  order by k -- one order for all, or two walkers that found the same keys wait for each other
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- Messages that were sent are kept for a while; see public.retention.
create function public.trim_outbox(p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.outbox where id in (
    select id from public.outbox
    where status = 'published'
      and published_at < now() - make_interval(secs => (select outbox_seconds from public.retention))
    limit p_limit
  );
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- The pairing of this catalog with its bucket. Both hold the id of the installation and a stamp, which the cron raises
-- each minute, first here, then in the bucket. A bucket that is ahead of its catalog proves that the catalog was set
-- back to an older state: it no longer knows the newest objects, so nothing is deleted and nothing is merged until a
-- person has looked. The same holds for a bucket that has another id, or that has none although there is data.

create table public.installation (
  one boolean primary key default true constraint installation_one check (one),
  id uuid not null default gen_random_uuid(),
  stamp bigint not null default 0,
  stamped_at timestamptz,
  paired_at timestamptz,
  problem text constraint installation_problem
    check (problem in ('unclaimed_bucket', 'missing_stamp', 'foreign_bucket', 'catalog_restored')),
  problem_at timestamptz,
  bucket_id text,
  bucket_stamp bigint,
  paused_at timestamptz,
  paused_by text,
  pause_reason text,
  created_at timestamptz not null default now(),
  constraint installation_problem_has_time check ((problem is null) = (problem_at is null)),
  constraint installation_pause_has_owner check ((paused_at is null) = (paused_by is null))
);
alter table public.installation enable row level security;
comment on table public.installation is 'One row: which bucket belongs to this catalog, and whether anything may be deleted.';
comment on column public.installation.stamp is 'Grows each minute, before the stamp in the bucket, which is therefore never ahead.';
comment on column public.installation.paired_at is 'When the id was first seen in the bucket; null until then.';
comment on column public.installation.bucket_id is 'The id that the bucket had when it was last read.';
comment on column public.installation.paused_at is 'Since when an operator has paused all deletions.';
insert into public.installation default values;

-- Why this bucket is not the one of this catalog; null if it is, or may be claimed.
-- p_bucket: {id, stamp}, or of a bucket without an id {objects, truncated, oldestAt}: a look at its first page.
-- A new catalog claims a bucket by itself only if nothing in it can be older than the catalog.
create function fusou.pairing_problem(p_own public.installation, p_bucket jsonb)
returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_bucket ->> 'id' is not null then case
      when p_bucket ->> 'id' <> p_own.id::text then 'foreign_bucket'
      when (p_bucket ->> 'stamp')::bigint > p_own.stamp then 'catalog_restored'
    end
    when p_own.paired_at is not null then 'missing_stamp'
    when (p_bucket ->> 'truncated')::boolean
      or (p_bucket ->> 'oldestAt')::timestamptz < p_own.created_at - interval '1 minute'
      or ((p_bucket ->> 'objects')::bigint = 0 and exists (select 1 from public.files))
    then 'unclaimed_bucket'
  end
$$;

-- Compares what the bucket says with what this catalog knows, and notes the result.
-- Outcomes: paired {stamp, write}: the caller writes {id, stamp} to the bucket if `write`; claim {id}: the caller writes
-- it if the bucket still has none, then asks again; problem {problem}.
create function public.check_installation(p_bucket jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_own public.installation;
  v_problem text;
  v_write boolean;
begin
  select * into strict v_own from public.installation for update;
  v_problem := fusou.pairing_problem(v_own, p_bucket);
  if v_problem is not null then
    update public.installation
    set problem = v_problem,
        problem_at = case when problem = v_problem then problem_at else now() end,
        bucket_id = p_bucket ->> 'id',
        bucket_stamp = (p_bucket ->> 'stamp')::bigint
    where one;
    return jsonb_build_object('outcome', 'problem', 'problem', v_problem);
  elsif p_bucket ->> 'id' is null then
    return jsonb_build_object('outcome', 'claim', 'id', v_own.id, 'stamp', v_own.stamp);
  end if;
  v_write := v_own.stamped_at is null or v_own.stamped_at <= now() - interval '50 seconds'
    or (p_bucket ->> 'stamp')::bigint < v_own.stamp - 1;
  update public.installation
  set stamp = stamp + v_write::integer,
      stamped_at = case when v_write then now() else stamped_at end,
      paired_at = coalesce(paired_at, now()),
      problem = null,
      problem_at = null,
      bucket_id = p_bucket ->> 'id',
      bucket_stamp = (p_bucket ->> 'stamp')::bigint
  where one
  returning * into v_own;
  return jsonb_build_object('outcome', 'paired', 'id', v_own.id, 'stamp', v_own.stamp, 'write', v_write);
end $$;

-- A person has looked at the problem and decides that this bucket belongs to this catalog from now on. The catalog takes
-- the id of the bucket, and a stamp beyond both. Every suspicion of the sweep begins again.
-- Outcomes: accepted {id, stamp}: the caller writes it to the bucket; changed {problem}: the problem is another one now.
create function public.accept_installation(p_caller jsonb, p_problem text, p_bucket jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_own public.installation;
  v_problem text;
begin
  perform fusou.require_operator(p_caller);
  select * into strict v_own from public.installation for update;
  v_problem := fusou.pairing_problem(v_own, p_bucket);
  if v_problem is distinct from p_problem then
    return jsonb_build_object('outcome', 'changed', 'problem', v_problem);
  end if;
  update public.installation
  set id = coalesce((p_bucket ->> 'id')::uuid, id),
      stamp = greatest(stamp, coalesce((p_bucket ->> 'stamp')::bigint, 0)) + 1,
      stamped_at = null,
      paired_at = coalesce(paired_at, now()),
      problem = null,
      problem_at = null
  where one
  returning * into v_own;
  delete from public.orphan_suspects where r2_key is not null;
  -- The catalog may have been set back: addresses that it has given since are not given again.
  update public.table_spaces set next_address = least(next_address + 17592186044416, fusou.end_of_addresses());
  update public.sweeps
  set cursor = null, round = round + 1, objects = 0, orphans = 0, approved_round = null, accepted_orphans = null
  where name is not null;
  perform fusou.audit(p_caller, 'installation.accept', null, null, v_own.id::text, to_jsonb(v_problem));
  return jsonb_build_object('outcome', 'accepted', 'id', v_own.id, 'stamp', v_own.stamp);
end $$;

create function public.pause_deletions(p_caller jsonb, p_paused boolean, p_by text, p_reason text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_was_paused boolean;
begin
  perform fusou.require_operator(p_caller);
  select paused_at is not null into v_was_paused from public.installation for update;
  update public.installation
  set paused_at = case when p_paused then coalesce(paused_at, now()) end,
      paused_by = case when p_paused then left(p_by, 200) end,
      pause_reason = case when p_paused then left(p_reason, 500) end
  where one;
  perform fusou.audit(
    p_caller, case when p_paused then 'vacuum.pause' else 'vacuum.resume' end, null, null, null,
    to_jsonb(v_was_paused), jsonb_build_object('by', left(p_by, 200), 'reason', left(p_reason, 500))
  );
  return jsonb_build_object('paused', p_paused);
end $$;

create function fusou.has_pairing_problem()
returns boolean
language sql stable
set search_path = ''
as $$ select problem is not null from public.installation $$;

-- Whether objects may be deleted now. p_stamp is what check_installation() answered in the same run of the cron: a
-- catalog that was set back since then has an older stamp, and refuses. Null asks for the noted state alone.
create function fusou.deletions_allowed(p_stamp bigint)
returns boolean
language sql stable
set search_path = ''
as $$
  select problem is null and paused_at is null
    and (p_stamp is null or (paired_at is not null and p_stamp between stamp - 100 and stamp))
  from public.installation
$$;

-- The sweep looks at every object of the bucket in rounds. An object that no row names is a suspect; it is marked for
-- deletion after it was found in two rounds, hours apart, and only if the later round found few orphans in all: many
-- are rather a fault of the catalog than of the objects, and wait for a person.

create table public.orphan_suspects (
  r2_key text collate "C" primary key,
  first_seen_at timestamptz not null default now(),
  first_round bigint not null,
  last_round bigint not null
);
alter table public.orphan_suspects enable row level security;
comment on table public.orphan_suspects is 'Objects that no row names, as the rounds of the sweep found them.';
create table public.kept_objects (
  r2_key text collate "C" primary key,
  reason text not null,
  noted_at timestamptz not null default now()
);
alter table public.kept_objects enable row level security;
comment on table public.kept_objects is
  'Objects that no row names and that adoption could not place: the sweep leaves them to a person.';

create function fusou.is_orphan(p_key text)
returns boolean
language sql stable
set search_path = ''
as $$
  select not exists (select 1 from public.files f where f.r2_key = p_key)
    and not exists (select 1 from public.garbage g where g.r2_key = p_key)
    and not exists (select 1 from public.kept_objects k where k.r2_key = p_key)
    and not exists (select 1 from public.composed_footers c where c.r2_key = p_key)
    -- complete in the bucket, perhaps, and registered when its client says so
    and not exists (select 1 from public.resumable_uploads u where u.r2_key = p_key and u.state = 'open')
$$;

-- Whether an object was made from others and can be made again: a footer. Losing track of such is no reason to stop.
create function fusou.is_derived(p_key text)
returns boolean
language sql immutable
set search_path = ''
as $$ select p_key ~ '^datasets/[^/]+/tables/' $$;

-- How many orphans a round may find without a person: one in a hundred objects, five at least, a thousand at most.
create function fusou.allowed_orphans(p_objects bigint)
returns bigint
language sql immutable
set search_path = ''
as $$ select least(1000, greatest(5, p_objects / 100)) $$;

-- How long after the first look the second one counts.
create function fusou.suspicion_interval()
returns interval
language sql immutable
set search_path = ''
as $$ select interval '6 hours' $$;

-- Takes the next page of a walk over the bucket, if one is due; the walker has a minute to report back.
create function public.begin_sweep(p_name text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
begin
  insert into public.sweeps (name, next_at) values (p_name, now()) on conflict (name) do nothing;
  update public.sweeps set next_at = now() + interval '60 seconds'
  where name = p_name and next_at <= now()
  returning * into v_sweep;
  return jsonb_build_object('due', found, 'cursor', v_sweep.cursor, 'round', v_sweep.round);
end $$;

-- Records one page of a walk. p_objects: how many objects the page has; p_keys: those old enough to be orphans.
-- A page counts once: a walker that comes too late for its round or cursor is answered `stale`.
create function public.record_sweep_page(
  p_name text, p_round bigint, p_cursor text, p_next_cursor text, p_objects integer, p_keys text[],
  p_pause_seconds integer, p_stamp bigint default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_found integer;
begin
  select * into v_sweep from public.sweeps where name = p_name for update;
  if not found or v_sweep.round <> p_round or v_sweep.cursor is distinct from p_cursor
    or not fusou.deletions_allowed(p_stamp)
  then
    return jsonb_build_object('outcome', 'stale', 'orphans', 0);
  end if;
  with noted as (
    insert into public.orphan_suspects as s (r2_key, first_round, last_round)
    select k, p_round, p_round from (select distinct k from unnest(p_keys) as k) u
    where fusou.is_orphan(k)
    order by k
    on conflict (r2_key) do update set
      first_seen_at = case when s.last_round < p_round - 1 then now() else s.first_seen_at end,
      first_round = case when s.last_round < p_round - 1 then p_round else s.first_round end,
      last_round = p_round
    returning s.r2_key
  )
  select count(*) into v_found from noted n where not fusou.is_derived(n.r2_key);
  update public.sweeps
  set objects = objects + p_objects,
      orphans = orphans + v_found,
      cursor = p_next_cursor,
      next_at = now() + make_interval(secs => p_pause_seconds)
  where name = p_name;
  if p_next_cursor is null then
    perform fusou.end_round(p_name);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'orphans', v_found);
end $$;

create function fusou.end_round(p_name text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_few boolean;
begin
  select * into strict v_sweep from public.sweeps where name = p_name for update;
  -- Accepting a number accepts a few more: orphans that came since the person looked.
  v_few := v_sweep.orphans <= greatest(
    fusou.allowed_orphans(v_sweep.objects), v_sweep.accepted_orphans + fusou.allowed_orphans(0)
  );
  update public.sweeps
  set approved_round = case when v_few then round end,
      stopped_at = case when not v_few then coalesce(stopped_at, now()) end,
      accepted_orphans = null,
      last_objects = objects,
      last_orphans = orphans,
      objects = 0,
      orphans = 0,
      round = round + 1
  where name = p_name;
  -- These are gone, or a row names them by now.
  delete from public.orphan_suspects where last_round < v_sweep.round;
end $$;

-- Marks for deletion what two looks have found, up to p_limit objects a call; answers how many.
create function public.mark_orphans(p_name text, p_limit integer, p_stamp bigint default null)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_round bigint;
  v_keys text[];
  v_count integer;
begin
  select approved_round into v_round from public.sweeps where name = p_name for update;
  if v_round is null or not fusou.deletions_allowed(p_stamp) then
    return 0;
  end if;
  with due as (
    select s.r2_key from public.orphan_suspects s
    where s.last_round >= v_round
      and s.first_round < v_round
      and s.first_seen_at <= now() - fusou.suspicion_interval()
    order by s.r2_key
    limit p_limit
  ), seen as (
    delete from public.orphan_suspects s using due where s.r2_key = due.r2_key returning s.r2_key
  )
  select array_agg(seen.r2_key) into v_keys from seen;
  insert into public.garbage (r2_key)
  select k from unnest(v_keys) as k where fusou.is_orphan(k) order by k
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end $$;

-- A person has looked at the orphans that stopped the sweep. p_orphans must be the number that the last complete round
-- found. The sweep looks once more, and marks them if they are still as many; a second look is needed all the same.
-- p_release_kept: objects that adoption could not place are orphans again.
create function public.accept_orphans(p_caller jsonb, p_name text, p_orphans bigint, p_release_kept boolean)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_sweep public.sweeps;
  v_released bigint := 0;
begin
  perform fusou.require_operator(p_caller);
  select * into v_sweep from public.sweeps where name = p_name for update;
  if p_orphans <> coalesce(v_sweep.last_orphans, 0) then
    return jsonb_build_object('outcome', 'changed', 'orphans', coalesce(v_sweep.last_orphans, 0));
  end if;
  if p_release_kept then
    delete from public.kept_objects where r2_key is not null;
    get diagnostics v_released = row_count;
  end if;
  update public.sweeps
  set accepted_orphans = p_orphans + v_released, next_at = now()
  where name = p_name;
  perform fusou.audit(
    p_caller, 'orphans.accept', null, null, p_name, null,
    jsonb_build_object('orphans', p_orphans, 'released', v_released)
  );
  return jsonb_build_object('outcome', 'accepted', 'orphans', p_orphans, 'released', v_released);
end $$;

create function fusou.installation_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', i.id,
    'problem', i.problem,
    'problemSince', i.problem_at,
    'bucketId', i.bucket_id,
    'paused', case when i.paused_at is not null then
      jsonb_build_object('since', i.paused_at, 'by', i.paused_by, 'reason', i.pause_reason)
    end,
    'sweep', (
      select jsonb_build_object(
        'objects', s.last_objects, 'orphans', s.last_orphans, 'stoppedSince', s.stopped_at,
        'acceptedOrphans', s.accepted_orphans
      )
      from public.sweeps s where s.name = 'orphans'
    ),
    'keptObjects', (select count(*) from (select 1 from public.kept_objects limit 100000) k)
  )
  from public.installation i
$$;
-- Operations beyond one job: many dead jobs tried again, files discarded, files released from quarantine.

-- Dead jobs, by id or by what they have in common, the one that died first first; dead jobs of one dataset are done by
-- one new job. A job named by its id is taken as often as it is named, others only until somebody asked again:
-- repeating the call goes on with the rest. Null filters match all.
create function public.redrive(
  p_caller jsonb, p_job_ids uuid[], p_dataset_id text, p_code text, p_dry_run boolean, p_limit integer,
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_account constant uuid := fusou.account_of(p_caller, 'manage');
  v_found record;
  v_found_ids uuid[] := '{}';
  v_found_id uuid;
  v_job public.jobs;
  v_asked jsonb;
  v_jobs jsonb := '[]';
  v_outbox jsonb := '[]';
begin
  if p_limit not between 1 and 100 then
    raise exception 'redrive: limit must be 1..100' using errcode = '22023';
  end if;
  -- In one order for all, and all before the first job is asked for: who has admitted one waits for no dataset.
  for v_found in
    select m.id, m.dataset_id from (
      select j.id, j.dataset_id, j.finished_at
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'dead'
        and (v_account is null or d.owner_id = v_account)
        and (p_dataset_id is null or j.dataset_id = p_dataset_id)
        and (p_code is null or j.error_code = p_code)
        and case when p_job_ids is null then j.retried_as is null else j.id = any (p_job_ids) end
      order by j.finished_at, j.id
      limit p_limit
    ) m
    order by m.dataset_id, m.finished_at, m.id
  loop
    if p_dry_run then
      v_jobs := v_jobs || jsonb_build_object('jobId', v_found.id, 'datasetId', v_found.dataset_id);
      continue;
    end if;
    perform 1 from public.datasets where id = v_found.dataset_id for update;
    v_found_ids := v_found_ids || v_found.id;
  end loop;
  foreach v_found_id in array v_found_ids loop
    v_job := fusou.open_job(v_found_id, p_caller);
    -- Somebody else asked while this call waited for the lock.
    if p_job_ids is null and v_job.retried_as is not null then
      continue;
    end if;
    v_asked := fusou.request_again(v_job, p_caller, p_sender);
    v_jobs := v_jobs || jsonb_build_object(
      'jobId', v_job.id, 'datasetId', v_job.dataset_id, 'newJobId', v_asked -> 'jobId'
    );
    if jsonb_typeof(v_asked -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_asked -> 'outbox');
    end if;
  end loop;
  return jsonb_build_object('jobs', v_jobs, 'outbox', v_outbox);
end $$;

-- A file that the caller may change, else a null row. Locks its dataset.
create function fusou.open_file(p_file_id uuid, p_caller jsonb)
returns public.files
language plpgsql
set search_path = ''
as $$
declare
  v_dataset public.datasets;
  v_file public.files;
begin
  select d.* into v_dataset from public.datasets d
  where d.id = (select f.dataset_id from public.files f where f.id = p_file_id)
  for update;
  if fusou.may(p_caller, v_dataset, 'manage') then
    select * into v_file from public.files where id = p_file_id;
  end if;
  return v_file;
end $$;

create function fusou.audit_file(p_caller jsonb, p_action text, p_file public.files)
returns void
language sql
set search_path = ''
as $$
  select fusou.audit(
    p_caller, p_action, (select d.owner_id from public.datasets d where d.id = p_file.dataset_id), p_file.dataset_id,
    p_file.id::text, jsonb_strip_nulls(jsonb_build_object(
      'table', p_file.table_name, 'periodTag', p_file.period_tag, 'rows', p_file.row_count,
      'quarantine', p_file.quarantine_code
    ))
  )
$$;

-- Takes a live file, uploaded or merged, out of the dataset: its rows are in no later version, earlier ones keep it.
-- A merge that has it as an input goes on without it.
-- Outcomes: discarded (also when it was before), file_superseded (a merge took it: its rows are in another), unknown_file.
create function public.discard_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_file public.files := fusou.open_file(p_file_id, p_caller);
  v_version bigint;
begin
  if v_file.id is null then
    return jsonb_build_object('outcome', 'unknown_file');
  elsif v_file.removed_version is not null and not v_file.discarded then
    return jsonb_build_object('outcome', 'file_superseded');
  elsif v_file.removed_version is null then
    update public.datasets set version = version + 1 where id = v_file.dataset_id returning version into v_version;
    update public.files
    set removed_version = v_version, removed_at = now(), discarded = true, discarded_by = fusou.user_of(p_caller)
    where id = p_file_id returning * into v_file;
    delete from public.suspects where file_id = p_file_id;
    perform fusou.look_for_work(v_file.dataset_id);
    perform fusou.audit_file(p_caller, 'file.discard', v_file);
  end if;
  return jsonb_build_object(
    'outcome', 'discarded', 'datasetId', v_file.dataset_id, 'table', v_file.table_name,
    'periodTag', v_file.period_tag, 'rows', v_file.row_count, 'version', v_file.removed_version
  );
end $$;

-- Lets merges take a file again that is in quarantine: somebody has mended its object, or what could not merge it.
-- Outcomes: released, not_quarantined, unknown_file.
create function public.release_file(p_file_id uuid, p_caller jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_file public.files := fusou.open_file(p_file_id, p_caller);
begin
  if v_file.id is null then
    return jsonb_build_object('outcome', 'unknown_file');
  elsif v_file.removed_version is not null or v_file.quarantine_code is null then
    return jsonb_build_object('outcome', 'not_quarantined');
  end if;
  update public.files
  set quarantine_code = null, quarantine_message = null, quarantined_by_job = null, quarantined_at = null,
      quarantine_acknowledged_at = null
  where id = p_file_id;
  perform fusou.look_for_work(v_file.dataset_id);
  perform fusou.audit_file(p_caller, 'file.release', v_file);
  return jsonb_build_object('outcome', 'released', 'datasetId', v_file.dataset_id, 'code', v_file.quarantine_code);
end $$;

-- The operator knows of the files that are in quarantine now: the alert counts only those that come after.
-- Null filters match all. Answers with how many; a file that a call works on right now is left to the next one.
create function public.acknowledge_files(p_caller jsonb, p_dataset_id text, p_code text)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  perform fusou.require_operator(p_caller);
  with news as (
    select f.id from public.files f
    where f.removed_version is null and f.quarantine_code is not null and f.quarantine_acknowledged_at is null
      and (p_dataset_id is null or f.dataset_id = p_dataset_id)
      and (p_code is null or f.quarantine_code = p_code)
    for update skip locked
  )
  update public.files f set quarantine_acknowledged_at = now() from news where f.id = news.id;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform fusou.audit(
      p_caller, 'files.acknowledge', null, p_dataset_id, null, null,
      jsonb_build_object('files', v_count, 'code', p_code)
    );
  end if;
  return v_count;
end $$;
-- Deletion of data: at once in a new version, from the bucket when its retention is over, undone until then.

create table public.deletions (
  id bigint generated always as identity primary key,
  dataset_id text not null references public.datasets (id) on delete cascade,
  table_name text,
  period_tag text,
  reason text not null constraint deletions_reason check (reason in ('request', 'retention')),
  version bigint not null,
  files bigint not null,
  rows bigint not null,
  bytes bigint not null,
  deleted_at timestamptz not null default now(),
  restored_at timestamptz,
  restored_version bigint
);
alter table public.deletions enable row level security;
comment on table public.deletions is 'What was deleted together; the rows of its files name it until vacuum takes them.';
comment on column public.deletions.table_name is 'Null: every table.';
comment on column public.deletions.reason is 'request: somebody asked; retention: it was older than deleteAfterDays.';
create index deletions_of_dataset on public.deletions (dataset_id, id desc);

create function fusou.deletion_json(p_deletion public.deletions, p_settings jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_deletion.id, 'table', p_deletion.table_name, 'periodTag', p_deletion.period_tag, 'reason', p_deletion.reason,
    'version', p_deletion.version, 'files', p_deletion.files, 'rows', p_deletion.rows, 'bytes', p_deletion.bytes,
    'deletedAt', p_deletion.deleted_at, 'restoredAt', p_deletion.restored_at, 'restoredVersion', p_deletion.restored_version,
    'restorableUntil', case when p_deletion.restored_at is null then
      p_deletion.deleted_at + make_interval(secs => fusou.setting(p_settings, 'retentionSeconds'))
    end
  )
$$;

-- Takes live files out of a dataset, in one version. The caller holds its lock. Null if there are none.
-- Uploads that were merged into them are no longer known either, so that their content may be uploaded again.
create function fusou.delete_files(
  p_dataset public.datasets, p_table text, p_period_tag text, p_file_ids uuid[], p_reason text, p_user_id uuid
)
returns public.deletions
language plpgsql
set search_path = ''
as $$
declare
  v_deletion public.deletions;
  v_found record;
begin
  select coalesce(array_agg(f.id), '{}') as ids, count(*) as files, coalesce(sum(f.row_count), 0) as row_count,
    coalesce(sum(f.byte_length), 0) as bytes
  into v_found
  from public.files f
  where f.dataset_id = p_dataset.id and f.removed_version is null
    and (p_table is null or f.table_name = p_table)
    and (p_period_tag is null or f.period_tag = p_period_tag)
    and (p_file_ids is null or f.id = any (p_file_ids));
  if v_found.files = 0 then
    return null;
  end if;
  insert into public.deletions (dataset_id, table_name, period_tag, reason, version, files, rows, bytes)
  values (
    p_dataset.id, p_table, p_period_tag, p_reason, p_dataset.version + 1, v_found.files,
    fusou.saturate(v_found.row_count), fusou.saturate(v_found.bytes)
  )
  returning * into v_deletion;
  update public.datasets set version = v_deletion.version where id = p_dataset.id;
  update public.files
  set removed_version = v_deletion.version, removed_at = now(), discarded = true, discarded_by = p_user_id,
      deletion_id = v_deletion.id
  where id = any (v_found.ids);
  delete from public.suspects where file_id = any (v_found.ids);
  if p_file_ids is null then
    update public.files f set discarded = true, deletion_id = v_deletion.id
    where f.dataset_id = p_dataset.id and f.level = 0 and f.removed_version is not null and not f.discarded
      and (p_table is null or f.table_name = p_table)
      and (p_period_tag is null or f.period_tag = p_period_tag);
  end if;
  perform fusou.look_for_work(p_dataset.id);
  return v_deletion;
end $$;

-- Deletes a table, a period of it, or with neither the whole dataset, which then is in no list until it is restored or
-- uploaded to. Outcomes: deleted (deletion null: there was nothing), unknown_dataset.
create function public.delete_data(p_dataset_id text, p_caller jsonb, p_table text, p_period_tag text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_deletion public.deletions;
  v_job_id uuid;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  v_deletion := fusou.delete_files(v_dataset, p_table, p_period_tag, null, 'request', fusou.user_of(p_caller));
  if p_table is null then
    update public.datasets set deleted_at = coalesce(deleted_at, now()) where id = p_dataset_id;
    for v_job_id in
      select j.id from public.jobs j where j.dataset_id = p_dataset_id and j.state = 'queued'
    loop
      perform fusou.end_job(v_job_id, 'cancelled', null);
    end loop;
  end if;
  if v_deletion.id is not null then
    perform fusou.audit(
      p_caller, 'data.delete', v_dataset.owner_id, p_dataset_id, v_deletion.id::text,
      jsonb_strip_nulls(jsonb_build_object(
        'table', p_table, 'periodTag', p_period_tag, 'files', v_deletion.files, 'rows', v_deletion.rows
      ))
    );
  end if;
  return jsonb_build_object(
    'outcome', 'deleted',
    'deletion', case when v_deletion.id is not null then fusou.deletion_json(v_deletion, v_dataset.settings) end
  );
end $$;

-- The uploads of a deletion that came again since: what they hold may be there once only.
create function fusou.uploaded_again(p_deletion_id bigint)
returns table (gone public.files, again public.files)
language sql stable
set search_path = ''
as $$
  select g, a from public.files g
  join public.files a
    on a.dataset_id = g.dataset_id and a.table_name = g.table_name and a.period_tag = g.period_tag
    and a.content_sha256 = g.content_sha256 and a.level = 0 and not a.discarded
  where g.deletion_id = p_deletion_id and g.level = 0
$$;

-- Puts back what one deletion took, in a new version, under new ids. A file that was uploaded again since is there already.
-- A merged file that comes back supersedes uploads of its own that came again.
-- Outcomes: restored (also when it was before), unknown_dataset, unknown_deletion, deletion_gone (vacuum has taken some of
-- it), uploaded_again (a part of a merged file came again since, and is merged with other rows by now).
create function public.restore_deletion(p_dataset_id text, p_caller jsonb, p_deletion_id bigint)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_deletion public.deletions;
  v_version bigint;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  select * into v_deletion from public.deletions where id = p_deletion_id and dataset_id = p_dataset_id;
  if not found then
    return jsonb_build_object('outcome', 'unknown_deletion');
  elsif v_deletion.restored_at is not null then
    return jsonb_build_object('outcome', 'restored', 'deletion', fusou.deletion_json(v_deletion, v_dataset.settings));
  elsif (
    select count(*) from public.files f
    where f.deletion_id = p_deletion_id and f.removed_version = v_deletion.version
  ) <> v_deletion.files then
    return jsonb_build_object('outcome', 'deletion_gone');
  elsif exists (
    select 1 from fusou.uploaded_again(p_deletion_id) u
    where (u.gone).removed_version < v_deletion.version and (u.again).removed_version is not null
  ) then
    return jsonb_build_object('outcome', 'uploaded_again');
  end if;
  v_version := v_dataset.version + 1;
  update public.files f set removed_version = v_version, removed_at = now()
  where f.removed_version is null and f.id in (
    select (u.again).id from fusou.uploaded_again(p_deletion_id) u
    where (u.gone).removed_version < v_deletion.version
  );
  insert into public.files (
    dataset_id, table_name, period_tag, r2_key, byte_offset, byte_length, row_count, row_group_count, work_bytes, level,
    fragments, content_sha256, schema_fingerprint, created_version, created_by_job, uploaded_by, uploaded_with,
    quarantine_code, quarantine_message, quarantined_by_job, quarantined_at, quarantine_acknowledged_at, healed_at,
    newest_upload_at, settings_key
  )
  select
    f.dataset_id, f.table_name, f.period_tag, f.r2_key, f.byte_offset, f.byte_length, f.row_count, f.row_group_count,
    f.work_bytes, f.level, f.fragments, f.content_sha256, f.schema_fingerprint, v_version,
    f.created_by_job, f.uploaded_by, f.uploaded_with, f.quarantine_code, f.quarantine_message, f.quarantined_by_job,
    f.quarantined_at, f.quarantine_acknowledged_at, f.healed_at, f.newest_upload_at, f.settings_key
  from public.files f
  where f.deletion_id = p_deletion_id and f.removed_version = v_deletion.version
    and not exists (select 1 from fusou.uploaded_again(p_deletion_id) u where (u.gone).id = f.id);
  perform fusou.check_storage(v_dataset.owner_id);
  -- The uploads that are merged into them are known again.
  update public.files f set discarded = false, deletion_id = null
  where f.deletion_id = p_deletion_id and f.level = 0 and f.removed_version < v_deletion.version
    and not exists (select 1 from fusou.uploaded_again(p_deletion_id) u where (u.gone).id = f.id);
  update public.datasets set version = v_version, deleted_at = null where id = p_dataset_id;
  update public.deletions set restored_at = now(), restored_version = v_version where id = p_deletion_id returning * into v_deletion;
  perform fusou.look_for_work(p_dataset_id);
  perform fusou.audit(
    p_caller, 'data.restore', v_dataset.owner_id, p_dataset_id, p_deletion_id::text, null,
    jsonb_build_object('files', v_deletion.files, 'rows', v_deletion.rows)
  );
  return jsonb_build_object('outcome', 'restored', 'deletion', fusou.deletion_json(v_deletion, v_dataset.settings));
end $$;

-- Newest first. p_before: the last deletion of the page before.
create function public.list_deletions(p_dataset_id text, p_caller jsonb, p_before bigint, p_limit integer)
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
  return jsonb_build_object('outcome', 'ok', 'deletions', (
    select coalesce(jsonb_agg(fusou.deletion_json(l.deletion, v_dataset.settings) order by (l.deletion).id desc), '[]')
    from (
      select d as deletion from public.deletions d
      where d.dataset_id = p_dataset_id and (p_before is null or d.id < p_before)
      order by d.id desc limit p_limit
    ) l
  ));
end $$;

-- When the period that a tag names is over: of 2026, 2026-11 and 2026-11-26; null for a tag that is no date.
create function fusou.period_end(p_period_tag text)
returns timestamptz
language plpgsql stable
set search_path = ''
as $$
begin
  return case
    when p_period_tag ~ '^[12]\d{3}$' then make_timestamptz(p_period_tag::integer + 1, 1, 1, 0, 0, 0, 'UTC')
    when p_period_tag ~ '^[12]\d{3}-(0[1-9]|1[0-2])$' then make_timestamptz(
      left(p_period_tag, 4)::integer + right(p_period_tag, 2)::integer / 12, right(p_period_tag, 2)::integer % 12 + 1, 1,
      0, 0, 0, 'UTC'
    )
    when p_period_tag ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'
      then (p_period_tag || 'T00:00:00Z')::timestamptz + interval '1 day'
  end;
exception when datetime_field_overflow then
  return null;
end $$;

-- Retention of data: live files that are older than deleteAfterDays of their dataset. A file of a period that is a date
-- is as old as the end of that period, any other as the youngest upload in it. Each dataset is looked through once an hour, at
-- most p_limit of them a call.
create function public.delete_expired_data(p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset_id text;
  v_dataset public.datasets;
  v_ids uuid[];
  v_deletion public.deletions;
  v_deletions bigint := 0;
  v_files bigint := 0;
begin
  for v_dataset_id in
    with due as (
      select d.id, d.owner_id from public.datasets d
      where d.settings ? 'deleteAfterDays'
        and (d.data_checked_at is null or d.data_checked_at < now() - interval '1 hour')
      order by d.data_checked_at nulls first
      limit p_limit
      for update skip locked
    )
    -- In order of owners, whose usage each deletion locks: two callers wait for each other in one order.
    select due.id from due order by due.owner_id, due.id
  loop
    update public.datasets set data_checked_at = now() where id = v_dataset_id returning * into v_dataset;
    select array_agg(f.id) into v_ids from public.files f
    where f.dataset_id = v_dataset.id and f.removed_version is null and fusou.is_expired(f, v_dataset.settings);
    v_deletion := null;
    if v_ids is not null then
      v_deletion := fusou.delete_files(v_dataset, null, null, v_ids, 'retention', null);
    end if;
    if v_deletion.id is not null then
      v_deletions := v_deletions + 1;
      v_files := v_files + v_deletion.files;
    end if;
  end loop;
  return jsonb_build_object('datasets', v_deletions, 'files', v_files);
end $$;

create function fusou.is_expired(p_file public.files, p_settings jsonb)
returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce(fusou.period_end(p_file.period_tag), p_file.newest_upload_at)
    < now() - make_interval(days => (p_settings ->> 'deleteAfterDays')::integer)
$$;

-- Everything of a user: their datasets are deleted, their keys revoked, their roles on datasets of others ended. Asked by an
-- operator, or by the user. At most p_limit datasets a call; the caller repeats it while `more`.
create function public.delete_user_data(p_caller jsonb, p_user_id uuid, p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset_id text;
  v_count integer := 0;
begin
  if fusou.key_of(p_caller) is not null
    or not (fusou.is_operator(p_caller) or fusou.user_of(p_caller) is not distinct from p_user_id)
  then
    perform fusou.forbid('all data of a user is deleted by that user, signed in, or by an operator');
  end if;
  -- Before any dataset, as in complete_upload().
  with mine as (
    select u.id from public.resumable_uploads u where u.user_id = p_user_id and u.state = 'open' order by u.id for update
  )
  update public.resumable_uploads u set expires_at = least(u.expires_at, now()) from mine m where u.id = m.id;
  -- All datasets before the usage of their owner, which the first deletion takes: an upload holds one and waits for it.
  perform 1 from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null order by d.id limit p_limit for update;
  for v_dataset_id in
    select d.id from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null order by d.id limit p_limit
  loop
    perform public.delete_data(v_dataset_id, p_caller, null, null);
    v_count := v_count + 1;
  end loop;
  update public.access_keys set revoked_at = now() where user_id = p_user_id and revoked_at is null;
  delete from public.grants where user_id = p_user_id;
  if v_count > 0 then
    perform fusou.audit(p_caller, 'user.delete_data', p_user_id, null, p_user_id::text, jsonb_build_object('datasets', v_count));
  end if;
  return jsonb_build_object(
    'datasets', v_count,
    'more', exists (select 1 from public.datasets d where d.owner_id = p_user_id and d.deleted_at is null)
  );
end $$;
-- Webhooks: a post to an address of the owner when a dataset has a new version or a job of it has ended. Messages are written
-- in the transaction of the change and sent after it, at least once.

create table public.webhooks (
  id uuid primary key,
  dataset_id text not null references public.datasets (id) on delete cascade,
  url text not null constraint webhooks_url check (length(url) between 1 and 2000),
  events text[] not null
    constraint webhooks_events check (cardinality(events) >= 1 and events <@ array['dataset.changed', 'job.ended']),
  secret text not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  last_delivered_at timestamptz,
  failing_since timestamptz,
  last_error text,
  disabled_at timestamptz
);
alter table public.webhooks enable row level security;
comment on column public.webhooks.secret is 'Signs each message; it is shown once, and kept since signing needs it.';
comment on column public.webhooks.disabled_at is 'Since when nothing is sent: it answered 410, or failed for three days.';
create index webhooks_of_dataset on public.webhooks (dataset_id, id);

create table public.webhook_messages (
  id bigint generated always as identity primary key,
  webhook_id uuid not null references public.webhooks (id) on delete cascade,
  event text not null,
  data jsonb not null,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  locked_until timestamptz,
  created_at timestamptz not null default now()
);
alter table public.webhook_messages enable row level security;
comment on table public.webhook_messages is 'What is to be sent; a message that was delivered, or given up, goes.';
create index webhook_messages_due on public.webhook_messages (next_attempt_at, id);
create index webhook_messages_of_hook on public.webhook_messages (webhook_id, event);

create function fusou.max_webhooks()
returns integer
language sql immutable
set search_path = ''
as $$ select 10 $$;

create function fusou.webhook_json(p_webhook public.webhooks)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_webhook.id, 'url', p_webhook.url, 'events', p_webhook.events, 'createdAt', p_webhook.created_at,
    'lastDeliveredAt', p_webhook.last_delivered_at, 'failingSince', p_webhook.failing_since,
    'lastError', p_webhook.last_error, 'disabledAt', p_webhook.disabled_at,
    'waiting', (select count(*) from public.webhook_messages m where m.webhook_id = p_webhook.id)
  )
$$;

-- p_webhook: {id, url, events, secret}. The id is the caller's, so that a repeated call makes one.
-- Outcomes: created, unknown_dataset, too_many_webhooks.
create function public.create_webhook(p_dataset_id text, p_caller jsonb, p_webhook jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_webhook public.webhooks;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  elsif (select count(*) from public.webhooks w where w.dataset_id = p_dataset_id) >= fusou.max_webhooks() then
    return jsonb_build_object('outcome', 'too_many_webhooks', 'max', fusou.max_webhooks());
  end if;
  insert into public.webhooks (id, dataset_id, url, events, secret, created_by)
  values (
    (p_webhook ->> 'id')::uuid, p_dataset_id, p_webhook ->> 'url',
    array(select jsonb_array_elements_text(p_webhook -> 'events')), p_webhook ->> 'secret', fusou.user_of(p_caller)
  )
  on conflict (id) do nothing;
  select * into strict v_webhook from public.webhooks w
  where w.id = (p_webhook ->> 'id')::uuid and w.dataset_id = p_dataset_id;
  perform fusou.audit(
    p_caller, 'webhook.create', v_dataset.owner_id, p_dataset_id, v_webhook.id::text, null,
    jsonb_build_object('url', v_webhook.url, 'events', v_webhook.events)
  );
  return jsonb_build_object('outcome', 'created', 'webhook', fusou.webhook_json(v_webhook));
end $$;

create function public.list_webhooks(p_dataset_id text, p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets;
begin
  select * into v_dataset from public.datasets where id = p_dataset_id;
  if not fusou.may(p_caller, v_dataset, 'manage') then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  return jsonb_build_object('outcome', 'ok', 'webhooks', (
    select coalesce(jsonb_agg(fusou.webhook_json(w) order by w.created_at, w.id), '[]')
    from public.webhooks w where w.dataset_id = p_dataset_id
  ));
end $$;

-- Outcomes: deleted (also when there was none), unknown_dataset.
create function public.delete_webhook(p_dataset_id text, p_caller jsonb, p_webhook_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_dataset public.datasets := fusou.open_dataset(p_dataset_id, p_caller, 'manage');
  v_url text;
begin
  if v_dataset.id is null then
    return jsonb_build_object('outcome', 'unknown_dataset');
  end if;
  delete from public.webhooks w where w.id = p_webhook_id and w.dataset_id = p_dataset_id returning w.url into v_url;
  if found then
    perform fusou.audit(p_caller, 'webhook.delete', v_dataset.owner_id, p_dataset_id, p_webhook_id::text, to_jsonb(v_url));
  end if;
  return jsonb_build_object('outcome', 'deleted');
end $$;

-- Writes a message for each webhook of a dataset that wants the event. Of changes that nobody was told of yet, only the
-- newest is told.
create function fusou.tell_webhooks(p_dataset_id text, p_event text, p_data jsonb)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_webhook_id uuid;
begin
  for v_webhook_id in
    select w.id from public.webhooks w
    where w.dataset_id = p_dataset_id and p_event = any (w.events) and w.disabled_at is null
    order by w.id
  loop
    if p_event = 'dataset.changed' then
      update public.webhook_messages m set data = p_data
      where m.webhook_id = v_webhook_id and m.event = p_event and m.attempts = 0;
      continue when found;
    end if;
    insert into public.webhook_messages (webhook_id, event, data) values (v_webhook_id, p_event, p_data);
  end loop;
end $$;

create function fusou.version_changed()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform fusou.tell_webhooks(
    new.id, 'dataset.changed', jsonb_build_object('datasetId', new.id, 'version', new.version)
  );
  return null;
end $$;
create trigger datasets_told after update of version on public.datasets
  for each row when (old.version is distinct from new.version) execute function fusou.version_changed();

create function fusou.job_ended()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform fusou.tell_webhooks(new.dataset_id, 'job.ended', jsonb_strip_nulls(jsonb_build_object(
    'datasetId', new.dataset_id, 'jobId', new.id, 'state', new.state, 'error', new.error_code,
    'filesIn', new.files_in, 'filesOut', new.files_out, 'rowsOut', new.rows_out, 'filesSetAside', new.files_set_aside
  )));
  return null;
end $$;
create trigger jobs_told after update of state on public.jobs
  for each row when (old.state is distinct from new.state and new.state in ('succeeded', 'dead', 'cancelled'))
  execute function fusou.job_ended();

-- Messages that are due, with where they go. Each is the caller's until p_lock_seconds have passed; its number of attempts is
-- the fence of settle_webhook().
create function public.claim_webhooks(p_limit integer, p_lock_seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_messages jsonb;
begin
  with due as (
    select m.id from public.webhook_messages m
    where m.next_attempt_at <= now() and (m.locked_until is null or m.locked_until < now())
    order by m.next_attempt_at, m.id
    limit p_limit
    for update skip locked
  ), claimed as (
    update public.webhook_messages m
    set attempts = m.attempts + 1, locked_until = now() + make_interval(secs => p_lock_seconds)
    from due where m.id = due.id
    returning m.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id, 'attempt', c.attempts, 'event', c.event, 'data', c.data, 'createdAt', c.created_at,
    'url', w.url, 'secret', w.secret
  ) order by c.id), '[]')
  into v_messages
  from claimed c join public.webhooks w on w.id = c.webhook_id;
  return v_messages;
end $$;

-- p_outcome: delivered; failed, to be tried again with a growing pause; gone, the receiver wants no more.
-- A webhook that has failed for three days is disabled; its messages go.
create function public.settle_webhook(p_message_id bigint, p_attempt integer, p_outcome text, p_error text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_message public.webhook_messages;
  v_webhook public.webhooks;
begin
  select * into v_message from public.webhook_messages where id = p_message_id and attempts = p_attempt for update;
  if not found then
    return jsonb_build_object('outcome', 'stale');
  end if;
  if p_outcome = 'delivered' then
    delete from public.webhook_messages where id = p_message_id;
    update public.webhooks set last_delivered_at = now(), failing_since = null, last_error = null
    where id = v_message.webhook_id;
    return jsonb_build_object('outcome', 'settled');
  end if;
  update public.webhooks
  set last_error = left(p_error, 500), failing_since = coalesce(failing_since, now()),
      disabled_at = case
        when p_outcome = 'gone' or failing_since < now() - interval '3 days' then coalesce(disabled_at, now())
        else disabled_at
      end
  where id = v_message.webhook_id
  returning * into v_webhook;
  if v_webhook.disabled_at is not null then
    delete from public.webhook_messages where webhook_id = v_webhook.id;
  else
    update public.webhook_messages
    set locked_until = null, next_attempt_at = now() + fusou.backoff(attempts, 5, 3600)
    where id = p_message_id;
  end if;
  return jsonb_build_object('outcome', 'settled');
end $$;
-- Who runs when there is more work than workers. A job gets a slot before its message is sent, and keeps it until it
-- ends; whoever frees a slot gives it on in the same transaction, and the cron looks again each minute. So nothing polls,
-- and a job that was not admitted is only a row that waits.

create table public.admission (
  one boolean primary key default true constraint admission_one_row check (one),
  max_running_jobs integer not null default 24 constraint admission_max_running check (max_running_jobs >= 1),
  max_running_jobs_of_owner integer not null default 12 constraint admission_max_of_owner check (max_running_jobs_of_owner >= 1),
  ageing_seconds integer not null default 600 constraint admission_ageing check (ageing_seconds >= 0)
);
alter table public.admission enable row level security;
comment on table public.admission is 'Its one row is locked by whoever gives out slots, after all locks of datasets; who holds it waits for no other lock.';
insert into public.admission default values;

-- A job has its slot from its message on until it ends.
create function fusou.slots_taken()
returns bigint
language sql volatile
set search_path = ''
as $$ select count(*) from public.jobs where state = 'running' or (state = 'queued' and admitted_at is not null) $$;

-- Gives the free slots to the best of the jobs that wait, and writes their messages. Answers with those the sender is to
-- send: of p_job_id alone if it is named, the relay has the others. p_quiet: p_job_id is here already, it needs none.
--
-- The best is the one with the lowest rank: 0 manual, 1 realtime, 2 scheduled, one more for each slot that its owner
-- holds already, one less for each ageing_seconds that it has waited. So nobody starves: a job that was asked for more
-- than (2 + slots of its owner) * ageing_seconds later does not overtake, however many there are.
create function fusou.admit(p_sender text default null, p_job_id uuid default null, p_quiet boolean default false)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_admission public.admission;
  v_next_id uuid;
  v_messages jsonb := '[]';
begin
  select * into strict v_admission from public.admission for update;
  -- Merges of a catalog that was set back would make a second history beside the one in the bucket.
  while not fusou.has_pairing_problem() and fusou.slots_taken() < v_admission.max_running_jobs loop
    -- A row that is locked belongs to a call that changes the job right now; the next look finds it.
    with slots as (
      select d.owner_id, count(*) as held
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'running' or (j.state = 'queued' and j.admitted_at is not null)
      group by d.owner_id
    )
    select w.id into v_next_id
    from public.jobs w
    join public.datasets d on d.id = w.dataset_id
    left join slots s on s.owner_id = d.owner_id
    where w.state = 'queued'
      and w.admitted_at is null
      and coalesce(s.held, 0) < v_admission.max_running_jobs_of_owner
      and not exists (
        select 1 from public.jobs r where r.dataset_id = w.dataset_id and r.kind = w.kind and r.state = 'running'
      )
    order by
      w.created_at
        + make_interval(secs => (fusou.priority_rank(w.priority) + coalesce(s.held, 0)) * v_admission.ageing_seconds),
      fusou.priority_rank(w.priority), w.created_at, w.id
    limit 1
    for update of w skip locked;
    exit when not found;

    if v_next_id = p_job_id and p_quiet then
      update public.jobs set admitted_at = clock_timestamp() where id = v_next_id;
    elsif v_next_id = p_job_id or p_job_id is null then
      v_messages := v_messages || fusou.dispatch(v_next_id, p_sender);
    else
      perform fusou.dispatch(v_next_id);
    end if;
  end loop;
  return v_messages;
end $$;

-- The look of the cron: for slots that nobody gave on, after the limits were raised or a row was passed over.
create function public.admit_jobs()
returns integer
language sql security definer
set search_path = ''
as $$ select jsonb_array_length(fusou.admit()) $$;

create function fusou.admission_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'maxRunningJobs', max_running_jobs,
    'maxRunningJobsOfOwner', max_running_jobs_of_owner,
    'ageingSeconds', ageing_seconds
  )
  from public.admission
$$;

-- p_settings: {maxRunningJobs?, maxRunningJobsOfOwner?, ageingSeconds?}; what is left out stays.
create function public.configure_admission(p_caller jsonb, p_settings jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_before jsonb;
begin
  perform fusou.require_operator(p_caller);
  perform 1 from public.admission for update;
  v_before := fusou.admission_json();
  update public.admission
  set max_running_jobs = coalesce((p_settings ->> 'maxRunningJobs')::integer, max_running_jobs),
      max_running_jobs_of_owner = coalesce((p_settings ->> 'maxRunningJobsOfOwner')::integer, max_running_jobs_of_owner),
      ageing_seconds = coalesce((p_settings ->> 'ageingSeconds')::integer, ageing_seconds)
  where one;
  if v_before <> fusou.admission_json() then
    perform fusou.audit(p_caller, 'admission.configure', null, null, null, v_before, fusou.admission_json());
  end if;
  return fusou.admission_json();
end $$;

create function public.read_admission(p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform fusou.require_operator(p_caller);
  return fusou.admission_json();
end $$;
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
-- Alerts: one of each kind at a time. Trouble raises it, which is told to each channel once and again after a silence;
-- when the trouble has been away for a while it is resolved, which is told to whom it was told. Both go out by the outbox.

create table public.heartbeats (
  name text primary key,
  beat_at timestamptz not null default now()
);
alter table public.heartbeats enable row level security;
comment on table public.heartbeats is 'When something that should come regularly came last.';
-- Counted from the installation, or a trigger that never came would never be missed.
insert into public.heartbeats (name) values ('daily_trigger'), ('cron');

-- The cron has run to its end, whatever became of its chores.
create function public.record_cron_run()
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.heartbeats (name) values ('cron') on conflict (name) do update set beat_at = now();
  return jsonb_build_object('outcome', 'recorded');
end $$;

create function fusou.cron_run()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'lastRunAt', h.beat_at, 'ageSeconds', greatest(0, floor(extract(epoch from now() - h.beat_at)))
  )
  from public.heartbeats h where h.name = 'cron'
$$;

create function public.ping()
returns jsonb
language sql stable security definer
set search_path = ''
as $$ select jsonb_build_object('now', now(), 'cron', fusou.cron_run()) $$;

create table public.alerts (
  kind text primary key
    constraint alerts_kind check (kind in (
      'dead_letters', 'failure_rate', 'oldest_waiting', 'missed_daily_trigger', 'files_set_aside',
      'installation_mismatch', 'catalog_restored', 'orphans_stopped'
    )),
  severity text not null constraint alerts_severity check (severity in ('critical', 'error', 'warning')),
  incident bigint not null default 0,
  raised_at timestamptz,
  quiet_since timestamptz,
  told text[] not null default '{}',
  told_at timestamptz,
  known_causes text[] not null default '{}',
  causes_told_at timestamptz,
  resolved_at timestamptz,
  found bigint not null default 0,
  summary text,
  details jsonb not null default '{}'
);
alter table public.alerts enable row level security;
comment on column public.alerts.incident is 'Grows by one each time the alert is raised: with the kind it is what receivers tell incidents apart by.';
comment on column public.alerts.raised_at is 'Null when all is well.';
comment on column public.alerts.quiet_since is 'Since when the trouble of a raised alert is away.';
comment on column public.alerts.known_causes is
  'What this incident was told to be about, such as a code in a dataset; at most fusou.max_known_causes(). Others are new.';
comment on column public.alerts.told is 'Channels that know of this incident.';

insert into public.alerts (kind, severity) values
  ('dead_letters', 'error'), ('failure_rate', 'critical'), ('oldest_waiting', 'error'), ('missed_daily_trigger', 'warning'),
  ('files_set_aside', 'warning'),
  ('installation_mismatch', 'critical'), ('catalog_restored', 'critical'), ('orphans_stopped', 'error');

-- Queued jobs that no other of their dataset stands in front of, and since when: a job that waits for another of its
-- dataset begins to wait when that one ends. First for a slot, as long as all are taken, then for the queue.
-- Oldest first, a thousand at the most.
create function fusou.waiting_jobs(p_older interval)
returns table (job_id uuid, dataset_id text, priority text, waits_for text, waiting_since timestamptz)
language sql stable
set search_path = ''
as $$
  with old as (
    select j.id, j.dataset_id, j.kind, j.priority, j.created_at,
      case when j.admitted_at is null then 'slot' else 'queue' end as waits_for
    from public.jobs j
    where j.state = 'queued' and j.created_at < now() - p_older
      and not exists (
        select 1 from public.jobs r where r.dataset_id = j.dataset_id and r.kind = j.kind and r.state = 'running'
      )
    order by j.created_at
    limit 1000
  ), since as (
    select o.id, o.dataset_id, o.priority, o.waits_for, greatest(o.created_at, (
      select p.finished_at from public.jobs p
      where p.dataset_id = o.dataset_id and (p.created_at, p.id) < (o.created_at, o.id)
      order by p.created_at desc, p.id desc limit 1
    )) as waiting_since
    from old o
  )
  select s.id, s.dataset_id, s.priority, s.waits_for, s.waiting_since from since s
  where s.waiting_since < now() - p_older order by s.waiting_since, s.id
$$;
create index jobs_waiting_longest on public.jobs (created_at) where state = 'queued';

create function fusou.minutes(p_seconds double precision)
returns text
language sql immutable
set search_path = ''
as $$ select case when p_seconds < 7200 then round(p_seconds / 60) || ' min' else round(p_seconds / 3600) || ' h' end $$;

create function fusou.numbered(p_count bigint, p_noun text)
returns text
language sql immutable
set search_path = ''
as $$ select p_count || ' ' || p_noun || case when p_count = 1 then '' else 's' end $$;

create function fusou.max_known_causes()
returns integer
language sql immutable
set search_path = ''
as $$ select 200 $$;

create function fusou.cause(p_code text, p_dataset_id text)
returns text
language sql immutable
set search_path = ''
as $$ select left(p_code, 100) || coalesce(' in ' || p_dataset_id, '') $$;

-- Letters of the window that are open.
create function fusou.find_dead_letters(p_window_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with letters as (
    select l.* from public.dead_letters l
    where l.closed_at is null and l.received_at > now() - make_interval(secs => p_window_seconds)
    order by l.received_at desc limit 10000
  ), codes as (
    select code, count(*) as letters from letters group by code
  )
  select 'dead_letters', count(*) > 0, count(*),
    format('%s in %s', fusou.numbered(count(*), 'dead letter'), fusou.minutes(p_window_seconds)),
    jsonb_build_object(
      'causes', (
        select coalesce(jsonb_agg(c.cause), '[]')
        from (
          select fusou.cause(code, dataset_id) as cause from letters
          group by 1 order by max(received_at) desc, 1 limit fusou.max_known_causes()
        ) c
      ),
      'codes', (select coalesce(jsonb_object_agg(code, letters), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.job_id, 'datasetId', e.dataset_id, 'code', e.code, 'message', left(e.message, 300)
        )), '[]')
        from (select * from letters order by received_at desc, id desc limit 5) e
      )
    )
  from letters
$$;

-- The share of jobs that died among those that ended in the window; few jobs prove nothing.
create function fusou.find_failure_rate(p_window_seconds double precision, p_ratio double precision, p_min_jobs integer)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with ended as (
    select j.id, j.state, j.dataset_id, j.error_code, j.error_step, j.error_message, j.finished_at from public.jobs j
    where j.finished_at > now() - make_interval(secs => p_window_seconds) and j.state in ('succeeded', 'dead')
    order by j.finished_at desc limit 10000
  ), counted as (
    select count(*) as jobs, count(*) filter (where state = 'dead') as dead from ended
  ), codes as (
    select error_code, count(*) as jobs from ended where state = 'dead' group by error_code
  )
  select 'failure_rate', c.jobs >= greatest(p_min_jobs, 1) and c.dead >= p_ratio * c.jobs, c.dead,
    format('%s of %s died in %s', c.dead, fusou.numbered(c.jobs, 'job'), fusou.minutes(p_window_seconds)),
    jsonb_build_object(
      'ended', c.jobs,
      'causes', (
        select coalesce(jsonb_agg(d.cause), '[]')
        from (
          select fusou.cause(error_code, dataset_id) as cause from ended where state = 'dead'
          group by 1 order by max(finished_at) desc, 1 limit fusou.max_known_causes()
        ) d
      ),
      'codes', (select coalesce(jsonb_object_agg(error_code, jobs), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.id, 'datasetId', e.dataset_id, 'code', e.error_code, 'step', e.error_step,
          'message', left(e.error_message, 300)
        )), '[]')
        from (select * from ended where state = 'dead' order by finished_at desc, id limit 5) e
      )
    )
  from counted c
$$;

create function fusou.find_oldest_waiting(p_bound_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with late as (
    select * from fusou.waiting_jobs(make_interval(secs => p_bound_seconds))
  )
  select 'oldest_waiting', count(*) > 0, count(*),
    format(
      '%s waiting for longer than %s, the oldest for %s%s', fusou.numbered(count(*), 'job'), fusou.minutes(p_bound_seconds),
      fusou.minutes(coalesce(extract(epoch from now() - min(waiting_since)), 0)::double precision),
      ', ' || nullif(count(*) filter (where waits_for = 'slot'), 0) || ' for a slot'
    ),
    jsonb_build_object(
      'causes', (select coalesce(jsonb_agg(distinct 'waits for the ' || waits_for), '[]') from late),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', e.job_id, 'datasetId', e.dataset_id, 'priority', e.priority, 'waitsFor', e.waits_for,
          'waitingSince', e.waiting_since
        )), '[]')
        from (select * from late order by waiting_since, job_id limit 5) e
      )
    )
  from late
$$;

create function fusou.find_missed_trigger(p_bound_seconds double precision)
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select 'missed_daily_trigger',
    h.beat_at < now() - make_interval(secs => p_bound_seconds) and exists (select 1 from public.datasets),
    1::bigint,
    format('the daily trigger has not come for %s', fusou.minutes(extract(epoch from now() - h.beat_at)::double precision)),
    jsonb_build_object('lastTriggerAt', h.beat_at)
  from public.heartbeats h where h.name = 'daily_trigger'
$$;

-- Catalog and bucket do not fit together: a row for each of the two kinds of it.
create function fusou.find_pairing_problem()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select k.kind,
    i.problem is not null and k.kind = case when i.problem = 'catalog_restored' then i.problem else 'installation_mismatch' end,
    1::bigint,
    case i.problem
      when 'catalog_restored' then 'the bucket is newer than the catalog, which was set back to an older state'
      when 'foreign_bucket' then 'the bucket belongs to another installation'
      when 'missing_stamp' then 'the bucket no longer has the id of this installation'
      else 'the bucket has objects of unknown origin and no installation id'
    end || '; nothing is merged or deleted until an operator decides',
    jsonb_build_object('examples', '[]'::jsonb)
  from public.installation i
  cross join unnest(array['installation_mismatch', 'catalog_restored']) as k (kind)
$$;

create function fusou.find_stopped_sweep()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  select 'orphans_stopped', s.stopped_at is not null, coalesce(s.last_orphans, 0),
    format('%s of %s objects have no row in the catalog; none of them is deleted until an operator decides',
      s.last_orphans, s.last_objects),
    jsonb_build_object('examples', (
      select coalesce(jsonb_agg(jsonb_build_object('message', e.r2_key)), '[]')
      from (select r2_key from public.orphan_suspects order by r2_key limit 5) e
    ))
  from public.sweeps s where s.name = 'orphans'
$$;

-- Files in quarantine that no operator has acknowledged.
create function fusou.find_files_set_aside()
returns table (kind text, firing boolean, found bigint, summary text, details jsonb)
language sql stable
set search_path = ''
as $$
  with news as (
    select f.* from public.files f
    where f.removed_version is null and f.quarantine_code is not null and f.quarantine_acknowledged_at is null
    order by f.quarantined_at desc limit 10000
  ), codes as (
    select quarantine_code, count(*) as files from news group by quarantine_code order by count(*) desc limit 10
  )
  select 'files_set_aside', count(*) > 0, count(*),
    format(
      '%s set aside by merges, in %s', fusou.numbered(count(*), 'file'),
      fusou.numbered(count(distinct dataset_id), 'dataset')
    ),
    jsonb_build_object(
      'causes', (
        select coalesce(jsonb_agg(c.cause), '[]')
        from (
          select fusou.cause(quarantine_code, dataset_id) as cause from news
          group by 1 order by max(quarantined_at) desc, 1 limit fusou.max_known_causes()
        ) c
      ),
      'codes', (select coalesce(jsonb_object_agg(quarantine_code, files), '{}') from codes),
      'examples', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'fileId', e.id, 'jobId', e.quarantined_by_job, 'datasetId', e.dataset_id, 'code', e.quarantine_code,
          'message', left(e.quarantine_message, 300)
        )), '[]')
        from (select * from news order by quarantined_at desc, id desc limit 5) e
      )
    )
  from news
$$;

-- Looks for trouble and settles every alert, whoever calls at the same time. An alert that stands is told again when it
-- has new causes (`causes` of its details, a list of texts), but not more often than newCausesSeconds.
-- p_rules: bounds and windows in seconds, see AlertRules of the catalog package. p_channels: those that are configured.
-- Answers with what changed, and with the messages to send: `alert.<channel>`, born locked by p_sender unless an older
-- one of the same channel and kind is yet to be sent.
create function public.raise_alerts(p_rules jsonb, p_channels text[], p_sender text default null)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_alert public.alerts;
  v_trouble record;
  v_remind boolean;
  v_causes text[];
  v_new_causes text[];
  v_details jsonb;
  v_channels text[];
  v_changes jsonb := '[]';
  v_outbox jsonb := '[]';
begin
  -- One caller at a time; what it looks at next is as the caller before has left it.
  perform 1 from public.alerts order by kind for update;
  for v_trouble in
    select * from fusou.find_dead_letters((p_rules ->> 'deadLettersWindowSeconds')::double precision)
    union all
    select * from fusou.find_failure_rate(
      (p_rules ->> 'failureWindowSeconds')::double precision, (p_rules ->> 'failureRatio')::double precision,
      (p_rules ->> 'failureMinJobs')::integer
    )
    union all
    select * from fusou.find_oldest_waiting((p_rules ->> 'waitingBoundSeconds')::double precision)
    union all
    select * from fusou.find_missed_trigger((p_rules ->> 'triggerBoundSeconds')::double precision)
    union all
    select * from fusou.find_files_set_aside()
    union all
    select * from fusou.find_pairing_problem()
    union all
    select * from fusou.find_stopped_sweep()
  loop
    select * into strict v_alert from public.alerts where kind = v_trouble.kind;
    v_causes := array(select jsonb_array_elements_text(coalesce(v_trouble.details -> 'causes', '[]')));
    v_details := v_trouble.details - 'causes';
    if v_trouble.firing then
      if v_alert.raised_at is null then
        update public.alerts
        set incident = incident + 1, raised_at = now(), told = '{}', told_at = null,
            known_causes = v_causes, causes_told_at = now()
        where kind = v_alert.kind returning * into v_alert;
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'raised', 'summary', v_trouble.summary);
      end if;
      -- A full list tells nothing new apart: the alert is then silent until it is told again as a whole.
      v_new_causes := array(
        select c from unnest(v_causes) as c
        where c <> all (v_alert.known_causes) and cardinality(v_alert.known_causes) < fusou.max_known_causes()
        order by c
      );
      v_remind := coalesce(
        v_alert.told_at <= now() - make_interval(secs => (p_rules ->> 'silenceSeconds')::double precision), false
      );
      if v_new_causes <> '{}' and (
        v_remind
        or v_alert.causes_told_at
          <= now() - make_interval(secs => coalesce((p_rules ->> 'newCausesSeconds')::double precision, 900))
      ) then
        v_remind := true;
        v_details := v_details || jsonb_build_object(
          'newCauses', to_jsonb(v_new_causes[1:10]), 'newCauseCount', cardinality(v_new_causes)
        );
        update public.alerts
        set known_causes = (known_causes || v_new_causes)[1:fusou.max_known_causes()], causes_told_at = now()
        where kind = v_alert.kind;
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'grown', 'summary', v_trouble.summary);
      end if;
      v_channels := array(select c from unnest(p_channels) as c where v_remind or c <> all (v_alert.told));
      update public.alerts
      set quiet_since = null,
          found = v_trouble.found,
          summary = v_trouble.summary,
          details = v_details,
          told = array(select distinct c from unnest(told || v_channels) as c order by c),
          told_at = case when v_channels <> '{}' then now() else told_at end
      where kind = v_alert.kind returning * into v_alert;
      v_outbox := v_outbox || fusou.tell(v_alert, 'trigger', v_channels, p_sender);
    elsif v_alert.raised_at is not null then
      update public.alerts set quiet_since = coalesce(quiet_since, now())
      where kind = v_alert.kind returning * into v_alert;
      if v_alert.quiet_since <= now() - make_interval(secs => (p_rules ->> 'quietSeconds')::double precision) then
        v_channels := array(select c from unnest(p_channels) as c where c = any (v_alert.told));
        v_outbox := v_outbox || fusou.tell(v_alert, 'resolve', v_channels, p_sender);
        v_changes := v_changes || jsonb_build_object('kind', v_alert.kind, 'change', 'resolved', 'summary', v_alert.summary);
        update public.alerts set raised_at = null, quiet_since = null, resolved_at = now() where kind = v_alert.kind;
      end if;
    end if;
  end loop;
  return jsonb_build_object('changes', v_changes, 'outbox', v_outbox);
end $$;

-- Writes the messages of an alert. Answers with those that the sender is to send.
create function fusou.tell(p_alert public.alerts, p_action text, p_channels text[], p_sender text)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_channel text;
  v_key text;
  v_message jsonb;
  v_mine boolean;
  v_outbox jsonb := '[]';
begin
  foreach v_channel in array p_channels loop
    v_key := 'alert.' || v_channel || ':' || p_alert.kind;
    v_mine := p_sender is not null and not fusou.has_open_message(v_key);
    v_message := fusou.emit(
      'alert.' || v_channel,
      v_key,
      jsonb_build_object(
        'kind', p_alert.kind,
        'action', p_action,
        'incident', p_alert.incident,
        'severity', p_alert.severity,
        'summary', p_alert.summary,
        'found', p_alert.found,
        'details', p_alert.details,
        'raisedAt', p_alert.raised_at,
        'at', now()
      ),
      case when v_mine then p_sender end
    );
    if v_mine then
      v_outbox := v_outbox || v_message;
    end if;
  end loop;
  return v_outbox;
end $$;
-- Uploads in parts. The bucket does not tell a Worker which are under way, so each is noted before its first part is
-- written; vacuum aborts those whose attempt is over. What died before the note has no parts, and the bucket itself
-- forgets it after seven days.

create table public.multipart_uploads (
  r2_key text primary key,
  upload_id text not null,
  job_id uuid not null references public.jobs (id),
  attempt integer not null,
  created_at timestamptz not null default now()
);
alter table public.multipart_uploads enable row level security;

create function public.open_multipart(p_job_id uuid, p_attempt integer, p_r2_key text, p_upload_id text)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_outcome text := fusou.fence(p_job_id, p_attempt);
begin
  if v_outcome = 'ok' then
    insert into public.multipart_uploads (r2_key, upload_id, job_id, attempt)
    values (p_r2_key, p_upload_id, p_job_id, p_attempt)
    on conflict (r2_key) do nothing;
  end if;
  return jsonb_build_object('outcome', v_outcome);
end $$;

-- An attempt that is over never comes back: its number only grows, and an ended job does not run again.
create function fusou.attempt_is_over(p_job_id uuid, p_attempt integer)
returns boolean
language sql stable
set search_path = ''
as $$
  select not exists (
    select 1 from public.jobs j where j.id = p_job_id and j.state = 'running' and j.attempt = p_attempt
  )
$$;

-- Nobody completes these: their attempt is over, or its try of the step ended long ago without a word.
create function fusou.abandoned_uploads()
returns setof public.multipart_uploads
language sql stable
set search_path = ''
as $$
  select u.* from public.multipart_uploads u
  where fusou.attempt_is_over(u.job_id, u.attempt) or u.created_at < now() - interval '1 day'
$$;

-- The answer repeats them until close_multiparts().
create function public.list_abandoned_uploads(p_limit integer, p_stamp bigint default null)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('r2Key', u.r2_key, 'uploadId', u.upload_id) order by u.created_at), '[]')
  from (select * from fusou.abandoned_uploads() order by created_at limit p_limit) u
  where fusou.deletions_allowed(p_stamp)
$$;

-- These are aborted, or were complete before: then the object lies under its key, and nothing will name it any more.
create function public.close_multiparts(p_keys text[])
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count integer;
begin
  -- First these, then garbage: the order of commit_merge().
  perform 1 from public.multipart_uploads where r2_key = any (p_keys) order by r2_key for update;
  insert into public.garbage (r2_key)
  select u.r2_key from public.multipart_uploads u
  where u.r2_key = any (p_keys)
    and fusou.attempt_is_over(u.job_id, u.attempt)
    and not exists (select 1 from public.files f where f.r2_key = u.r2_key)
  order by u.r2_key
  on conflict do nothing;
  delete from public.multipart_uploads where r2_key = any (p_keys);
  get diagnostics v_count = row_count;
  perform fusou.add_to_counter('uploads_aborted', v_count);
  return v_count;
end $$;

create table public.counters (
  name text primary key,
  value bigint not null
);
alter table public.counters enable row level security;
comment on table public.counters is 'What vacuum did since the installation.';

create function fusou.add_to_counter(p_name text, p_value bigint)
returns void
language sql
set search_path = ''
as $$
  insert into public.counters as c (name, value)
  select p_name, p_value where p_value > 0
  on conflict (name) do update set value = c.value + excluded.value
$$;

-- A dry run of vacuum, one page of one reason; changes nothing. Looks at p_limit rows at the most, so a page may be
-- empty although more follow: `next` is where it goes on, null at the end.
-- superseded: file rows whose retention is over; the object goes with the last row that names it.
-- refused: objects noted as garbage already. incomplete_upload: uploads in parts that nobody completes.
create function public.preview_vacuum(p_reason text, p_after jsonb, p_limit integer)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_page jsonb;
begin
  case p_reason
  when 'superseded' then
    with examined as (
      select f.id, f.r2_key, f.byte_length, f.dataset_id, f.removed_at,
        now() - make_interval(secs => fusou.setting(d.settings, 'retentionSeconds')) as readable_from
      from public.files f join public.datasets d on d.id = f.dataset_id
      where f.removed_at is not null
        and (p_after is null or (f.removed_at, f.id) > ((p_after ->> 'at')::timestamptz, (p_after ->> 'id')::uuid))
      order by f.removed_at, f.id limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object(
        'r2Key', e.r2_key, 'bytes', e.byte_length, 'datasetId', e.dataset_id, 'fileId', e.id, 'since', e.removed_at,
        'objectStays', exists (
          select 1 from public.files o
          where o.r2_key = e.r2_key and (o.removed_at is null or o.removed_at >= e.readable_from)
        )
      ) order by e.removed_at, e.id) filter (where e.removed_at < e.readable_from), '[]'),
      'next', case when count(*) = p_limit then (
        select jsonb_build_object('at', l.removed_at, 'id', l.id) from examined l order by l.removed_at desc, l.id desc limit 1
      ) end
    )
    into v_page from examined e;
  when 'refused' then
    with examined as (
      select g.r2_key, g.marked_at from public.garbage g
      where p_after is null or g.r2_key > p_after ->> 'key'
      order by g.r2_key limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object('r2Key', e.r2_key, 'since', e.marked_at) order by e.r2_key)
        filter (where not exists (select 1 from public.files f where f.r2_key = e.r2_key)), '[]'),
      'next', case when count(*) = p_limit then jsonb_build_object('key', max(e.r2_key)) end
    )
    into v_page from examined e;
  when 'incomplete_upload' then
    with examined as (
      select u.r2_key, u.job_id, u.attempt, u.created_at from fusou.abandoned_uploads() u
      where p_after is null or u.r2_key > p_after ->> 'key'
      order by u.r2_key limit p_limit
    )
    select jsonb_build_object(
      'items', coalesce(jsonb_agg(jsonb_build_object(
        'r2Key', e.r2_key, 'jobId', e.job_id, 'attempt', e.attempt, 'since', e.created_at
      ) order by e.r2_key), '[]'),
      'next', case when count(*) = p_limit then jsonb_build_object('key', max(e.r2_key)) end
    )
    into v_page from examined e;
  else
    raise exception 'preview_vacuum: the reason must be superseded, refused or incomplete_upload' using errcode = '22023';
  end case;
  return v_page;
end $$;

-- The orphans among these keys of objects older than a day.
create function public.list_orphans(p_keys text[])
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(k order by k), '[]') from unnest(p_keys) as k
  where fusou.is_orphan(k)
$$;
-- Figures: what people and monitors look at often, so none of it reads all jobs there ever were. Ended jobs are added
-- once to totals that stay small; a figure is a total and a look at the jobs that are not tallied yet. What should be few
-- is counted up to a bound.

create table public.job_totals (
  owner_id uuid not null,
  kind text not null,
  state text not null,
  jobs bigint not null,
  retries bigint not null,
  files_in bigint not null,
  files_out bigint not null,
  rows_in bigint not null,
  rows_out bigint not null,
  bytes_in bigint not null,
  bytes_out bigint not null,
  primary key (owner_id, kind, state)
);
alter table public.job_totals enable row level security;

create table public.step_totals (
  kind text not null,
  step text not null,
  le double precision not null,
  steps bigint not null,
  seconds double precision not null,
  primary key (kind, step, le)
);
alter table public.step_totals enable row level security;
comment on column public.step_totals.le is 'Upper bound of the bucket in seconds; a step counts in each that it fits into, and in Infinity.';

-- How jobs sum up. Retries are attempts after the first.
create function fusou.sum_jobs(p_job_ids uuid[])
returns setof public.job_totals
language sql stable
set search_path = ''
as $$
  select d.owner_id, j.kind, j.state, count(*), sum(greatest(j.attempt - 1, 0))::bigint,
    fusou.saturate(sum(j.files_in)), fusou.saturate(sum(j.files_out)),
    fusou.saturate(sum(j.rows_in)), fusou.saturate(sum(j.rows_out)),
    fusou.saturate(sum(j.bytes_in)), fusou.saturate(sum(j.bytes_out))
  from unnest(p_job_ids) as u (id) join public.jobs j on j.id = u.id join public.datasets d on d.id = j.dataset_id
  group by d.owner_id, j.kind, j.state
$$;

-- Steps of ended jobs, in buckets; the merges of a job are one step.
create function fusou.sum_steps(p_job_ids uuid[])
returns setof public.step_totals
language sql stable
set search_path = ''
as $$
  with bounds as (
    select b.le, b.position from unnest(
      array['Infinity', 1800, 600, 300, 120, 60, 30, 10, 5, 2.5, 1, 0.5, 0.25, 0.1]::double precision[]
    ) with ordinality as b (le, position)
  ), counted as (
    -- The bucket of a step is the last bound that it does not exceed; width_bucket() wants them ascending.
    select s.kind, s.step, s.bucket, count(*) as steps, sum(s.seconds) as seconds
    from (
      select j.kind, case when starts_with(d.key, 'compact-') then 'compact' else d.key end as step,
        d.value::double precision as seconds,
        1 + width_bucket(
          -d.value::double precision,
          array[-1800, -600, -300, -120, -60, -30, -10, -5, -2.5, -1, -0.5, -0.25, -0.1]::double precision[]
        ) as bucket
      from unnest(p_job_ids) as u (id) join public.jobs j on j.id = u.id
      cross join lateral jsonb_each_text(j.step_durations) d
      where j.finished_at is not null
    ) s
    group by s.kind, s.step, s.bucket
  )
  select k.kind, k.step, b.le, coalesce(sum(c.steps), 0)::bigint, coalesce(sum(c.seconds), 0)
  from (select distinct kind, step from counted) k
  cross join bounds b
  left join counted c on c.kind = k.kind and c.step = k.step and c.bucket >= b.position
  group by k.kind, k.step, b.le
$$;

-- Adds ended jobs to the totals, each once. Waits for no job: what somebody holds, the next call takes.
create function public.tally_jobs(p_limit integer)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_job_ids uuid[];
begin
  with ended as (
    select j.id from public.jobs j
    where j.finished_at is not null and not j.tallied
    limit p_limit for update skip locked
  )
  select array_agg(e.id) into v_job_ids from ended e;
  if v_job_ids is null then
    return 0;
  end if;

  insert into public.job_totals as t
  select * from fusou.sum_jobs(v_job_ids) order by owner_id, kind, state
  on conflict (owner_id, kind, state) do update set
    jobs = t.jobs + excluded.jobs,
    retries = t.retries + excluded.retries,
    files_in = fusou.saturate(t.files_in::numeric + excluded.files_in),
    files_out = fusou.saturate(t.files_out::numeric + excluded.files_out),
    rows_in = fusou.saturate(t.rows_in::numeric + excluded.rows_in),
    rows_out = fusou.saturate(t.rows_out::numeric + excluded.rows_out),
    bytes_in = fusou.saturate(t.bytes_in::numeric + excluded.bytes_in),
    bytes_out = fusou.saturate(t.bytes_out::numeric + excluded.bytes_out);
  insert into public.step_totals as t
  select * from fusou.sum_steps(v_job_ids) order by kind, step, le
  on conflict (kind, step, le) do update set steps = t.steps + excluded.steps, seconds = t.seconds + excluded.seconds;
  update public.jobs set tallied = true where id = any (v_job_ids);
  return cardinality(v_job_ids);
end $$;

-- Totals and what is not tallied yet (jobs under way, and those that ended a moment ago), of one owner or of all.
create function fusou.all_totals(p_owner uuid)
returns setof public.job_totals
language sql stable
set search_path = ''
as $$
  select * from public.job_totals t where p_owner is null or t.owner_id = p_owner
  union all
  select d.owner_id, j.kind, j.state, count(*), sum(greatest(j.attempt - 1, 0))::bigint,
    fusou.saturate(sum(j.files_in)), fusou.saturate(sum(j.files_out)),
    fusou.saturate(sum(j.rows_in)), fusou.saturate(sum(j.rows_out)),
    fusou.saturate(sum(j.bytes_in)), fusou.saturate(sum(j.bytes_out))
  from public.jobs j join public.datasets d on d.id = j.dataset_id
  where not j.tallied and (p_owner is null or d.owner_id = p_owner)
  group by d.owner_id, j.kind, j.state
$$;

create function fusou.max_count()
returns integer
language sql immutable
set search_path = ''
as $$ select 100000 $$;

create function fusou.age_seconds(p_since timestamptz)
returns double precision
language sql stable
set search_path = ''
as $$ select case when p_since is not null then greatest(0, extract(epoch from now() - p_since)) end $$;

-- Every kind of job in every state, also those without a job.
create function fusou.counted_jobs(p_owner uuid)
returns table (kind text, state text, jobs bigint)
language sql stable
set search_path = ''
as $$
  with totals as (
    select t.kind, t.state, sum(t.jobs)::bigint as jobs from fusou.all_totals(p_owner) t group by t.kind, t.state
  )
  select k.kind, s.state, coalesce(t.jobs, 0)
  from (select 'compaction' as kind union select kind from totals) k
  cross join unnest(array['queued', 'running', 'succeeded', 'dead', 'cancelled']) with ordinality as s (state, position)
  left join totals t on t.kind = k.kind and t.state = s.state
  order by k.kind, s.position
$$;

-- Messages that are not sent; the age is that of the oldest one not given up.
create function fusou.outbox_figures()
returns table (pending bigint, in_progress bigint, dead bigint, dead_alerts bigint, oldest_at timestamptz, due_at timestamptz)
language sql stable
set search_path = ''
as $$
  select count(*) filter (where o.status = 'pending'), count(*) filter (where o.status = 'in_progress'),
    count(*) filter (where o.status = 'dead'),
    count(*) filter (where o.status = 'dead' and starts_with(o.type, 'alert.')),
    min(o.created_at) filter (where o.status <> 'dead'), min(o.next_attempt_at) filter (where o.status = 'pending')
  from (
    select status, type, created_at, next_attempt_at from public.outbox
    where status <> 'published' order by created_at limit fusou.max_count()
  ) o
$$;

create function fusou.open_letters()
returns table (letters bigint, oldest_at timestamptz)
language sql stable
set search_path = ''
as $$
  select count(*), min(l.received_at)
  from (
    select received_at from public.dead_letters where closed_at is null order by received_at limit fusou.max_count()
  ) l
$$;

create function fusou.quarantined_files(p_owner uuid)
returns bigint
language sql stable
set search_path = ''
as $$
  select count(*) from (
    select 1 from public.files f join public.datasets d on d.id = f.dataset_id
    where f.removed_version is null and f.quarantine_code is not null and (p_owner is null or d.owner_id = p_owner)
    limit fusou.max_count()
  ) f
$$;

create function fusou.slots()
returns jsonb
language sql stable
set search_path = ''
as $$ select jsonb_build_object('taken', fusou.slots_taken(), 'all', max_running_jobs) from public.admission $$;

create function fusou.expired_leases(p_owner uuid)
returns bigint
language sql stable
set search_path = ''
as $$
  select count(*) from public.jobs j join public.datasets d on d.id = j.dataset_id
  where j.state = 'running' and j.lease_until < now() and (p_owner is null or d.owner_id = p_owner)
$$;

-- Fields that only operators may see are null for an owner.
create function fusou.status_of(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  with counted as materialized (
    select * from fusou.counted_jobs(p_owner)
  )
  select jsonb_build_object(
    'jobs', (select jsonb_object_agg(s.state, s.jobs) from (select state, sum(jobs) as jobs from counted group by state) s),
    'jobsByKind', (
      select jsonb_object_agg(k.kind, k.states)
      from (select kind, jsonb_object_agg(state, jobs) as states from counted group by kind) k
    ),
    'oldestQueuedSeconds', (
      select floor(fusou.age_seconds(min(j.created_at)))
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'queued' and (p_owner is null or d.owner_id = p_owner)
    ),
    'oldestWaitingSeconds', (
      select floor(fusou.age_seconds(min(w.waiting_since)))
      from fusou.waiting_jobs('0') w join public.datasets d on d.id = w.dataset_id
      where p_owner is null or d.owner_id = p_owner
    ),
    'slots', case when p_owner is null then fusou.slots() end,
    'expiredLeases', fusou.expired_leases(p_owner),
    'datasetsWaiting', (
      select count(*) from public.datasets d
      where d.compaction_needed and (p_owner is null or d.owner_id = p_owner)
    ),
    'quarantinedFiles', fusou.quarantined_files(p_owner),
    'installation', case when p_owner is null then fusou.installation_json() end,
    'outbox', case when p_owner is null then (
      select jsonb_build_object(
        'open', o.pending + o.in_progress, 'dead', o.dead, 'deadAlerts', o.dead_alerts,
        'oldestSeconds', floor(fusou.age_seconds(o.oldest_at)), 'oldestDueSeconds', floor(fusou.age_seconds(o.due_at))
      )
      from fusou.outbox_figures() o
    ) end,
    'deadLetters', case when p_owner is null then (
      select jsonb_build_object('open', l.letters, 'oldestSeconds', floor(fusou.age_seconds(l.oldest_at)))
      from fusou.open_letters() l
    ) end,
    'alerts', case when p_owner is null then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'kind', a.kind, 'severity', a.severity, 'summary', a.summary, 'raisedAt', a.raised_at, 'told', a.told
      ) order by a.raised_at), '[]')
      from public.alerts a where a.raised_at is not null
    ) end,
    'cron', case when p_owner is null then fusou.cron_run() end
  )
$$;

create function public.job_status(p_caller jsonb)
returns jsonb
language sql stable security definer
set search_path = ''
as $$ select fusou.status_of(fusou.account_of(p_caller, 'read')) $$;

-- Whether somebody should still look at a dead job: nobody asked for its work again, and its letter is not closed.
create function fusou.dead_job_is_open(p_job public.jobs)
returns boolean
language sql stable
set search_path = ''
as $$
  select p_job.retried_as is null
    and not exists (select 1 from public.dead_letters l where l.job_id = p_job.id and l.closed_at is not null)
$$;

-- Dead jobs, newest first, that match the filters; null filters match all.
create function fusou.dead_jobs(p_owner uuid, p_code text, p_dataset_id text, p_open boolean)
returns setof public.jobs
language sql stable
set search_path = ''
as $$
  select j.* from public.jobs j
  where j.state = 'dead'
    and (p_owner is null or exists (
      select 1 from public.datasets d where d.id = j.dataset_id and d.owner_id = p_owner
    ))
    and (p_code is null or j.error_code = p_code)
    and (p_dataset_id is null or j.dataset_id = p_dataset_id)
    and (p_open is null or fusou.dead_job_is_open(j) = p_open)
$$;

create function fusou.letters(p_owner uuid, p_code text, p_dataset_id text, p_open boolean)
returns setof public.dead_letters
language sql stable
set search_path = ''
as $$
  select l.* from public.dead_letters l
  where (p_owner is null or exists (
      select 1 from public.datasets d where d.id = l.dataset_id and d.owner_id = p_owner
    ))
    and (p_code is null or l.code = p_code)
    and (p_dataset_id is null or l.dataset_id = p_dataset_id)
    and (p_open is null or (l.closed_at is null) = p_open)
$$;

-- One page of dead jobs and one of what the dead-letter queue brought, newest first; the counts are of all that match the
-- filters, up to fusou.max_count().
-- p_after: `next` of the page before, {jobs: {at, id}?, letters: {at, id}?}; a list without an entry is at its end.
create function fusou.dead_letters_of(
  p_owner uuid, p_limit integer, p_code text, p_dataset_id text, p_open boolean, p_after jsonb
)
returns jsonb
language sql stable
set search_path = ''
as $$
  with jobs as materialized (
    select j.*, row_number() over (order by j.finished_at desc, j.id desc) as place
    from fusou.dead_jobs(p_owner, p_code, p_dataset_id, p_open) j
    where p_after is null
      or (j.finished_at, j.id) < ((p_after #>> '{jobs,at}')::timestamptz, (p_after #>> '{jobs,id}')::uuid)
    order by j.finished_at desc, j.id desc limit p_limit + 1
  ), letters as materialized (
    select l.*, row_number() over (order by l.received_at desc, l.id desc) as place
    from fusou.letters(p_owner, p_code, p_dataset_id, p_open) l
    where p_after is null
      or (l.received_at, l.id) < ((p_after #>> '{letters,at}')::timestamptz, (p_after #>> '{letters,id}')::bigint)
    order by l.received_at desc, l.id desc limit p_limit + 1
  ), next as (
    select jsonb_strip_nulls(jsonb_build_object(
      'jobs', (
        select jsonb_build_object('at', j.finished_at, 'id', j.id) from jobs j
        where j.place = p_limit and exists (select 1 from jobs m where m.place > p_limit)
      ),
      'letters', (
        select jsonb_build_object('at', l.received_at, 'id', l.id) from letters l
        where l.place = p_limit and exists (select 1 from letters m where m.place > p_limit)
      )
    )) as after
  )
  select jsonb_build_object(
    'workflowFailures', jsonb_build_object(
      'count', case
        when p_code is null and p_dataset_id is null and p_open is null
          then (select sum(c.jobs) from fusou.counted_jobs(p_owner) c where c.state = 'dead')
        else (
          select count(*) from (
            select 1 from fusou.dead_jobs(p_owner, p_code, p_dataset_id, p_open) limit fusou.max_count()
          ) d
        )
      end,
      'records', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'jobId', j.id, 'datasetId', j.dataset_id, 'attempt', j.attempt, 'code', j.error_code,
          'step', j.error_step, 'message', j.error_message, 'finishedAt', j.finished_at, 'retriedAs', j.retried_as
        ) order by j.place), '[]')
        from jobs j where j.place <= p_limit
      )
    ),
    'dlqFailures', jsonb_build_object(
      'count', (
        select count(*) from (
          select 1 from fusou.letters(p_owner, p_code, p_dataset_id, p_open) limit fusou.max_count()
        ) l
      ),
      'records', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', l.id, 'queue', l.queue, 'messageId', l.message_id, 'datasetId', l.dataset_id, 'jobId', l.job_id,
          'code', l.code, 'message', l.message, 'attempts', l.attempts, 'body', l.body, 'receivedAt', l.received_at,
          'closedAt', l.closed_at, 'closedHow', l.closed_how
        ) order by l.place), '[]')
        from letters l where l.place <= p_limit
      )
    ),
    'next', (select nullif(n.after, '{}') from next n)
  )
$$;

create function public.dead_letter_status(
  p_caller jsonb, p_limit integer, p_code text default null, p_dataset_id text default null,
  p_open boolean default null, p_after jsonb default null
)
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select fusou.dead_letters_of(fusou.account_of(p_caller, 'read'), p_limit, p_code, p_dataset_id, p_open, p_after)
$$;

-- Every figure of GET /api/metrics at one moment. Sums only grow, as a counter must: what a job read and wrote is only
-- added to, an ended job changes no more, and it moves into the totals in the transaction that marks it.
-- Durations of steps are those of tallied jobs: they come a minute late.
create function public.metrics()
returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'jobs', (select jsonb_agg(jsonb_build_object('kind', c.kind, 'state', c.state, 'count', c.jobs)) from fusou.counted_jobs(null) c),
    'work', (
      select jsonb_agg(jsonb_build_object(
        'kind', k.kind, 'retries', coalesce(w.retries, 0),
        'filesIn', coalesce(w.files_in, 0), 'filesOut', coalesce(w.files_out, 0),
        'rowsIn', coalesce(w.rows_in, 0), 'rowsOut', coalesce(w.rows_out, 0),
        'bytesIn', coalesce(w.bytes_in, 0), 'bytesOut', coalesce(w.bytes_out, 0)
      ) order by k.kind)
      from (select distinct c.kind from fusou.counted_jobs(null) c) k
      left join (
        select t.kind, fusou.saturate(sum(t.retries)) as retries,
          fusou.saturate(sum(t.files_in)) as files_in, fusou.saturate(sum(t.files_out)) as files_out,
          fusou.saturate(sum(t.rows_in)) as rows_in, fusou.saturate(sum(t.rows_out)) as rows_out,
          fusou.saturate(sum(t.bytes_in)) as bytes_in, fusou.saturate(sum(t.bytes_out)) as bytes_out
        from fusou.all_totals(null) t group by t.kind
      ) w on w.kind = k.kind
    ),
    'steps', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'kind', s.kind, 'step', s.step, 'count', s.steps, 'seconds', s.seconds, 'buckets', (
          select jsonb_agg(jsonb_build_object('le', b.le, 'count', b.steps) order by b.le)
          from public.step_totals b where b.kind = s.kind and b.step = s.step and b.le <> 'Infinity'
        )
      ) order by s.kind, s.step), '[]')
      from public.step_totals s where s.le = 'Infinity'
    ),
    'oldestQueuedSeconds', (
      select coalesce(fusou.age_seconds(min(created_at)), 0) from public.jobs where state = 'queued'
    ),
    'oldestWaitingSeconds', (
      select coalesce(fusou.age_seconds(min(waiting_since)), 0) from fusou.waiting_jobs('0')
    ),
    'slots', fusou.slots(),
    'expiredLeases', fusou.expired_leases(null),
    'outbox', (
      select jsonb_build_object(
        'pending', o.pending, 'inProgress', o.in_progress, 'dead', o.dead,
        'oldestSeconds', coalesce(fusou.age_seconds(o.oldest_at), 0)
      )
      from fusou.outbox_figures() o
    ),
    'deadLetters', (
      select jsonb_build_object('open', l.letters, 'oldestSeconds', coalesce(fusou.age_seconds(l.oldest_at), 0))
      from fusou.open_letters() l
    ),
    'quarantinedFiles', fusou.quarantined_files(null),
    'datasetsWaiting', (select count(*) from public.datasets where compaction_needed),
    'alerts', (
      select jsonb_agg(jsonb_build_object('kind', a.kind, 'raised', a.raised_at is not null, 'incidents', a.incident) order by a.kind)
      from public.alerts a
    ),
    'dailyTriggerSeconds', (select fusou.age_seconds(beat_at) from public.heartbeats where name = 'daily_trigger'),
    'cronRanAt', (select extract(epoch from beat_at) from public.heartbeats where name = 'cron'),
    'vacuum', jsonb_build_object(
      'garbage', (select count(*) from (select 1 from public.garbage limit fusou.max_count()) g),
      'oldestGarbageSeconds', (
        select coalesce(fusou.age_seconds(g.marked_at), 0)
        from (select 1) one left join lateral (select marked_at from public.garbage order by marked_at limit 1) g on true
      ),
      'openUploads', (
        select count(*) from (
          select 1 from public.multipart_uploads
          union all
          select 1 from public.resumable_uploads r where r.state in ('open', 'aborted')
          limit fusou.max_count()
        ) u
      ),
      'objectsDeleted', coalesce((select value from public.counters where name = 'objects_deleted'), 0),
      'uploadsAborted', coalesce((select value from public.counters where name = 'uploads_aborted'), 0)
    )
  )
$$;
create index garbage_oldest on public.garbage (marked_at);
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
-- Limits of one owner. The figures are counted where rows change, so that nothing is scanned to check a limit: the row
-- of the owner is locked after the dataset and before the slots, and each call touches that of one owner only.

create table public.limits (
  owner_id uuid primary key,
  settings jsonb not null default '{}'
);
alter table public.limits enable row level security;
comment on table public.limits is 'Limits that an operator set: of one owner, or under the nil UUID of every owner without one of their own.';

create table public.owner_usage (
  owner_id uuid primary key,
  datasets bigint not null default 0,
  live_files bigint not null default 0,
  live_bytes bigint not null default 0,
  jobs_by_hand bigint not null default 0,
  jobs_counted_since timestamptz not null default now()
);
alter table public.owner_usage enable row level security;
comment on column public.owner_usage.jobs_by_hand is 'New jobs that the owner asked for in the hour that began at jobs_counted_since.';

create table public.event_streams (
  id uuid primary key,
  owner_id uuid not null,
  expires_at timestamptz not null
);
alter table public.event_streams enable row level security;
comment on table public.event_streams is 'Leases of the event streams that are open; one whose isolate died ends by itself.';
create index event_streams_of_owner on public.event_streams (owner_id, expires_at);

create function fusou.default_limits()
returns jsonb
language sql immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'datasets', 1000, 'liveFiles', 1000000, 'liveBytes', 10995116277760, 'jobsByHandPerHour', 1000, 'eventStreams', 50,
    'openUploads', 100
  )
$$;

-- The limits of an owner; null: of every owner without limits of their own.
create function fusou.limits_of(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  select fusou.default_limits()
    || coalesce((select l.settings from public.limits l where l.owner_id = '00000000-0000-0000-0000-000000000000'), '{}')
    || coalesce((select l.settings from public.limits l where l.owner_id = p_owner), '{}')
$$;

-- Ends the call, and with it all that it changed, by codes that PostgREST passes on. PT402: it fails again until
-- something is deleted or a limit raised;
-- PT429: the same call succeeds later. The text is shown to the client.
create function fusou.refuse_above_limit(p_owner uuid, p_limit text, p_used bigint, p_errcode text, p_advice text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_allowed constant bigint := (fusou.limits_of(p_owner) ->> p_limit)::bigint;
begin
  if p_used > v_allowed then
    raise exception '%: % would be in use, % are allowed; %', p_limit, p_used, v_allowed, p_advice
      using errcode = p_errcode;
  end if;
end $$;

create function fusou.add_usage(p_owner uuid, p_datasets bigint, p_files bigint, p_bytes numeric)
returns void
language sql
set search_path = ''
as $$
  insert into public.owner_usage as u (owner_id, datasets, live_files, live_bytes)
  values (p_owner, p_datasets, p_files, p_bytes::bigint)
  on conflict (owner_id) do update set
    datasets = u.datasets + excluded.datasets,
    live_files = u.live_files + excluded.live_files,
    live_bytes = u.live_bytes + excluded.live_bytes
$$;

create function fusou.count_dataset()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' then
    perform fusou.add_usage(old.owner_id, -1, 0, 0);
  end if;
  if tg_op <> 'DELETE' then
    perform fusou.add_usage(new.owner_id, 1, 0, 0);
  end if;
  return null;
end $$;
create trigger datasets_counted after insert or delete on public.datasets
  for each row execute function fusou.count_dataset();

-- Once for each statement, and only if it changes which files are live.
create function fusou.count_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, sum(c.sign) as files, sum(c.sign * c.byte_length) as bytes
    from (
      select f.dataset_id, 1 as sign, f.byte_length from now_live f where f.removed_version is null
    ) c
    join public.datasets d on d.id = c.dataset_id
    group by d.owner_id order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, v_change.files, v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_counted_in after insert on public.files
  referencing new table as now_live for each statement execute function fusou.count_live_files();

create function fusou.discount_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, count(*) as files, sum(f.byte_length) as bytes
    from was_live f join public.datasets d on d.id = f.dataset_id
    where f.removed_version is null
    group by d.owner_id order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, -v_change.files, -v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_counted_out after delete on public.files
  referencing old table as was_live for each statement execute function fusou.discount_live_files();

create function fusou.recount_live_files()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_change record;
begin
  for v_change in
    select d.owner_id, sum(c.sign) as files, sum(c.sign * c.byte_length) as bytes
    from (
      select n.id, n.dataset_id, 1 as sign, n.byte_length from now_live n where n.removed_version is null
      union all
      select o.id, o.dataset_id, -1, o.byte_length from was_live o where o.removed_version is null
    ) c
    join public.datasets d on d.id = c.dataset_id
    group by d.owner_id
    having sum(c.sign) <> 0 or sum(c.sign * c.byte_length) <> 0
    order by d.owner_id
  loop
    perform fusou.add_usage(v_change.owner_id, 0, v_change.files, v_change.bytes);
  end loop;
  return null;
end $$;
create trigger files_recounted after update on public.files
  referencing old table as was_live new table as now_live
  for each statement execute function fusou.recount_live_files();

-- After an upload has stored something: what it stored is counted already, and goes again if it is too much.
create function fusou.check_storage(p_owner uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage public.owner_usage;
begin
  select * into v_usage from public.owner_usage where owner_id = p_owner;
  perform fusou.refuse_above_limit(
    p_owner, 'datasets', v_usage.datasets, 'PT402', 'upload to a dataset that you have, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveFiles', v_usage.live_files, 'PT402', 'have files merged or deleted, or ask the operator for more'
  );
  perform fusou.refuse_above_limit(
    p_owner, 'liveBytes', v_usage.live_bytes, 'PT402', 'delete files, or ask the operator for more'
  );
end $$;

-- Before a new job that an owner asks for by hand; joining one that is queued is free.
create function fusou.count_job_by_hand(p_owner uuid)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_usage public.owner_usage;
begin
  insert into public.owner_usage as u (owner_id, jobs_by_hand) values (p_owner, 1)
  on conflict (owner_id) do update set
    jobs_by_hand = case when u.jobs_counted_since > now() - interval '1 hour' then u.jobs_by_hand + 1 else 1 end,
    jobs_counted_since = case when u.jobs_counted_since > now() - interval '1 hour' then u.jobs_counted_since else now() end
  returning * into v_usage;
  perform fusou.refuse_above_limit(
    p_owner, 'jobsByHandPerHour', v_usage.jobs_by_hand, 'PT429',
    format('the count begins again at %s', to_char((v_usage.jobs_counted_since + interval '1 hour') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  );
end $$;

-- A lease for a stream of events; the same call again renews it.
create function public.open_event_stream(p_owner uuid, p_stream_id uuid, p_lease_seconds integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_open bigint;
begin
  if p_lease_seconds not between 1 and 3600 then
    raise exception 'open_event_stream: p_lease_seconds must be 1..3600' using errcode = '22023';
  end if;
  -- One opener of an owner at a time, or two would both take the last place.
  perform fusou.add_usage(p_owner, 0, 0, 0);
  delete from public.event_streams where owner_id = p_owner and expires_at < now();
  insert into public.event_streams as s (id, owner_id, expires_at)
  values (p_stream_id, p_owner, now() + make_interval(secs => p_lease_seconds))
  on conflict (id) do update set expires_at = excluded.expires_at where s.owner_id = excluded.owner_id;
  select count(*) into v_open from public.event_streams where owner_id = p_owner;
  perform fusou.refuse_above_limit(
    p_owner, 'eventStreams', v_open, 'PT429', 'close one, or ask for the job itself from time to time'
  );
  return jsonb_build_object('outcome', 'opened');
end $$;

create function public.close_event_stream(p_stream_id uuid)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.event_streams where id = p_stream_id;
  return jsonb_build_object('outcome', 'closed');
end $$;

-- p_owner null: the limits of every owner without limits of their own. p_settings: {datasets?, liveFiles?, liveBytes?,
-- jobsByHandPerHour?, eventStreams?, openUploads?}; what is left out stays, null goes back to the default.
create function public.configure_limits(p_caller jsonb, p_owner uuid, p_settings jsonb)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_name text;
  v_before constant jsonb := fusou.limits_of(p_owner);
begin
  perform fusou.require_operator(p_caller);
  for v_name in select jsonb_object_keys(p_settings) loop
    if not fusou.default_limits() ? v_name
      or jsonb_typeof(p_settings -> v_name) not in ('number', 'null')
      or (p_settings ->> v_name)::numeric not between 0 and 9007199254740991
      or (p_settings ->> v_name)::numeric <> trunc((p_settings ->> v_name)::numeric)
    then
      raise exception 'configure_limits: % is not a limit with a whole number from 0 on, or null', v_name
        using errcode = '22023';
    end if;
  end loop;
  insert into public.limits as l (owner_id, settings)
  values (coalesce(p_owner, '00000000-0000-0000-0000-000000000000'), jsonb_strip_nulls(p_settings))
  on conflict (owner_id) do update set settings = jsonb_strip_nulls(l.settings || p_settings);
  if v_before <> fusou.limits_of(p_owner) then
    perform fusou.audit(p_caller, 'limits.configure', p_owner, null, null, v_before, fusou.limits_of(p_owner));
  end if;
  return fusou.limits_json(p_owner);
end $$;

-- p_owner null: the defaults alone. A user may read their own.
create function public.read_limits(p_caller jsonb, p_owner uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if p_owner is distinct from fusou.account_of(p_caller, 'read') and not fusou.is_operator(p_caller) then
    perform fusou.forbid('these are the limits of somebody else');
  end if;
  return fusou.limits_json(p_owner);
end $$;

create function fusou.limits_json(p_owner uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'defaults', fusou.limits_of(null),
    'owner', case when p_owner is not null then jsonb_build_object(
      'id', p_owner,
      'limits', fusou.limits_of(p_owner),
      'usage', (
        select jsonb_build_object(
          'datasets', coalesce(max(u.datasets), 0),
          'liveFiles', coalesce(max(u.live_files), 0),
          'liveBytes', fusou.saturate(coalesce(max(u.live_bytes), 0)),
          'jobsByHandPerHour', coalesce(
            max(u.jobs_by_hand) filter (where u.jobs_counted_since > now() - interval '1 hour'), 0
          ),
          'eventStreams', (
            select count(*) from public.event_streams s where s.owner_id = p_owner and s.expires_at >= now()
          ),
          'openUploads', (
            select count(*) from public.resumable_uploads r where r.owner_id = p_owner and r.state = 'open'
          )
        )
        from public.owner_usage u where u.owner_id = p_owner
      )
    ) end
  )
$$;
-- History that ends: rows of what is over go after a while, in bounded batches. Figures do not change by it, since only
-- jobs that are in the totals go.

create table public.retention (
  one boolean primary key default true constraint retention_one_row check (one),
  jobs_seconds integer not null default 7776000 constraint retention_jobs check (jobs_seconds >= 86400),
  letters_seconds integer not null default 7776000 constraint retention_letters check (letters_seconds >= 86400),
  unsettled_seconds integer not null default 31536000 constraint retention_unsettled check (unsettled_seconds >= 86400),
  outbox_seconds integer not null default 604800 constraint retention_outbox check (outbox_seconds >= 86400),
  audit_seconds integer not null default 63072000 constraint retention_audit check (audit_seconds >= 86400)
);
alter table public.retention enable row level security;
comment on column public.retention.jobs_seconds is 'Of jobs that succeeded, were cancelled or were tried again, with their merges.';
comment on column public.retention.letters_seconds is 'Of dead letters whose work somebody asked for again.';
comment on column public.retention.unsettled_seconds is
  'Of dead jobs, dead letters and dead messages that nobody has dealt with; never less than the others.';
comment on column public.retention.outbox_seconds is 'Of messages that were sent.';
comment on column public.retention.audit_seconds is 'Of entries of the audit, and of keys that were revoked or have expired.';
insert into public.retention default values;

create index jobs_retried_as on public.jobs (retried_as) where retried_as is not null;
create index outbox_dead on public.outbox (created_at) where status = 'dead';

create function fusou.retention_json()
returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'jobsSeconds', jobs_seconds, 'lettersSeconds', letters_seconds, 'unsettledSeconds', unsettled_seconds,
    'outboxSeconds', outbox_seconds, 'auditSeconds', audit_seconds
  )
  from public.retention
$$;

create function public.read_retention(p_caller jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform fusou.require_operator(p_caller);
  return fusou.retention_json();
end $$;

-- p_settings: {jobsSeconds?, lettersSeconds?, unsettledSeconds?, outboxSeconds?, auditSeconds?}; what is left out stays.
create function public.configure_retention(p_caller jsonb, p_settings jsonb default '{}')
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_before jsonb;
begin
  perform fusou.require_operator(p_caller);
  perform 1 from public.retention for update;
  v_before := fusou.retention_json();
  update public.retention
  set jobs_seconds = coalesce((p_settings ->> 'jobsSeconds')::integer, jobs_seconds),
      letters_seconds = coalesce((p_settings ->> 'lettersSeconds')::integer, letters_seconds),
      unsettled_seconds = coalesce((p_settings ->> 'unsettledSeconds')::integer, unsettled_seconds),
      outbox_seconds = coalesce((p_settings ->> 'outboxSeconds')::integer, outbox_seconds),
      audit_seconds = coalesce((p_settings ->> 'auditSeconds')::integer, audit_seconds)
  where one;
  if v_before <> fusou.retention_json() then
    perform fusou.audit(p_caller, 'retention.configure', null, null, null, v_before, fusou.retention_json());
  end if;
  return fusou.retention_json();
end $$;

-- At most p_limit rows of each kind. A job stays as long as another says that this one does its work, a live file is in
-- quarantine for it, or an upload in parts of it is open. Waits for no lock: what somebody holds, the next call takes.
create function public.trim_history(p_limit integer)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_keep public.retention;
  v_job_ids uuid[];
  v_letters integer;
  v_messages integer;
  v_streams integer;
  v_entries integer;
begin
  select * into strict v_keep from public.retention;
  v_keep.unsettled_seconds := greatest(v_keep.unsettled_seconds, v_keep.jobs_seconds, v_keep.letters_seconds);
  with over as (
    select j.id from public.jobs j
    where j.finished_at < now() - make_interval(secs => v_keep.jobs_seconds)
      and j.tallied
      and (
        j.state <> 'dead' or j.retried_as is not null
        or j.finished_at < now() - make_interval(secs => v_keep.unsettled_seconds)
      )
      and not exists (select 1 from public.jobs r where r.retried_as = j.id)
      and not exists (
        select 1 from public.files f
        where f.dataset_id = j.dataset_id and f.removed_version is null and f.quarantine_code is not null
          and f.quarantined_by_job = j.id
      )
      and not exists (select 1 from public.multipart_uploads u where u.job_id = j.id)
    order by j.finished_at limit p_limit
    for update skip locked
  )
  select coalesce(array_agg(o.id), '{}') into v_job_ids from over o;
  delete from public.merges where job_id = any (v_job_ids);
  delete from public.jobs where id = any (v_job_ids);

  with over as (
    select l.id from public.dead_letters l
    where l.received_at < now() - make_interval(secs => v_keep.letters_seconds)
      and (l.closed_at is not null or l.received_at < now() - make_interval(secs => v_keep.unsettled_seconds))
    order by l.received_at limit p_limit
    for update skip locked
  )
  delete from public.dead_letters l using over o where l.id = o.id;
  get diagnostics v_letters = row_count;

  with over as (
    select o.id from public.outbox o
    where o.status = 'dead' and o.created_at < now() - make_interval(secs => v_keep.unsettled_seconds)
    order by o.created_at limit p_limit
    for update skip locked
  )
  delete from public.outbox m using over o where m.id = o.id;
  get diagnostics v_messages = row_count;

  with over as (
    select s.id from public.event_streams s where s.expires_at < now() limit p_limit for update skip locked
  )
  delete from public.event_streams s using over o where s.id = o.id;
  get diagnostics v_streams = row_count;

  with over as (
    select a.id from public.audit a
    where a.at < now() - make_interval(secs => v_keep.audit_seconds)
    order by a.at limit p_limit
    for update skip locked
  )
  delete from public.audit a using over o where a.id = o.id;
  get diagnostics v_entries = row_count;

  with over as (
    select k.id from public.access_keys k
    where least(k.revoked_at, k.expires_at) < now() - make_interval(secs => v_keep.audit_seconds)
    limit p_limit
    for update skip locked
  )
  delete from public.access_keys k using over o where k.id = o.id;

  return jsonb_build_object(
    'jobs', cardinality(v_job_ids), 'letters', v_letters, 'messages', v_messages, 'streams', v_streams,
    'auditEntries', v_entries
  );
end $$;
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

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

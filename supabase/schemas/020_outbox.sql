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

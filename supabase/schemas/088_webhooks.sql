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

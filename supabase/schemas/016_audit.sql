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

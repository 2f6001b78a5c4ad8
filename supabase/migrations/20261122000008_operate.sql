-- What people who operate the system ask for beyond one job: dead jobs tried again in numbers.

-- Dead jobs, by id or by what they have in common, the one that died first first; dead jobs of one data set are done by
-- one new job. A job named by its id is taken as often as it is named, others only until somebody asked again:
-- repeating the call goes on with the rest. Null filters match all.
create function public.redrive(
  p_requester uuid, p_job_ids uuid[], p_dataset_id text, p_code text, p_dry_run boolean, p_limit integer,
  p_sender text default null
)
returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
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
  -- In one order for all, and all before the first job is asked for: who has admitted one waits for no data set.
  for v_found in
    select m.id, m.dataset_id from (
      select j.id, j.dataset_id, j.finished_at
      from public.jobs j join public.datasets d on d.id = j.dataset_id
      where j.state = 'dead'
        and (p_requester is null or d.owner_id = p_requester)
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
    v_job := fusou.open_job(v_found_id, p_requester);
    -- Somebody else asked while this call waited for the lock.
    if p_job_ids is null and v_job.retried_as is not null then
      continue;
    end if;
    v_asked := fusou.ask_anew(v_job, p_requester, p_sender);
    v_jobs := v_jobs || jsonb_build_object(
      'jobId', v_job.id, 'datasetId', v_job.dataset_id, 'newJobId', v_asked -> 'jobId'
    );
    if jsonb_typeof(v_asked -> 'outbox') = 'object' then
      v_outbox := v_outbox || (v_asked -> 'outbox');
    end if;
  end loop;
  return jsonb_build_object('jobs', v_jobs, 'outbox', v_outbox);
end $$;

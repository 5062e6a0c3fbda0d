-- The functions of a worker. Each function is security definer: the role generation_worker
-- may execute these functions and those of the chapters before that name it, and nothing else.
--
-- Every function but claim_jobs is fenced: it acts only while the job is running with the fence
-- that claim_jobs returned, and says whether it did. A function that ends a claim says true again
-- when it is repeated, since the reply to its commit may have been lost.

-- claim_jobs: queued, waiting -> running, each with a lease of p_lease
--
-- A message may be delivered twice, and a job may be dispatched again whose first message was
-- only slow. The worker that updates the row first runs the job; every other worker gets no row
-- and must drop the message. run_at is ignored on purpose: dispatch_jobs decides whether a job is
-- due, and the message of a retry that comes a millisecond early must not be dropped. The claim
-- consumes the attempt, so that a job that kills its workers ends after max_attempts.
--
-- A job that another transaction has locked is left out: two that lock several jobs could wait for
-- each other, and one lock must not hold up the others. With p_waits, one id waits: a message may
-- come before the commit of its dispatch.
create function private.claim_jobs(p_ids uuid[], p_lease interval, p_waits boolean default false)
returns table (
  id uuid, user_id uuid, model text,
  provider text, provider_model text, request text, input_paths text[],
  attempt integer, max_attempts integer, fence bigint,
  provider_ref text, submitted_at timestamptz, claimed_at timestamptz,
  is_cancel_requested boolean, seconds_left double precision, seconds_since_request double precision
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
#variable_conflict use_column
begin
  if not p_waits or cardinality(p_ids) > 1 then
    p_ids := array(
      select j.id from public.jobs j where j.id = any (p_ids) for no key update skip locked
    );
  end if;

  return query
  update public.jobs j
  set status = 'running',
      attempt = j.attempt + case j.status when 'queued' then 1 else 0 end,
      fence = j.fence + 1,
      lease_expires_at = clock_timestamp() + p_lease,
      run_at = null, dispatched_at = null, woken_at = null,
      started_at = coalesce(j.started_at, clock_timestamp()),
      updated_at = greatest(clock_timestamp(), j.updated_at + interval '1 microsecond')
  from private.job_requests r
  where j.id = any (p_ids)
    and j.status in ('queued', 'waiting')
    and j.deadline_at > clock_timestamp()
    and r.job_id = j.id
  returning
    j.id, j.user_id, j.model_id,
    r.provider, r.provider_model, r.provider_input::text, j.input_paths,
    j.attempt, j.max_attempts, j.fence,
    j.provider_ref, j.submitted_at, clock_timestamp(), j.cancel_requested_at is not null,
    extract(epoch from j.deadline_at - clock_timestamp())::double precision,
    extract(epoch from clock_timestamp() - j.created_at)::double precision;
end
$$;

-- renew_lease: stays running; returns 'renewed', 'cancel_requested' or 'lost'
--
-- p_progress is a fraction from 0 to 1, null when the provider tells none; it never goes back.
create function private.renew_lease(
  p_id uuid, p_fence bigint, p_lease interval, p_progress real default null
) returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_is_cancel_requested boolean;
begin
  update public.jobs
  set lease_expires_at = clock_timestamp() + p_lease,
      progress = case
        when p_progress is null then progress  -- greatest(null, 0) would be 0
        else greatest(progress, least(greatest(p_progress, 0), 1))
      end
  where id = p_id and status = 'running' and fence = p_fence
  returning cancel_requested_at is not null into v_is_cancel_requested;

  return case
    when not found then 'lost'
    when v_is_cancel_requested then 'cancel_requested'
    else 'renewed'
  end;
end
$$;

-- record_submission: the provider is about to be called; returns false when it must not be
--
-- It is committed before the call, so that after a crash the row says that the call may have been
-- paid for. It returns true once per attempt: a worker that finds it recorded looks for the
-- orphan first.
create function private.record_submission(p_id uuid, p_fence bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  update public.jobs
  set submitted_at = clock_timestamp()
  where id = p_id
    and status = 'running'
    and fence = p_fence
    and submitted_at is null
    and cancel_requested_at is null;
  if not found then
    return false;
  end if;
  perform private.count_start(p_id);
  return true;
end
$$;

-- wait_for_provider: running -> waiting, for p_check_in at most
--
-- The job is due at once if a webhook came while it was running, or if a cancel was requested. A
-- worker that lost its lease still stores its reference, so that the same prediction is not paid
-- for again. If the job has been claimed by another worker or has ended, the reference is treated
-- as a webhook's: the job adopts it, or it is canceled at the provider.
create function private.wait_for_provider(
  p_id uuid, p_fence bigint, p_provider_ref text, p_check_in interval
) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_is_due boolean;
begin
  update public.jobs
  set status = 'waiting', lease_expires_at = null,
      submitted_at = coalesce(submitted_at, clock_timestamp()),
      provider_ref = case
        when private.is_ref_available(p_provider_ref, id) then p_provider_ref
        else provider_ref
      end,
      run_at = case when status = 'waiting' then run_at
        when woken_at is null and cancel_requested_at is null
          then clock_timestamp() + p_check_in
      end
  where id = p_id and status in ('running', 'waiting') and fence = p_fence
  returning run_at is null into v_is_due;

  if v_is_due then
    perform private.ring_doorbell();
  elsif v_is_due is null and p_provider_ref is not null then
    perform public.wake_job(p_id, p_provider_ref, p_is_final => false);
  end if;
  return v_is_due is not null;
end
$$;

-- retry_job: running -> queued, not before p_delay; returns 'queued', 'rate_limited' or 'lost'
--
-- 'queued': the worker may send the message of the retry. 'rate_limited': it must not, since the
-- message would pass the provider's rate limit; dispatch_jobs sends one when there is room. 'lost':
-- another worker has the job, or it has ended. A requested cancel ends the job instead. With
-- p_costs_attempt false, as after a 429, the attempt is not counted.
create function private.retry_job(
  p_id uuid,
  p_fence bigint,
  p_delay interval,
  p_code public.error_code,
  p_message text,
  p_costs_attempt boolean default true
) returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status = 'queued' and v_job.fence = p_fence then
    return case when v_job.rate_limited_by is null then 'queued' else 'rate_limited' end;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return 'lost';
  elsif v_job.cancel_requested_at is not null then
    perform private.cancel_job(v_job);
    return 'lost';
  elsif p_costs_attempt and v_job.attempt >= v_job.max_attempts then
    raise exception 'job % has used all its % attempts: call fail_job', p_id, v_job.max_attempts;
  end if;

  update public.jobs
  set status = 'queued', lease_expires_at = null,
      submitted_at = null, provider_ref = null, progress = null,
      failed_refs = array_remove(failed_refs || provider_ref, null),
      run_at = case when p_delay > interval '0' then clock_timestamp() + p_delay end,
      attempt = attempt - case when p_costs_attempt then 0 else 1 end,
      error_code = p_code, error_message = p_message
  where id = p_id
  returning rate_limited_by into v_job.rate_limited_by;
  if coalesce(p_delay <= interval '0', true) then
    perform private.ring_doorbell();
  end if;
  return case when v_job.rate_limited_by is null then 'queued' else 'rate_limited' end;
end
$$;

-- complete_jobs: running -> succeeded, each with its generation; settles the holds; returns the ids
-- of those that it completed
--
-- p_fences, p_outputs  in the order of p_ids
--
-- A job that another transaction has locked is left out. With p_waits, one job waits for its locks.
create function private.complete_jobs(
  p_ids uuid[], p_fences bigint[], p_outputs jsonb[], p_waits boolean default false
) returns uuid[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_job public.jobs;
  v_completed uuid[] := '{}';
begin
  for v_number in 1 .. cardinality(p_ids) loop
    v_job := private.lock_job(
      p_ids[v_number], p_moves_credits => false, p_waits => p_waits and cardinality(p_ids) = 1
    );
    continue when (
      v_job.fence = p_fences[v_number] and v_job.status in ('running', 'succeeded')
    ) is not true;
    if v_job.status = 'running' then
      perform private.end_job(v_job, 'succeeded', p_output => p_outputs[v_number]);
    end if;
    v_completed := v_completed || v_job.id;
  end loop;
  return v_completed;
end
$$;

-- fail_job: running -> failed (canceled, if that is the code), with its generation; refunds the
-- hold
create function private.fail_job(
  p_id uuid, p_fence bigint, p_code public.error_code, p_message text
) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('failed', 'canceled') and v_job.fence = p_fence then
    return true;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return false;
  elsif p_code = 'canceled' then
    perform private.cancel_job(v_job);
  else
    perform private.end_job(v_job, 'failed', p_code => p_code, p_message => p_message);
  end if;
  return true;
end
$$;

-- release_job: running -> queued; -> waiting if the provider may have the work; costs no attempt
--
-- For a worker that shuts down. A late write of that worker changes nothing: the job is not
-- running.
create function private.release_job(p_id uuid, p_fence bigint)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('queued', 'waiting') and v_job.fence = p_fence then
    return true;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return false;
  elsif v_job.cancel_requested_at is not null and v_job.submitted_at is null then
    perform private.cancel_job(v_job);
    return true;
  end if;

  update public.jobs
  set status = case when submitted_at is null then 'queued' else 'waiting' end::public.job_status,
      attempt = attempt - case when submitted_at is null then 1 else 0 end,
      lease_expires_at = null
  where id = p_id;
  perform private.ring_doorbell();
  return true;
end
$$;

-- adopt_orphan: gives a running, submitted job without a reference the first of these predictions
-- that no other job has
--
-- Returns the reference that the job has now; a webhook may have stored it before.
create function private.adopt_orphan(p_id uuid, p_fence bigint, p_provider_refs text[])
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_provider_ref text;
begin
  update public.jobs
  set provider_ref = coalesce(provider_ref, (
    select ref from unnest(p_provider_refs) with ordinality as found (ref, number)
    where private.is_ref_available(ref, p_id)
    order by number
    limit 1
  ))
  where id = p_id and status = 'running' and fence = p_fence and submitted_at is not null
  returning provider_ref into v_provider_ref;
  return v_provider_ref;
exception when unique_violation then
  return null;  -- another job was faster; there may be more to find at the next look
end
$$;

-- cancel_by_operator: queued, waiting -> canceled; asks the worker of a running job to stop
--
-- For a job that an operator revoked in Flower. False: it has ended, or there is none.
create function private.cancel_by_operator(p_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('queued', 'waiting') then
    perform private.end_job(
      v_job, 'canceled', p_code => 'canceled', p_message => 'This was canceled.'
    );
  elsif v_job.status = 'running' then
    update public.jobs
    set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
    where id = p_id;
  else
    return false;
  end if;
  return true;
end
$$;

-- enabled_models: id and kind of what users may ask for
create function private.enabled_models()
returns table (id text, kind text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select m.id, m.kind::text from private.models m where m.enabled order by m.id
$$;

revoke execute on all functions in schema private from public;
grant execute on function
  private.claim_jobs(uuid[], interval, boolean),
  private.renew_lease(uuid, bigint, interval, real),
  private.record_submission(uuid, bigint),
  private.wait_for_provider(uuid, bigint, text, interval),
  private.retry_job(uuid, bigint, interval, public.error_code, text, boolean),
  private.complete_jobs(uuid[], bigint[], jsonb[], boolean),
  private.fail_job(uuid, bigint, public.error_code, text),
  private.release_job(uuid, bigint),
  private.adopt_orphan(uuid, bigint, text[]),
  private.cancel_by_operator(uuid),
  private.enabled_models()
to generation_worker;

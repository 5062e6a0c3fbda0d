-- The functions of a bridge. The role generation_bridge may execute these functions,
-- operator_status and metrics.

-- dispatch_jobs: marks the due jobs as dispatched
--
-- p_limit     at most so many jobs
-- p_window    at most so many messages out, these included
-- job_ids     the jobs to send a message for, in order
-- outstanding the messages out, these included
-- next_due_in until the next job is due; null when none is scheduled
--
-- The caller publishes the ids and then commits. A bridge that dies before it publishes has
-- marked nothing. One that dies after it leaves a message whose job another bridge sends again,
-- which costs one failed claim. The window bounds one call: two bridges at the same moment may
-- each fill it. plpgsql on purpose: in `language sql` the limit is planned for any number, and a
-- deep backlog is scanned.
create function private.dispatch_jobs(
  p_limit integer, p_window integer,
  out job_ids uuid[], out outstanding integer, out next_due_in interval
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_room_in interval;
begin
  -- A bridge that freezes while it publishes must not keep its locks on jobs and on
  -- provider_limits.
  perform set_config('idle_in_transaction_session_timeout', '15s', true);

  update public.jobs
  set run_at = null
  where id = any (array(
    select id from public.jobs
    where run_at <= v_now
    order by run_at
    limit p_limit
    for no key update skip locked
  ));

  select count(*) into outstanding from public.jobs where dispatched_at is not null;
  v_room_in := private.admit_jobs(least(p_limit, p_window - outstanding));

  with due as (
    select id from public.jobs
    where status in ('queued', 'waiting')
      and dispatched_at is null and run_at is null and rate_limited_by is null
    order by rank
    limit greatest(0, least(p_limit, p_window - outstanding))
    for no key update skip locked
  ), dispatched as (
    update public.jobs
    set dispatched_at = v_now
    where id = any (array(select id from due))  -- a join would be planned by the size of the table
    returning id, rank
  )
  select coalesce(array_agg(id order by rank), '{}') into job_ids from dispatched;

  outstanding := outstanding + cardinality(job_ids);
  job_ids := job_ids || private.jobs_with_provider_cancellations(p_limit);
  select least(min(run_at) - v_now, v_room_in) into next_due_in
  from public.jobs where run_at is not null;
end
$$;

-- redispatch_jobs: makes jobs due again that were dispatched p_older_than ago and never claimed;
-- how many
--
-- With p_next_in_queue, the job whose message is next in the queue, p_older_than counts from when
-- that job was dispatched: the queue is first in, first out, so the message of a job that was
-- dispatched well before it is no longer in the queue.
create function private.redispatch_jobs(p_older_than interval, p_next_in_queue uuid default null)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_count integer;
begin
  update public.jobs
  set dispatched_at = null
  where id = any (array(  -- an array: a join could be planned as a scan of all jobs
    select id from public.jobs
    where dispatched_at < p_older_than * -1 + case
      when p_next_in_queue is null then clock_timestamp()
      else (select dispatched_at from public.jobs where id = p_next_in_queue)
    end
    for no key update skip locked
  ));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- rescue_job: lease passed: running -> queued, waiting, failed or canceled; deadline passed: ->
-- failed
--
-- A lost worker costs an attempt. The claim of a queued job has consumed it. The claim of a
-- waiting job has not, so it is consumed here. A job that is late because its provider is paused
-- says so.
create function private.rescue_job(p_id uuid)
returns public.job_status
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.id is null
    or v_job.finished_at is not null
    or least(v_job.lease_expires_at, v_job.deadline_at) > clock_timestamp()
  then
    return null;  -- it ended, was renewed or was deleted before the lock
  elsif v_job.cancel_requested_at is not null then
    perform private.cancel_job(v_job);
  elsif v_job.deadline_at <= clock_timestamp() and (
    select private.is_paused(provider, provider_model) from private.job_requests where job_id = p_id
  ) then
    perform private.end_job(
      v_job, 'failed', p_code => 'provider_unavailable',
      p_message => 'The service is busy. Please try again later.'
    );
  elsif v_job.deadline_at <= clock_timestamp() then
    perform private.end_job(
      v_job, 'failed', p_code => 'timed_out', p_message => 'This took too long.'
    );
  elsif v_job.attempt >= v_job.max_attempts then
    perform private.end_job(
      v_job, 'failed', p_code => 'worker_lost', p_message => 'Something went wrong on our side.'
    );
  else
    update public.jobs
    set status = case when submitted_at is null then 'queued' else 'waiting' end::public.job_status,
        attempt = attempt + case when submitted_at is null then 0 else 1 end,
        progress = case when submitted_at is not null then progress end,
        lease_expires_at = null
    where id = p_id;
    perform private.ring_doorbell();
  end if;
  return (select status from public.jobs where id = p_id);
end
$$;

-- rescue_jobs: one pass over jobs whose lease or deadline has passed; each with its new status
--
-- It locks one account after the other and keeps the locks, so it must never wait for one: another
-- bridge, or a clean-up that deletes many users, may lock them in another order. It skips a locked
-- account; the next pass rescues that job.
create function private.rescue_jobs(p_limit integer)
returns table (job_id uuid, new_status public.job_status)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_user_id uuid;
begin
  for job_id, v_user_id in
    select id, user_id
    from public.jobs
    where finished_at is null and least(lease_expires_at, deadline_at) <= v_now
    order by least(lease_expires_at, deadline_at)
    limit p_limit
  loop
    perform from public.entitlements where user_id = v_user_id for no key update skip locked;
    continue when not found;
    new_status := private.rescue_job(job_id);
    if new_status is not null then
      return next;
    end if;
  end loop;
end
$$;

revoke execute on all functions in schema private from public;
grant execute on function
  private.dispatch_jobs(integer, integer),
  private.redispatch_jobs(interval, uuid),
  private.rescue_jobs(integer)
to generation_bridge;

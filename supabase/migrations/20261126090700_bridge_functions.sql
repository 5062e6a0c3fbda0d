-- What a bridge may do. The role generation_bridge may execute exactly these.

-- dispatch_jobs: marks what is due as dispatched, and says what it sees
--
-- The caller publishes the ids and then commits: a bridge that dies before the publish has marked nothing, one that dies
-- after it leaves a message whose job another bridge sends again, which costs one failed claim.
-- The window is what one look allows: of bridges that look at the same moment each fills it with other jobs.
-- plpgsql on purpose: in "language sql" the limit is planned for any number and a deep backlog is scanned.
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
  -- A bridge that freezes while it publishes would hold its jobs, and the row of a provider's limit, for ever.
  perform set_config('idle_in_transaction_session_timeout', '15s', true);

  update public.jobs
  set run_at = null
  where id = any (array(
    select id from public.jobs where run_at <= v_now order by run_at limit p_limit for no key update skip locked
  ));

  select count(*) into outstanding from public.jobs where dispatched_at is not null;
  v_room_in := private.release_held_jobs(least(p_limit, p_window - outstanding));

  with due as (
    select id from public.jobs
    where status in ('queued', 'waiting') and dispatched_at is null and run_at is null and lane is null
    order by rank
    limit greatest(0, least(p_limit, p_window - outstanding))
    for no key update skip locked
  ), dispatched as (
    update public.jobs
    set dispatched_at = v_now
    where id = any (array(select id from due))  -- a join would be planned by the table's size, which changes quickly
    returning id, rank
  )
  select coalesce(array_agg(id order by rank), '{}') into job_ids from dispatched;

  outstanding := outstanding + cardinality(job_ids);
  job_ids := job_ids || private.jobs_with_abandoned_work(p_limit);
  select least(min(run_at) - v_now, v_room_in) into next_due_in from public.jobs where run_at is not null;
end
$$;

-- redispatch_jobs: what was dispatched that long ago and never claimed is due again
--
-- Given the job whose message is next in the queue, "ago" counts from when that one was dispatched: the queue is first in,
-- first out, so what was dispatched well before it is no longer in the queue, however long the queue is.
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
  where id = any (array(  -- an array, so that no plan walks all jobs to join them with these few
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

-- rescue_job: running -> queued, waiting, failed or canceled, when its worker is lost; anything unfinished -> failed
-- when its deadline has passed
--
-- A lost worker costs an attempt. It was consumed when a queued job was claimed; where the provider already had the work,
-- the job was claimed from waiting, so it is consumed here.
create function private.rescue_job(p_id uuid)
returns public.job_status
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.id is null or v_job.finished_at is not null or least(v_job.lease_expires_at, v_job.deadline_at) > clock_timestamp() then
    return null;  -- it ended, went on or was deleted while we came for it
  elsif v_job.cancel_requested_at is not null then
    perform private.cancel_job(v_job);
  elsif v_job.deadline_at <= clock_timestamp() then
    perform private.end_job(v_job, 'failed', p_code => 'timed_out', p_message => 'This took too long.');
  elsif v_job.attempt >= v_job.max_attempts then
    perform private.end_job(v_job, 'failed', p_code => 'worker_lost', p_message => 'Something went wrong on our side.');
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

-- rescue_jobs: one pass over lost workers and missed deadlines
--
-- It holds the accounts of one job after another, so it must never wait for one: another bridge, or a clean-up that
-- deletes many users, may hold them in another order. What is busy now is rescued by the next pass.
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

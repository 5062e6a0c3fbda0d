-- The parts that all transitions share: the doorbell, the order of locks, and the one way to end a
-- job.

-- ring_doorbell: tells the bridge to look at the table; the notification has no payload
--
-- NOTIFY takes a lock of the whole database until the commit is done, so commits that notify run
-- one after the other. Of the transactions that are open at the same time, only one notifies. If
-- the bridge looks before another of them commits, its next look, half a second later, finds that
-- job.
create function private.ring_doorbell()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_catalog.pg_try_advisory_xact_lock(726177001) then
    perform pg_catalog.pg_notify('jobs_due', '');
  end if;
end
$$;

-- lock_job: locks the account, then the job, and returns the job
--
-- Every function that ends a job calls this one, so that a cancel, a completion and the deletion
-- of the account take their locks in one order. A completion moves no credits and takes a shared
-- lock on the account; a refund takes it exclusively. Without p_waits it returns null when another
-- transaction has one of the locks: one that locks several jobs must never wait for a lock.
create function private.lock_job(p_id uuid, p_moves_credits boolean, p_waits boolean default true)
returns public.jobs
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
begin
  if p_moves_credits then
    perform from public.entitlements
    where user_id = (select user_id from public.jobs where id = p_id)
    for no key update;
  elsif p_waits then
    perform from public.entitlements
    where user_id = (select user_id from public.jobs where id = p_id)
    for key share;
  else
    perform from public.entitlements
    where user_id = (select user_id from public.jobs where id = p_id)
    for key share skip locked;
    if found then
      select * into v_job from public.jobs where id = p_id for no key update skip locked;
    end if;
    return v_job;
  end if;
  select * into v_job from public.jobs where id = p_id for no key update;
  return v_job;
end
$$;

-- end_job: -> succeeded, failed or canceled; with the generation and the credits in one transaction
--
-- The caller has locked the job with lock_job, and has checked that it may end.
create function private.end_job(
  p_job public.jobs,
  p_status public.job_status,
  p_output jsonb default null,
  p_code public.error_code default null,
  p_message text default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := greatest(clock_timestamp(), p_job.updated_at + interval '1 microsecond');
begin
  insert into public.generations
    (id, user_id, model_id, input, input_paths, status, output,
     error_code, error_message, requested_at, created_at)
  values
    (p_job.id, p_job.user_id, p_job.model_id, p_job.input, p_job.input_paths, p_status, p_output,
     p_code, p_message, p_job.created_at, v_now);

  if p_status = 'succeeded' then
    perform private.post_entry(p_job.user_id, 'settle', 0, 'succeeded', p_job.id);
  else
    perform private.post_entry(p_job.user_id, 'refund', p_job.cost, p_code::text, p_job.id);
    perform private.remove_objects_under('generations', p_job.user_id || '/' || p_job.id || '/');
  end if;

  update public.jobs
  set status = p_status, finished_at = v_now, updated_at = v_now,
      lease_expires_at = null, run_at = null, dispatched_at = null, progress = null,
      error_code = p_code, error_message = p_message
  where id = p_job.id;
end
$$;

-- cancel_job: -> canceled, because the user asked for it
create function private.cancel_job(p_job public.jobs)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.end_job(p_job, 'canceled', p_code => 'canceled', p_message => 'You canceled this.')
$$;

revoke execute on all functions in schema private from public;

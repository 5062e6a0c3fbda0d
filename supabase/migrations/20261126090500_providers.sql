-- Which prediction belongs to which job, and which predictions are to be canceled at the provider.

-- is_ref_available: whether no other job has this reference, and no failed attempt of this job had
-- it
create function private.is_ref_available(p_provider_ref text, p_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p_provider_ref is not null and not exists (
    select from public.jobs where provider_ref = p_provider_ref and id <> p_id
    union all
    select from public.jobs where id = p_id and p_provider_ref = any (failed_refs)
  )
$$;

-- The predictions that cost money and that no job needs any more.
create table private.provider_cancellations (
  provider_ref text primary key,
  provider text not null,
  job_id uuid not null,  -- no foreign key: the account, and the job with it, may be gone
  send_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp()
);
alter table private.provider_cancellations enable row level security;
comment on table private.provider_cancellations is
  'Predictions to be canceled at the provider. A row is deleted when a worker has canceled it, or '
  'after an hour: no prediction runs for longer.';

-- request_provider_cancellation: has a worker cancel this prediction at its provider
create function private.request_provider_cancellation(p_job_id uuid, p_provider_ref text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into private.provider_cancellations (provider_ref, provider, job_id)
  select p_provider_ref, provider, p_job_id from private.job_requests where job_id = p_job_id
  on conflict do nothing;
  perform private.ring_doorbell();
end
$$;

-- on_prediction_not_needed: a job ended without success, was deleted, or got another reference
--
-- If the prediction has ended already, the cancel is one request too many and does no harm. A retry
-- needs none: a job with a reference is queued again only after its prediction has failed.
create function private.on_prediction_not_needed()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.request_provider_cancellation(old.id, old.provider_ref);
  return old;
end
$$;
create trigger jobs_cancel_prediction
  after update on public.jobs
  for each row
  when (
    old.provider_ref <> new.provider_ref
    or new.status in ('failed', 'canceled')
      and old.finished_at is null and old.provider_ref is not null
  )
  execute function private.on_prediction_not_needed();
-- Before the deletion, which takes the job's request with it.
create trigger jobs_cancel_prediction_of_deleted
  before delete on public.jobs
  for each row
  when (old.provider_ref is not null and old.finished_at is null)
  execute function private.on_prediction_not_needed();

-- cancel_stray_prediction: cancels a prediction that a webhook names for a job that does not own it
create function private.cancel_stray_prediction(p_job_id uuid, p_provider_ref text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.request_provider_cancellation(id, p_provider_ref)
  from public.jobs
  where id = p_job_id
    and provider_ref is distinct from p_provider_ref
    and private.is_ref_available(p_provider_ref, id)
$$;

-- jobs_with_provider_cancellations: the jobs whose worker shall cancel a prediction, every 30
-- seconds until it is canceled
--
-- Ended jobs only: a message for an unfinished job would run it before its time and past its rate
-- limit.
create function private.jobs_with_provider_cancellations(p_limit integer)
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job_ids uuid[];
begin
  delete from private.provider_cancellations where provider_ref in (
    select provider_ref from private.provider_cancellations
    where created_at < clock_timestamp() - interval '1 hour'
    for update skip locked
  );
  with due as (
    select provider_ref from private.provider_cancellations
    where send_at <= clock_timestamp()
      and not exists (select from public.jobs where id = job_id and finished_at is null)
    limit p_limit
    for update skip locked
  ), sent as (
    update private.provider_cancellations a
    set send_at = clock_timestamp() + interval '30 seconds'
    from due
    where a.provider_ref = due.provider_ref
    returning a.job_id
  )
  select coalesce(array_agg(distinct job_id), '{}') into v_job_ids from sent;
  return v_job_ids;
end
$$;

-- provider_cancellations_of: the predictions that a worker shall cancel for this job
create function private.provider_cancellations_of(p_job_id uuid)
returns table (provider text, provider_ref text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select provider, provider_ref from private.provider_cancellations where job_id = p_job_id
$$;

-- cancellation_done: the prediction is canceled
create function private.cancellation_done(p_provider_ref text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  delete from private.provider_cancellations where provider_ref = p_provider_ref
$$;

grant execute on function
  private.provider_cancellations_of(uuid),
  private.cancellation_done(text)
to generation_worker;

-- wake_job: waiting, and due at once; a provider's webhook named the job and a prediction
--
-- It is in public because the webhook's Edge Function calls it through the Data API; only
-- service_role may execute it. If the job has no reference yet, it adopts the prediction (an
-- orphan). If the job has ended or has another prediction, this one is canceled at the provider.
-- A replayed or foreign call changes nothing. Returns whether the job was woken.
create function public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean default true)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  if p_is_final then  -- the worker calls this, too, and never with the end of the work
    perform private.record_webhook();
  end if;
  update public.jobs
  set provider_ref = p_provider_ref, run_at = null, woken_at = clock_timestamp()
  where id = p_id
    and status in ('running', 'waiting')
    and submitted_at is not null
    and case
      when provider_ref is null then private.is_ref_available(p_provider_ref, id)
      else provider_ref = p_provider_ref
    end
    and (p_is_final or provider_ref is null);
  if not found then
    perform private.cancel_stray_prediction(p_id, p_provider_ref);
    return false;
  end if;
  perform private.ring_doorbell();
  return true;
end
$$;
revoke execute on function public.wake_job(uuid, text, boolean) from public, anon, authenticated;
revoke execute on all functions in schema private from public;
grant execute on function public.wake_job(uuid, text, boolean) to service_role;

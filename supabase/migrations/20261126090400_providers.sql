-- Whose a provider's work is, and what it may still be working on, and be paid for, although nobody wants it.

-- free_ref: the reference, unless it is another job's, or of an attempt of this one that is over
create function private.free_ref(p_provider_ref text, p_id uuid)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p_provider_ref where not exists (
    select from public.jobs where provider_ref = p_provider_ref and id <> p_id
    union all
    select from public.jobs where id = p_id and p_provider_ref = any (former_refs)
  )
$$;

create table private.abandoned_work (
  provider_ref text primary key,
  provider text not null,
  job_id uuid not null,  -- no reference: the account, and the job with it, may be gone
  send_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp()
);
alter table private.abandoned_work enable row level security;
comment on table private.abandoned_work is
  'To be canceled at the provider. A row goes when a worker has done that, or after an hour: no provider works for longer.';

create function private.abandon_work(p_job_id uuid, p_model_id text, p_provider_ref text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into private.abandoned_work (provider_ref, provider, job_id)
  select p_provider_ref, provider, p_job_id from private.models where id = p_model_id
  on conflict do nothing;
  perform private.ring_doorbell();
end
$$;

-- Whatever ends a job or gives it another reference comes through here: a cancel, a deadline, a deleted account. Where the
-- provider had ended by itself, the cancel is one request too many and no harm. A retry is not among it: a job with a
-- reference is queued again only because the provider said that its work had failed.
create function private.on_work_abandoned()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform private.abandon_work(old.id, old.model_id, old.provider_ref);
  return null;
end
$$;
create trigger jobs_abandon_work
  after update on public.jobs
  for each row
  when (
    old.provider_ref <> new.provider_ref
    or new.status in ('failed', 'canceled') and old.finished_at is null and old.provider_ref is not null
  )
  execute function private.on_work_abandoned();
create trigger jobs_abandon_work_of_deleted
  after delete on public.jobs
  for each row
  when (old.provider_ref is not null and old.finished_at is null)
  execute function private.on_work_abandoned();

-- abandon_unknown_work: what reports itself for a job that knows nothing of it
create function private.abandon_unknown_work(p_job_id uuid, p_provider_ref text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.abandon_work(id, model_id, p_provider_ref)
  from public.jobs
  where id = p_job_id and provider_ref is distinct from p_provider_ref and private.free_ref(p_provider_ref, id) is not null
$$;

-- jobs_with_abandoned_work: dispatched like any job, again and again until it is canceled
--
-- Once the job has ended: a message for one that is still to run would run it, before its time and past its provider's limit.
create function private.jobs_with_abandoned_work(p_limit integer)
returns uuid[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job_ids uuid[];
begin
  delete from private.abandoned_work where provider_ref in (
    select provider_ref from private.abandoned_work
    where created_at < clock_timestamp() - interval '1 hour'
    for update skip locked
  );
  with due as (
    select provider_ref from private.abandoned_work
    where send_at <= clock_timestamp()
      and not exists (select from public.jobs where id = job_id and finished_at is null)
    limit p_limit
    for update skip locked
  ), sent as (
    update private.abandoned_work a
    set send_at = clock_timestamp() + interval '30 seconds'
    from due
    where a.provider_ref = due.provider_ref
    returning a.job_id
  )
  select coalesce(array_agg(distinct job_id), '{}') into v_job_ids from sent;
  return v_job_ids;
end
$$;

-- abandoned_work_of: what a worker shall cancel at the provider for this job
create function private.abandoned_work_of(p_job_id uuid)
returns table (provider text, provider_ref text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select provider, provider_ref from private.abandoned_work where job_id = p_job_id
$$;

create function private.forget_abandoned_work(p_provider_ref text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  delete from private.abandoned_work where provider_ref = p_provider_ref
$$;

grant execute on function private.abandoned_work_of(uuid), private.forget_abandoned_work(text) to generation_worker;

-- wake_job: a provider's webhook says the job is worth a look
--
-- In public because the webhook's Edge Function speaks to the Data API; only service_role may execute it. An orphan
-- (a provider's work whose reference we never stored) is adopted here; one that comes when the job is done with, or has
-- found other work, is canceled at the provider. Replayed and foreign calls change nothing.
create function public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean default true)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  update public.jobs
  set provider_ref = p_provider_ref, run_at = null, woken_at = clock_timestamp()
  where id = p_id
    and status in ('running', 'waiting')
    and submitted_at is not null
    and coalesce(provider_ref, private.free_ref(p_provider_ref, id)) = p_provider_ref
    and (p_is_final or provider_ref is null);
  if not found then
    perform private.abandon_unknown_work(p_id, p_provider_ref);
    return false;
  end if;
  perform private.ring_doorbell();
  return true;
end
$$;
revoke execute on function public.wake_job(uuid, text, boolean) from public, anon, authenticated;
revoke execute on all functions in schema private from public;
grant execute on function public.wake_job(uuid, text, boolean) to service_role;

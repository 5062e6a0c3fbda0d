-- The jobs, what each was asked to do, and the guard of the state machine.

create type public.job_status as enum (
  'queued',     -- -> running, canceled, failed
  'running',    -- -> succeeded, failed, canceled, waiting, queued
  'waiting',    -- -> running, canceled, failed: the provider works, no worker slot is held
  'succeeded',
  'failed',
  'canceled'
);

create type public.error_code as enum (
  'invalid_input', 'content_rejected', 'provider_rejected', 'provider_unavailable',
  'timed_out', 'worker_lost', 'canceled', 'internal'
);

create table public.jobs (
  id uuid primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  model_id text not null references private.models (id),
  input jsonb not null,
  input_paths text[] not null default '{}',
  status public.job_status not null default 'queued',
  cost integer not null,
  rank double precision not null,
  rate_limited_by text,
  attempt integer not null default 0,
  max_attempts integer not null,
  fence bigint not null default 0,
  run_at timestamptz,
  dispatched_at timestamptz,
  lease_expires_at timestamptz,
  deadline_at timestamptz not null,
  submitted_at timestamptz,
  provider_ref text,
  failed_refs text[] not null default '{}',
  woken_at timestamptz,
  cancel_requested_at timestamptz,
  progress real,
  error_code public.error_code,
  error_message text,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  constraint inputs_are_objects check (jsonb_typeof(input) = 'object'),
  constraint costs_are_not_negative check (cost >= 0),
  constraint attempts_stay_in_bounds check (attempt between 0 and max_attempts),
  constraint progress_is_a_fraction check (progress between 0 and 1),
  constraint running_jobs_have_a_lease
    check ((status = 'running') = (lease_expires_at is not null)),
  constraint only_unclaimed_jobs_are_scheduled_or_dispatched
    check (status in ('queued', 'waiting') or (run_at is null and dispatched_at is null)),
  constraint only_queued_jobs_are_rate_limited check (rate_limited_by is null or status = 'queued'),
  constraint scheduled_jobs_are_not_dispatched check (run_at is null or dispatched_at is null),
  constraint waiting_jobs_were_submitted check (status <> 'waiting' or submitted_at is not null),
  constraint providers_know_only_submitted_jobs
    check (provider_ref is null or submitted_at is not null),
  constraint finished_jobs_say_when
    check ((status in ('succeeded', 'failed', 'canceled')) = (finished_at is not null)),
  constraint unsuccessful_jobs_say_why
    check (case
      when status in ('failed', 'canceled')
        then error_code is not null and error_message is not null
      when status = 'succeeded' then error_code is null
      else true
    end)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
alter table public.jobs enable row level security;
comment on table public.jobs is
  'One row per requested generation. The row is the truth; Celery only carries its id.';
comment on column public.jobs.input_paths is
  'The photos that the input names: <user>/<uuid>.<type> in the bucket "inputs", or an output of '
  'the same user, <user>/<job>/<number>.<type> in the bucket "generations".';
comment on column public.jobs.run_at is
  'The job must not run before this time. Null: as soon as possible. dispatch_jobs clears it when '
  'the time has come, so that the index by rank has exactly the due jobs.';
comment on column public.jobs.rate_limited_by is
  'The provider whose rate limit keeps the job back. Null: the job is not rate-limited.';
comment on column public.jobs.fence is
  'Fencing token: every claim adds one. A late writer carries an old fence and changes nothing.';
comment on column public.jobs.submitted_at is
  'When this attempt called the provider, or was about to. Set without provider_ref: the call may '
  'have happened.';
comment on column public.jobs.failed_refs is
  'The predictions of earlier attempts that failed. A late webhook that names one is ignored.';
comment on column public.jobs.woken_at is
  'A webhook came while the job was running. The job is due again as soon as it waits.';

-- dispatch_jobs: the due jobs in order.
create index jobs_due on public.jobs (rank)
  where status in ('queued', 'waiting')
    and dispatched_at is null and run_at is null and rate_limited_by is null;
-- admit_jobs: the next jobs of a provider that has room.
create index jobs_rate_limited on public.jobs (rate_limited_by, rank)
  where rate_limited_by is not null and dispatched_at is null and run_at is null;
-- dispatch_jobs: the jobs whose time has come.
create index jobs_scheduled on public.jobs (run_at) where run_at is not null;
-- dispatch_jobs: how many messages are out. redispatch_jobs: which have been out for too long.
create index jobs_dispatched on public.jobs (dispatched_at) where dispatched_at is not null;
-- rescue_jobs: the jobs whose lease or deadline has passed.
create index jobs_overdue on public.jobs (least(lease_expires_at, deadline_at))
  where finished_at is null;
-- enqueue_generation: how many unfinished jobs a user has; also the owner's list of them, which
-- is short enough to sort. The key is user_id alone: equal keys share their space, every claim
-- and every end writes here, and a small index stays in memory. The predicate names no status: a
-- claim names one, and with statistics of a table without unfinished jobs it would be planned as
-- a scan of this whole index.
create index jobs_unfinished_by_user on public.jobs (user_id)
  where finished_at is null;
-- The cascade from the account.
create index jobs_by_user on public.jobs (user_id);
-- wake_job: one prediction belongs to one job.
create unique index jobs_by_provider_ref on public.jobs (provider_ref)
  where provider_ref is not null;
-- is_in_use: the unfinished jobs that need a photo.
create index jobs_by_photo on public.jobs using gin (input_paths)
  where input_paths <> '{}' and finished_at is null;
-- prune_jobs: the jobs that ended long ago.
create index jobs_finished on public.jobs (finished_at) where finished_at is not null;

-- In a table of its own: on the job's row it would be written again with every change of the job.
create table private.job_requests (
  job_id uuid primary key references public.jobs (id) on delete cascade,
  provider text not null,
  provider_model text,
  provider_input jsonb not null
);
alter table private.job_requests enable row level security;
comment on table private.job_requests is
  'What a job was asked to do, by the model as it was then. Written once by enqueue_generation.';
comment on column private.job_requests.provider_input is
  'The user''s choice over the model''s defaults. It names photos by path, and secrets by '
  '{"$env"}.';

-- refuse_deletion_of_model: a model with jobs is disabled, not deleted
create function private.refuse_deletion_of_model()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from public.jobs where model_id = old.id) then
    raise exception 'The model % has jobs, so it cannot be deleted.', old.id
      using errcode = 'foreign_key_violation',
        hint = format(
          'Disable it: update private.models set enabled = false where id = %L', old.id);
  end if;
  return old;
end
$$;
create trigger models_refuse_deletion
  before delete on private.models
  for each row execute function private.refuse_deletion_of_model();

create policy "Owners see their jobs" on public.jobs
  for select to authenticated using ((select auth.uid()) = user_id);

revoke all on table public.jobs from anon, authenticated, service_role;
grant select on table public.jobs to service_role;
-- Of a job, its owner sees what the client contract names; the rest is the machine's.
grant select (
  id, user_id, model_id, input, status, cost, progress, error_code, error_message,
  created_at, started_at, finished_at, updated_at
) on table public.jobs to authenticated;

-- enforce_transition: the guard of the state machine
--
-- The functions make only the transitions that job_status names. This trigger refuses any other
-- transition of any other writer. A job that has ended never changes again. The condition of the
-- trigger says what is illegal, so that a legal change calls no function.
create function private.enforce_transition()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'job % cannot go from % to %', old.id, old.status, new.status
    using errcode = 'integrity_constraint_violation';
end
$$;
create trigger jobs_enforce_transitions
  before update on public.jobs
  for each row
  when (
    old.finished_at is not null
    or new.fence < old.fence
    or old.status = 'queued' and new.status in ('waiting', 'succeeded')
    or old.status = 'waiting' and new.status in ('queued', 'succeeded')
  )
  execute function private.enforce_transition();

-- touch_job: sets updated_at
--
-- A client keeps the newer of two versions of a row. So updated_at must grow with every change
-- that a client can see, also when a transaction that began earlier commits later. For an ended
-- job it is finished_at, which the generation has too: the answer is the same after the job was
-- pruned. A function that has set a later one itself needs no trigger.
create function private.touch_job()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := greatest(
    coalesce(new.finished_at, clock_timestamp()), old.updated_at + interval '1 microsecond'
  );
  return new;
end
$$;
create trigger jobs_touch
  before update on public.jobs
  for each row
  when (
    new.updated_at <= old.updated_at
    and (old.status, old.progress, old.attempt)
      is distinct from (new.status, new.progress, new.attempt)
  )
  execute function private.touch_job();

revoke execute on all functions in schema private from public;

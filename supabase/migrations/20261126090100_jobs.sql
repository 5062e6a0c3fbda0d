-- What can be asked for, what was asked for, and what came of it.

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

create table private.models (
  id text primary key,
  title text not null,
  cost integer not null,
  provider text not null,
  provider_model text,
  defaults jsonb not null default '{}',
  input_keys text[] not null default '{prompt}',
  timeout interval not null default '15 minutes',
  max_attempts integer not null default 3,
  enabled boolean not null default true,
  constraint costs_are_not_negative check (cost >= 0),
  constraint timeouts_are_positive check (timeout > interval '0'),
  constraint there_is_an_attempt check (max_attempts >= 1),
  constraint defaults_are_an_object check (jsonb_typeof(defaults) = 'object')
);
alter table private.models enable row level security;
comment on table private.models is 'What can be asked for. Clients see id, title and cost through list_models().';
comment on column private.models.input_keys is
  'What of a request''s input is passed on to the provider, over the defaults; anything else is refused. With "seed" among them we choose one.';
comment on column private.models.timeout is 'From the request to the last useful moment, waiting included; then the job fails as timed_out.';

insert into private.models (id, title, cost, provider)
values ('preview', 'Preview', 1, 'preview');

create table public.jobs (
  id uuid primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  model_id text not null references private.models (id),
  input jsonb not null,
  status public.job_status not null default 'queued',
  cost integer not null,
  rank double precision not null,
  lane text,
  attempt integer not null default 0,
  max_attempts integer not null,
  fence bigint not null default 0,
  run_at timestamptz,
  dispatched_at timestamptz,
  lease_expires_at timestamptz,
  deadline_at timestamptz not null,
  submitted_at timestamptz,
  provider_ref text,
  former_refs text[] not null default '{}',
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
  constraint running_jobs_hold_a_lease check ((status = 'running') = (lease_expires_at is not null)),
  constraint only_unclaimed_jobs_are_scheduled_or_dispatched
    check (status in ('queued', 'waiting') or (run_at is null and dispatched_at is null)),
  constraint only_queued_jobs_are_held check (lane is null or status = 'queued'),
  constraint scheduled_jobs_are_not_dispatched check (run_at is null or dispatched_at is null),
  constraint waiting_jobs_were_submitted check (status <> 'waiting' or submitted_at is not null),
  constraint providers_know_only_submitted_jobs check (provider_ref is null or submitted_at is not null),
  constraint finished_jobs_say_when
    check ((status in ('succeeded', 'failed', 'canceled')) = (finished_at is not null)),
  constraint unsuccessful_jobs_say_why
    check (case when status in ('failed', 'canceled') then (error_code is not null and error_message is not null)
      when status = 'succeeded' then error_code is null else true end)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
alter table public.jobs enable row level security;
comment on table public.jobs is
  'One row per generation a user asked for. The row is the truth; Celery only carries its id.';
comment on column public.jobs.run_at is
  'Not before this time. Null is "as soon as possible": dispatch clears it when the time has come, so that one index by rank holds exactly what is due.';
comment on column public.jobs.lane is
  'The provider whose limit holds the job back. Null: nothing does.';
comment on column public.jobs.fence is 'One more at every claim. A late writer carries an old one and loses.';
comment on column public.jobs.submitted_at is
  'The provider was, or was about to be, called in this attempt. Set and without provider_ref: the call may have happened.';
comment on column public.jobs.former_refs is
  'What failed at the provider in earlier attempts: news of it that comes late is not of this attempt.';
comment on column public.jobs.woken_at is 'A webhook came while the job was running: it must be looked at again at once.';

-- dispatch_jobs: what is due, in order
create index jobs_due on public.jobs (rank)
  where status in ('queued', 'waiting') and dispatched_at is null and run_at is null and lane is null;
-- release_held_jobs: who is next when a provider has room
create index jobs_held on public.jobs (lane, rank) where lane is not null and dispatched_at is null and run_at is null;
-- dispatch_jobs: whose time has come
create index jobs_scheduled on public.jobs (run_at) where run_at is not null;
-- dispatch_jobs: how much is outstanding; redispatch_jobs: what is outstanding for too long
create index jobs_dispatched on public.jobs (dispatched_at) where dispatched_at is not null;
-- rescue_jobs: whose worker is lost, and whose time is over
create index jobs_overdue on public.jobs (least(lease_expires_at, deadline_at)) where finished_at is null;
-- enqueue_generation: how many a user has open; and the owner's list of these, few enough to sort. Of user_id alone, as
-- equal keys share their space: every claim and every end writes here, and a small index stays in memory.
create index jobs_unfinished_by_user on public.jobs (user_id) where status in ('queued', 'running', 'waiting');
-- the cascade from the account
create index jobs_by_user on public.jobs (user_id);
-- wake_job: one piece of a provider's work belongs to one job
create unique index jobs_by_provider_ref on public.jobs (provider_ref) where provider_ref is not null;
-- prune_jobs
create index jobs_finished on public.jobs (finished_at) where finished_at is not null;

create table public.generations (
  id uuid primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  model_id text not null,
  input jsonb not null,
  status public.job_status not null,
  output jsonb,
  error_code public.error_code,
  error_message text,
  requested_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint generations_have_ended check (status in ('succeeded', 'failed', 'canceled')),
  constraint only_succeeded_generations_have_output check ((status = 'succeeded') = (output is not null)),
  constraint outputs_are_lists check (jsonb_typeof(output) = 'array'),
  constraint unsuccessful_generations_say_why
    check ((status = 'succeeded') = (error_code is null) and (error_code is null) = (error_message is null))
);
alter table public.generations enable row level security;
comment on table public.generations is
  'What the gallery shows: one row per ended job, under the job''s id, with the original input whatever came of it.';
comment on column public.generations.output is 'List of {path, mime, width, height, blurhash, token}; path is in the bucket "generations", token reads it for an hour.';
-- the gallery, newest first
create index generations_by_user on public.generations (user_id, created_at desc, id);
-- Whoever plans a user's gallery does not know whose it will be. Planned for a usual user's few rows, it reads and sorts all the
-- rows of a heavy one; planned for many, it walks the index and stops, which costs the usual user nothing.
alter table public.generations alter column user_id set (n_distinct = -0.0005);

create policy "Owners see their jobs" on public.jobs
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Owners see their generations" on public.generations
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Owners delete their generations" on public.generations
  for delete to authenticated using ((select auth.uid()) = user_id);

revoke all on table public.jobs, public.generations from anon, authenticated, service_role;
grant select on table public.jobs, public.generations to service_role;
grant select on table public.generations to authenticated;
-- Of a job, its owner sees what the client contract names; the rest is the machine's.
grant select (
  id, user_id, model_id, input, status, cost, progress, error_code, error_message,
  created_at, started_at, finished_at, updated_at
) on table public.jobs to authenticated;
grant delete on table public.generations to authenticated;

-- The functions take only the arrows of job_status; this refuses every other hand, too. What has ended never changes again.
create function private.refuse_illegal_move()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if old.finished_at is not null or new.fence < old.fence or (old.status, new.status) not in (
    ('queued', 'queued'), ('queued', 'running'), ('queued', 'canceled'), ('queued', 'failed'),
    ('running', 'running'), ('running', 'succeeded'), ('running', 'failed'), ('running', 'canceled'),
    ('running', 'waiting'), ('running', 'queued'),
    ('waiting', 'waiting'), ('waiting', 'running'), ('waiting', 'canceled'), ('waiting', 'failed')
  ) then
    raise exception 'job % cannot go from % to %', old.id, old.status, new.status using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
create trigger jobs_follow_their_arrows
  before update on public.jobs
  for each row
  when (old.finished_at is not null or (old.status, old.fence) is distinct from (new.status, new.fence))
  execute function private.refuse_illegal_move();

-- A client keeps the newest of two versions of a row, so updated_at must grow with every change it can see,
-- also when a transaction that began earlier commits later. Of an ended job it is the end, which its generation knows too:
-- so the answer is the same after the job was pruned.
create function private.touch_job()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := greatest(coalesce(new.finished_at, clock_timestamp()), old.updated_at + interval '1 microsecond');
  return new;
end
$$;
create trigger jobs_touch
  before update on public.jobs
  for each row
  when ((old.status, old.progress, old.attempt) is distinct from (new.status, new.progress, new.attempt))
  execute function private.touch_job();

-- error_json: null when there is none
create function private.error_json(p_code public.error_code, p_message text)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_code is not null then jsonb_build_object('code', p_code, 'message', p_message) end
$$;

-- generation_json: a generation as its owner sees it; null when there is none
create function private.generation_json(p_generation public.generations)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_generation.id is not null then jsonb_build_object(
    'id', p_generation.id,
    'model', p_generation.model_id,
    'input', p_generation.input,
    'status', p_generation.status,
    'output', p_generation.output,
    'error', private.error_json(p_generation.error_code, p_generation.error_message),
    'created_at', p_generation.created_at
  ) end
$$;

-- job_json: a job as its owner sees it, in answers and in broadcasts alike
--
-- It takes the row that the caller has, and reads a generation only where there can be one.
create function private.job_json(p_job public.jobs)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_generation public.generations;
begin
  if p_job.finished_at is not null then
    select * into v_generation from public.generations where id = p_job.id;
  end if;
  return jsonb_build_object(
    'id', p_job.id,
    'model', p_job.model_id,
    'input', p_job.input,
    'status', p_job.status,
    'progress', p_job.progress,
    'error', case when p_job.status in ('failed', 'canceled')
      then private.error_json(p_job.error_code, p_job.error_message) end,
    'created_at', p_job.created_at,
    'updated_at', p_job.updated_at,
    'generation', private.generation_json(v_generation)
  );
end
$$;

-- pruned_job_json: the same of a job whose row is gone, as its generation knows it
create function private.pruned_job_json(p_generation public.generations)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_generation.id is not null then jsonb_build_object(
    'id', p_generation.id,
    'model', p_generation.model_id,
    'input', p_generation.input,
    'status', p_generation.status,
    'progress', null,
    'error', private.error_json(p_generation.error_code, p_generation.error_message),
    'created_at', p_generation.requested_at,
    'updated_at', p_generation.created_at,
    'generation', private.generation_json(p_generation)
  ) end
$$;

-- read_job: a job by its id, or what its generation knows of it; null when both are gone
create function private.read_job(p_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job public.jobs;
  v_generation public.generations;
begin
  select * into v_job from public.jobs where id = p_id;
  if found then
    return private.job_json(v_job);
  end if;
  select * into v_generation from public.generations where id = p_id;
  return private.pruned_job_json(v_generation);
end
$$;

revoke execute on all functions in schema private from public;

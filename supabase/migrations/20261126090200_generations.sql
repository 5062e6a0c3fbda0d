-- The generations, and how a job is told to its owner.

create table public.generations (
  id uuid primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  model_id text not null,
  input jsonb not null,
  input_paths text[] not null default '{}',
  status public.job_status not null,
  output jsonb,
  error_code public.error_code,
  error_message text,
  requested_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint generations_have_ended check (status in ('succeeded', 'failed', 'canceled')),
  constraint only_succeeded_generations_have_output
    check ((status = 'succeeded') = (output is not null)),
  constraint outputs_are_lists check (jsonb_typeof(output) = 'array'),
  constraint unsuccessful_generations_say_why
    check (
      (status = 'succeeded') = (error_code is null)
      and (error_code is null) = (error_message is null)
    )
);
alter table public.generations enable row level security;
comment on table public.generations is
  'What the gallery shows: one row per ended job, with the job''s id and the original input.';
comment on column public.generations.output is
  'List of {kind, path, mime, bytes, width, height, blurhash, thumb, duration, token, '
  'thumb_token}. kind is image, video, audio or text; a text is {kind, text}. path and thumb are '
  'in the bucket "generations"; token and thumb_token read them for an hour; duration is in '
  'seconds.';
-- The gallery, newest first.
create index generations_by_user on public.generations (user_id, created_at desc, id);
-- is_shown: the generations that show a photo.
create index generations_by_photo on public.generations using gin (input_paths)
  where input_paths <> '{}';
-- A plan of the gallery is made before the user is known. A plan for a user with few rows reads
-- and sorts all rows of a user with many. A plan for a user with many rows walks the index and
-- stops, which costs a user with few rows nothing. This estimate makes Postgres choose the second
-- plan.
alter table public.generations alter column user_id set (n_distinct = -0.0005);

create policy "Owners see their generations" on public.generations
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Owners delete their generations" on public.generations
  for delete to authenticated using ((select auth.uid()) = user_id);

revoke all on table public.generations from anon, authenticated, service_role;
grant select on table public.generations to authenticated, service_role;
grant delete on table public.generations to authenticated;

create table private.reports (
  generation_id uuid primary key,  -- no foreign key: a report outlives the generation
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  reason text not null,
  text text,
  model_id text not null,
  input jsonb not null,
  input_paths text[] not null,
  output jsonb,
  created_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz,
  constraint reasons_are_known
    check (reason in ('sexual', 'violent', 'hateful', 'real_person', 'copyright', 'other')),
  constraint texts_are_short check (char_length(text) <= 500)
);
alter table private.reports enable row level security;
comment on table private.reports is
  'Complaints of users, with a copy of the generation. An operator closes a report by closed_at. '
  'While it is open, its files outlive the deletion of the generation.';
-- The cascade from the account.
create index reports_by_user on private.reports (user_id);
-- operator_status: the open reports.
create index reports_open on private.reports (created_at) where closed_at is null;
-- is_reported: the open reports that have a photo.
create index reports_by_photo on private.reports using gin (input_paths)
  where closed_at is null and input_paths <> '{}';

-- error_json: an error as its owner sees it; null when there is no error
create function private.error_json(p_code public.error_code, p_message text)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when p_code is not null then jsonb_build_object('code', p_code, 'message', p_message)
  end;
end
$$;

-- generation_json: a generation as its owner sees it
create function private.generation_json(p_generation public.generations)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'id', p_generation.id,
    'model', p_generation.model_id,
    'input', p_generation.input,
    'status', p_generation.status,
    'output', p_generation.output,
    'error', private.error_json(p_generation.error_code, p_generation.error_message),
    'created_at', p_generation.created_at
  );
end
$$;

-- job_json: a job as its owner sees it, in answers and in broadcasts alike
--
-- It takes the row that the caller has in hand, and reads the generation of an ended job only.
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
    'generation', case when v_generation.id is not null
      then private.generation_json(v_generation) end
  );
end
$$;

-- pruned_job_json: a job whose row was pruned, from its generation; null when there is none
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

-- read_job: a job by its id; from its generation if it was pruned; null when both are gone
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

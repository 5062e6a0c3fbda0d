-- The functions that a user may call: enqueue, cancel, status, gallery, models.
--
-- All are security definer: they write tables and read the private schema, for which the caller
-- has no rights. Each begins with private.caller(), and touches only what belongs to that user.

-- caller: the id of the signed-in user; refuses with 401 when there is none, or no longer, and with
-- 403 a user whom an operator has blocked
create function private.caller()
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account public.entitlements;
begin
  if auth.uid() is null then
    perform private.raise_api_error(401, 'unauthenticated', 'Sign in first.');
  end if;
  select * into v_account from public.entitlements where user_id = auth.uid();
  if not found then
    perform private.raise_api_error(401, 'unauthenticated', 'This account no longer exists.');
  elsif v_account.blocked_at is not null then
    perform private.raise_api_error(403, 'account_suspended', 'This account is suspended.');
  end if;
  return auth.uid();
end
$$;

-- job_answer: a job and the balance, which enqueue and cancel return
--
-- When the job was pruned and the user deleted the generation, the ledger still says how the job
-- ended.
create function private.job_answer(p_id uuid, p_user_id uuid)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'job', coalesce(private.read_job(p_id), (
      select jsonb_build_object(
        'id', p_id,
        'status', case
          when kind = 'settle' then 'succeeded'
          when reason = 'canceled' then 'canceled'
          else 'failed'
        end,
        'updated_at', created_at,
        'generation', null
      )
      from public.credit_entries
      where job_id = p_id and kind in ('settle', 'refund')
    )),
    'credits', (select credits from public.entitlements where user_id = p_user_id)
  )
$$;

-- enqueue_generation: -> queued, and the hold
--
-- p_id    the idempotency key, made by the client: the same id is the same job, permanently
-- p_model an id of list_models()
-- p_input an object, at most max_input_bytes as text
--
-- Returns {"job", "credits"}. Refuses with 400, 401, 402, 403, 404, 409, 413, 422, 429 or 503: see
-- docs/openapi.yaml. A repeated request waits for the first one at the account row, then finds
-- its hold. The same id from another user, or with another model or input, is a conflict and
-- reveals nothing of the first request.
create function public.enqueue_generation(p_id uuid, p_model text, p_input jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
  v_fingerprint bytea;
  v_account public.entitlements;
  v_receipt public.credit_entries;
begin
  if p_id is null or p_model is null or jsonb_typeof(p_input) is distinct from 'object' then
    perform private.raise_api_error(
      400, 'invalid_request', 'A request needs an id (uuid), a model and an input (object).'
    );
  elsif pg_column_size(p_input) > 262144 or octet_length(p_model) > 100 then
    perform private.raise_api_error(413, 'too_large', 'The input is too large.');
  elsif not private.is_storable(p_input) then
    perform private.raise_api_error(
      400, 'invalid_request', 'The input is too deep, or has numbers that cannot be stored.'
    );
  end if;
  v_fingerprint := sha256(convert_to(p_model || chr(10) || p_input::text, 'utf8'));

  select * into v_account from public.entitlements where user_id = v_user_id for no key update;
  if not found then
    perform private.raise_api_error(401, 'unauthenticated', 'This account no longer exists.');
  end if;

  select * into v_receipt from public.credit_entries where job_id = p_id and kind = 'hold';
  if not found then
    perform private.accept_request(v_account, p_id, p_model, p_input, v_fingerprint);
  elsif (v_receipt.user_id, v_receipt.fingerprint) is distinct from (v_user_id, v_fingerprint) then
    perform private.raise_api_error(409, 'id_conflict', 'This id was used for another request.');
  end if;
  return private.job_answer(p_id, v_user_id);
end
$$;
revoke execute on function public.enqueue_generation(uuid, text, jsonb)
  from public, anon, service_role;
grant execute on function public.enqueue_generation(uuid, text, jsonb) to authenticated;

-- cancel_generation: queued, waiting -> canceled; asks the worker of a running job to stop
--
-- Returns {"job", "credits"}. A running job is canceled or succeeds, whichever transaction locks it
-- first; the answer says what the status is now. Refuses with 401, 403 or 404.
create function public.cancel_generation(p_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
  v_job public.jobs;
begin
  if not exists (
    select from public.credit_entries
    where job_id = p_id and kind = 'hold' and user_id = v_user_id
  ) then
    perform private.raise_api_error(404, 'unknown_job', 'There is no such generation.');
  end if;

  v_job := private.lock_job(p_id, p_moves_credits => true);
  if v_job.status in ('queued', 'waiting') then
    perform private.cancel_job(v_job);
  elsif v_job.status = 'running' then
    update public.jobs
    set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
    where id = p_id;
  end if;
  return private.job_answer(p_id, v_user_id);
end
$$;
revoke execute on function public.cancel_generation(uuid) from public, anon, service_role;
grant execute on function public.cancel_generation(uuid) to authenticated;

-- read_jobs: the jobs of a user among these ids, as a list; the others are left out
create function private.read_jobs(p_user_id uuid, p_ids uuid[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_ids is null or cardinality(p_ids) > 50 then
    perform private.raise_api_error(400, 'invalid_request', 'Ask for at most 50 ids.');
  end if;

  return coalesce((
    select jsonb_agg(private.read_job(mine.id))
    from (
      select id, user_id from public.jobs where id = any (p_ids)
      union
      select id, user_id from public.generations where id = any (p_ids)
      offset 0  -- find by id first: found by user, all rows of a user with many are read
    ) mine
    where user_id = p_user_id
  ), '[]');
end
$$;

-- get_job_status: {"jobs": [...]}, the caller's jobs among at most 50 ids; the others are left out
create function public.get_job_status(p_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  return jsonb_build_object('jobs', private.read_jobs(private.caller(), p_ids));
end
$$;
revoke execute on function public.get_job_status(uuid[]) from public, anon, service_role;
grant execute on function public.get_job_status(uuid[]) to authenticated;

-- read_gallery: all that a client needs to show a gallery, as of one moment
--
-- p_before_at, p_before_id  the cursor of the page above; null: the first page
-- p_ids                     at most 50 ids that the client believes to be unfinished
--
-- Returns {"page", "cursor", "unfinished", "asked"}. page: up to 36 ended generations as jobs, the
-- last ended first; 36 fills rows of two, three and four cards. cursor: {"at", "id"} of the page's
-- end, null when nothing older is left. unfinished: the caller's unfinished jobs. asked: the
-- caller's jobs among p_ids; an id that is missing there is known to be gone. Refuses with 400 or
-- 401.
create function public.read_gallery(p_before_at timestamptz, p_before_id uuid, p_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
  v_page public.generations[];
  v_last public.generations;
begin
  v_page := array(
    select generation from public.generations as generation
    where user_id = v_user_id
      and created_at <= coalesce(p_before_at, 'infinity')
      and (created_at < coalesce(p_before_at, 'infinity') or id > p_before_id)
    order by created_at desc, id
    limit 37  -- one more than a page, to see whether anything is left
  );
  v_last := v_page[36];
  return jsonb_build_object(
    'page', coalesce((
      select jsonb_agg(private.pruned_job_json(v_page[place]) order by place)
      from generate_subscripts(v_page[:36], 1) as place
    ), '[]'),
    'cursor', case when cardinality(v_page) > 36 then
      jsonb_build_object('at', v_last.created_at, 'id', v_last.id)
    end,
    'unfinished', coalesce((
      select jsonb_agg(private.job_json(job) order by created_at desc)
      from public.jobs as job
      where user_id = v_user_id and finished_at is null
    ), '[]'),
    'asked', private.read_jobs(v_user_id, p_ids)
  );
end
$$;
revoke execute on function public.read_gallery(timestamptz, uuid, uuid[])
  from public, anon, service_role;
grant execute on function public.read_gallery(timestamptz, uuid, uuid[]) to authenticated;

-- list_models: {"models": [...]}, the enabled models
--
-- Of each: id, title, description, kind, cost in credits, included (a paid user is not charged),
-- input_schema.
create function public.list_models()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  perform private.caller();
  return jsonb_build_object('models', coalesce((
    select jsonb_agg(jsonb_build_object(
      'id', id, 'title', title, 'description', description, 'kind', kind, 'cost', cost,
      'included', included, 'input_schema', input_schema
    ) order by cost, id)
    from private.models
    where enabled
  ), '[]'));
end
$$;
revoke execute on function public.list_models() from public, anon, service_role;
revoke execute on all functions in schema private from public;
grant execute on function public.list_models() to authenticated;

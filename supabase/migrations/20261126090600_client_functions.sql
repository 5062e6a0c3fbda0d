-- What a user may call: enqueue, cancel, status, models.
--
-- All are security definer: they write tables and read the private schema, for which the caller
-- has no rights. Each begins with private.caller(), and touches only what belongs to that user.

-- caller: the id of the signed-in user; refuses with 401 when there is none
create function private.caller()
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if auth.uid() is null then
    perform private.raise_api_error(401, 'unauthenticated', 'Sign in first.');
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
-- Returns {"job", "credits"}. Refuses with 400, 401, 402, 404, 409, 413 or 429: see
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
  v_fingerprint bytea := sha256(
    convert_to(coalesce(p_model, '') || chr(10) || coalesce(p_input::text, ''), 'utf8')
  );
  v_account public.entitlements;
  v_receipt public.credit_entries;
begin
  if p_id is null or p_model is null or jsonb_typeof(p_input) is distinct from 'object' then
    perform private.raise_api_error(
      400, 'invalid_request', 'A request needs an id (uuid), a model and an input (object).'
    );
  end if;

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

-- price_request: the credits that a new request costs its account; refuses a request that may not
-- be made
create function private.price_request(
  p_account public.entitlements, p_model private.models, p_input jsonb
) returns integer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_config private.config;
  v_cost integer := case when private.is_paid(p_account) then 0 else p_model.cost end;
begin
  select * into v_config from private.config;
  if octet_length(p_input::text) > v_config.max_input_bytes then
    perform private.raise_api_error(413, 'too_large', 'The input is too large.');
  end if;

  if (
    select count(*) from (
      select from public.jobs
      where user_id = p_account.user_id and status in ('queued', 'running', 'waiting')
      limit v_config.max_unfinished_jobs
    ) unfinished
  ) >= v_config.max_unfinished_jobs then
    perform private.raise_api_error(
      429, 'too_many_jobs', 'Too many generations are under way. Wait for one to end.',
      '{"Retry-After": "5"}'
    );
  end if;

  if p_account.credits < v_cost then
    perform private.raise_api_error(402, 'insufficient_credits', 'Not enough credits.');
  end if;
  return v_cost;
end
$$;

-- rank_request: the rank of a new request in the order of dispatch, and the spacing to the user's
-- next one
--
-- The rank is now, or a spacing behind the user's job before. It is never further back than
-- max_unfinished_jobs spacings: a user who was busy while no other user waited is not put behind
-- the others later, and a clock that was set back delays no user.
create function private.rank_request(
  p_account public.entitlements, out rank double precision, out spacing double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_config private.config;
  v_now double precision := extract(epoch from clock_timestamp());
begin
  select * into v_config from private.config;
  spacing := case
    when private.is_paid(p_account) then v_config.paid_spacing
    else v_config.free_spacing
  end;
  rank := greatest(
    v_now, least(p_account.next_rank, v_now + v_config.max_unfinished_jobs * spacing)
  );
end
$$;

-- accept_request: makes a job of a new request; the caller has locked the account
create function private.accept_request(
  p_account public.entitlements, p_id uuid, p_model text, p_input jsonb, p_fingerprint bytea
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_model private.models;
  v_cost integer;
  v_place record;
begin
  select * into v_model from private.models where id = p_model and enabled;
  if not found then
    perform private.raise_api_error(
      404, 'unknown_model', 'There is no such model. Ask list_models.'
    );
  end if;
  v_cost := private.price_request(p_account, v_model, p_input);
  v_place := private.rank_request(p_account);

  insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)
  values (
    p_id, p_account.user_id, p_model, p_input, v_cost, v_place.rank, v_model.max_attempts,
    clock_timestamp() + v_model.timeout
  )
  on conflict (id) do nothing;
  if not found then  -- another user has used this id
    perform private.raise_api_error(409, 'id_conflict', 'This id was used for another request.');
  end if;

  update public.entitlements
  set next_rank = v_place.rank + v_place.spacing
  where user_id = p_account.user_id;
  perform private.post_entry(
    p_account.user_id, 'hold', -v_cost, p_model, p_id, p_fingerprint => p_fingerprint
  );
  perform private.ring_doorbell();
end
$$;

-- cancel_generation: queued, waiting -> canceled; asks the worker of a running job to stop
--
-- Returns {"job", "credits"}. A running job is canceled or succeeds, whichever transaction locks it
-- first; the answer says what the status is now. Refuses with 401 or 404.
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

-- get_job_status: {"jobs": [...]}, the caller's jobs among at most 50 ids; the others are left out
create function public.get_job_status(p_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
begin
  if p_ids is null or cardinality(p_ids) > 50 then
    perform private.raise_api_error(400, 'invalid_request', 'Ask for at most 50 ids.');
  end if;

  return jsonb_build_object('jobs', coalesce((
    select jsonb_agg(private.read_job(mine.id))
    from (
      select id, user_id from public.jobs where id = any (p_ids)
      union
      select id, user_id from public.generations where id = any (p_ids)
      offset 0  -- find by id first: found by user, all rows of a user with many are read
    ) mine
    where user_id = v_user_id
  ), '[]'));
end
$$;
revoke execute on function public.get_job_status(uuid[]) from public, anon, service_role;
grant execute on function public.get_job_status(uuid[]) to authenticated;

-- list_models: {"models": [{"id", "title", "cost"}]}, the enabled models with their cost in credits
create function public.list_models()
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select jsonb_build_object('models', coalesce(
    jsonb_agg(jsonb_build_object('id', id, 'title', title, 'cost', cost) order by cost, id),
    '[]'
  ))
  from private.models
  where enabled
$$;
revoke execute on function public.list_models() from public, anon, service_role;
revoke execute on all functions in schema private from public;
grant execute on function public.list_models() to authenticated;

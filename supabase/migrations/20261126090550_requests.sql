-- How a new request becomes a job: what it may ask for, what it costs, when it is its turn.

-- has_had_free_jobs: whether an account had so many jobs without a charge within 24 hours
create function private.has_had_free_jobs(p_user_id uuid, p_count integer)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select count(*) >= p_count from (
    select from public.credit_entries
    where user_id = p_user_id and created_at > now() - interval '24 hours'
      and kind = 'hold' and amount = 0
    limit p_count
  ) free
$$;

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
  v_is_included boolean := private.is_paid(p_account) and p_model.included;
  v_cost integer := case when v_is_included then 0 else p_model.cost end;
  v_problem text;
begin
  select * into v_config from private.config;
  if octet_length(p_input::text) > v_config.max_input_bytes then
    perform private.raise_api_error(413, 'too_large', 'The input is too large.');
  end if;
  v_problem := private.input_problem(p_input, p_model.input_schema);
  if v_problem is not null then
    perform private.raise_api_error(400, 'invalid_request', v_problem);
  end if;

  if (
    select count(*) from (
      select from public.jobs
      where user_id = p_account.user_id and finished_at is null
      limit v_config.max_unfinished_jobs
    ) unfinished
  ) >= v_config.max_unfinished_jobs then
    perform private.raise_api_error(
      429, 'too_many_jobs', 'Too many generations are under way. Wait for one to end.',
      '{"Retry-After": "5"}'
    );
  end if;

  if v_is_included
    and private.has_had_free_jobs(p_account.user_id, v_config.max_paid_jobs_per_day)
  then
    perform private.raise_api_error(
      429, 'too_many_jobs', 'You have used all included generations of these 24 hours.',
      '{"Retry-After": "3600"}'
    );
  elsif p_account.credits < v_cost then
    perform private.raise_api_error(402, 'insufficient_credits', 'Not enough credits.');
  end if;
  return v_cost;
end
$$;

-- photo_problem: what is wrong with a photo that a request names; null when nothing is
--
-- A photo is an upload of the user, or a picture that the user has: an output of a generation.
create function private.photo_problem(p_user_id uuid, p_path text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_uuid constant text := '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
  v_bucket text := case
    when p_path ~ ('^' || p_user_id || '/' || v_uuid || '\.(jpg|png|webp)$') then 'inputs'
    when p_path ~ ('^' || p_user_id || '/' || v_uuid || '/[0-9]+\.(jpg|png|webp)$')
      then 'generations'
  end;
  v_metadata jsonb;
begin
  if v_bucket is null then
    return 'must name a photo that you uploaded or one of your pictures';
  end if;
  select metadata into v_metadata from storage.objects o
  where bucket_id = v_bucket and name = p_path
    and not exists (
      select from private.removed_objects r where (r.bucket, r.path) = (v_bucket, p_path)
    );
  return case
    when not found then 'names a photo that is not there: upload it first'
    when v_metadata ->> 'mimetype' not in ('image/jpeg', 'image/png', 'image/webp')
      then 'must be a JPEG, PNG or WebP'
    when v_bucket = 'inputs' and (v_metadata ->> 'size')::bigint > 10485760
      then 'must have at most 10 MB'
  end;
end
$$;

-- photos_of: the paths of the photos that a request names; refuses one that the user may not use
create function private.photos_of(p_user_id uuid, p_input jsonb, p_schema jsonb)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_paths text[] := '{}';
  v_name text;
  v_path text;
begin
  for v_name, v_path in
    select name, path
    from jsonb_each(p_schema -> 'properties') property (name, rule),
      jsonb_array_elements_text(case
        when rule ->> 'type' = 'array' then p_input -> name
        when rule ->> 'format' = 'image' then jsonb_build_array(p_input -> name)
      end) path
    where p_input ? name
  loop
    if private.photo_problem(p_user_id, v_path) is not null then
      perform private.raise_api_error(400, 'invalid_request', format(
        '"%s" %s.', v_name, private.photo_problem(p_user_id, v_path)
      ));
    end if;
    v_paths := v_paths || v_path;
  end loop;
  return v_paths;
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

-- seed_of: {"seed": n} made from the job's id, if the model takes a seed; else {}
--
-- It makes the prediction of every job unlike any other, so that an orphan is recognised.
create function private.seed_of(p_id uuid, p_schema jsonb)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case p_schema #>> '{properties,seed,type}' when 'integer' then jsonb_build_object(
    'seed',
    ('x' || right(p_id::text, 8))::bit(32)::bigint
      % (least((p_schema #>> '{properties,seed,maximum}')::bigint, 2147483647) + 1)
  ) else '{}' end
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
  v_photos text[];
  v_cost integer;
  v_place record;
begin
  select * into v_model from private.models where id = p_model and enabled;
  if not found then
    perform private.raise_api_error(
      404, 'unknown_model', 'There is no such model. Ask list_models.'
    );
  end if;
  perform private.refuse_unbounded_work(p_account.user_id, v_model.provider, p_input);
  v_cost := private.price_request(p_account, v_model, p_input);
  v_photos := private.photos_of(p_account.user_id, p_input, v_model.input_schema);
  v_place := private.rank_request(p_account);

  insert into public.jobs (
    id, user_id, model_id, input, input_paths, cost, rank, rate_limited_by, max_attempts,
    deadline_at
  )
  values (
    p_id, p_account.user_id, p_model, p_input, v_photos, v_cost, v_place.rank,
    private.rate_limit_of(v_model.provider, v_model.provider_model), v_model.max_attempts,
    clock_timestamp() + v_model.timeout
  )
  on conflict (id) do nothing;
  if not found then  -- another user has used this id
    perform private.raise_api_error(409, 'id_conflict', 'This id was used for another request.');
  end if;

  insert into private.job_requests (job_id, provider, provider_model, provider_input)
  values (
    p_id, v_model.provider, v_model.provider_model,
    private.seed_of(p_id, v_model.input_schema) || v_model.defaults || p_input
  );
  perform private.post_entry(
    p_account.user_id, 'hold', -v_cost, p_model, p_id,
    p_fingerprint => p_fingerprint, p_next_rank => v_place.rank + v_place.spacing
  );
  perform private.ring_doorbell();
end
$$;

revoke execute on all functions in schema private from public;

CREATE SCHEMA private;

ALTER SCHEMA private OWNER TO postgres;

COMMENT ON SCHEMA private IS 'The machine: not exposed by the Data API.';

CREATE SCHEMA public;

ALTER SCHEMA public OWNER TO pg_database_owner;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE TYPE public.credit_entry_kind AS ENUM (
    'grant',
    'hold',
    'settle',
    'refund',
    'revoke'
);

ALTER TYPE public.credit_entry_kind OWNER TO postgres;

CREATE TYPE public.error_code AS ENUM (
    'invalid_input',
    'content_rejected',
    'provider_rejected',
    'provider_unavailable',
    'timed_out',
    'worker_lost',
    'canceled',
    'internal'
);

ALTER TYPE public.error_code OWNER TO postgres;

CREATE TYPE public.job_status AS ENUM (
    'queued',
    'running',
    'waiting',
    'succeeded',
    'failed',
    'canceled'
);

ALTER TYPE public.job_status OWNER TO postgres;

CREATE TABLE public.entitlements (
    user_id uuid NOT NULL,
    is_paid boolean DEFAULT false NOT NULL,
    paid_until timestamp with time zone,
    credits integer DEFAULT 0 NOT NULL,
    owed integer DEFAULT 0 NOT NULL,
    next_rank double precision DEFAULT 0 NOT NULL,
    blocked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT credits_are_not_negative CHECK ((credits >= 0)),
    CONSTRAINT debtors_have_no_credits CHECK (((owed >= 0) AND ((owed = 0) OR (credits = 0))))
);

ALTER TABLE public.entitlements OWNER TO postgres;

COMMENT ON TABLE public.entitlements IS 'What a user may do. credits and owed equal the sums of the user''s credit_entries.';

COMMENT ON COLUMN public.entitlements.is_paid IS 'Set by a backend of your own. A user with paid_until in the future is paid, too: private.is_paid.';

COMMENT ON COLUMN public.entitlements.paid_until IS 'When the last of the user''s subscriptions ends or ended; record_purchase keeps it.';

COMMENT ON COLUMN public.entitlements.owed IS 'Credits that were revoked when they were already spent or held. The next credits that come in pay it first.';

COMMENT ON COLUMN public.entitlements.blocked_at IS 'Set by an operator: every call of this user is refused as account_suspended.';

CREATE FUNCTION private.accept_request(p_account public.entitlements, p_id uuid, p_model text, p_input jsonb, p_fingerprint bytea) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.accept_request(p_account public.entitlements, p_id uuid, p_model text, p_input jsonb, p_fingerprint bytea) OWNER TO postgres;

CREATE FUNCTION private.admit_jobs(p_room integer) RETURNS interval
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_limit private.provider_limits;
  v_now timestamptz := clock_timestamp();
  v_rate double precision;
  v_is_open boolean;
  v_count integer;
  v_room_in interval;
begin
  for v_limit in
    select * from private.provider_limits l
    where p_room > 0 and exists (
      select from public.jobs
      where rate_limited_by = l.provider and dispatched_at is null and run_at is null
    )
    for no key update skip locked
  loop
    v_is_open := v_limit.failures >= 5;
    if v_limit.starts_per_day
      <= coalesce((select starts from private.starts_today(v_limit.provider)), 0)
    then
      v_limit.paused_until := greatest(v_limit.paused_until, v_now + interval '1 minute');
    end if;
    v_rate := v_limit.starts_per_minute / 60.0 * private.rate_factor_now(v_limit);
    v_limit.tokens := least(
      greatest(1, v_rate),
      v_limit.tokens
        + v_rate * extract(epoch from v_now - v_limit.refilled_at)::double precision
    );
    v_count := case
      when v_limit.paused_until > v_now then 0
      when v_is_open then 1
      else floor(v_limit.tokens)::integer
    end;

    with next as (
      select id from public.jobs
      where rate_limited_by = v_limit.provider and dispatched_at is null and run_at is null
        and (not v_is_open or deadline_at > v_now + interval '15 seconds')
      order by rank
      limit least(v_count, p_room)
      for no key update skip locked
    )
    update public.jobs set rate_limited_by = null from next where jobs.id = next.id;
    get diagnostics v_count = row_count;
    p_room := p_room - v_count;

    if v_is_open and v_count > 0 then
      v_limit.paused_until := v_now + interval '30 seconds';
    end if;
    update private.provider_limits
    set tokens = v_limit.tokens - v_count,
        refilled_at = v_now,
        paused_until = v_limit.paused_until
    where provider = v_limit.provider;

    v_room_in := least(v_room_in, greatest(
      greatest(v_limit.paused_until, v_now) - v_now,
      make_interval(secs => (1 - v_limit.tokens + v_count) / v_rate)
    ));
  end loop;
  return case when p_room > 0 then v_room_in end;
end
$$;

ALTER FUNCTION private.admit_jobs(p_room integer) OWNER TO postgres;

CREATE FUNCTION private.adopt_orphan(p_id uuid, p_fence bigint, p_provider_refs text[]) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_provider_ref text;
begin
  update public.jobs
  set provider_ref = coalesce(provider_ref, (
    select ref from unnest(p_provider_refs) with ordinality as found (ref, number)
    where private.is_ref_available(ref, p_id)
    order by number
    limit 1
  ))
  where id = p_id and status = 'running' and fence = p_fence and submitted_at is not null
  returning provider_ref into v_provider_ref;
  return v_provider_ref;
exception when unique_violation then
  return null;  -- another job was faster; there may be more to find at the next look
end
$$;

ALTER FUNCTION private.adopt_orphan(p_id uuid, p_fence bigint, p_provider_refs text[]) OWNER TO postgres;

CREATE TABLE private.purchase_events (
    id text NOT NULL,
    type text,
    happened_at timestamp with time zone,
    is_accepted boolean NOT NULL,
    store text,
    transaction_id text,
    subscription text,
    product_id text,
    expires_at timestamp with time zone,
    customer text[] NOT NULL,
    transferred_to text[] NOT NULL,
    is_refund boolean,
    event jsonb NOT NULL,
    effect text,
    credits integer DEFAULT 0 NOT NULL,
    granted_to uuid,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE private.purchase_events OWNER TO postgres;

COMMENT ON TABLE private.purchase_events IS 'Every store event by its id, read once, with what it did. No reference to the account: a refund may come after the deletion.';

COMMENT ON COLUMN private.purchase_events.is_accepted IS 'False for a sandbox, unless private.config says that its purchases count.';

COMMENT ON COLUMN private.purchase_events.subscription IS 'The first transaction of the subscription that this event is about.';

COMMENT ON COLUMN private.purchase_events.customer IS 'All ids that the store knows the buyer by; of a TRANSFER, those that lose the subscriptions.';

COMMENT ON COLUMN private.purchase_events.is_refund IS 'True: the purchase was refunded. False: its refund was reversed. Null: neither.';

COMMENT ON COLUMN private.purchase_events.credits IS 'What the transaction got through this event: its grant, a refund as negative, or its reversal.';

CREATE FUNCTION private.apply_event(p_event private.purchase_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_is_purchase boolean;
  v_granted text;
  v_settled text;
  v_updated text;
begin
  if not p_event.is_accepted then
    return 'sandbox';
  elsif p_event.type not in (
    'INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE', 'CANCELLATION', 'UNCANCELLATION',
    'EXPIRATION', 'BILLING_ISSUE', 'SUBSCRIPTION_PAUSED', 'SUBSCRIPTION_EXTENDED',
    'TEMPORARY_ENTITLEMENT_GRANT', 'REFUND_REVERSED', 'TRANSFER'
  ) then
    return 'ignored';
  elsif p_event.happened_at is null or p_event.type is null then
    return 'unreadable';
  elsif p_event.type = 'TRANSFER' and cardinality(p_event.transferred_to) > 0 then
    return private.transfer_subscriptions(p_event);
  elsif p_event.type = 'TRANSFER' or p_event.store is null then
    return 'unreadable';
  end if;

  v_is_purchase := p_event.type in ('INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE');
  if v_is_purchase and p_event.transaction_id is null then
    return 'unreadable';
  elsif v_is_purchase then
    v_granted := private.grant_purchase(p_event);
  end if;
  if v_is_purchase or p_event.is_refund is not null then
    v_settled := private.settle_refunds(p_event);
  end if;
  v_updated := private.update_subscription(p_event);
  return coalesce(v_settled, v_granted, v_updated, 'ignored');
end
$$;

ALTER FUNCTION private.apply_event(p_event private.purchase_events) OWNER TO postgres;

CREATE FUNCTION private.audit_ledger(p_limit integer, p_restart boolean DEFAULT false, OUT checked integer, OUT is_complete boolean, OUT wrong uuid[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  c_first constant uuid := '00000000-0000-0000-0000-000000000000';
  v_after uuid;
  v_last uuid;
  v_found uuid[];
begin
  select case when p_restart then c_first else after_user end
  into v_after from private.ledger_audit for update;

  with accounts as materialized (
    select user_id, credits, owed from public.entitlements
    where user_id > v_after
    order by user_id
    limit p_limit
  )
  select count(*), (array_agg(user_id order by user_id desc))[1],
    coalesce(
      array_agg(user_id) filter (where (credits, a.owed) <> (entries.amount, entries.owed)), '{}'
    )
  into checked, v_last, v_found
  from accounts a, lateral (
    select coalesce(sum(amount), 0) as amount, coalesce(sum(e.owed), 0) as owed
    from public.credit_entries e where e.user_id = a.user_id
  ) entries;
  is_complete := checked < p_limit;

  update private.ledger_audit a
  set after_user = case when is_complete then c_first else v_last end,
      wrong = (v_found || array(
        select known from unnest(a.wrong) known
        where known <= v_after or not is_complete and known > v_last
      ))[1:100],
      ended_at = case when is_complete then clock_timestamp() else ended_at end
  returning a.wrong into audit_ledger.wrong;
end
$$;

ALTER FUNCTION private.audit_ledger(p_limit integer, p_restart boolean, OUT checked integer, OUT is_complete boolean, OUT wrong uuid[]) OWNER TO postgres;

CREATE FUNCTION private.broadcast_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_account public.entitlements;
begin
  select * into v_account from public.entitlements where user_id = new.user_id;
  perform realtime.send(
    jsonb_build_object(
      'credits', v_account.credits,
      'owed', v_account.owed,
      'is_paid', private.is_paid(v_account),
      'paid_until', v_account.paid_until,
      'updated_at', clock_timestamp()
    ),
    'account', 'user:' || new.user_id, true
  );
  return null;
end
$$;

ALTER FUNCTION private.broadcast_account() OWNER TO postgres;

CREATE FUNCTION private.broadcast_job() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform realtime.send(private.job_json(new), 'job', 'user:' || new.user_id, true);
  return null;
end
$$;

ALTER FUNCTION private.broadcast_job() OWNER TO postgres;

CREATE FUNCTION private.budgets_today() RETURNS TABLE(provider text, name text, used integer, bound integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select l.provider, budget.*
  from private.provider_limits l
  left join lateral private.starts_today(l.provider) s on true,
  lateral (values
    ('starts', coalesce(s.starts, 0), l.starts_per_day),
    ('anonymous starts', coalesce(s.anonymous_starts, 0), l.anonymous_starts_per_day)
  ) budget (name, used, bound)
  where budget.bound is not null
$$;

ALTER FUNCTION private.budgets_today() OWNER TO postgres;

CREATE FUNCTION private.caller() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.caller() OWNER TO postgres;

CREATE FUNCTION private.cancel_by_operator(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('queued', 'waiting') then
    perform private.end_job(
      v_job, 'canceled', p_code => 'canceled', p_message => 'This was canceled.'
    );
  elsif v_job.status = 'running' then
    update public.jobs
    set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
    where id = p_id;
  else
    return false;
  end if;
  return true;
end
$$;

ALTER FUNCTION private.cancel_by_operator(p_id uuid) OWNER TO postgres;

CREATE TABLE public.jobs (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    model_id text NOT NULL,
    input jsonb NOT NULL,
    input_paths text[] DEFAULT '{}'::text[] NOT NULL,
    status public.job_status DEFAULT 'queued'::public.job_status NOT NULL,
    cost integer NOT NULL,
    rank double precision NOT NULL,
    rate_limited_by text,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    run_at timestamp with time zone,
    dispatched_at timestamp with time zone,
    lease_expires_at timestamp with time zone,
    deadline_at timestamp with time zone NOT NULL,
    submitted_at timestamp with time zone,
    provider_ref text,
    failed_refs text[] DEFAULT '{}'::text[] NOT NULL,
    woken_at timestamp with time zone,
    cancel_requested_at timestamp with time zone,
    progress real,
    error_code public.error_code,
    error_message text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT attempts_stay_in_bounds CHECK (((attempt >= 0) AND (attempt <= max_attempts))),
    CONSTRAINT costs_are_not_negative CHECK ((cost >= 0)),
    CONSTRAINT finished_jobs_say_when CHECK (((status = ANY (ARRAY['succeeded'::public.job_status, 'failed'::public.job_status, 'canceled'::public.job_status])) = (finished_at IS NOT NULL))),
    CONSTRAINT inputs_are_objects CHECK ((jsonb_typeof(input) = 'object'::text)),
    CONSTRAINT only_queued_jobs_are_rate_limited CHECK (((rate_limited_by IS NULL) OR (status = 'queued'::public.job_status))),
    CONSTRAINT only_unclaimed_jobs_are_scheduled_or_dispatched CHECK (((status = ANY (ARRAY['queued'::public.job_status, 'waiting'::public.job_status])) OR ((run_at IS NULL) AND (dispatched_at IS NULL)))),
    CONSTRAINT progress_is_a_fraction CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double precision))),
    CONSTRAINT providers_know_only_submitted_jobs CHECK (((provider_ref IS NULL) OR (submitted_at IS NOT NULL))),
    CONSTRAINT running_jobs_have_a_lease CHECK (((status = 'running'::public.job_status) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT scheduled_jobs_are_not_dispatched CHECK (((run_at IS NULL) OR (dispatched_at IS NULL))),
    CONSTRAINT unsuccessful_jobs_say_why CHECK (
CASE
    WHEN (status = ANY (ARRAY['failed'::public.job_status, 'canceled'::public.job_status])) THEN ((error_code IS NOT NULL) AND (error_message IS NOT NULL))
    WHEN (status = 'succeeded'::public.job_status) THEN (error_code IS NULL)
    ELSE true
END),
    CONSTRAINT waiting_jobs_were_submitted CHECK (((status <> 'waiting'::public.job_status) OR (submitted_at IS NOT NULL)))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_analyze_scale_factor='0.05');

ALTER TABLE public.jobs OWNER TO postgres;

COMMENT ON TABLE public.jobs IS 'One row per requested generation. The row is the truth; Celery only carries its id.';

COMMENT ON COLUMN public.jobs.input_paths IS 'The photos that the input names: <user>/<uuid>.<type> in the bucket "inputs", or an output of the same user, <user>/<job>/<number>.<type> in the bucket "generations".';

COMMENT ON COLUMN public.jobs.rate_limited_by IS 'The provider whose rate limit keeps the job back. Null: the job is not rate-limited.';

COMMENT ON COLUMN public.jobs.fence IS 'Fencing token: every claim adds one. A late writer carries an old fence and changes nothing.';

COMMENT ON COLUMN public.jobs.run_at IS 'The job must not run before this time. Null: as soon as possible. dispatch_jobs clears it when the time has come, so that the index by rank has exactly the due jobs.';

COMMENT ON COLUMN public.jobs.submitted_at IS 'When this attempt called the provider, or was about to. Set without provider_ref: the call may have happened.';

COMMENT ON COLUMN public.jobs.failed_refs IS 'The predictions of earlier attempts that failed. A late webhook that names one is ignored.';

COMMENT ON COLUMN public.jobs.woken_at IS 'A webhook came while the job was running. The job is due again as soon as it waits.';

CREATE FUNCTION private.cancel_job(p_job public.jobs) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select private.end_job(p_job, 'canceled', p_code => 'canceled', p_message => 'You canceled this.')
$$;

ALTER FUNCTION private.cancel_job(p_job public.jobs) OWNER TO postgres;

CREATE FUNCTION private.cancel_stray_prediction(p_job_id uuid, p_provider_ref text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select private.request_provider_cancellation(id, p_provider_ref)
  from public.jobs
  where id = p_job_id
    and provider_ref is distinct from p_provider_ref
    and private.is_ref_available(p_provider_ref, id)
$$;

ALTER FUNCTION private.cancel_stray_prediction(p_job_id uuid, p_provider_ref text) OWNER TO postgres;

CREATE FUNCTION private.cancellation_done(p_provider_ref text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  delete from private.provider_cancellations where provider_ref = p_provider_ref
$$;

ALTER FUNCTION private.cancellation_done(p_provider_ref text) OWNER TO postgres;

CREATE FUNCTION private.check_model() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_problem text := private.schema_problem(new.input_schema);
  v_secret text;
begin
  if v_problem is not null then
    raise exception 'The input_schema of the model % cannot be used: %.', new.id, v_problem
      using errcode = 'check_violation';
  end if;
  select key into v_secret from jsonb_each(new.defaults) given (key, value)
  where key ~* '(^|_)(key|apikey|token|secret|password)$' and jsonb_typeof(value) = 'string'
  limit 1;
  if found then
    raise exception 'The default % of the model % looks like a secret.', v_secret, new.id
      using errcode = 'check_violation',
        hint = format(
          'Write {"%s": {"$env": "NAME"}} and give the worker that variable.', v_secret);
  end if;
  return new;
end
$_$;

ALTER FUNCTION private.check_model() OWNER TO postgres;

CREATE FUNCTION private.claim_jobs(p_ids uuid[], p_lease interval, p_waits boolean DEFAULT false) RETURNS TABLE(id uuid, user_id uuid, model text, provider text, provider_model text, request text, input_paths text[], attempt integer, max_attempts integer, fence bigint, provider_ref text, submitted_at timestamp with time zone, claimed_at timestamp with time zone, is_cancel_requested boolean, seconds_left double precision, seconds_since_request double precision)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
#variable_conflict use_column
begin
  if not p_waits or cardinality(p_ids) > 1 then
    p_ids := array(
      select j.id from public.jobs j where j.id = any (p_ids) for no key update skip locked
    );
  end if;

  return query
  update public.jobs j
  set status = 'running',
      attempt = j.attempt + case j.status when 'queued' then 1 else 0 end,
      fence = j.fence + 1,
      lease_expires_at = clock_timestamp() + p_lease,
      run_at = null, dispatched_at = null, woken_at = null,
      started_at = coalesce(j.started_at, clock_timestamp()),
      updated_at = greatest(clock_timestamp(), j.updated_at + interval '1 microsecond')
  from private.job_requests r
  where j.id = any (p_ids)
    and j.status in ('queued', 'waiting')
    and j.deadline_at > clock_timestamp()
    and r.job_id = j.id
  returning
    j.id, j.user_id, j.model_id,
    r.provider, r.provider_model, r.provider_input::text, j.input_paths,
    j.attempt, j.max_attempts, j.fence,
    j.provider_ref, j.submitted_at, clock_timestamp(), j.cancel_requested_at is not null,
    extract(epoch from j.deadline_at - clock_timestamp())::double precision,
    extract(epoch from clock_timestamp() - j.created_at)::double precision;
end
$$;

ALTER FUNCTION private.claim_jobs(p_ids uuid[], p_lease interval, p_waits boolean) OWNER TO postgres;

CREATE FUNCTION private.complete_jobs(p_ids uuid[], p_fences bigint[], p_outputs jsonb[], p_waits boolean DEFAULT false) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_job public.jobs;
  v_completed uuid[] := '{}';
begin
  for v_number in 1 .. cardinality(p_ids) loop
    v_job := private.lock_job(
      p_ids[v_number], p_moves_credits => false, p_waits => p_waits and cardinality(p_ids) = 1
    );
    continue when (
      v_job.fence = p_fences[v_number] and v_job.status in ('running', 'succeeded')
    ) is not true;
    if v_job.status = 'running' then
      perform private.end_job(v_job, 'succeeded', p_output => p_outputs[v_number]);
    end if;
    v_completed := v_completed || v_job.id;
  end loop;
  return v_completed;
end
$$;

ALTER FUNCTION private.complete_jobs(p_ids uuid[], p_fences bigint[], p_outputs jsonb[], p_waits boolean) OWNER TO postgres;

CREATE FUNCTION private.count_start(p_job_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into private.provider_starts as s (provider, day, starts, anonymous_starts)
  select
    l.provider, (clock_timestamp() at time zone 'utc')::date, 1,
    (select is_anonymous::integer from auth.users where id = j.user_id)
  from public.jobs j
  join private.job_requests r on r.job_id = j.id
  join private.provider_limits l on l.provider = r.provider
  where j.id = p_job_id
  on conflict (provider, day) do update
  set starts = s.starts + 1, anonymous_starts = s.anonymous_starts + excluded.anonymous_starts
$$;

ALTER FUNCTION private.count_start(p_job_id uuid) OWNER TO postgres;

CREATE FUNCTION private.devices_of_job(p_job_id uuid) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  select token
  from public.jobs j join private.devices d using (user_id)
  where j.id = p_job_id and j.status in ('succeeded', 'failed')
    and d.seen_at > clock_timestamp() - interval '60 days'
  order by d.seen_at desc
$$;

ALTER FUNCTION private.devices_of_job(p_job_id uuid) OWNER TO postgres;

CREATE FUNCTION private.discard_outputs(p_user_id uuid, p_job_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  insert into private.removed_objects (bucket, path)
  select 'generations', path
  from private.objects_under('generations', p_user_id || '/' || p_job_id || '/') path
  where not private.is_in_use(path) and not private.is_shown(path)
  on conflict do nothing
$$;

ALTER FUNCTION private.discard_outputs(p_user_id uuid, p_job_id uuid) OWNER TO postgres;

CREATE FUNCTION private.dispatch_jobs(p_limit integer, p_window integer, OUT job_ids uuid[], OUT outstanding integer, OUT next_due_in interval) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_now timestamptz := clock_timestamp();
  v_room_in interval;
begin
  -- A bridge that freezes while it publishes must not keep its locks on jobs and on
  -- provider_limits.
  perform set_config('idle_in_transaction_session_timeout', '15s', true);

  update public.jobs
  set run_at = null
  where id = any (array(
    select id from public.jobs
    where run_at <= v_now
    order by run_at
    limit p_limit
    for no key update skip locked
  ));

  select count(*) into outstanding from public.jobs where dispatched_at is not null;
  v_room_in := private.admit_jobs(least(p_limit, p_window - outstanding));

  with due as (
    select id from public.jobs
    where status in ('queued', 'waiting')
      and dispatched_at is null and run_at is null and rate_limited_by is null
    order by rank
    limit greatest(0, least(p_limit, p_window - outstanding))
    for no key update skip locked
  ), dispatched as (
    update public.jobs
    set dispatched_at = v_now
    where id = any (array(select id from due))  -- a join would be planned by the size of the table
    returning id, rank
  )
  select coalesce(array_agg(id order by rank), '{}') into job_ids from dispatched;

  outstanding := outstanding + cardinality(job_ids);
  job_ids := job_ids || private.jobs_with_provider_cancellations(p_limit);
  select least(min(run_at) - v_now, v_room_in) into next_due_in
  from public.jobs where run_at is not null;
end
$$;

ALTER FUNCTION private.dispatch_jobs(p_limit integer, p_window integer, OUT job_ids uuid[], OUT outstanding integer, OUT next_due_in interval) OWNER TO postgres;

CREATE FUNCTION private.enabled_models() RETURNS TABLE(id text, kind text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  select m.id, m.kind::text from private.models m where m.enabled order by m.id
$$;

ALTER FUNCTION private.enabled_models() OWNER TO postgres;

CREATE FUNCTION private.end_job(p_job public.jobs, p_status public.job_status, p_output jsonb DEFAULT NULL::jsonb, p_code public.error_code DEFAULT NULL::public.error_code, p_message text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.end_job(p_job public.jobs, p_status public.job_status, p_output jsonb, p_code public.error_code, p_message text) OWNER TO postgres;

CREATE FUNCTION private.enforce_transition() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise exception 'job % cannot go from % to %', old.id, old.status, new.status
    using errcode = 'integrity_constraint_violation';
end
$$;

ALTER FUNCTION private.enforce_transition() OWNER TO postgres;

CREATE FUNCTION private.error_json(p_code public.error_code, p_message text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return case
    when p_code is not null then jsonb_build_object('code', p_code, 'message', p_message)
  end;
end
$$;

ALTER FUNCTION private.error_json(p_code public.error_code, p_message text) OWNER TO postgres;

CREATE FUNCTION private.event_ids(p_event jsonb, p_key text) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(array_agg(id #>> '{}' order by n), '{}')
  from jsonb_array_elements(case jsonb_typeof(p_event -> p_key)
    when 'array' then p_event -> p_key
    when 'string' then jsonb_build_array(p_event -> p_key)
    else '[]'
  end) with ordinality as ids (id, n)
  where jsonb_typeof(id) = 'string' and char_length(id #>> '{}') between 1 and 100 and n <= 100
$$;

ALTER FUNCTION private.event_ids(p_event jsonb, p_key text) OWNER TO postgres;

CREATE FUNCTION private.event_text(p_event jsonb, p_key text, p_max integer DEFAULT 150) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case
    when jsonb_typeof(p_event -> p_key) = 'string'
      and char_length(p_event ->> p_key) between 1 and p_max
    then p_event ->> p_key
  end
$$;

ALTER FUNCTION private.event_text(p_event jsonb, p_key text, p_max integer) OWNER TO postgres;

CREATE FUNCTION private.event_time(p_event jsonb, p_key text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case
    when jsonb_typeof(p_event -> p_key) = 'number' then case
      when (p_event ->> p_key)::numeric between 0 and 253402300799000  -- the end of the year 9999
      then to_timestamp(floor((p_event ->> p_key)::numeric)::double precision / 1000)
    end
  end
$$;

ALTER FUNCTION private.event_time(p_event jsonb, p_key text) OWNER TO postgres;

CREATE FUNCTION private.fail_job(p_id uuid, p_fence bigint, p_code public.error_code, p_message text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('failed', 'canceled') and v_job.fence = p_fence then
    return true;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return false;
  elsif p_code = 'canceled' then
    perform private.cancel_job(v_job);
  else
    perform private.end_job(v_job, 'failed', p_code => p_code, p_message => p_message);
  end if;
  return true;
end
$$;

ALTER FUNCTION private.fail_job(p_id uuid, p_fence bigint, p_code public.error_code, p_message text) OWNER TO postgres;

CREATE FUNCTION private.files_of(p_output jsonb, p_input_paths text[]) RETURNS TABLE(bucket text, path text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select 'generations', path
  from jsonb_array_elements(p_output) output,
    unnest(array[output ->> 'path', output ->> 'thumb']) path
  where path is not null
  union
  select 'inputs', path from unnest(p_input_paths) path where path ~ '^[^/]+/[^/]+$'
$_$;

ALTER FUNCTION private.files_of(p_output jsonb, p_input_paths text[]) OWNER TO postgres;

CREATE FUNCTION private.find_user(p_customer text[]) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_ids uuid[] := array(
    select id::uuid
    from unnest(p_customer) with ordinality as ids (id, n)
    where id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    order by n
  );
begin
  return (
    select user_id from public.entitlements
    where user_id = any (v_ids)
    order by array_position(v_ids, user_id)
    limit 1
  );
end
$_$;

ALTER FUNCTION private.find_user(p_customer text[]) OWNER TO postgres;

CREATE FUNCTION private.forget_devices(p_tokens text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  delete from private.devices where token = any (p_tokens)
$$;

ALTER FUNCTION private.forget_devices(p_tokens text[]) OWNER TO postgres;

CREATE TABLE public.generations (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    model_id text NOT NULL,
    input jsonb NOT NULL,
    input_paths text[] DEFAULT '{}'::text[] NOT NULL,
    status public.job_status NOT NULL,
    output jsonb,
    error_code public.error_code,
    error_message text,
    requested_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT generations_have_ended CHECK ((status = ANY (ARRAY['succeeded'::public.job_status, 'failed'::public.job_status, 'canceled'::public.job_status]))),
    CONSTRAINT only_succeeded_generations_have_output CHECK (((status = 'succeeded'::public.job_status) = (output IS NOT NULL))),
    CONSTRAINT outputs_are_lists CHECK ((jsonb_typeof(output) = 'array'::text)),
    CONSTRAINT unsuccessful_generations_say_why CHECK ((((status = 'succeeded'::public.job_status) = (error_code IS NULL)) AND ((error_code IS NULL) = (error_message IS NULL))))
);
ALTER TABLE ONLY public.generations ALTER COLUMN user_id SET (n_distinct=-0.0005);

ALTER TABLE public.generations OWNER TO postgres;

COMMENT ON TABLE public.generations IS 'What the gallery shows: one row per ended job, with the job''s id and the original input.';

COMMENT ON COLUMN public.generations.output IS 'List of {kind, path, mime, bytes, width, height, blurhash, thumb, duration, token, thumb_token}. kind is image, video, audio or text; a text is {kind, text}. path and thumb are in the bucket "generations"; token and thumb_token read them for an hour; duration is in seconds.';

CREATE FUNCTION private.generation_json(p_generation public.generations) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.generation_json(p_generation public.generations) OWNER TO postgres;

CREATE FUNCTION private.grant_purchase(p_event private.purchase_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_ref text := p_event.store || ':' || p_event.transaction_id;
  v_product private.products;
  v_user_id uuid;
begin
  if exists (select from public.credit_entries where external_ref = v_ref) or exists (
    select from private.purchase_events
    where store = p_event.store and transaction_id = p_event.transaction_id
      and granted_to is not null
  ) then
    return 'known_transaction';
  end if;
  select * into v_product from private.products where id = p_event.product_id;
  if not found then
    return 'unknown_product';
  elsif v_product.credits = 0
    or p_event.event ->> 'period_type' = 'TRIAL' or p_event.event ->> 'is_family_share' = 'true'
  then
    return null;
  end if;

  v_user_id := (private.lock_account(private.find_user(p_event.customer))).user_id;
  if v_user_id is null then
    return 'unknown_user';
  end if;
  perform public.grant_credits(v_user_id, v_product.credits, 'purchase', v_ref);
  update private.purchase_events
  set granted_to = v_user_id, credits = credits + v_product.credits
  where id = p_event.id;
  return 'granted';
end
$$;

ALTER FUNCTION private.grant_purchase(p_event private.purchase_events) OWNER TO postgres;

CREATE FUNCTION private.has_budget(p_user_id uuid, p_provider text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select not exists (
    select from private.provider_limits l
    left join private.starts_today(p_provider) s using (provider)
    where l.provider = p_provider and (
      coalesce(s.starts, 0) >= l.starts_per_day
      or coalesce(s.anonymous_starts, 0) >= l.anonymous_starts_per_day
        and (select is_anonymous from auth.users where id = p_user_id)
    )
  )
$$;

ALTER FUNCTION private.has_budget(p_user_id uuid, p_provider text) OWNER TO postgres;

CREATE FUNCTION private.has_had_free_jobs(p_user_id uuid, p_count integer) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select count(*) >= p_count from (
    select from public.credit_entries
    where user_id = p_user_id and created_at > now() - interval '24 hours'
      and kind = 'hold' and amount = 0
    limit p_count
  ) free
$$;

ALTER FUNCTION private.has_had_free_jobs(p_user_id uuid, p_count integer) OWNER TO postgres;

CREATE FUNCTION private.input_problem(p_input jsonb, p_schema jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_name text;
  v_problem text;
begin
  select key into v_name from jsonb_object_keys(p_input) key
  where not p_schema -> 'properties' ? key limit 1;
  if found then
    return format('This model does not take "%s".', left(v_name, 50));
  end if;
  select name into v_name
  from jsonb_array_elements_text(coalesce(p_schema -> 'required', '[]')) name
  where coalesce(btrim(p_input ->> name, E' \t\r\n'), '') = '' limit 1;
  if found then
    return format('"%s" is missing.', v_name);
  end if;
  select name, private.value_problem(value, p_schema -> 'properties' -> name)
  into v_name, v_problem
  from jsonb_each(p_input) given (name, value)
  where private.value_problem(value, p_schema -> 'properties' -> name) is not null limit 1;
  return format('"%s" ', v_name) || v_problem || '.';
end
$$;

ALTER FUNCTION private.input_problem(p_input jsonb, p_schema jsonb) OWNER TO postgres;

CREATE FUNCTION private.is_in_use(p_path text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from public.jobs
    where id = private.job_of(p_path) and finished_at is null and p_path like user_id || '/%'
  ) or exists (
    select from public.jobs
    where input_paths @> array[p_path] and input_paths <> '{}' and finished_at is null
  )
$$;

ALTER FUNCTION private.is_in_use(p_path text) OWNER TO postgres;

CREATE FUNCTION private.is_paid(p_account public.entitlements) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p_account.is_paid or coalesce(p_account.paid_until > clock_timestamp(), false)
$$;

ALTER FUNCTION private.is_paid(p_account public.entitlements) OWNER TO postgres;

CREATE FUNCTION private.is_paused(p_provider text, p_provider_model text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from private.provider_limits
    where provider in (p_provider, p_provider || ' ' || p_provider_model)
      and (failures >= 5 or paused_until > clock_timestamp())
  )
$$;

ALTER FUNCTION private.is_paused(p_provider text, p_provider_model text) OWNER TO postgres;

CREATE FUNCTION private.is_ref_available(p_provider_ref text, p_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p_provider_ref is not null and not exists (
    select from public.jobs where provider_ref = p_provider_ref and id <> p_id
    union all
    select from public.jobs where id = p_id and p_provider_ref = any (failed_refs)
  )
$$;

ALTER FUNCTION private.is_ref_available(p_provider_ref text, p_id uuid) OWNER TO postgres;

CREATE FUNCTION private.is_refused_prompt(p_input jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_text text;
begin
  if not exists (select from private.prompt_filter) then
    return false;
  end if;
  select string_agg(private.plain_words(value #>> '{}'), '') into v_text
  from jsonb_path_query(p_input, 'strict $.** ? (@.type() == "string")') value;
  return exists (
    select from private.prompt_filter where strpos(v_text, private.plain_words(word)) > 0
  );
end
$_$;

ALTER FUNCTION private.is_refused_prompt(p_input jsonb) OWNER TO postgres;

CREATE FUNCTION private.is_reported(p_path text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from private.reports where generation_id = private.job_of(p_path) and closed_at is null
  ) or private.job_of(p_path) is null and exists (
    select from private.reports
    where input_paths @> array[p_path] and input_paths <> '{}' and closed_at is null
  )
$$;

ALTER FUNCTION private.is_reported(p_path text) OWNER TO postgres;

CREATE FUNCTION private.is_running(p_kind text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from private.processes
    where kind = p_kind and seen_at > clock_timestamp() - interval '1 minute'
  )
$$;

ALTER FUNCTION private.is_running(p_kind text) OWNER TO postgres;

CREATE FUNCTION private.is_shown(p_path text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (
    select from public.generations
    where id = private.job_of(p_path)
      and (output @> jsonb_build_array(jsonb_build_object('path', p_path))
        or output @> jsonb_build_array(jsonb_build_object('thumb', p_path)))
  ) or private.job_of(p_path) is null and exists (
    select from public.generations where input_paths @> array[p_path] and input_paths <> '{}'
  )
$$;

ALTER FUNCTION private.is_shown(p_path text) OWNER TO postgres;

CREATE FUNCTION private.is_storable(p_input jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select case  -- in this order: a deeper value is not walked to its end
    when pg_column_size(p_input) > 262144 then false
    when jsonb_path_exists(
      p_input, 'strict $.**{32} ? (@.type() == "object" || @.type() == "array")'
    ) then false
    else not exists (
      select from jsonb_path_query(p_input, 'strict $.** ? (@.type() == "number")') number
      where abs(number::numeric) > 1.7976931348623157e308
    )
  end
$_$;

ALTER FUNCTION private.is_storable(p_input jsonb) OWNER TO postgres;

CREATE FUNCTION private.job_answer(p_id uuid, p_user_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.job_answer(p_id uuid, p_user_id uuid) OWNER TO postgres;

CREATE FUNCTION private.job_json(p_job public.jobs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.job_json(p_job public.jobs) OWNER TO postgres;

CREATE FUNCTION private.job_of(p_path text) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select case
    when p_path ~ ('^[0-9a-f-]{36}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
      '/[0-9]+(-thumb)?\.[a-z0-9]+$')
      then split_part(p_path, '/', 2)::uuid
  end
$_$;

ALTER FUNCTION private.job_of(p_path text) OWNER TO postgres;

CREATE FUNCTION private.jobs_with_provider_cancellations(p_limit integer) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.jobs_with_provider_cancellations(p_limit integer) OWNER TO postgres;

CREATE FUNCTION private.ledger_mismatches() RETURNS TABLE(user_id uuid, credits integer, ledger bigint, owed integer, owed_in_ledger bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select e.user_id, e.credits, coalesce(sum(c.amount), 0), e.owed, coalesce(sum(c.owed), 0)
  from public.entitlements e
  left join public.credit_entries c using (user_id)
  group by e.user_id
  having (e.credits, e.owed) <> (coalesce(sum(c.amount), 0), coalesce(sum(c.owed), 0))
$$;

ALTER FUNCTION private.ledger_mismatches() OWNER TO postgres;

CREATE FUNCTION private.lock_account(p_user_id uuid) RETURNS public.entitlements
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_account public.entitlements;
begin
  perform from auth.users where id = p_user_id for key share;
  select * into v_account from public.entitlements where user_id = p_user_id for no key update;
  return v_account;
end
$$;

ALTER FUNCTION private.lock_account(p_user_id uuid) OWNER TO postgres;

CREATE FUNCTION private.lock_job(p_id uuid, p_moves_credits boolean, p_waits boolean DEFAULT true) RETURNS public.jobs
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.lock_job(p_id uuid, p_moves_credits boolean, p_waits boolean) OWNER TO postgres;

CREATE FUNCTION private.lock_own_account(p_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(401, 'unauthenticated', 'This account no longer exists.');
  end if;
end
$$;

ALTER FUNCTION private.lock_own_account(p_user_id uuid) OWNER TO postgres;

CREATE FUNCTION private.may_upload(p_path text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $_$
  select
    p_path ~ ('^' || auth.uid() || '/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(jpg|png|webp)$')
    and exists (
      select from public.entitlements where user_id = auth.uid() and blocked_at is null
    )
    and (
      select count(*) from private.objects_under('inputs', auth.uid() || '/') path
      join storage.objects on bucket_id = 'inputs' and name = path
      where created_at > now() - interval '1 day'
    ) < 40
$_$;

ALTER FUNCTION private.may_upload(p_path text) OWNER TO postgres;

CREATE FUNCTION private.metrics() RETURNS TABLE(name text, labels jsonb, value double precision)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_now timestamptz := clock_timestamp();
begin
  -- An unfinished job is in exactly one of these places.
  return query
  with unfinished as (
    (
      -- A due job that was waiting is left out of the age: when it became due is not written down.
      select 'due' as place, case when status = 'queued' then updated_at end as since
      from public.jobs
      where status in ('queued', 'waiting')
        and dispatched_at is null and run_at is null and rate_limited_by is null
      order by rank
      limit 10000
    ) union all (
      select 'rate_limited', updated_at
      from public.jobs
      where rate_limited_by is not null and dispatched_at is null and run_at is null
      limit 10000
    ) union all (
      select case status when 'waiting' then 'waiting' else 'scheduled' end, null
      from public.jobs
      where run_at is not null
      order by run_at
      limit 10000
    ) union all (
      select 'dispatched', dispatched_at
      from public.jobs
      where dispatched_at is not null
      order by dispatched_at
      limit 10000
    )
  ), counted as (
    select place, count(*) as jobs, extract(epoch from v_now - min(since)) as seconds
    from unfinished
    group by place
  )
  select facts.name, jsonb_build_object('state', place), facts.value
  from (values ('due'), ('rate_limited'), ('scheduled'), ('waiting'), ('dispatched'))
    as places (place)
  left join counted using (place),
  lateral (values
    ('jobs', coalesce(jobs, 0)::double precision),
    ('oldest_job_seconds', coalesce(seconds, 0)::double precision)
  ) as facts (name, value)
  where facts.name = 'jobs' or place in ('due', 'rate_limited', 'dispatched');

  -- A lease ends long before a deadline, so that running jobs come first in this index.
  return query
  with running as (
    select status, least(lease_expires_at, deadline_at) as until
    from public.jobs
    where finished_at is null
    order by least(lease_expires_at, deadline_at)
    limit 10000
  )
  select facts.*
  from (
    select
      count(*) filter (where status = 'running') as running,
      count(*) filter (where until < v_now - interval '30 seconds') as overdue
    from running
  ) counted, lateral (values
    ('jobs', '{"state": "running"}'::jsonb, running::double precision),
    ('jobs_overdue', '{}', overdue)
  ) as facts;

  return query
  with ended as materialized (
    select coalesce(error_code::text, status::text) as code, created_at, started_at, finished_at
    from public.jobs
    where finished_at > v_now - interval '5 minutes'
    order by finished_at desc
    limit 10000
  ), codes as (
    select unnest(enum_range(null::public.error_code))::text as code union all select 'succeeded'
  ), legs as (
    select leg, percentile_cont(array[0.5, 0.95, 0.99]) within group (order by seconds) as values
    from ended, lateral (values
      ('request_to_start', extract(epoch from started_at - created_at)::double precision),
      ('start_to_end', extract(epoch from finished_at - started_at)::double precision)
    ) as legs (leg, seconds)
    where ended.code = 'succeeded'
    group by leg
  )
  select 'jobs_ended', jsonb_build_object('code', code), count(finished_at)::double precision
  from codes left join ended using (code)
  group by code
  union all
  select 'leg_seconds', jsonb_build_object('leg', leg, 'quantile', quantile), seconds
  from legs, unnest(array['0.5', '0.95', '0.99'], legs.values) as quantiles (quantile, seconds);

  -- A model that is refused has a row of its own, and keeps it when it is no longer in use.
  return query
  select facts.*
  from (
    select * from private.provider_limits
    where strpos(provider, ' ') = 0 or paused_until > v_now - interval '1 hour'
    order by provider
    limit 100
  ) l, lateral (values
    ('provider_paused', jsonb_build_object('provider', provider, 'cause', 'refused'),
      (paused_reason is not null)::integer::double precision),
    ('provider_paused', jsonb_build_object('provider', provider, 'cause', 'no_answer'),
      (paused_reason is null and failures >= 5)::integer),
    ('provider_rate_factor', jsonb_build_object('provider', provider), rate_factor)
  ) as facts;

  return query
  select
    'provider_budget_used',
    jsonb_build_object('provider', provider, 'of', replace(budget.name, ' ', '_')),
    case when bound = 0 then 1 else used / bound::double precision end
  from private.budgets_today() budget
  limit 100;

  return query
  select 'purchases_not_applied', jsonb_build_object('effect', reasons.effect),
    count(e.effect)::double precision
  from (values ('unknown_product'), ('unknown_user'), ('unreadable')) as reasons (effect)
  left join (
    select effect from private.purchase_events
    where effect in ('unknown_product', 'unknown_user', 'unreadable')
      and received_at > v_now - interval '1 day'
    order by received_at
    limit 10000
  ) e using (effect)
  group by reasons.effect;

  return query
  select 'objects_to_remove', '{}'::jsonb, count(*)::double precision
  from (select from private.removed_objects order by remove_at limit 10000) o
  union all
  select 'reports_open', '{}', count(*)
  from (select from private.reports where closed_at is null order by created_at limit 10000) r
  union all
  select 'provider_cancellations', '{}', count(*)
  from (select from private.provider_cancellations limit 10000) c
  union all
  select 'notification_queue_fraction', '{}', pg_notification_queue_usage()
  union all
  -- A process tells of itself three times a minute.
  select facts.name, jsonb_build_object('kind', kinds.kind), facts.value
  from (values ('bridge'), ('worker')) as kinds (kind), lateral (
    select count(*) as seen, count(problem) as troubled
    from (
      select problem from private.processes p
      where p.kind = kinds.kind and seen_at > v_now - interval '1 minute'
      limit 10000
    ) p
  ) counted, lateral (values
    ('processes', seen::double precision), ('processes_in_trouble', troubled)
  ) as facts (name, value)
  union all
  select 'webhook_age_seconds', '{}', extract(epoch from v_now - seen_at)
  from private.processes where processes.name = 'provider_webhook'
  union all
  select facts.* from private.ledger_audit, lateral (values
    ('ledger_mismatches', '{}'::jsonb, cardinality(wrong)::double precision),
    ('ledger_audit_age_seconds', '{}', extract(epoch from v_now - ended_at))
  ) as facts (name, labels, value)
  where facts.value is not null;
end
$$;

ALTER FUNCTION private.metrics() OWNER TO postgres;

CREATE FUNCTION private.number_problem(p_value numeric, p_rule jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case
    when p_rule ->> 'type' = 'integer' and p_value <> trunc(p_value) then 'must be a whole number'
    when p_value < (p_rule ->> 'minimum')::numeric
      then format('must be at least %s', p_rule ->> 'minimum')
    when p_value > (p_rule ->> 'maximum')::numeric
      then format('must be at most %s', p_rule ->> 'maximum')
  end
$$;

ALTER FUNCTION private.number_problem(p_value numeric, p_rule jsonb) OWNER TO postgres;

CREATE FUNCTION private.objects_removed(p_bucket text, p_paths text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  delete from private.removed_objects where bucket = p_bucket and path = any (p_paths)
$$;

ALTER FUNCTION private.objects_removed(p_bucket text, p_paths text[]) OWNER TO postgres;

CREATE FUNCTION private.objects_to_remove(p_limit integer) RETURNS TABLE(bucket text, path text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  return query
  with due as (
    select r.bucket, r.path from private.removed_objects r
    where r.remove_at <= clock_timestamp()
    order by r.remove_at
    limit p_limit
    for update skip locked
  ), kept as (
    delete from private.removed_objects r using due
    where (r.bucket, r.path) = (due.bucket, due.path) and private.is_shown(due.path)
    returning r.bucket, r.path
  ), told as (
    update private.removed_objects r
    set remove_at = clock_timestamp()
      + case when private.is_reported(r.path) then interval '1 hour' else interval '1 minute' end
    from due
    where (r.bucket, r.path) = (due.bucket, due.path) and not private.is_shown(due.path)
    returning r.bucket, r.path
  )
  select told.bucket, told.path from told
  where not private.is_in_use(told.path) and not private.is_reported(told.path);
end
$$;

ALTER FUNCTION private.objects_to_remove(p_limit integer) OWNER TO postgres;

CREATE FUNCTION private.objects_under(p_bucket text, p_folder text) RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  select name from storage.objects
  where bucket_id = p_bucket
    and name collate "C" >= p_folder
    and name collate "C" < left(p_folder, -1) || '0'  -- the character after the slash
$$;

ALTER FUNCTION private.objects_under(p_bucket text, p_folder text) OWNER TO postgres;

CREATE FUNCTION private.on_account_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  perform private.remove_objects_under('generations', old.user_id || '/');
  perform private.remove_objects_under('inputs', old.user_id || '/');
  return null;
end
$$;

ALTER FUNCTION private.on_account_deleted() OWNER TO postgres;

CREATE FUNCTION private.on_generation_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  insert into private.removed_objects (bucket, path)
  select * from private.files_of(old.output, old.input_paths)
  on conflict do nothing;
  return null;
end
$$;

ALTER FUNCTION private.on_generation_deleted() OWNER TO postgres;

CREATE FUNCTION private.on_prediction_not_needed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform private.request_provider_cancellation(old.id, old.provider_ref);
  return old;
end
$$;

ALTER FUNCTION private.on_prediction_not_needed() OWNER TO postgres;

CREATE FUNCTION private.on_report_closed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  insert into private.removed_objects (bucket, path)
  select * from private.files_of(old.output, old.input_paths)
  on conflict (bucket, path) do update set remove_at = excluded.remove_at;
  return null;
end
$$;

ALTER FUNCTION private.on_report_closed() OWNER TO postgres;

CREATE FUNCTION private.on_status_changed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  new.rate_limited_by := case when new.status = 'queued' then (
    select private.rate_limit_of(provider, provider_model)
    from private.job_requests
    where job_id = new.id
  ) end;
  return new;
end
$$;

ALTER FUNCTION private.on_status_changed() OWNER TO postgres;

CREATE FUNCTION private.on_unsuccessful_start() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  delete from private.unsuccessful_starts
  where user_id = new.user_id and ended_at < clock_timestamp() - interval '24 hours';
  insert into private.unsuccessful_starts (job_id, user_id) values (new.id, new.user_id);
  return null;
end
$$;

ALTER FUNCTION private.on_unsuccessful_start() OWNER TO postgres;

CREATE FUNCTION private.on_user_created() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  perform private.open_account(new.id, coalesce(new.is_anonymous, false));
  return null;
end
$$;

ALTER FUNCTION private.on_user_created() OWNER TO postgres;

CREATE FUNCTION private.open_account(p_user_id uuid, p_is_anonymous boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_credits integer;
begin
  insert into public.entitlements (user_id) values (p_user_id) on conflict do nothing;
  if not found then
    return;
  end if;

  select case when p_is_anonymous then anonymous_starter_credits else starter_credits end
  into v_credits
  from private.config;

  if v_credits > 0 then
    perform private.post_entry(
      p_user_id, 'grant', v_credits, 'starter', p_external_ref => 'starter:' || p_user_id
    );
  end if;
end
$$;

ALTER FUNCTION private.open_account(p_user_id uuid, p_is_anonymous boolean) OWNER TO postgres;

CREATE FUNCTION private.operator_status() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  select * from private.status_of_processes()
  union all select * from private.status_of_jobs()
  union all select * from private.status_of_last_hour()
  union all select * from private.status_of_providers()
  union all select * from private.status_of_bounds()
  union all select * from private.status_of_money()
$$;

ALTER FUNCTION private.operator_status() OWNER TO postgres;

CREATE FUNCTION private.photo_problem(p_user_id uuid, p_path text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION private.photo_problem(p_user_id uuid, p_path text) OWNER TO postgres;

CREATE FUNCTION private.photos_of(p_user_id uuid, p_input jsonb, p_schema jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.photos_of(p_user_id uuid, p_input jsonb, p_schema jsonb) OWNER TO postgres;

CREATE TABLE private.subscriptions (
    store text NOT NULL,
    subscription text NOT NULL,
    product_id text,
    expires_at timestamp with time zone NOT NULL,
    as_of timestamp with time zone NOT NULL,
    as_of_event text NOT NULL,
    customer text[] NOT NULL,
    holders text[] DEFAULT '{}'::text[] NOT NULL,
    user_id uuid
);

ALTER TABLE private.subscriptions OWNER TO postgres;

COMMENT ON TABLE private.subscriptions IS 'What the newest event says of each subscription, and the user who has it after all transfers. paid_until is the maximum of a user''s rows whose product gives access.';

COMMENT ON COLUMN private.subscriptions.customer IS 'The ids of the buyer in that newest event.';

COMMENT ON COLUMN private.subscriptions.holders IS 'All ids that had it since then: a late transfer from one of them changes who has it now.';

CREATE FUNCTION private.place_subscription(p_subscription private.subscriptions) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_customer text[] := p_subscription.customer;
  v_holders text[] := p_subscription.customer;
  v_transfer private.purchase_events;
  v_user_id uuid;
begin
  for v_transfer in
    select * from private.purchase_events
    where type = 'TRANSFER' and is_accepted and happened_at >= p_subscription.as_of
      and cardinality(transferred_to) > 0
    order by happened_at, id
  loop
    continue when not v_customer && v_transfer.customer;
    v_customer := v_transfer.transferred_to;
    v_holders := v_holders || v_customer;
  end loop;

  v_user_id := private.find_user(v_customer);
  update private.subscriptions
  set holders = v_holders, user_id = v_user_id
  where store = p_subscription.store and subscription = p_subscription.subscription;
  if p_subscription.user_id is distinct from v_user_id then
    perform private.refresh_paid_until(p_subscription.user_id);
  end if;
  perform private.refresh_paid_until(v_user_id);
  return v_user_id;
end
$$;

ALTER FUNCTION private.place_subscription(p_subscription private.subscriptions) OWNER TO postgres;

CREATE FUNCTION private.plain_words(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select ' ' || btrim(
    regexp_replace(lower(normalize(p_text, nfkc)), '[[:space:][:punct:]]+', ' ', 'g')
  ) || ' '
$$;

ALTER FUNCTION private.plain_words(p_text text) OWNER TO postgres;

CREATE FUNCTION private.post_entry(p_user_id uuid, p_kind public.credit_entry_kind, p_amount integer, p_reason text, p_job_id uuid DEFAULT NULL::uuid, p_external_ref text DEFAULT NULL::text, p_fingerprint bytea DEFAULT NULL::bytea, p_owed integer DEFAULT 0, p_next_rank double precision DEFAULT NULL::double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_paid integer;
begin
  if p_amount > 0 then
    select least(owed, p_amount) into v_paid from public.entitlements where user_id = p_user_id;
  end if;
  v_paid := coalesce(v_paid, 0);

  if p_amount <> 0 or p_owed <> 0 or p_next_rank is not null then
    update public.entitlements
    set credits = credits + p_amount - v_paid,
        owed = owed + p_owed - v_paid,
        next_rank = coalesce(p_next_rank, next_rank)
    where user_id = p_user_id;
  end if;

  insert into public.credit_entries
    (user_id, kind, amount, owed, reason, job_id, external_ref, fingerprint)
  values
    (p_user_id, p_kind, p_amount, p_owed, p_reason, p_job_id, p_external_ref, p_fingerprint);
  if v_paid > 0 then
    insert into public.credit_entries (user_id, kind, amount, owed, reason)
    values (p_user_id, 'revoke', -v_paid, -v_paid, 'owed');
  end if;
end
$$;

ALTER FUNCTION private.post_entry(p_user_id uuid, p_kind public.credit_entry_kind, p_amount integer, p_reason text, p_job_id uuid, p_external_ref text, p_fingerprint bytea, p_owed integer, p_next_rank double precision) OWNER TO postgres;

CREATE TABLE private.models (
    id text NOT NULL,
    title text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    kind text DEFAULT 'image'::text NOT NULL,
    cost integer NOT NULL,
    included boolean DEFAULT false NOT NULL,
    provider text NOT NULL,
    provider_model text,
    defaults jsonb DEFAULT '{}'::jsonb NOT NULL,
    input_schema jsonb DEFAULT '{"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string", "title": "Prompt", "maxLength": 4000}}}'::jsonb NOT NULL,
    timeout interval DEFAULT '00:15:00'::interval NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT costs_are_not_negative CHECK ((cost >= 0)),
    CONSTRAINT defaults_are_an_object CHECK ((jsonb_typeof(defaults) = 'object'::text)),
    CONSTRAINT ids_are_what_the_gate_takes CHECK ((id ~ '^[A-Za-z0-9_.:/-]{1,100}$'::text)),
    CONSTRAINT kinds_are_known CHECK ((kind = ANY (ARRAY['image'::text, 'video'::text, 'audio'::text, 'text'::text]))),
    CONSTRAINT there_is_an_attempt CHECK ((max_attempts >= 1)),
    CONSTRAINT timeouts_are_positive CHECK ((timeout > '00:00:00'::interval))
);

ALTER TABLE private.models OWNER TO postgres;

COMMENT ON TABLE private.models IS 'The models that a user may choose. `make model` prints a row for a model of Replicate. A change is for future jobs only: a job carries what it was asked to do.';

COMMENT ON COLUMN private.models.included IS 'Paid users are not charged for this model.';

COMMENT ON COLUMN private.models.defaults IS 'What the provider gets below the user''s choice. {"$env": "NAME"} as a value names a variable of the worker''s environment; a secret must be named so.';

COMMENT ON COLUMN private.models.input_schema IS 'What a user may choose: a part of JSON Schema that private.schema_problem describes. Any other key of a request is refused. With an integer field "seed", a request without a seed gets one.';

COMMENT ON COLUMN private.models.timeout IS 'From the request to its deadline, waiting included. Then the job fails as timed_out.';

CREATE FUNCTION private.price_request(p_account public.entitlements, p_model private.models, p_input jsonb) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.price_request(p_account public.entitlements, p_model private.models, p_input jsonb) OWNER TO postgres;

CREATE FUNCTION private.provider_cancellations_of(p_job_id uuid) RETURNS TABLE(provider text, provider_ref text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  select provider, provider_ref from private.provider_cancellations where job_id = p_job_id
$$;

ALTER FUNCTION private.provider_cancellations_of(p_job_id uuid) OWNER TO postgres;

CREATE FUNCTION private.prune_jobs(p_older_than interval, p_limit integer DEFAULT 5000) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_count integer;
begin
  delete from public.jobs
  where id = any (array(  -- an array: a join could be planned as a scan of all jobs
    select id from public.jobs
    where finished_at < now() - p_older_than
    order by finished_at
    limit p_limit
    for update skip locked
  ));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

ALTER FUNCTION private.prune_jobs(p_older_than interval, p_limit integer) OWNER TO postgres;

CREATE FUNCTION private.pruned_job_json(p_generation public.generations) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.pruned_job_json(p_generation public.generations) OWNER TO postgres;

CREATE FUNCTION private.raise_api_error(p_status integer, p_code text, p_message text, p_headers jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  raise sqlstate 'PGRST' using
    message = json_build_object(
      'code', p_code, 'message', p_message, 'details', null, 'hint', null
    )::text,
    detail = json_build_object('status', p_status, 'headers', p_headers)::text;
end
$$;

ALTER FUNCTION private.raise_api_error(p_status integer, p_code text, p_message text, p_headers jsonb) OWNER TO postgres;

CREATE FUNCTION private.rank_request(p_account public.entitlements, OUT rank double precision, OUT spacing double precision) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.rank_request(p_account public.entitlements, OUT rank double precision, OUT spacing double precision) OWNER TO postgres;

CREATE TABLE private.provider_limits (
    provider text NOT NULL,
    starts_per_minute integer NOT NULL,
    starts_per_day integer,
    anonymous_starts_per_day integer,
    tokens double precision DEFAULT 1 NOT NULL,
    refilled_at timestamp with time zone DEFAULT now() NOT NULL,
    rate_factor double precision DEFAULT 1 NOT NULL,
    throttled_at timestamp with time zone DEFAULT now() NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    paused_reason text,
    CONSTRAINT budgets_are_not_negative CHECK (((starts_per_day >= 0) AND (anonymous_starts_per_day >= 0))),
    CONSTRAINT rate_factor_is_a_fraction CHECK ((((0)::double precision < rate_factor) AND (rate_factor <= (1)::double precision))),
    CONSTRAINT something_may_start CHECK ((starts_per_minute > 0))
);

ALTER TABLE private.provider_limits OWNER TO postgres;

COMMENT ON TABLE private.provider_limits IS 'A token bucket, a circuit breaker and a budget per provider. Change starts_per_minute and the budgets with update; the functions below write the other columns.';

COMMENT ON COLUMN private.provider_limits.provider IS 'A provider; or "provider model" while that model alone is refused, such as a version that is gone.';

COMMENT ON COLUMN private.provider_limits.starts_per_day IS 'How often the provider may be called on one day (UTC), for all users together. Null: no bound. 0 is the kill switch: nothing is accepted, and nothing that waits starts.';

COMMENT ON COLUMN private.provider_limits.anonymous_starts_per_day IS 'The same for all anonymous users together: beyond it their new requests are refused.';

COMMENT ON COLUMN private.provider_limits.rate_factor IS 'The fraction of the rate in force after the last 429. It doubles every minute from throttled_at on.';

COMMENT ON COLUMN private.provider_limits.failures IS 'Starts in a row that the provider did not answer. At five the circuit opens: one job at a time tries, the others wait.';

COMMENT ON COLUMN private.provider_limits.paused_reason IS 'Why the provider refuses our account or the model, in its words. The circuit is open until a start succeeds.';

CREATE FUNCTION private.rate_factor_now(p_limit private.provider_limits) RETURNS double precision
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select least(1, p_limit.rate_factor * 2 ^ least(
    10, extract(epoch from clock_timestamp() - p_limit.throttled_at)::double precision / 60
  ))
$$;

ALTER FUNCTION private.rate_factor_now(p_limit private.provider_limits) OWNER TO postgres;

CREATE FUNCTION private.rate_limit_of(p_provider text, p_provider_model text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select provider
  from private.provider_limits
  where provider = p_provider
    or provider = p_provider || ' ' || p_provider_model and paused_reason is not null
  order by length(provider) desc
  limit 1
$$;

ALTER FUNCTION private.rate_limit_of(p_provider text, p_provider_model text) OWNER TO postgres;

CREATE FUNCTION private.read_event(p_event jsonb) RETURNS private.purchase_events
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_read private.purchase_events;
begin
  v_read.id := private.event_text(p_event, 'id');
  v_read.type := private.event_text(p_event, 'type');
  v_read.happened_at := private.event_time(p_event, 'event_timestamp_ms');
  v_read.store := private.event_text(p_event, 'store', 40);
  v_read.is_accepted := (select accept_sandbox_purchases from private.config) or (
    coalesce(p_event -> 'environment', 'null') in ('null', '"PRODUCTION"')
    and v_read.store is distinct from 'TEST_STORE'
  );
  v_read.transaction_id := private.event_text(p_event, 'transaction_id');
  v_read.subscription := coalesce(
    private.event_text(p_event, 'original_transaction_id'),
    v_read.transaction_id,
    case when v_read.type = 'TEMPORARY_ENTITLEMENT_GRANT' then v_read.id end
  );
  v_read.product_id := private.event_text(p_event, 'product_id');
  v_read.expires_at := private.event_time(p_event, 'expiration_at_ms');
  v_read.expires_at := case v_read.type
    when 'EXPIRATION' then least(v_read.expires_at, v_read.happened_at)
    else greatest(v_read.expires_at, private.event_time(p_event, 'grace_period_expiration_at_ms'))
  end;
  v_read.customer := case
    when v_read.type = 'TRANSFER' then private.event_ids(p_event, 'transferred_from')
    else private.event_ids(p_event, 'app_user_id')
      || private.event_ids(p_event, 'original_app_user_id')
      || private.event_ids(p_event, 'aliases')
  end;
  v_read.transferred_to := private.event_ids(p_event, 'transferred_to');
  v_read.is_refund := case
    when v_read.happened_at is null then null
    when v_read.type = 'REFUND_REVERSED' then false
    when v_read.type = 'CANCELLATION' and p_event ->> 'cancel_reason' = 'CUSTOMER_SUPPORT' then true
  end;
  v_read.event := p_event - 'subscriber_attributes';
  v_read.credits := 0;
  v_read.received_at := clock_timestamp();
  return v_read;
end
$$;

ALTER FUNCTION private.read_event(p_event jsonb) OWNER TO postgres;

CREATE FUNCTION private.read_job(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.read_job(p_id uuid) OWNER TO postgres;

CREATE FUNCTION private.read_jobs(p_user_id uuid, p_ids uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.read_jobs(p_user_id uuid, p_ids uuid[]) OWNER TO postgres;

CREATE FUNCTION private.record_process(p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  insert into private.processes as p (name, kind, version, problem, expects_webhooks)
  values (p_name, p_kind, p_version, left(p_problem, 500), p_expects_webhooks)
  on conflict (name) do update
  set kind = excluded.kind, version = excluded.version, problem = excluded.problem,
      expects_webhooks = excluded.expects_webhooks, seen_at = clock_timestamp();

  -- Two heartbeats at once must not wait for each other.
  delete from private.processes where name = any (array(
    select name from private.processes
    where seen_at < clock_timestamp() - interval '1 day'
    for update skip locked
  ));
end
$$;

ALTER FUNCTION private.record_process(p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean) OWNER TO postgres;

CREATE FUNCTION private.record_refused_account(p_provider text, p_reason text, p_provider_model text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_name text := p_provider || coalesce(' ' || p_provider_model, '');
begin
  insert into private.provider_limits as l
    (provider, starts_per_minute, failures, paused_until, paused_reason)
  values (
    v_name,
    coalesce(
      (select starts_per_minute from private.provider_limits where provider = p_provider), 6000),
    5, clock_timestamp() + interval '60 seconds', left(p_reason, 500)
  )
  on conflict (provider) do update
  set failures = greatest(l.failures, 5),
      paused_until = greatest(l.paused_until, excluded.paused_until),
      paused_reason = excluded.paused_reason;

  update public.jobs
  set rate_limited_by = v_name
  where id = any (array(
    select j.id
    from public.jobs j join private.job_requests r on r.job_id = j.id
    where j.status = 'queued' and j.dispatched_at is null
      and j.rate_limited_by is distinct from v_name
      and r.provider = p_provider
      and (
        p_provider_model is null and j.rate_limited_by is null
        or r.provider_model = p_provider_model)
    order by j.rank
    limit 1000
    for no key update of j skip locked
  ));
end
$$;

ALTER FUNCTION private.record_refused_account(p_provider text, p_reason text, p_provider_model text) OWNER TO postgres;

CREATE FUNCTION private.record_start(p_provider text, p_is_answered boolean, p_provider_model text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  update private.provider_limits
  set failures = case when p_is_answered then 0 else failures + 1 end,
      paused_until = case
        when p_is_answered and failures >= 5 then 'epoch'
        when not p_is_answered and failures >= 4
          then greatest(paused_until, clock_timestamp() + interval '20 seconds')
        else paused_until
      end,
      paused_reason = case when not p_is_answered then paused_reason end
  where provider = p_provider and (failures > 0 or not p_is_answered)
    or provider = p_provider || ' ' || p_provider_model and failures > 0 and p_is_answered
$$;

ALTER FUNCTION private.record_start(p_provider text, p_is_answered boolean, p_provider_model text) OWNER TO postgres;

CREATE FUNCTION private.record_submission(p_id uuid, p_fence bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  update public.jobs
  set submitted_at = clock_timestamp()
  where id = p_id
    and status = 'running'
    and fence = p_fence
    and submitted_at is null
    and cancel_requested_at is null;
  if not found then
    return false;
  end if;
  perform private.count_start(p_id);
  return true;
end
$$;

ALTER FUNCTION private.record_submission(p_id uuid, p_fence bigint) OWNER TO postgres;

CREATE FUNCTION private.record_throttled(p_provider text, p_retry_after interval) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
  update private.provider_limits l
  set tokens = 0,
      rate_factor = case
        when paused_until > clock_timestamp() then rate_factor
        else greatest(1.0 / 128, private.rate_factor_now(l) / 2)
      end,
      throttled_at = case
        when paused_until > clock_timestamp() then throttled_at
        else clock_timestamp()
      end,
      paused_until = greatest(
        paused_until, clock_timestamp() + least(p_retry_after, interval '5 minutes')
      )
  where provider = p_provider
$$;

ALTER FUNCTION private.record_throttled(p_provider text, p_retry_after interval) OWNER TO postgres;

CREATE FUNCTION private.record_webhook() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if not exists (
    select from private.processes
    where name = 'provider_webhook' and seen_at > clock_timestamp() - interval '1 minute'
  ) then
    insert into private.processes (name, kind, version) values ('provider_webhook', 'webhook', '')
    on conflict (name) do update set seen_at = clock_timestamp();
  end if;
end
$$;

ALTER FUNCTION private.record_webhook() OWNER TO postgres;

CREATE FUNCTION private.redispatch_jobs(p_older_than interval, p_next_in_queue uuid DEFAULT NULL::uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_count integer;
begin
  update public.jobs
  set dispatched_at = null
  where id = any (array(  -- an array: a join could be planned as a scan of all jobs
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

ALTER FUNCTION private.redispatch_jobs(p_older_than interval, p_next_in_queue uuid) OWNER TO postgres;

CREATE FUNCTION private.refresh_paid_until(p_user_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select private.lock_account(p_user_id);
  update public.entitlements e
  set paid_until = ends.at
  from (
    select max(s.expires_at) as at
    from private.subscriptions s join private.products p on p.id = s.product_id
    where s.user_id = p_user_id and p.gives_access
  ) ends
  where e.user_id = p_user_id and e.paid_until is distinct from ends.at
$$;

ALTER FUNCTION private.refresh_paid_until(p_user_id uuid) OWNER TO postgres;

CREATE FUNCTION private.refuse_deletion_of_model() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION private.refuse_deletion_of_model() OWNER TO postgres;

CREATE FUNCTION private.refuse_unbounded_work(p_user_id uuid, p_provider text, p_input jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_wait integer := private.seconds_until_next_try(
    p_user_id, (select max_unsuccessful_per_day from private.config)
  );
begin
  if v_wait is not null then
    perform private.raise_api_error(
      429, 'too_many_failures',
      'Too many of your generations were canceled or refused today. Please try again later.',
      jsonb_build_object('Retry-After', v_wait::text)
    );
  elsif not private.has_budget(p_user_id, p_provider) then
    perform private.raise_api_error(
      503, 'unavailable', 'The service is busy. Please try again later.', '{"Retry-After": "3600"}'
    );
  elsif private.is_refused_prompt(p_input) then
    perform private.raise_api_error(
      422, 'content_rejected', 'This prompt is not allowed. Please change it.'
    );
  end if;
end
$$;

ALTER FUNCTION private.refuse_unbounded_work(p_user_id uuid, p_provider text, p_input jsonb) OWNER TO postgres;

CREATE FUNCTION private.release_job(p_id uuid, p_fence bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('queued', 'waiting') and v_job.fence = p_fence then
    return true;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return false;
  elsif v_job.cancel_requested_at is not null and v_job.submitted_at is null then
    perform private.cancel_job(v_job);
    return true;
  end if;

  update public.jobs
  set status = case when submitted_at is null then 'queued' else 'waiting' end::public.job_status,
      attempt = attempt - case when submitted_at is null then 1 else 0 end,
      lease_expires_at = null
  where id = p_id;
  perform private.ring_doorbell();
  return true;
end
$$;

ALTER FUNCTION private.release_job(p_id uuid, p_fence bigint) OWNER TO postgres;

CREATE FUNCTION private.remove_objects_under(p_bucket text, p_folder text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into private.removed_objects (bucket, path)
  select p_bucket, path from private.objects_under(p_bucket, p_folder) path
  on conflict do nothing
$$;

ALTER FUNCTION private.remove_objects_under(p_bucket text, p_folder text) OWNER TO postgres;

CREATE FUNCTION private.renew_lease(p_id uuid, p_fence bigint, p_lease interval, p_progress real DEFAULT NULL::real) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_is_cancel_requested boolean;
begin
  update public.jobs
  set lease_expires_at = clock_timestamp() + p_lease,
      progress = case
        when p_progress is null then progress  -- greatest(null, 0) would be 0
        else greatest(progress, least(greatest(p_progress, 0), 1))
      end
  where id = p_id and status = 'running' and fence = p_fence
  returning cancel_requested_at is not null into v_is_cancel_requested;

  return case
    when not found then 'lost'
    when v_is_cancel_requested then 'cancel_requested'
    else 'renewed'
  end;
end
$$;

ALTER FUNCTION private.renew_lease(p_id uuid, p_fence bigint, p_lease interval, p_progress real) OWNER TO postgres;

CREATE FUNCTION private.request_provider_cancellation(p_job_id uuid, p_provider_ref text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into private.provider_cancellations (provider_ref, provider, job_id)
  select p_provider_ref, provider, p_job_id from private.job_requests where job_id = p_job_id
  on conflict do nothing;
  perform private.ring_doorbell();
end
$$;

ALTER FUNCTION private.request_provider_cancellation(p_job_id uuid, p_provider_ref text) OWNER TO postgres;

CREATE FUNCTION private.rescue_job(p_id uuid) RETURNS public.job_status
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.id is null
    or v_job.finished_at is not null
    or least(v_job.lease_expires_at, v_job.deadline_at) > clock_timestamp()
  then
    return null;  -- it ended, was renewed or was deleted before the lock
  elsif v_job.cancel_requested_at is not null then
    perform private.cancel_job(v_job);
  elsif v_job.deadline_at <= clock_timestamp() and (
    select private.is_paused(provider, provider_model) from private.job_requests where job_id = p_id
  ) then
    perform private.end_job(
      v_job, 'failed', p_code => 'provider_unavailable',
      p_message => 'The service is busy. Please try again later.'
    );
  elsif v_job.deadline_at <= clock_timestamp() then
    perform private.end_job(
      v_job, 'failed', p_code => 'timed_out', p_message => 'This took too long.'
    );
  elsif v_job.attempt >= v_job.max_attempts then
    perform private.end_job(
      v_job, 'failed', p_code => 'worker_lost', p_message => 'Something went wrong on our side.'
    );
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

ALTER FUNCTION private.rescue_job(p_id uuid) OWNER TO postgres;

CREATE FUNCTION private.rescue_jobs(p_limit integer) RETURNS TABLE(job_id uuid, new_status public.job_status)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION private.rescue_jobs(p_limit integer) OWNER TO postgres;

CREATE FUNCTION private.retry_job(p_id uuid, p_fence bigint, p_delay interval, p_code public.error_code, p_message text, p_costs_attempt boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status = 'queued' and v_job.fence = p_fence then
    return case when v_job.rate_limited_by is null then 'queued' else 'rate_limited' end;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return 'lost';
  elsif v_job.cancel_requested_at is not null then
    perform private.cancel_job(v_job);
    return 'lost';
  elsif p_costs_attempt and v_job.attempt >= v_job.max_attempts then
    raise exception 'job % has used all its % attempts: call fail_job', p_id, v_job.max_attempts;
  end if;

  update public.jobs
  set status = 'queued', lease_expires_at = null,
      submitted_at = null, provider_ref = null, progress = null,
      failed_refs = array_remove(failed_refs || provider_ref, null),
      run_at = case when p_delay > interval '0' then clock_timestamp() + p_delay end,
      attempt = attempt - case when p_costs_attempt then 0 else 1 end,
      error_code = p_code, error_message = p_message
  where id = p_id
  returning rate_limited_by into v_job.rate_limited_by;
  if coalesce(p_delay <= interval '0', true) then
    perform private.ring_doorbell();
  end if;
  return case when v_job.rate_limited_by is null then 'queued' else 'rate_limited' end;
end
$$;

ALTER FUNCTION private.retry_job(p_id uuid, p_fence bigint, p_delay interval, p_code public.error_code, p_message text, p_costs_attempt boolean) OWNER TO postgres;

CREATE FUNCTION private.ring_doorbell() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if pg_catalog.pg_try_advisory_xact_lock(726177001) then
    perform pg_catalog.pg_notify('jobs_due', '');
  end if;
end
$$;

ALTER FUNCTION private.ring_doorbell() OWNER TO postgres;

CREATE FUNCTION private.rule_problem(p_rule jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_type text := p_rule ->> 'type';
  v_known text[] := '{type,title,description,default,x-order}'::text[] || case v_type
    when 'string' then '{maxLength,enum,format}'::text[]
    when 'integer' then '{minimum,maximum,enum}'::text[]
    when 'number' then '{minimum,maximum,enum}'::text[]
    when 'boolean' then '{}'::text[]
    when 'array' then '{items,maxItems}'::text[]
  end;
  v_keyword text;
begin
  if jsonb_typeof(p_rule) <> 'object' then
    return 'its rule must be an object';
  elsif coalesce(v_type, '') not in ('string', 'integer', 'number', 'boolean', 'array') then
    return 'its type must be string, integer, number, boolean or array';
  end if;
  select key into v_keyword from jsonb_object_keys(p_rule) key where key <> all (v_known) limit 1;
  if found then
    return format('the keyword %s is not understood for the type %s', v_keyword, v_type);
  end if;
  select key into v_keyword from jsonb_each(p_rule) rule (key, value)
  where jsonb_typeof(value) <> case
    when key in ('minimum', 'maximum', 'maxLength', 'maxItems', 'x-order') then 'number'
    when key = 'enum' then 'array'
    when key = 'items' then 'object'
    when key = 'default' then jsonb_typeof(value)
    else 'string'
  end
  limit 1;
  if found then
    return format('its %s has a value of the wrong type', v_keyword);
  elsif coalesce(p_rule ->> 'format', 'image') <> 'image' then
    return 'the only format that is understood is image';
  elsif v_type = 'array' and p_rule -> 'items' is distinct from
    '{"type": "string", "format": "image"}'
  then
    return 'the items of an array must be {"type": "string", "format": "image"}';
  end if;
  return 'its default ' || private.value_problem(p_rule -> 'default', p_rule);
end
$$;

ALTER FUNCTION private.rule_problem(p_rule jsonb) OWNER TO postgres;

CREATE FUNCTION private.schema_problem(p_schema jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_name text;
  v_problem text;
begin
  if jsonb_typeof(p_schema) is distinct from 'object'
    or p_schema ->> 'type' is distinct from 'object'
    or jsonb_typeof(p_schema -> 'properties') is distinct from 'object'
    or jsonb_typeof(coalesce(p_schema -> 'required', '[]')) <> 'array'
  then
    return 'it must be {"type": "object", "required": [...], "properties": {...}}';
  end if;
  select key into v_name from jsonb_object_keys(p_schema) key
  where key not in ('type', 'required', 'properties', 'title', 'description') limit 1;
  if found then
    return format('the keyword %s is not understood', v_name);
  end if;
  select name into v_name
  from jsonb_array_elements_text(coalesce(p_schema -> 'required', '[]')) name
  where not p_schema -> 'properties' ? name limit 1;
  if found then
    return format('the required field %s has no rule', v_name);
  end if;
  select name, private.rule_problem(rule) into v_name, v_problem
  from jsonb_each(p_schema -> 'properties') property (name, rule)
  where private.rule_problem(rule) is not null limit 1;
  return format('field %s: ', v_name) || v_problem;
end
$$;

ALTER FUNCTION private.schema_problem(p_schema jsonb) OWNER TO postgres;

CREATE FUNCTION private.schema_version(OUT version integer, OUT compatible_since integer) RETURNS record
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select 1, 1
$$;

ALTER FUNCTION private.schema_version(OUT version integer, OUT compatible_since integer) OWNER TO postgres;

CREATE FUNCTION private.seconds_until_next_try(p_user_id uuid, p_count integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select ceil(extract(epoch from ended_at + interval '24 hours' - clock_timestamp()))::integer
  from private.unsuccessful_starts
  where user_id = p_user_id and ended_at > clock_timestamp() - interval '24 hours'
  order by ended_at desc
  offset p_count - 1
  limit 1
$$;

ALTER FUNCTION private.seconds_until_next_try(p_user_id uuid, p_count integer) OWNER TO postgres;

CREATE FUNCTION private.seed_of(p_id uuid, p_schema jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case p_schema #>> '{properties,seed,type}' when 'integer' then jsonb_build_object(
    'seed',
    ('x' || right(p_id::text, 8))::bit(32)::bigint
      % (least((p_schema #>> '{properties,seed,maximum}')::bigint, 2147483647) + 1)
  ) else '{}' end
$$;

ALTER FUNCTION private.seed_of(p_id uuid, p_schema jsonb) OWNER TO postgres;

CREATE FUNCTION private.settle_refunds(p_event private.purchase_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_newest private.purchase_events;
  v_taken integer;
  v_grant public.credit_entries;
  v_account public.entitlements;
begin
  select * into v_newest
  from private.purchase_events
  where store = p_event.store and transaction_id = p_event.transaction_id
    and is_refund is not null and is_accepted
  order by happened_at desc, is_refund, id desc
  limit 1;
  if not found then
    return null;
  end if;
  select -sum(credits) into v_taken
  from private.purchase_events
  where store = p_event.store and transaction_id = p_event.transaction_id
    and is_refund is not null;
  if v_newest.is_refund = (v_taken > 0) then
    return 'known_refund';
  end if;

  select * into v_grant
  from public.credit_entries
  where external_ref = p_event.store || ':' || p_event.transaction_id and kind = 'grant';
  v_account := private.lock_account(v_grant.user_id);
  if v_account.user_id is null then
    return 'nothing_to_take';  -- not granted yet, or the account was deleted
  end if;

  if v_newest.is_refund then
    v_taken := -v_grant.amount;
    perform private.take_credits(
      v_account, v_grant.amount, 'purchase refunded', 'refund:' || v_newest.id
    );
  else
    perform private.post_entry(
      v_account.user_id, 'grant', v_taken, 'refund reversed',
      p_external_ref => 'return:' || v_newest.id
    );
  end if;
  update private.purchase_events set credits = credits + v_taken where id = v_newest.id;
  return case when v_newest.is_refund then 'revoked' else 'returned' end;
end
$$;

ALTER FUNCTION private.settle_refunds(p_event private.purchase_events) OWNER TO postgres;

CREATE TABLE private.provider_starts (
    provider text NOT NULL,
    day date NOT NULL,
    starts integer NOT NULL,
    anonymous_starts integer NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE private.provider_starts OWNER TO postgres;

COMMENT ON TABLE private.provider_starts IS 'How often each provider with a limit was called on each day (UTC). Retries count: they cost, too.';

CREATE FUNCTION private.starts_today(p_provider text) RETURNS SETOF private.provider_starts
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select * from private.provider_starts
  where provider = p_provider and day = (clock_timestamp() at time zone 'utc')::date
$$;

ALTER FUNCTION private.starts_today(p_provider text) OWNER TO postgres;

CREATE FUNCTION private.status_of_bounds() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select
    name || ' of ' || provider || ' today',
    used || ' of ' || bound,
    case
      when used >= bound then 'the budget is used: requests are refused'
      when used >= 0.8 * bound then 'over 80 % of the budget'
    end
  from private.budgets_today()
  union all
  select
    'open reports', count(*)::text,
    case when count(*) > 0 then 'read private.reports, and close them: docs/operations.md' end
  from private.reports
  where closed_at is null
$$;

ALTER FUNCTION private.status_of_bounds() OWNER TO postgres;

CREATE FUNCTION private.status_of_jobs() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with unfinished as (
    select
      status, run_at, rate_limited_by, dispatched_at, lease_expires_at, deadline_at,
      status in ('queued', 'waiting')
        and run_at is null and dispatched_at is null and rate_limited_by is null as is_due,
      extract(epoch from clock_timestamp() - updated_at) as age,
      extract(epoch from clock_timestamp() - dispatched_at) as dispatched_age
    from public.jobs
    where finished_at is null
  ), counted as (
    select
      count(*) filter (where is_due) as due,
      max(age) filter (where is_due and status = 'queued') as oldest_due,
      count(rate_limited_by) as rate_limited,
      count(*) filter (where status = 'queued' and run_at is not null) as scheduled,
      count(dispatched_at) as dispatched,
      max(dispatched_age) as oldest_dispatched,
      count(*) filter (where status = 'running') as running,
      count(*) filter (where lease_expires_at < now() + interval '10 seconds') as expiring,
      count(*) filter (where lease_expires_at < now() - interval '30 seconds') as expired,
      count(*) filter (where status = 'waiting') as waiting,
      count(*) filter (where deadline_at < now() - interval '30 seconds') as overdue
    from unfinished
  ), known as (
    select
      case
        when not private.is_running('bridge') then 'no bridge runs'
        when exists (
          select from private.processes
          where kind = 'bridge' and problem is not null
            and seen_at > clock_timestamp() - interval '1 minute'
        ) then 'the bridge does not reach Redis'
      end as no_sender
  )
  select facts.*
  from counted, known, lateral (values
    ('due, not dispatched', due::text, null),
    ('oldest due', coalesce(round(oldest_due) || ' s', '-'),
      case when oldest_due > 60 then coalesce(
        no_sender,
        case when dispatched = 0 then 'the bridge runs and dispatches nothing: read its log' end
      ) end),
    ('rate-limited by their provider', rate_limited::text, null),
    ('scheduled for later', scheduled::text, null),
    ('dispatched, not claimed', dispatched::text, null),
    ('oldest dispatched', coalesce(round(oldest_dispatched) || ' s', '-'),
      case when oldest_dispatched > 60 then coalesce(
        no_sender || ', so a lost message is not sent again',
        case when not private.is_running('worker') then 'no worker runs' end,
        'no worker is free: start more, or give them more threads'
      ) end),
    ('running', running::text, null),
    ('leases that end in 10 s', expiring::text, null),
    ('leases that ended', expired::text, case when expired > 0 then case
      when private.is_running('bridge') then 'the bridge runs and rescues nothing: read its log'
      else 'no bridge runs' end end),
    ('waiting for a provider', waiting::text, null),
    ('past their deadline', overdue::text, case when overdue > 0 then case
      when private.is_running('bridge') then 'the bridge runs and rescues nothing: read its log'
      else 'no bridge runs' end end)
  ) as facts (item, value, problem)
$$;

ALTER FUNCTION private.status_of_jobs() OWNER TO postgres;

CREATE FUNCTION private.status_of_last_hour() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with ended as materialized (
    select status, error_code, created_at, started_at, finished_at
    from public.jobs
    where finished_at > now() - interval '1 hour'
    order by finished_at desc
    limit 10000
  )
  (
    select
      'last hour: ' || coalesce(error_code::text, status::text), count(*)::text,
      case error_code
        when 'internal' then 'a bug of ours: look for attempt.failed in the workers'' logs'
        when 'worker_lost' then 'every worker that had them died: look at logs and memory'
        when 'provider_unavailable'
          then 'the provider failed or was paused: look for attempt.failed in the workers'' logs'
      end
    from ended
    group by status, error_code
    order by 1
  )
  union all (
    select
      'last hour, ' || leg || ': p50 / p95',
      coalesce(round(p50::numeric, 2) || ' / ' || round(p95::numeric, 2) || ' s', '-'),
      null
    from (
      select
        leg,
        percentile_cont(0.5) within group (order by seconds) as p50,
        percentile_cont(0.95) within group (order by seconds) as p95
      from ended, lateral (values
        ('request to start', extract(epoch from started_at - created_at)::double precision),
        ('start to end', extract(epoch from finished_at - started_at)::double precision)
      ) as legs (leg, seconds)
      where status = 'succeeded'
      group by leg
    ) measured
    order by leg desc
  )
$$;

ALTER FUNCTION private.status_of_last_hour() OWNER TO postgres;

CREATE FUNCTION private.status_of_money() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  (
    select
      'last day: purchases with ' || replace(reason, '_', ' '), count(e.id)::text,
      case when count(e.id) > 0 then cure end
    from (values
      ('unknown_product', 'add it to private.products, then apply them again: docs/purchases.md'),
      ('unreadable', 'see private.purchase_events'),
      ('unknown_user', null)
    ) as reasons (reason, cure)
    left join private.purchase_events e
      on e.effect = reason and e.received_at > now() - interval '1 day'
      and e.effect in ('unknown_product', 'unknown_user', 'unreadable')
    group by reason, cure
    order by cure is null, reason desc
  )
  union all
  select
    'last audit of the ledger',
    coalesce(round(extract(epoch from clock_timestamp() - ended_at)) || ' s ago', 'never'),
    null
  from private.ledger_audit
  union all
  select
    'balances that differ from the ledger',
    cardinality(wrong)::text,
    case when cardinality(wrong) > 0 then 'make audit names them' end
  from private.ledger_audit
$$;

ALTER FUNCTION private.status_of_money() OWNER TO postgres;

CREATE FUNCTION private.status_of_processes() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select
    kinds.kind || 's',
    count(p.name) filter (where p.seen_at > clock_timestamp() - interval '1 minute')::text,
    case when not private.is_running(kinds.kind) then coalesce(
      'no ' || kinds.kind || ' since '
        || to_char(max(p.seen_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
      'no ' || kinds.kind || ' was seen for a day'
    ) || ': start one' end
  from (values ('bridge'), ('worker')) as kinds (kind)
  left join private.processes p using (kind)
  group by kinds.kind
  union all (
    select
      kind || ' ' || name,
      'seen ' || round(extract(epoch from clock_timestamp() - seen_at)) || ' s ago',
      p.problem
    from private.processes p
    where p.problem is not null and seen_at > clock_timestamp() - interval '1 minute'
    order by kind, name
    limit 20
  )
$$;

ALTER FUNCTION private.status_of_processes() OWNER TO postgres;

CREATE FUNCTION private.status_of_providers() RETURNS TABLE(item text, value text, problem text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  (
    select
      'provider ' || provider,
      case
        when failures >= 5 then 'one try a minute'
        when paused_until > clock_timestamp()
          then 'paused ' || ceil(extract(epoch from paused_until - clock_timestamp())) || ' s'
        else 'ok'
      end,
      coalesce(paused_reason, case when failures >= 5 then 'it does not answer' end)
    from private.provider_limits l
    where strpos(provider, ' ') = 0
      or paused_until > clock_timestamp() - interval '1 hour'
      or exists (select from public.jobs where rate_limited_by = l.provider)
    order by 1
  )
  union all
  select
    'last webhook of a provider',
    coalesce(round(extract(epoch from clock_timestamp() - heard_at)) || ' s ago', '-'),
    case when collected >= 3 and is_expected
        and coalesce(heard_at < clock_timestamp() - interval '1 hour', true)
      then 'none came for the ' || collected || ' jobs that were collected in the last hour:'
        ' make doctor looks at its address and secret'
    end
  from
    (select max(seen_at) as heard_at from private.processes where kind = 'webhook') webhooks,
    (
      select coalesce(bool_or(expects_webhooks), false) as is_expected from private.processes
      where kind = 'worker' and seen_at > clock_timestamp() - interval '1 hour'
    ) workers,
    (
      select count(*) as collected from public.jobs
      where finished_at > now() - interval '1 hour'
        and status = 'succeeded' and provider_ref is not null
    ) jobs
$$;

ALTER FUNCTION private.status_of_providers() OWNER TO postgres;

CREATE FUNCTION private.sweep_unreferenced_objects(p_every interval, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_sweep private.object_sweep;
  v_count integer;
begin
  select * into v_sweep
  from private.object_sweep
  where swept_at <= clock_timestamp() - p_every
  for update skip locked;
  if not found then
    return null;
  end if;

  with page as (
    select bucket_id, name, created_at
    from storage.objects
    where bucket_id in ('generations', 'inputs')
      and (bucket_id, name collate "C") > (v_sweep.last_bucket, v_sweep.last_path)
    order by bucket_id, name collate "C"
    limit p_limit
  ), last as (
    select bucket_id, name from page order by bucket_id desc, name collate "C" desc limit 1
  ), moved as (  -- past the end, the next round begins
    update private.object_sweep
    set swept_at = clock_timestamp(),
        last_bucket = coalesce((select bucket_id from last), ''),
        last_path = coalesce((select name from last), '')
  )
  insert into private.removed_objects (bucket, path)
  select bucket_id, name from page
  where case bucket_id
      when 'generations' then private.job_of(name) is not null
      else created_at < now() - interval '1 day'
    end
    and not private.is_in_use(name)
    and not private.is_shown(name)
    and not private.is_reported(name)
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

ALTER FUNCTION private.sweep_unreferenced_objects(p_every interval, p_limit integer) OWNER TO postgres;

CREATE FUNCTION private.take_credits(p_account public.entitlements, p_amount integer, p_reason text, p_external_ref text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_taken integer := least(p_account.credits, p_amount);
begin
  perform private.post_entry(
    p_account.user_id, 'revoke', -v_taken, p_reason,
    p_external_ref => p_external_ref, p_owed => p_amount - v_taken
  );
end
$$;

ALTER FUNCTION private.take_credits(p_account public.entitlements, p_amount integer, p_reason text, p_external_ref text) OWNER TO postgres;

CREATE FUNCTION private.touch_job() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  new.updated_at := greatest(
    coalesce(new.finished_at, clock_timestamp()), old.updated_at + interval '1 microsecond'
  );
  return new;
end
$$;

ALTER FUNCTION private.touch_job() OWNER TO postgres;

CREATE FUNCTION private.transfer_subscriptions(p_event private.purchase_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_subscription private.subscriptions;
  v_effect text := 'nothing_to_transfer';
begin
  for v_subscription in
    select * from private.subscriptions
    where holders && p_event.customer and as_of <= p_event.happened_at
  loop
    perform private.place_subscription(v_subscription);
    v_effect := 'transferred';
  end loop;
  return v_effect;
end
$$;

ALTER FUNCTION private.transfer_subscriptions(p_event private.purchase_events) OWNER TO postgres;

CREATE FUNCTION private.update_subscription(p_event private.purchase_events) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_subscription private.subscriptions;
  v_product private.products;
begin
  select * into v_product from private.products where id = p_event.product_id;
  if v_product.is_lifetime
    and (p_event.type = 'NON_RENEWING_PURCHASE' or p_event.is_refund is not null)
  then
    p_event.expires_at := case
      when p_event.is_refund then p_event.happened_at else '9999-12-31 23:59:59+00'
    end;
  end if;
  if p_event.subscription is null or p_event.expires_at is null
    or p_event.event ->> 'cancel_reason' = 'BILLING_ERROR'
  then
    return null;
  elsif p_event.product_id is null then
    return 'unreadable';  -- it cannot say whether the period gives access
  end if;

  insert into private.subscriptions as known
    (store, subscription, product_id, expires_at, as_of, as_of_event, customer)
  values (
    p_event.store, p_event.subscription, p_event.product_id, p_event.expires_at,
    p_event.happened_at, p_event.id, p_event.customer
  )
  on conflict (store, subscription) do update
  set product_id = excluded.product_id,
      expires_at = excluded.expires_at,
      as_of = excluded.as_of,
      as_of_event = excluded.as_of_event,
      customer = excluded.customer
  where (known.as_of, known.expires_at, known.as_of_event)
    <= (excluded.as_of, excluded.expires_at, excluded.as_of_event)
  returning * into v_subscription;
  if not found then
    return 'older';
  elsif private.place_subscription(v_subscription) is null then
    return 'unknown_user';
  elsif v_product.id is null then
    return 'unknown_product';
  end if;
  return 'subscription';
end
$$;

ALTER FUNCTION private.update_subscription(p_event private.purchase_events) OWNER TO postgres;

CREATE FUNCTION private.value_problem(p_value jsonb, p_rule jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select case
    when jsonb_typeof(p_value) <> case p_rule ->> 'type'
      when 'integer' then 'number' else p_rule ->> 'type'
    end then case p_rule ->> 'type'
      when 'string' then 'must be a text'
      when 'boolean' then 'must be true or false'
      when 'array' then 'must be a list of photos'
      else 'must be a number'
    end
    when p_rule ? 'enum' and not p_rule -> 'enum' @> p_value
      then 'must be one of ' || left((
        select string_agg(choice, ', ') from jsonb_array_elements_text(p_rule -> 'enum') choice
      ), 200)
    else case p_rule ->> 'type'
      when 'string' then case
        when char_length(p_value #>> '{}') > (p_rule ->> 'maxLength')::integer
          then format('must have at most %s characters', p_rule ->> 'maxLength')
      end
      when 'array' then case
        when jsonb_path_exists(p_value, 'strict $[*] ? (@.type() <> "string")')
          then 'must be a list of photos'
        when jsonb_array_length(p_value) > (p_rule ->> 'maxItems')::integer
          then format('must have at most %s photos', p_rule ->> 'maxItems')
      end
      when 'boolean' then null
      else private.number_problem(p_value::numeric, p_rule)
    end
  end
$_$;

ALTER FUNCTION private.value_problem(p_value jsonb, p_rule jsonb) OWNER TO postgres;

CREATE FUNCTION private.wait_for_provider(p_id uuid, p_fence bigint, p_provider_ref text, p_check_in interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_is_due boolean;
begin
  update public.jobs
  set status = 'waiting', lease_expires_at = null,
      submitted_at = coalesce(submitted_at, clock_timestamp()),
      provider_ref = case
        when private.is_ref_available(p_provider_ref, id) then p_provider_ref
        else provider_ref
      end,
      run_at = case when status = 'waiting' then run_at
        when woken_at is null and cancel_requested_at is null
          then clock_timestamp() + p_check_in
      end
  where id = p_id and status in ('running', 'waiting') and fence = p_fence
  returning run_at is null into v_is_due;

  if v_is_due then
    perform private.ring_doorbell();
  elsif v_is_due is null and p_provider_ref is not null then
    perform public.wake_job(p_id, p_provider_ref, p_is_final => false);
  end if;
  return v_is_due is not null;
end
$$;

ALTER FUNCTION private.wait_for_provider(p_id uuid, p_fence bigint, p_provider_ref text, p_check_in interval) OWNER TO postgres;

CREATE FUNCTION public.cancel_generation(p_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION public.cancel_generation(p_id uuid) OWNER TO postgres;

CREATE FUNCTION public.delete_account() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    SET statement_timeout TO '60s'
    AS $$
begin
  if auth.uid() is null then
    perform private.raise_api_error(401, 'unauthenticated', 'Sign in first.');
  end if;
  delete from auth.users where id = auth.uid();
end
$$;

ALTER FUNCTION public.delete_account() OWNER TO postgres;

CREATE FUNCTION public.enqueue_generation(p_id uuid, p_model text, p_input jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION public.enqueue_generation(p_id uuid, p_model text, p_input jsonb) OWNER TO postgres;

CREATE FUNCTION public.get_job_status(p_ids uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
begin
  return jsonb_build_object('jobs', private.read_jobs(private.caller(), p_ids));
end
$$;

ALTER FUNCTION public.get_job_status(p_ids uuid[]) OWNER TO postgres;

CREATE FUNCTION public.grant_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_credits integer;
  v_known public.credit_entries;
begin
  if p_amount is null or p_amount <= 0
    or coalesce(p_reason, '') = '' or coalesce(p_external_ref, '') = ''
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A grant needs an amount above 0, a reason and an external_ref.'
    );
  end if;
  select credits into v_credits
  from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(404, 'unknown_user', 'There is no such user.');
  end if;

  select * into v_known from public.credit_entries where external_ref = p_external_ref;
  if found then
    if (v_known.user_id, v_known.kind, v_known.amount)
      is distinct from (p_user_id, 'grant'::public.credit_entry_kind, p_amount)
    then
      perform private.raise_api_error(
        409, 'id_conflict', 'This external_ref was used for another grant.'
      );
    end if;
    return v_credits;
  elsif v_credits > 1000000000 - p_amount then  -- a refund must never overflow the integer
    perform private.raise_api_error(
      400, 'invalid_request', 'A balance cannot exceed 1000000000 credits.'
    );
  end if;
  perform private.post_entry(
    p_user_id, 'grant', p_amount, p_reason, p_external_ref => p_external_ref
  );
  return (select credits from public.entitlements where user_id = p_user_id);
end
$$;

ALTER FUNCTION public.grant_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) OWNER TO postgres;

CREATE FUNCTION public.list_models() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION public.list_models() OWNER TO postgres;

CREATE FUNCTION public.read_gallery(p_before_at timestamp with time zone, p_before_id uuid, p_ids uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION public.read_gallery(p_before_at timestamp with time zone, p_before_id uuid, p_ids uuid[]) OWNER TO postgres;

CREATE FUNCTION public.record_purchase(p_event jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    SET lock_timeout TO '4s'
    AS $$
declare
  v_event private.purchase_events;
  v_effect text;
begin
  if jsonb_typeof(p_event) is distinct from 'object'
    or private.event_text(p_event, 'id') is null
  then
    perform private.raise_api_error(400, 'invalid_request', 'An event needs an id.');
  end if;

  -- One event at a time: each reads what the others have done. Stores send few of them.
  perform pg_advisory_xact_lock(726177002);
  v_event := private.read_event(p_event);
  insert into private.purchase_events as known values (v_event.*)
  on conflict (id) do update set is_accepted = excluded.is_accepted
  returning * into v_event;

  v_effect := private.apply_event(v_event);
  update private.purchase_events
  set effect = v_effect
  where id = v_event.id
    and coalesce(effect, 'sandbox') in ('sandbox', 'unknown_product', 'unknown_user');
  return v_effect;
end
$$;

ALTER FUNCTION public.record_purchase(p_event jsonb) OWNER TO postgres;

CREATE FUNCTION public.register_device(p_token text, p_platform text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $_$
declare
  v_user_id uuid := private.caller();
begin
  if p_token is null or p_token !~ '^Expo(nent)?PushToken\[[A-Za-z0-9_-]{1,100}\]$'
    or p_platform is null or p_platform not in ('ios', 'android')
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A device needs a push token of Expo, and ios or android as platform.'
    );
  end if;
  perform private.lock_own_account(v_user_id);
  insert into private.devices (token, user_id, platform) values (p_token, v_user_id, p_platform)
  on conflict (token) do update
  set user_id = excluded.user_id, platform = excluded.platform, seen_at = excluded.seen_at;

  -- Locked rows are skipped: another user is registering that token.
  delete from private.devices where token in (
    select token from private.devices
    where user_id = v_user_id
    order by seen_at desc
    offset 5
    for update skip locked
  );
  delete from private.devices where token in (
    select token from private.devices
    where seen_at < clock_timestamp() - interval '60 days'
    limit 100
    for update skip locked
  );
end
$_$;

ALTER FUNCTION public.register_device(p_token text, p_platform text) OWNER TO postgres;

CREATE FUNCTION public.report_generation(p_id uuid, p_reason text, p_text text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_user_id uuid := private.caller();
  v_generation public.generations;
begin
  if p_reason is null
    or p_reason not in ('sexual', 'violent', 'hateful', 'real_person', 'copyright', 'other')
  then
    perform private.raise_api_error(
      400, 'invalid_request',
      'The reason must be sexual, violent, hateful, real_person, copyright or other.'
    );
  elsif char_length(p_text) > 500 then
    perform private.raise_api_error(
      400, 'invalid_request', 'The text may have at most 500 characters.'
    );
  end if;
  perform private.lock_own_account(v_user_id);
  -- A deletion of the generation waits for the report, and leaves its files.
  select * into v_generation from public.generations
  where id = p_id and user_id = v_user_id for key share;
  if not found then
    if exists (select from private.reports where generation_id = p_id and user_id = v_user_id) then
      return;
    end if;
    perform private.raise_api_error(404, 'unknown_job', 'There is no such generation.');
  end if;
  insert into private.reports
    (generation_id, user_id, reason, text, model_id, input, input_paths, output)
  values (
    p_id, v_user_id, p_reason, nullif(btrim(p_text), ''), v_generation.model_id,
    v_generation.input, v_generation.input_paths, v_generation.output
  )
  on conflict do nothing;
end
$$;

ALTER FUNCTION public.report_generation(p_id uuid, p_reason text, p_text text) OWNER TO postgres;

CREATE FUNCTION public.revoke_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_account public.entitlements;
  v_known public.credit_entries;
begin
  if p_amount is null or p_amount <= 0
    or coalesce(p_reason, '') = '' or coalesce(p_external_ref, '') = ''
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A revoke needs an amount above 0, a reason and an external_ref.'
    );
  end if;
  select * into v_account from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(404, 'unknown_user', 'There is no such user.');
  end if;

  select * into v_known from public.credit_entries where external_ref = p_external_ref;
  if not found then
    if v_account.owed > 1000000000 - p_amount then  -- the debt must never overflow the integer
      perform private.raise_api_error(
        400, 'invalid_request', 'A user cannot owe more than 1000000000 credits.'
      );
    end if;
    perform private.take_credits(v_account, p_amount, p_reason, p_external_ref);
  elsif (v_known.user_id, v_known.kind, v_known.owed - v_known.amount)
    is distinct from (p_user_id, 'revoke'::public.credit_entry_kind, p_amount)
  then
    perform private.raise_api_error(
      409, 'id_conflict', 'This external_ref was used for another revoke.'
    );
  end if;
  return (
    select jsonb_build_object('taken', -c.amount, 'owed', e.owed, 'credits', e.credits)
    from public.credit_entries c join public.entitlements e using (user_id)
    where c.external_ref = p_external_ref
  );
end
$$;

ALTER FUNCTION public.revoke_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) OWNER TO postgres;

CREATE FUNCTION public.unregister_device(p_token text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
declare
  v_user_id uuid := private.caller();
begin
  delete from private.devices where token = p_token and user_id = v_user_id;
end
$$;

ALTER FUNCTION public.unregister_device(p_token text) OWNER TO postgres;

CREATE FUNCTION public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean DEFAULT true) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET random_page_cost TO '0'
    AS $$
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

ALTER FUNCTION public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean) OWNER TO postgres;

CREATE TABLE private.config (
    is_only_row boolean DEFAULT true NOT NULL,
    starter_credits integer DEFAULT 10 NOT NULL,
    anonymous_starter_credits integer DEFAULT 5 NOT NULL,
    max_unfinished_jobs integer DEFAULT 20 NOT NULL,
    max_input_bytes integer DEFAULT 16384 NOT NULL,
    free_spacing double precision DEFAULT 8 NOT NULL,
    paid_spacing double precision DEFAULT 1 NOT NULL,
    max_paid_jobs_per_day integer DEFAULT 200 NOT NULL,
    max_unsuccessful_per_day integer DEFAULT 60 NOT NULL,
    accept_sandbox_purchases boolean DEFAULT false NOT NULL,
    CONSTRAINT bounds_are_positive CHECK (((max_unfinished_jobs > 0) AND (max_input_bytes > 0) AND (max_paid_jobs_per_day > 0) AND (max_unsuccessful_per_day > 0))),
    CONSTRAINT paid_users_are_denser CHECK ((((0)::double precision < paid_spacing) AND (paid_spacing <= free_spacing))),
    CONSTRAINT starter_credits_are_not_negative CHECK (((starter_credits >= 0) AND (anonymous_starter_credits >= 0))),
    CONSTRAINT there_is_one_row CHECK (is_only_row)
);

ALTER TABLE private.config OWNER TO postgres;

COMMENT ON TABLE private.config IS 'The product''s numbers. One row; change it with update.';

COMMENT ON COLUMN private.config.free_spacing IS 'Seconds of rank between two unfinished jobs of a free user, so that other users get their turn.';

COMMENT ON COLUMN private.config.paid_spacing IS 'The same for a paid user, who may have more jobs near the front.';

COMMENT ON COLUMN private.config.max_paid_jobs_per_day IS 'How many included jobs a paid user may have in 24 hours, so that a subscription is no open wallet.';

COMMENT ON COLUMN private.config.max_unsuccessful_per_day IS 'How many jobs of a user may, within 24 hours, reach the provider and then be canceled or refused.';

COMMENT ON COLUMN private.config.accept_sandbox_purchases IS 'Whether purchases of a store''s sandbox count. Anybody with a tester account makes them for free.';

CREATE TABLE private.devices (
    token text NOT NULL,
    user_id uuid NOT NULL,
    platform text NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT platforms_are_known CHECK ((platform = ANY (ARRAY['ios'::text, 'android'::text]))),
    CONSTRAINT tokens_are_of_expo CHECK ((token ~ '^Expo(nent)?PushToken\[[A-Za-z0-9_-]{1,100}\]$'::text))
);

ALTER TABLE private.devices OWNER TO postgres;

COMMENT ON TABLE private.devices IS 'Where a push goes when a long job has ended: at most 5 tokens a user. A token has one owner, the last to register it. It goes when Expo refuses it, or when it was not registered for 60 days.';

CREATE TABLE private.job_requests (
    job_id uuid NOT NULL,
    provider text NOT NULL,
    provider_model text,
    provider_input jsonb NOT NULL
);

ALTER TABLE private.job_requests OWNER TO postgres;

COMMENT ON TABLE private.job_requests IS 'What a job was asked to do, by the model as it was then. Written once by enqueue_generation.';

COMMENT ON COLUMN private.job_requests.provider_input IS 'The user''s choice over the model''s defaults. It names photos by path, and secrets by {"$env"}.';

CREATE TABLE private.ledger_audit (
    is_only_row boolean DEFAULT true NOT NULL,
    after_user uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    wrong uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT there_is_one_row CHECK (is_only_row)
);

ALTER TABLE private.ledger_audit OWNER TO postgres;

COMMENT ON TABLE private.ledger_audit IS 'How far audit_ledger has come, and what it found. One row.';

COMMENT ON COLUMN private.ledger_audit.after_user IS 'Where the pass goes on.';

COMMENT ON COLUMN private.ledger_audit.wrong IS 'At most 100 users whose balance differed from their ledger when they were last looked at.';

COMMENT ON COLUMN private.ledger_audit.ended_at IS 'When the last pass over all users ended.';

CREATE TABLE private.object_sweep (
    is_only_row boolean DEFAULT true NOT NULL,
    swept_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    last_bucket text DEFAULT ''::text NOT NULL,
    last_path text DEFAULT ''::text NOT NULL,
    CONSTRAINT there_is_one_row CHECK (is_only_row)
);

ALTER TABLE private.object_sweep OWNER TO postgres;

COMMENT ON TABLE private.object_sweep IS 'One row: when workers last looked for unreferenced objects, and how far they came.';

CREATE TABLE private.processes (
    name text NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    problem text,
    expects_webhooks boolean DEFAULT false NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT kinds_are_known CHECK ((kind = ANY (ARRAY['bridge'::text, 'worker'::text, 'webhook'::text])))
)
WITH (fillfactor='50');

ALTER TABLE private.processes OWNER TO postgres;

COMMENT ON TABLE private.processes IS 'One row per bridge and per worker, written by its heartbeat, and one for all webhooks of providers. A row that was not seen for a day is removed.';

COMMENT ON COLUMN private.processes.name IS 'Host and process number.';

COMMENT ON COLUMN private.processes.problem IS 'What the process cannot reach, or who refuses it, in one line for the operator.';

COMMENT ON COLUMN private.processes.expects_webhooks IS 'The worker gave its providers the address of a webhook.';

CREATE TABLE private.products (
    id text NOT NULL,
    credits integer DEFAULT 0 NOT NULL,
    gives_access boolean DEFAULT false NOT NULL,
    is_lifetime boolean DEFAULT false NOT NULL,
    CONSTRAINT credits_are_bounded CHECK (((credits >= 0) AND (credits <= 1000000))),
    CONSTRAINT only_access_lasts CHECK ((gives_access OR (NOT is_lifetime))),
    CONSTRAINT products_do_something CHECK (((credits > 0) OR gives_access))
);

ALTER TABLE private.products OWNER TO postgres;

COMMENT ON TABLE private.products IS 'What a store sells, by the product id in its events. credits are posted once per purchase or paid period; while a period with gives_access lasts, the user is paid.';

COMMENT ON COLUMN private.products.is_lifetime IS 'It is bought once and its events have no expiration: the user is paid until it is refunded.';

CREATE TABLE private.prompt_filter (
    word text NOT NULL,
    CONSTRAINT words_are_short CHECK (((char_length(word) >= 1) AND (char_length(word) <= 100)))
);

ALTER TABLE private.prompt_filter OWNER TO postgres;

COMMENT ON TABLE private.prompt_filter IS 'Words and phrases that no input may contain. Empty by default. private.is_refused_prompt reads it.';

CREATE TABLE private.provider_cancellations (
    provider_ref text NOT NULL,
    provider text NOT NULL,
    job_id uuid NOT NULL,
    send_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE private.provider_cancellations OWNER TO postgres;

COMMENT ON TABLE private.provider_cancellations IS 'Predictions to be canceled at the provider. A row is deleted when a worker has canceled it, or after an hour: no prediction runs for longer.';

CREATE TABLE private.removed_objects (
    bucket text NOT NULL,
    path text NOT NULL,
    remove_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE private.removed_objects OWNER TO postgres;

COMMENT ON TABLE private.removed_objects IS 'Objects whose row is gone: of deleted generations, deleted accounts and jobs that ended without success. Workers remove them within a minute.';

CREATE TABLE private.reports (
    generation_id uuid NOT NULL,
    user_id uuid NOT NULL,
    reason text NOT NULL,
    text text,
    model_id text NOT NULL,
    input jsonb NOT NULL,
    input_paths text[] NOT NULL,
    output jsonb,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT reasons_are_known CHECK ((reason = ANY (ARRAY['sexual'::text, 'violent'::text, 'hateful'::text, 'real_person'::text, 'copyright'::text, 'other'::text]))),
    CONSTRAINT texts_are_short CHECK ((char_length(text) <= 500))
);

ALTER TABLE private.reports OWNER TO postgres;

COMMENT ON TABLE private.reports IS 'Complaints of users, with a copy of the generation. An operator closes a report by closed_at. While it is open, its files outlive the deletion of the generation.';

CREATE TABLE private.unsuccessful_starts (
    job_id uuid NOT NULL,
    user_id uuid NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE private.unsuccessful_starts OWNER TO postgres;

COMMENT ON TABLE private.unsuccessful_starts IS 'Jobs that reached the provider and were then canceled or refused, of the last 24 hours. They cost the user nothing and may have cost us.';

CREATE TABLE public.credit_entries (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    kind public.credit_entry_kind NOT NULL,
    amount integer NOT NULL,
    owed integer DEFAULT 0 NOT NULL,
    job_id uuid,
    reason text NOT NULL,
    external_ref text,
    fingerprint bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT amounts_have_the_sign_of_their_kind CHECK (
CASE kind
    WHEN 'grant'::public.credit_entry_kind THEN (amount > 0)
    WHEN 'hold'::public.credit_entry_kind THEN (amount <= 0)
    WHEN 'settle'::public.credit_entry_kind THEN (amount = 0)
    WHEN 'revoke'::public.credit_entry_kind THEN (amount <= 0)
    ELSE (amount >= 0)
END),
    CONSTRAINT external_refs_are_short CHECK (((char_length(external_ref) >= 1) AND (char_length(external_ref) <= 200))),
    CONSTRAINT only_holds_are_receipts CHECK (((kind = 'hold'::public.credit_entry_kind) = (fingerprint IS NOT NULL))),
    CONSTRAINT only_jobs_are_held_for CHECK (((kind = ANY (ARRAY['grant'::public.credit_entry_kind, 'revoke'::public.credit_entry_kind])) = (job_id IS NULL))),
    CONSTRAINT only_revokes_are_owed CHECK (((owed = 0) OR ((kind = 'revoke'::public.credit_entry_kind) AND ((owed > 0) OR (owed = amount))))),
    CONSTRAINT reasons_are_short CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 200)))
);

ALTER TABLE public.credit_entries OWNER TO postgres;

COMMENT ON TABLE public.credit_entries IS 'Append-only ledger. Its holds keep every accepted job id: a pruned id is still the same job.';

ALTER TABLE public.credit_entries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.credit_entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY private.config
    ADD CONSTRAINT config_pkey PRIMARY KEY (is_only_row);

ALTER TABLE ONLY private.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (token);

ALTER TABLE ONLY private.job_requests
    ADD CONSTRAINT job_requests_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY private.ledger_audit
    ADD CONSTRAINT ledger_audit_pkey PRIMARY KEY (is_only_row);

ALTER TABLE ONLY private.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.object_sweep
    ADD CONSTRAINT object_sweep_pkey PRIMARY KEY (is_only_row);

ALTER TABLE ONLY private.processes
    ADD CONSTRAINT processes_pkey PRIMARY KEY (name);

ALTER TABLE ONLY private.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.prompt_filter
    ADD CONSTRAINT prompt_filter_pkey PRIMARY KEY (word);

ALTER TABLE ONLY private.provider_cancellations
    ADD CONSTRAINT provider_cancellations_pkey PRIMARY KEY (provider_ref);

ALTER TABLE ONLY private.provider_limits
    ADD CONSTRAINT provider_limits_pkey PRIMARY KEY (provider);

ALTER TABLE ONLY private.provider_starts
    ADD CONSTRAINT provider_starts_pkey PRIMARY KEY (provider, day);

ALTER TABLE ONLY private.purchase_events
    ADD CONSTRAINT purchase_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.removed_objects
    ADD CONSTRAINT removed_objects_pkey PRIMARY KEY (bucket, path);

ALTER TABLE ONLY private.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (generation_id);

ALTER TABLE ONLY private.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (store, subscription);

ALTER TABLE ONLY private.unsuccessful_starts
    ADD CONSTRAINT unsuccessful_starts_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY public.credit_entries
    ADD CONSTRAINT credit_entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.entitlements
    ADD CONSTRAINT entitlements_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

CREATE INDEX devices_by_age ON private.devices USING btree (seen_at);

CREATE INDEX devices_by_user ON private.devices USING btree (user_id, seen_at);

CREATE UNIQUE INDEX purchase_events_one_grant_per_transaction ON private.purchase_events USING btree (store, transaction_id) WHERE (granted_to IS NOT NULL);

CREATE INDEX purchase_events_refunds ON private.purchase_events USING btree (store, transaction_id) WHERE (is_refund IS NOT NULL);

CREATE INDEX purchase_events_transfers ON private.purchase_events USING btree (happened_at) WHERE (type = 'TRANSFER'::text);

CREATE INDEX purchase_events_unapplied ON private.purchase_events USING btree (received_at) WHERE (effect = ANY (ARRAY['unknown_product'::text, 'unknown_user'::text, 'unreadable'::text]));

CREATE INDEX removed_objects_due ON private.removed_objects USING btree (remove_at);

CREATE INDEX reports_by_photo ON private.reports USING gin (input_paths) WHERE ((closed_at IS NULL) AND (input_paths <> '{}'::text[]));

CREATE INDEX reports_by_user ON private.reports USING btree (user_id);

CREATE INDEX reports_open ON private.reports USING btree (created_at) WHERE (closed_at IS NULL);

CREATE INDEX subscriptions_by_holder ON private.subscriptions USING gin (holders);

CREATE INDEX subscriptions_by_user ON private.subscriptions USING btree (user_id);

CREATE INDEX unsuccessful_starts_by_user ON private.unsuccessful_starts USING btree (user_id, ended_at);

CREATE UNIQUE INDEX credit_entries_by_external_ref ON public.credit_entries USING btree (external_ref) WHERE (external_ref IS NOT NULL);

CREATE INDEX credit_entries_by_user ON public.credit_entries USING btree (user_id, created_at DESC);

CREATE UNIQUE INDEX credit_entries_one_hold_per_job ON public.credit_entries USING btree (job_id) WHERE (kind = 'hold'::public.credit_entry_kind);

CREATE UNIQUE INDEX credit_entries_one_outcome_per_job ON public.credit_entries USING btree (job_id) WHERE (kind = ANY (ARRAY['settle'::public.credit_entry_kind, 'refund'::public.credit_entry_kind]));

CREATE INDEX generations_by_photo ON public.generations USING gin (input_paths) WHERE (input_paths <> '{}'::text[]);

CREATE INDEX generations_by_user ON public.generations USING btree (user_id, created_at DESC, id);

CREATE INDEX jobs_by_photo ON public.jobs USING gin (input_paths) WHERE ((input_paths <> '{}'::text[]) AND (finished_at IS NULL));

CREATE UNIQUE INDEX jobs_by_provider_ref ON public.jobs USING btree (provider_ref) WHERE (provider_ref IS NOT NULL);

CREATE INDEX jobs_by_user ON public.jobs USING btree (user_id);

CREATE INDEX jobs_dispatched ON public.jobs USING btree (dispatched_at) WHERE (dispatched_at IS NOT NULL);

CREATE INDEX jobs_due ON public.jobs USING btree (rank) WHERE ((status = ANY (ARRAY['queued'::public.job_status, 'waiting'::public.job_status])) AND (dispatched_at IS NULL) AND (run_at IS NULL) AND (rate_limited_by IS NULL));

CREATE INDEX jobs_finished ON public.jobs USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX jobs_overdue ON public.jobs USING btree (LEAST(lease_expires_at, deadline_at)) WHERE (finished_at IS NULL);

CREATE INDEX jobs_rate_limited ON public.jobs USING btree (rate_limited_by, rank) WHERE ((rate_limited_by IS NOT NULL) AND (dispatched_at IS NULL) AND (run_at IS NULL));

CREATE INDEX jobs_scheduled ON public.jobs USING btree (run_at) WHERE (run_at IS NOT NULL);

CREATE INDEX jobs_unfinished_by_user ON public.jobs USING btree (user_id) WHERE (finished_at IS NULL);

CREATE TRIGGER models_check BEFORE INSERT OR UPDATE ON private.models FOR EACH ROW EXECUTE FUNCTION private.check_model();

CREATE TRIGGER models_refuse_deletion BEFORE DELETE ON private.models FOR EACH ROW EXECUTE FUNCTION private.refuse_deletion_of_model();

CREATE TRIGGER reports_remove_objects_when_closed AFTER UPDATE OF closed_at ON private.reports FOR EACH ROW WHEN (((old.closed_at IS NULL) AND (new.closed_at IS NOT NULL))) EXECUTE FUNCTION private.on_report_closed();

CREATE TRIGGER reports_remove_objects_when_deleted AFTER DELETE ON private.reports FOR EACH ROW WHEN ((old.closed_at IS NULL)) EXECUTE FUNCTION private.on_report_closed();

CREATE TRIGGER credit_entries_broadcast AFTER INSERT ON public.credit_entries FOR EACH ROW WHEN (((new.kind = ANY (ARRAY['grant'::public.credit_entry_kind, 'revoke'::public.credit_entry_kind])) AND (new.reason <> 'starter'::text))) EXECUTE FUNCTION private.broadcast_account();

CREATE TRIGGER entitlements_broadcast AFTER UPDATE OF is_paid, paid_until ON public.entitlements FOR EACH ROW WHEN (((old.is_paid IS DISTINCT FROM new.is_paid) OR (old.paid_until IS DISTINCT FROM new.paid_until))) EXECUTE FUNCTION private.broadcast_account();

CREATE TRIGGER entitlements_remove_objects AFTER DELETE ON public.entitlements FOR EACH ROW EXECUTE FUNCTION private.on_account_deleted();

CREATE TRIGGER generations_remove_objects AFTER DELETE ON public.generations FOR EACH ROW EXECUTE FUNCTION private.on_generation_deleted();

CREATE TRIGGER jobs_broadcast_change AFTER UPDATE ON public.jobs FOR EACH ROW WHEN (((old.progress IS DISTINCT FROM new.progress) OR ((old.status <> new.status) AND (new.status <> ALL (ARRAY['queued'::public.job_status, 'running'::public.job_status]))) OR (old.lease_expires_at < new.lease_expires_at))) EXECUTE FUNCTION private.broadcast_job();

CREATE TRIGGER jobs_broadcast_new AFTER INSERT ON public.jobs FOR EACH ROW EXECUTE FUNCTION private.broadcast_job();

CREATE TRIGGER jobs_cancel_prediction AFTER UPDATE ON public.jobs FOR EACH ROW WHEN (((old.provider_ref <> new.provider_ref) OR ((new.status = ANY (ARRAY['failed'::public.job_status, 'canceled'::public.job_status])) AND (old.finished_at IS NULL) AND (old.provider_ref IS NOT NULL)))) EXECUTE FUNCTION private.on_prediction_not_needed();

CREATE TRIGGER jobs_cancel_prediction_of_deleted BEFORE DELETE ON public.jobs FOR EACH ROW WHEN (((old.provider_ref IS NOT NULL) AND (old.finished_at IS NULL))) EXECUTE FUNCTION private.on_prediction_not_needed();

CREATE TRIGGER jobs_count_unsuccessful_start AFTER UPDATE ON public.jobs FOR EACH ROW WHEN (((new.finished_at IS NOT NULL) AND (new.error_code = ANY (ARRAY['canceled'::public.error_code, 'content_rejected'::public.error_code, 'invalid_input'::public.error_code, 'provider_rejected'::public.error_code])) AND ((new.submitted_at IS NOT NULL) OR (new.failed_refs <> '{}'::text[])))) EXECUTE FUNCTION private.on_unsuccessful_start();

CREATE TRIGGER jobs_enforce_transitions BEFORE UPDATE ON public.jobs FOR EACH ROW WHEN (((old.finished_at IS NOT NULL) OR (new.fence < old.fence) OR ((old.status = 'queued'::public.job_status) AND (new.status = ANY (ARRAY['waiting'::public.job_status, 'succeeded'::public.job_status]))) OR ((old.status = 'waiting'::public.job_status) AND (new.status = ANY (ARRAY['queued'::public.job_status, 'succeeded'::public.job_status]))))) EXECUTE FUNCTION private.enforce_transition();

CREATE TRIGGER jobs_rate_limit BEFORE UPDATE OF status ON public.jobs FOR EACH ROW WHEN (((old.status <> new.status) AND ((new.status = 'queued'::public.job_status) OR (old.rate_limited_by IS NOT NULL)))) EXECUTE FUNCTION private.on_status_changed();

CREATE TRIGGER jobs_touch BEFORE UPDATE ON public.jobs FOR EACH ROW WHEN (((new.updated_at <= old.updated_at) AND (((old.status IS DISTINCT FROM new.status) OR (old.progress IS DISTINCT FROM new.progress)) OR (old.attempt IS DISTINCT FROM new.attempt)))) EXECUTE FUNCTION private.touch_job();

ALTER TABLE ONLY private.devices
    ADD CONSTRAINT devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY private.job_requests
    ADD CONSTRAINT job_requests_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.reports
    ADD CONSTRAINT reports_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY private.unsuccessful_starts
    ADD CONSTRAINT unsuccessful_starts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.credit_entries
    ADD CONSTRAINT credit_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.entitlements
    ADD CONSTRAINT entitlements_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.generations
    ADD CONSTRAINT generations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_model_id_fkey FOREIGN KEY (model_id) REFERENCES private.models(id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.entitlements(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT rate_limited_jobs_name_a_limit FOREIGN KEY (rate_limited_by) REFERENCES private.provider_limits(provider) ON DELETE SET NULL;

ALTER TABLE private.config ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.devices ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.job_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.ledger_audit ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.models ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.object_sweep ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.processes ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.products ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.prompt_filter ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.provider_cancellations ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.provider_limits ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.provider_starts ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.purchase_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.removed_objects ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.reports ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.subscriptions ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.unsuccessful_starts ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Owners delete their generations" ON public.generations FOR DELETE TO authenticated USING ((( SELECT auth.uid() AS uid) = user_id));

CREATE POLICY "Owners see their credit entries" ON public.credit_entries FOR SELECT TO authenticated USING ((( SELECT auth.uid() AS uid) = user_id));

CREATE POLICY "Owners see their entitlement" ON public.entitlements FOR SELECT TO authenticated USING ((( SELECT auth.uid() AS uid) = user_id));

CREATE POLICY "Owners see their generations" ON public.generations FOR SELECT TO authenticated USING ((( SELECT auth.uid() AS uid) = user_id));

CREATE POLICY "Owners see their jobs" ON public.jobs FOR SELECT TO authenticated USING ((( SELECT auth.uid() AS uid) = user_id));

ALTER TABLE public.credit_entries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.entitlements ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.generations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA private TO generation_bridge;
GRANT USAGE ON SCHEMA private TO generation_worker;

GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;

GRANT SELECT ON TABLE public.entitlements TO authenticated;
GRANT SELECT ON TABLE public.entitlements TO service_role;

GRANT UPDATE(is_paid) ON TABLE public.entitlements TO service_role;

REVOKE ALL ON FUNCTION private.accept_request(p_account public.entitlements, p_id uuid, p_model text, p_input jsonb, p_fingerprint bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.admit_jobs(p_room integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.adopt_orphan(p_id uuid, p_fence bigint, p_provider_refs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.adopt_orphan(p_id uuid, p_fence bigint, p_provider_refs text[]) TO generation_worker;

REVOKE ALL ON FUNCTION private.apply_event(p_event private.purchase_events) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.audit_ledger(p_limit integer, p_restart boolean, OUT checked integer, OUT is_complete boolean, OUT wrong uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.audit_ledger(p_limit integer, p_restart boolean, OUT checked integer, OUT is_complete boolean, OUT wrong uuid[]) TO generation_bridge;

REVOKE ALL ON FUNCTION private.broadcast_account() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_job() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.budgets_today() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.caller() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.cancel_by_operator(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.cancel_by_operator(p_id uuid) TO generation_worker;

GRANT SELECT ON TABLE public.jobs TO service_role;

GRANT SELECT(id) ON TABLE public.jobs TO authenticated;

GRANT SELECT(user_id) ON TABLE public.jobs TO authenticated;

GRANT SELECT(model_id) ON TABLE public.jobs TO authenticated;

GRANT SELECT(input) ON TABLE public.jobs TO authenticated;

GRANT SELECT(status) ON TABLE public.jobs TO authenticated;

GRANT SELECT(cost) ON TABLE public.jobs TO authenticated;

GRANT SELECT(progress) ON TABLE public.jobs TO authenticated;

GRANT SELECT(error_code) ON TABLE public.jobs TO authenticated;

GRANT SELECT(error_message) ON TABLE public.jobs TO authenticated;

GRANT SELECT(created_at) ON TABLE public.jobs TO authenticated;

GRANT SELECT(started_at) ON TABLE public.jobs TO authenticated;

GRANT SELECT(finished_at) ON TABLE public.jobs TO authenticated;

GRANT SELECT(updated_at) ON TABLE public.jobs TO authenticated;

REVOKE ALL ON FUNCTION private.cancel_job(p_job public.jobs) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.cancel_stray_prediction(p_job_id uuid, p_provider_ref text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.cancellation_done(p_provider_ref text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.cancellation_done(p_provider_ref text) TO generation_worker;

REVOKE ALL ON FUNCTION private.check_model() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.claim_jobs(p_ids uuid[], p_lease interval, p_waits boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.claim_jobs(p_ids uuid[], p_lease interval, p_waits boolean) TO generation_worker;

REVOKE ALL ON FUNCTION private.complete_jobs(p_ids uuid[], p_fences bigint[], p_outputs jsonb[], p_waits boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.complete_jobs(p_ids uuid[], p_fences bigint[], p_outputs jsonb[], p_waits boolean) TO generation_worker;

REVOKE ALL ON FUNCTION private.count_start(p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.devices_of_job(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.devices_of_job(p_job_id uuid) TO generation_worker;

REVOKE ALL ON FUNCTION private.discard_outputs(p_user_id uuid, p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.discard_outputs(p_user_id uuid, p_job_id uuid) TO generation_worker;

REVOKE ALL ON FUNCTION private.dispatch_jobs(p_limit integer, p_window integer, OUT job_ids uuid[], OUT outstanding integer, OUT next_due_in interval) FROM PUBLIC;
GRANT ALL ON FUNCTION private.dispatch_jobs(p_limit integer, p_window integer, OUT job_ids uuid[], OUT outstanding integer, OUT next_due_in interval) TO generation_bridge;

REVOKE ALL ON FUNCTION private.enabled_models() FROM PUBLIC;
GRANT ALL ON FUNCTION private.enabled_models() TO generation_worker;

REVOKE ALL ON FUNCTION private.end_job(p_job public.jobs, p_status public.job_status, p_output jsonb, p_code public.error_code, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.enforce_transition() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.error_json(p_code public.error_code, p_message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.event_ids(p_event jsonb, p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.event_text(p_event jsonb, p_key text, p_max integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.event_time(p_event jsonb, p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fail_job(p_id uuid, p_fence bigint, p_code public.error_code, p_message text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.fail_job(p_id uuid, p_fence bigint, p_code public.error_code, p_message text) TO generation_worker;

REVOKE ALL ON FUNCTION private.files_of(p_output jsonb, p_input_paths text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.find_user(p_customer text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_devices(p_tokens text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.forget_devices(p_tokens text[]) TO generation_worker;

GRANT SELECT,DELETE ON TABLE public.generations TO authenticated;
GRANT SELECT ON TABLE public.generations TO service_role;

REVOKE ALL ON FUNCTION private.generation_json(p_generation public.generations) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.grant_purchase(p_event private.purchase_events) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.has_budget(p_user_id uuid, p_provider text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.has_had_free_jobs(p_user_id uuid, p_count integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.input_problem(p_input jsonb, p_schema jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_in_use(p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_paid(p_account public.entitlements) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_paused(p_provider text, p_provider_model text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_ref_available(p_provider_ref text, p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_refused_prompt(p_input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_reported(p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_running(p_kind text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_shown(p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_storable(p_input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.job_answer(p_id uuid, p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.job_json(p_job public.jobs) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.job_of(p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.jobs_with_provider_cancellations(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.ledger_mismatches() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_account(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_job(p_id uuid, p_moves_credits boolean, p_waits boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_own_account(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.may_upload(p_path text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.may_upload(p_path text) TO authenticated;

REVOKE ALL ON FUNCTION private.metrics() FROM PUBLIC;
GRANT ALL ON FUNCTION private.metrics() TO generation_bridge;

REVOKE ALL ON FUNCTION private.number_problem(p_value numeric, p_rule jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.objects_removed(p_bucket text, p_paths text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.objects_removed(p_bucket text, p_paths text[]) TO generation_worker;

REVOKE ALL ON FUNCTION private.objects_to_remove(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.objects_to_remove(p_limit integer) TO generation_worker;

REVOKE ALL ON FUNCTION private.objects_under(p_bucket text, p_folder text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_account_deleted() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_generation_deleted() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_prediction_not_needed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_report_closed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_status_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_unsuccessful_start() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.on_user_created() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.open_account(p_user_id uuid, p_is_anonymous boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.operator_status() FROM PUBLIC;
GRANT ALL ON FUNCTION private.operator_status() TO generation_bridge;

REVOKE ALL ON FUNCTION private.photo_problem(p_user_id uuid, p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.photos_of(p_user_id uuid, p_input jsonb, p_schema jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.place_subscription(p_subscription private.subscriptions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.plain_words(p_text text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.post_entry(p_user_id uuid, p_kind public.credit_entry_kind, p_amount integer, p_reason text, p_job_id uuid, p_external_ref text, p_fingerprint bytea, p_owed integer, p_next_rank double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.price_request(p_account public.entitlements, p_model private.models, p_input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.provider_cancellations_of(p_job_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.provider_cancellations_of(p_job_id uuid) TO generation_worker;

REVOKE ALL ON FUNCTION private.prune_jobs(p_older_than interval, p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pruned_job_json(p_generation public.generations) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.raise_api_error(p_status integer, p_code text, p_message text, p_headers jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rank_request(p_account public.entitlements, OUT rank double precision, OUT spacing double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rate_factor_now(p_limit private.provider_limits) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rate_limit_of(p_provider text, p_provider_model text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.read_event(p_event jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.read_job(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.read_jobs(p_user_id uuid, p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.record_process(p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.record_process(p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean) TO generation_bridge;
GRANT ALL ON FUNCTION private.record_process(p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean) TO generation_worker;

REVOKE ALL ON FUNCTION private.record_refused_account(p_provider text, p_reason text, p_provider_model text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.record_refused_account(p_provider text, p_reason text, p_provider_model text) TO generation_worker;

REVOKE ALL ON FUNCTION private.record_start(p_provider text, p_is_answered boolean, p_provider_model text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.record_start(p_provider text, p_is_answered boolean, p_provider_model text) TO generation_worker;

REVOKE ALL ON FUNCTION private.record_submission(p_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.record_submission(p_id uuid, p_fence bigint) TO generation_worker;

REVOKE ALL ON FUNCTION private.record_throttled(p_provider text, p_retry_after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION private.record_throttled(p_provider text, p_retry_after interval) TO generation_worker;

REVOKE ALL ON FUNCTION private.record_webhook() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.redispatch_jobs(p_older_than interval, p_next_in_queue uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.redispatch_jobs(p_older_than interval, p_next_in_queue uuid) TO generation_bridge;

REVOKE ALL ON FUNCTION private.refresh_paid_until(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_deletion_of_model() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refuse_unbounded_work(p_user_id uuid, p_provider text, p_input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.release_job(p_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.release_job(p_id uuid, p_fence bigint) TO generation_worker;

REVOKE ALL ON FUNCTION private.remove_objects_under(p_bucket text, p_folder text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.renew_lease(p_id uuid, p_fence bigint, p_lease interval, p_progress real) FROM PUBLIC;
GRANT ALL ON FUNCTION private.renew_lease(p_id uuid, p_fence bigint, p_lease interval, p_progress real) TO generation_worker;

REVOKE ALL ON FUNCTION private.request_provider_cancellation(p_job_id uuid, p_provider_ref text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rescue_job(p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rescue_jobs(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.rescue_jobs(p_limit integer) TO generation_bridge;

REVOKE ALL ON FUNCTION private.retry_job(p_id uuid, p_fence bigint, p_delay interval, p_code public.error_code, p_message text, p_costs_attempt boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.retry_job(p_id uuid, p_fence bigint, p_delay interval, p_code public.error_code, p_message text, p_costs_attempt boolean) TO generation_worker;

REVOKE ALL ON FUNCTION private.ring_doorbell() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rule_problem(p_rule jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schema_problem(p_schema jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schema_version(OUT version integer, OUT compatible_since integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.schema_version(OUT version integer, OUT compatible_since integer) TO generation_bridge;
GRANT ALL ON FUNCTION private.schema_version(OUT version integer, OUT compatible_since integer) TO generation_worker;

REVOKE ALL ON FUNCTION private.seconds_until_next_try(p_user_id uuid, p_count integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.seed_of(p_id uuid, p_schema jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_refunds(p_event private.purchase_events) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.starts_today(p_provider text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_bounds() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_last_hour() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_money() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_processes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_of_providers() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sweep_unreferenced_objects(p_every interval, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.sweep_unreferenced_objects(p_every interval, p_limit integer) TO generation_worker;

REVOKE ALL ON FUNCTION private.take_credits(p_account public.entitlements, p_amount integer, p_reason text, p_external_ref text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.touch_job() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.transfer_subscriptions(p_event private.purchase_events) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.update_subscription(p_event private.purchase_events) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.value_problem(p_value jsonb, p_rule jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.wait_for_provider(p_id uuid, p_fence bigint, p_provider_ref text, p_check_in interval) FROM PUBLIC;
GRANT ALL ON FUNCTION private.wait_for_provider(p_id uuid, p_fence bigint, p_provider_ref text, p_check_in interval) TO generation_worker;

REVOKE ALL ON FUNCTION public.cancel_generation(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_generation(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_account() FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_account() TO authenticated;

REVOKE ALL ON FUNCTION public.enqueue_generation(p_id uuid, p_model text, p_input jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enqueue_generation(p_id uuid, p_model text, p_input jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.get_job_status(p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_job_status(p_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.grant_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.grant_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) TO service_role;

REVOKE ALL ON FUNCTION public.list_models() FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_models() TO authenticated;

REVOKE ALL ON FUNCTION public.read_gallery(p_before_at timestamp with time zone, p_before_id uuid, p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.read_gallery(p_before_at timestamp with time zone, p_before_id uuid, p_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.record_purchase(p_event jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.record_purchase(p_event jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.register_device(p_token text, p_platform text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_device(p_token text, p_platform text) TO authenticated;

REVOKE ALL ON FUNCTION public.report_generation(p_id uuid, p_reason text, p_text text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.report_generation(p_id uuid, p_reason text, p_text text) TO authenticated;

REVOKE ALL ON FUNCTION public.revoke_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.revoke_credits(p_user_id uuid, p_amount integer, p_reason text, p_external_ref text) TO service_role;

REVOKE ALL ON FUNCTION public.unregister_device(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unregister_device(p_token text) TO authenticated;

REVOKE ALL ON FUNCTION public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.wake_job(p_id uuid, p_provider_ref text, p_is_final boolean) TO service_role;

GRANT SELECT ON TABLE public.credit_entries TO authenticated;
GRANT SELECT ON TABLE public.credit_entries TO service_role;

-- policies
-- realtime.messages: Users receive on their own topic for SELECT to {authenticated} using ((extension = 'broadcast'::text) AND (( SELECT realtime.topic() AS topic) = ('user:'::text || (( SELECT auth.uid() AS uid))::text)) AND ( SELECT (EXISTS ( SELECT
           FROM public.entitlements
          WHERE (entitlements.user_id = ( SELECT auth.uid() AS uid)))) AS "exists")) with check 
-- storage.objects: Users read their own folder for SELECT to {authenticated} using ((bucket_id = ANY (ARRAY['generations'::text, 'inputs'::text])) AND ((storage.foldername(name))[1] = (( SELECT auth.uid() AS uid))::text) AND ( SELECT (EXISTS ( SELECT
           FROM public.entitlements
          WHERE (entitlements.user_id = ( SELECT auth.uid() AS uid)))) AS "exists")) with check 
-- storage.objects: Users upload their photos for INSERT to {authenticated} using  with check ((bucket_id = 'inputs'::text) AND private.may_upload(name))

-- triggers
-- CREATE TRIGGER open_account_of_new_user AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION private.on_user_created()

-- buckets
-- generations: public f, at most 52428800 bytes, {image/png,image/jpeg,image/webp,image/gif,image/avif,video/mp4,video/webm,video/quicktime,audio/mpeg,audio/wav,audio/mp4,audio/ogg,audio/flac,audio/webm}
-- inputs: public f, at most 10485760 bytes, {image/png,image/jpeg,image/webp}

-- roles
-- generation_bridge: login f, superuser f, bypassrls f, createrole f
-- generation_worker: login f, superuser f, bypassrls f, createrole f

-- memberships
-- pilotlight_bridge in generation_bridge
-- pilotlight_worker in generation_worker
-- postgres in generation_bridge
-- postgres in generation_worker

-- default privileges

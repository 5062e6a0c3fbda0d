-- How fast a provider may be asked to start work.

-- A job that its provider's rate limit keeps back stays in the table. There it keeps its order,
-- costs no attempt and can be canceled. A provider without a row here has no limit.
create table private.provider_limits (
  provider text primary key,
  starts_per_minute integer not null,
  starts_per_day integer,
  anonymous_starts_per_day integer,
  tokens double precision not null default 1,
  refilled_at timestamptz not null default now(),
  rate_factor double precision not null default 1,
  throttled_at timestamptz not null default now(),
  failures integer not null default 0,
  paused_until timestamptz not null default 'epoch',
  paused_reason text,
  constraint something_may_start check (starts_per_minute > 0),
  constraint budgets_are_not_negative check (starts_per_day >= 0 and anonymous_starts_per_day >= 0),
  constraint rate_factor_is_a_fraction check (0 < rate_factor and rate_factor <= 1)
);
alter table private.provider_limits enable row level security;
comment on table private.provider_limits is
  'A token bucket, a circuit breaker and a budget per provider. Change starts_per_minute and the '
  'budgets with update; the functions below write the other columns.';
comment on column private.provider_limits.starts_per_day is
  'How often the provider may be called on one day (UTC), for all users together. Null: no bound. '
  '0 is the kill switch: nothing is accepted, and nothing that waits starts.';
comment on column private.provider_limits.anonymous_starts_per_day is
  'The same for all anonymous users together: beyond it their new requests are refused.';
comment on column private.provider_limits.provider is
  'A provider; or "provider model" while that model alone is refused, such as a version that is '
  'gone.';
comment on column private.provider_limits.rate_factor is
  'The fraction of the rate in force after the last 429. It doubles every minute from '
  'throttled_at on.';
comment on column private.provider_limits.failures is
  'Starts in a row that the provider did not answer. At five the circuit opens: one job at a time '
  'tries, the others wait.';
comment on column private.provider_limits.paused_reason is
  'Why the provider refuses our account or the model, in its words. The circuit is open until a '
  'start succeeds.';

-- The limit that Replicate documents for creating predictions, and a budget far above what a new
-- app needs. docs/operations.md says how to choose it.
insert into private.provider_limits
  (provider, starts_per_minute, starts_per_day, anonymous_starts_per_day)
values ('replicate', 600, 10000, 2000);

create table private.provider_starts (
  provider text,
  day date,
  starts integer not null,
  anonymous_starts integer not null,
  primary key (provider, day)
) with (fillfactor = 50);
alter table private.provider_starts enable row level security;
comment on table private.provider_starts is
  'How often each provider with a limit was called on each day (UTC). Retries count: they cost, '
  'too.';

-- starts_today: how often a provider was called today; no row when it was not
create function private.starts_today(p_provider text)
returns setof private.provider_starts
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select * from private.provider_starts
  where provider = p_provider and day = (clock_timestamp() at time zone 'utc')::date
$$;

-- budgets_today: every budget that a provider has, and how much of it is used today
create function private.budgets_today()
returns table (provider text, name text, used integer, bound integer)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select l.provider, budget.*
  from private.provider_limits l
  left join lateral private.starts_today(l.provider) s on true,
  lateral (values
    ('starts', coalesce(s.starts, 0), l.starts_per_day),
    ('anonymous starts', coalesce(s.anonymous_starts, 0), l.anonymous_starts_per_day)
  ) budget (name, used, bound)
  where budget.bound is not null
$$;

-- count_start: the provider of this job is about to be called
--
-- The row of the day is locked until the commit, which follows at once. No transaction that has it
-- waits for another lock.
create function private.count_start(p_job_id uuid)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
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

alter table public.jobs
  add constraint rate_limited_jobs_name_a_limit
  foreign key (rate_limited_by) references private.provider_limits (provider) on delete set null;

-- rate_limit_of: the limit for a job of this provider and model, if there is one: that of the model
-- while it is refused, else that of the provider
create function private.rate_limit_of(p_provider text, p_provider_model text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select provider
  from private.provider_limits
  where provider = p_provider
    or provider = p_provider || ' ' || p_provider_model and paused_reason is not null
  order by length(provider) desc
  limit 1
$$;

-- is_paused: whether no job of this provider and model may start now, or only one that tries
create function private.is_paused(p_provider text, p_provider_model text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from private.provider_limits
    where provider in (p_provider, p_provider || ' ' || p_provider_model)
      and (failures >= 5 or paused_until > clock_timestamp())
  )
$$;

-- on_status_changed: a job that is queued again is rate-limited if its provider has a limit, until
-- it is claimed or ends; enqueue_generation does the same for a new job
create function private.on_status_changed()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.rate_limited_by := case when new.status = 'queued' then (
    select private.rate_limit_of(provider, provider_model)
    from private.job_requests
    where job_id = new.id
  ) end;
  return new;
end
$$;
create trigger jobs_rate_limit
  before update of status on public.jobs
  for each row
  when (old.status <> new.status and (new.status = 'queued' or old.rate_limited_by is not null))
  execute function private.on_status_changed();

-- rate_factor_now: the fraction of the rate in force now
create function private.rate_factor_now(p_limit private.provider_limits)
returns double precision
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select least(1, p_limit.rate_factor * 2 ^ least(
    10, extract(epoch from clock_timestamp() - p_limit.throttled_at)::double precision / 60
  ))
$$;

-- admit_jobs: lets go as many rate-limited jobs as their providers have room for, in order
-- of rank; returns when there will be more room
--
-- A bucket has at most the tokens of one second, so a burst stays inside every longer window that
-- the provider may count in. While the circuit is open, one job goes at a time; the next one goes
-- when nothing was heard of the first for 30 seconds. A job that is too late to start does not try:
-- it would say nothing of the provider. Without a budget nothing goes; whether there is one again
-- is asked every minute. A bridge skips the rows that another bridge has locked.
create function private.admit_jobs(p_room integer)
returns interval
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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

-- record_throttled: the provider answered 429; no job starts for a while, then fewer than before
--
-- Requests that were under way when the first 429 came do not reduce the rate further.
create function private.record_throttled(p_provider text, p_retry_after interval)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

-- record_refused_account: the provider refuses our account, or with p_provider_model that model of
-- it: the circuit opens, and one job a minute tries
--
-- A model that is gone must not stop the others, so it gets a row of its own, with the rate of its
-- provider. Its jobs that are queued already wait there, too; else each would try once. Each
-- refusal moves a thousand of them: a deep backlog must not outlast the timeout of the statement. A
-- provider without a limit gets one of 6000 a minute, which is more than providers document.
create function private.record_refused_account(
  p_provider text, p_reason text, p_provider_model text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

-- record_start: records whether the provider answered a start; opens and closes the circuit
--
-- With p_provider_model, an answer closes the circuit of that model, too.
create function private.record_start(
  p_provider text, p_is_answered boolean, p_provider_model text default null
) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

revoke execute on all functions in schema private from public;
grant execute on function
  private.record_throttled(text, interval),
  private.record_refused_account(text, text, text),
  private.record_start(text, boolean, text)
to generation_worker;

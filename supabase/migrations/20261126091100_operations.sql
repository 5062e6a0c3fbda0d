-- What an operator calls.

-- prune_jobs: deletes jobs that ended p_older_than ago, the oldest first and p_limit at most; returns
-- how many. For an operator or pg_cron, which calls it again while it returns p_limit.
--
-- Their generations stay, and the ledger keeps their ids. One statement for a year of jobs would hold
-- its locks for seconds and leave a vacuum to do that slows every look of the bridge. Locked jobs are
-- left for the next call: the deletion of an account locks its jobs in another order.
create function private.prune_jobs(p_older_than interval, p_limit integer default 5000)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

-- ledger_mismatches: the users whose balance or debt differs from their ledger; must be empty
create function private.ledger_mismatches()
returns table (user_id uuid, credits integer, ledger bigint, owed integer, owed_in_ledger bigint)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select e.user_id, e.credits, coalesce(sum(c.amount), 0), e.owed, coalesce(sum(c.owed), 0)
  from public.entitlements e
  left join public.credit_entries c using (user_id)
  group by e.user_id
  having (e.credits, e.owed) <> (coalesce(sum(c.amount), 0), coalesce(sum(c.owed), 0))
$$;

-- operator_status: one row per fact for `make status`; problem is null when the fact is fine
create function private.operator_status()
returns table (item text, value text, problem text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  return query
  with unfinished as (
    select
      status, run_at, rate_limited_by, dispatched_at, lease_expires_at, deadline_at,
      status in ('queued', 'waiting')
        and run_at is null and dispatched_at is null and rate_limited_by is null as is_due,
      extract(epoch from v_now - updated_at) as age,
      extract(epoch from v_now - dispatched_at) as dispatched_age
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
      count(*) filter (where lease_expires_at < v_now + interval '10 seconds') as expiring,
      count(*) filter (where lease_expires_at < v_now - interval '30 seconds') as expired,
      count(*) filter (where status = 'waiting') as waiting,
      count(*) filter (where deadline_at < v_now - interval '30 seconds') as overdue
    from unfinished
  )
  select facts.*
  from counted, lateral (values
    ('due, not dispatched', due::text, null),
    ('oldest due', coalesce(round(oldest_due) || ' s', '-'),
      case when oldest_due > 60 and dispatched = 0 then 'no bridge dispatches' end),
    ('rate-limited by their provider', rate_limited::text, null),
    ('scheduled for later', scheduled::text, null),
    ('dispatched, not claimed', dispatched::text, null),
    ('oldest dispatched', coalesce(round(oldest_dispatched) || ' s', '-'),
      case when oldest_dispatched > 60 then 'no worker is free, or none runs' end),
    ('running', running::text, null),
    ('leases that end in 10 s', expiring::text, null),
    ('leases that ended', expired::text, case when expired > 0 then 'no bridge rescues' end),
    ('waiting for a provider', waiting::text, null),
    ('past their deadline', overdue::text, case when overdue > 0 then 'no bridge rescues' end)
  ) as facts (item, value, problem);

  return query
  select
    'last hour: ' || coalesce(error_code::text, status::text), count(*)::text,
    case when error_code = 'internal'
      then 'a bug of ours: look for attempt.failed in the workers'' logs' end
  from public.jobs
  where finished_at > v_now - interval '1 hour'
  group by status, error_code
  order by 1;

  return query
  select
    'last hour, ' || leg || ': p50 / p95',
    coalesce(round(p50::numeric, 2) || ' / ' || round(p95::numeric, 2) || ' s', '-'),
    null
  from (
    select
      leg,
      percentile_cont(0.5) within group (order by seconds) as p50,
      percentile_cont(0.95) within group (order by seconds) as p95
    from public.jobs, lateral (values
      ('request to start', extract(epoch from started_at - created_at)::double precision),
      ('start to end', extract(epoch from finished_at - started_at)::double precision)
    ) as legs (leg, seconds)
    where status = 'succeeded' and finished_at > v_now - interval '1 hour'
    group by leg
  ) measured
  order by leg desc;

  -- A model that has not been refused for an hour, and has no job that waits, is no longer in use.
  return query
  select
    'provider ' || provider,
    case
      when failures >= 5 then 'one try a minute'
      when paused_until > v_now then 'paused ' || ceil(extract(epoch from paused_until - v_now)) || ' s'
      else 'ok'
    end,
    coalesce(paused_reason, case when failures >= 5 then 'it does not answer' end)
  from private.provider_limits l
  where strpos(provider, ' ') = 0
    or paused_until > v_now - interval '1 hour'
    or exists (select from public.jobs where rate_limited_by = l.provider)
  order by 1;

  return query
  select
    'last day: purchases with ' || replace(reason, '_', ' '), count(e.id)::text,
    case when count(e.id) > 0 then cure end
  from (values
    ('unknown_product', 'add it to private.products, then apply them again: docs/purchases.md'),
    ('unreadable', 'see private.purchase_events'),
    ('unknown_user', null)
  ) as reasons (reason, cure)
  left join private.purchase_events e
    on e.effect = reason and e.received_at > v_now - interval '1 day'
    and e.effect in ('unknown_product', 'unknown_user', 'unreadable')
  group by reason, cure
  order by cure is null, reason desc;

  return query
  select
    'balances that differ from the ledger',
    count(*)::text,
    case when count(*) > 0 then 'see private.ledger_mismatches()' end
  from private.ledger_mismatches();
end
$$;
-- metrics: what a bridge serves at /metrics: a name, its labels and a value in each row
--
-- Read every few seconds and on the bridge's own connection, so it must stay cheap however much there
-- is: every part reads at most 10,000 entries of one small index. A count of 10000 means "or more". The
-- limits stand here as numbers, since a plan for an unknown limit would read a whole index.
create function private.metrics()
returns table (name text, labels jsonb, value double precision)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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
  from (values ('due'), ('rate_limited'), ('scheduled'), ('waiting'), ('dispatched')) as places (place)
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
  select 'purchases_not_applied', jsonb_build_object('effect', reasons.effect), count(e.effect)::double precision
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
  select 'provider_cancellations', '{}', count(*)
  from (select from private.provider_cancellations limit 10000) c
  union all
  select 'notification_queue_fraction', '{}', pg_notification_queue_usage();
end
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.operator_status(), private.metrics() to generation_bridge;

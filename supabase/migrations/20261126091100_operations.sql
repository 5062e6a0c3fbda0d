-- What an operator calls.

-- prune_jobs: deletes jobs that ended p_older_than ago; returns how many. For an operator or
-- pg_cron.
--
-- Their generations stay, and the ledger keeps their ids. Locked jobs are left for the next call:
-- the deletion of an account locks its jobs in another order.
create function private.prune_jobs(p_older_than interval)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
begin
  delete from public.jobs
  where id in (
    select id from public.jobs where finished_at < now() - p_older_than for update skip locked
  );
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

  return query select * from private.status_of_bounds();

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
revoke execute on all functions in schema private from public;
grant execute on function private.operator_status() to generation_bridge;

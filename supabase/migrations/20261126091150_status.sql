-- The facts that `make status` shows.

-- is_running: whether a bridge, or a worker, was seen within a minute, which is three heartbeats
create function private.is_running(p_kind text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from private.processes
    where kind = p_kind and seen_at > clock_timestamp() - interval '1 minute'
  )
$$;

-- status_of_processes: which processes run, and what they cannot reach
create function private.status_of_processes()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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

-- status_of_jobs: the unfinished jobs, and which process leaves them
--
-- A process that does not run is named before one that does: without a bridge nothing is sent, and
-- a message that was lost is not sent again, whatever the workers do.
create function private.status_of_jobs()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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

-- status_of_last_hour: how jobs ended, and how long they took; of the newest 10,000
--
-- now(), since an index is not searched for a time that may change from row to row.
create function private.status_of_last_hour()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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

-- status_of_providers: their circuits, and whether their webhooks arrive
--
-- A model that has not been refused for an hour, and has no job that waits, is no longer in use.
-- Three jobs that were collected without a webhook can be a coincidence of one; none of an hour is
-- not.
create function private.status_of_providers()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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

-- status_of_money: purchases that did nothing, and what the audit of the ledger found
create function private.status_of_money()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
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

-- operator_status: one row per fact for `make status`; problem is null when the fact is fine
--
-- It reads unfinished jobs, the newest of those that ended, and no whole table: see audit_ledger.
create function private.operator_status()
returns table (item text, value text, problem text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select * from private.status_of_processes()
  union all select * from private.status_of_jobs()
  union all select * from private.status_of_last_hour()
  union all select * from private.status_of_providers()
  union all select * from private.status_of_bounds()
  union all select * from private.status_of_money()
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.operator_status() to generation_bridge;

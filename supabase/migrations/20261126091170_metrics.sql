-- The metrics that a bridge serves to Prometheus.

-- metrics: the answer of a bridge at /metrics: a name, its labels and a value in each row
--
-- Read every few seconds and on the bridge's own connection, so it must stay cheap however much
-- there
-- is: every part reads at most 10,000 entries of one small index. A count of 10000 means "or more".
-- The limits stand here as numbers, since a plan for an unknown limit would read a whole index.
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

revoke execute on all functions in schema private from public;
grant execute on function private.metrics() to generation_bridge;

-- The functions of an operator.

-- prune_jobs: deletes jobs that ended p_older_than ago, the oldest first and p_limit at most;
-- returns how many. For an operator or pg_cron, which calls it again while it returns p_limit.
--
-- Their generations stay, and the ledger keeps their ids. One statement for a year of jobs would
-- hold its locks for seconds and leave a vacuum to do that slows every look of the bridge. Locked
-- jobs are left for the next call: the deletion of an account locks its jobs in another order.
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
--
-- It reads the whole ledger. audit_ledger looks at a part of it at a time.
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

create table private.ledger_audit (
  is_only_row boolean primary key default true,
  after_user uuid not null default '00000000-0000-0000-0000-000000000000',
  wrong uuid[] not null default '{}',
  ended_at timestamptz,
  constraint there_is_one_row check (is_only_row)
);
alter table private.ledger_audit enable row level security;
comment on table private.ledger_audit is
  'How far audit_ledger has come, and what it found. One row.';
comment on column private.ledger_audit.after_user is 'Where the pass goes on.';
comment on column private.ledger_audit.wrong is
  'At most 100 users whose balance differed from their ledger when they were last looked at.';
comment on column private.ledger_audit.ended_at is 'When the last pass over all users ended.';
insert into private.ledger_audit default values;

-- audit_ledger: compares the balances of the next p_limit users with their ledgers
--
-- p_restart   begin with the first user
-- checked     how many users were looked at
-- is_complete the pass has come to the last user; the next call begins anew
-- wrong       all users that are known to be wrong now
--
-- One statement compares, so it sees no transaction half.
create function private.audit_ledger(
  p_limit integer, p_restart boolean default false,
  out checked integer, out is_complete boolean, out wrong uuid[]
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

-- schema_version: which code this schema serves
--
-- Code knows the version it was written for. It does not start against an older schema, or against
-- a newer one whose compatible_since is above that version. A migration that changes what bridge or
-- worker rely on replaces this function: version goes up by one; compatible_since becomes that
-- version only if older code would break.
create function private.schema_version(out version integer, out compatible_since integer)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select 1, 1
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.schema_version() to generation_bridge, generation_worker;
grant execute on function private.audit_ledger(integer, boolean) to generation_bridge;

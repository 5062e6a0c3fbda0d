-- Which of our processes were seen, and what is wrong as they see it.

create table private.processes (
  name text primary key,
  kind text not null,
  version text not null,
  problem text,
  expects_webhooks boolean not null default false,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  constraint kinds_are_known check (kind in ('bridge', 'worker', 'webhook'))
) with (fillfactor = 50);  -- a heartbeat then moves no index entry
alter table private.processes enable row level security;
comment on table private.processes is
  'One row per bridge and per worker, written by its heartbeat, and one for all webhooks of '
  'providers. A row that was not seen for a day is removed.';
comment on column private.processes.name is 'Host and process number.';
comment on column private.processes.problem is
  'What the process cannot reach, or who refuses it, in one line for the operator.';
comment on column private.processes.expects_webhooks is
  'The worker gave its providers the address of a webhook.';

-- record_process: the heartbeat of a process
--
-- p_name    host and process number
-- p_problem what it cannot reach, at most 500 characters; null when all is well
create function private.record_process(
  p_name text, p_kind text, p_version text, p_problem text, p_expects_webhooks boolean default false
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
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

-- record_webhook: a provider's webhook came; written once a minute, so that webhooks do not wait
-- for each other
create function private.record_webhook()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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

revoke execute on all functions in schema private from public;
grant execute on function private.record_process(text, text, text, text, boolean)
to generation_bridge, generation_worker;

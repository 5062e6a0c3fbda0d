-- {jobs} queued jobs, and for each ten of them three that wait for a provider, one that runs and
-- three that ended.
--
-- The superuser runs this without triggers and references: they would take an hour and change
-- nothing in the rows. The first user has a third of the ended jobs; each other user has about the
-- same few jobs at every size. One job is dispatched.

set session_replication_role = replica;
-- Making the indexes at the end is faster than updating them for each row.
create temporary table later as
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index
where indrelid in (
    'public.jobs'::regclass, 'public.credit_entries'::regclass, 'public.generations'::regclass
  )
  and indexrelid not in (select conindid from pg_constraint);
do $$
declare
  v_index record;
begin
  for v_index in select * from later loop
    execute 'drop index ' || v_index.name;
  end loop;
end
$$;

create temporary table plan as
select
  n, gen_random_uuid() as id, status, now() - n * interval '1 second' as at,
  ('00000000-0000-4000-8000-' || lpad(
    (case when has_ended and n % 3 = 0 then 0 else 1 + n % ({jobs} / 20) end)::text, 12, '0'
  ))::uuid as user_id
from
  generate_series(1, {jobs} * 17 / 10) n,
  lateral (select (array[
    'queued', 'queued', 'queued', 'queued', 'queued',
    'queued', 'queued', 'queued', 'queued', 'queued',
    'waiting', 'waiting', 'waiting', 'running', 'succeeded', 'succeeded', 'failed'
  ]::public.job_status[])[1 + n % 17] as status) s,
  lateral (select status in ('succeeded', 'failed') as has_ended) e;

insert into auth.users (id) select distinct user_id from plan;
insert into public.entitlements (user_id, credits, next_rank)
select user_id, 1000000 - count(*) filter (where status <> 'failed'), 0 from plan group by user_id;
insert into public.credit_entries (user_id, kind, amount, reason, external_ref)
select id, 'grant', 1000000, 'bench', 'bench:' || id from auth.users;
insert into public.credit_entries (user_id, kind, amount, reason, job_id, fingerprint)
select user_id, 'hold', -1, 'preview', id, sha256(id::text::bytea) from plan;
insert into public.credit_entries (user_id, kind, amount, reason, job_id)
select user_id, case status when 'failed' then 'refund' else 'settle' end::public.credit_entry_kind,
  (status = 'failed')::int, status, id
from plan where status in ('succeeded', 'failed');

insert into public.jobs (
  id, user_id, model_id, input, status, cost, rank,
  attempt, max_attempts, fence, run_at, dispatched_at, lease_expires_at, deadline_at,
  submitted_at, provider_ref, error_code, error_message, created_at, started_at, finished_at
)
select
  id, user_id, 'preview', '{{"prompt": "a fox in the snow"}}', status, 1,
  extract(epoch from at) + 8 * (n % 20),
  (status <> 'queued')::int, 3, (status <> 'queued')::int,
  case when status = 'waiting' then now() + (1 + n % 3600) * interval '1 minute' end,
  case when n = 17 then now() - interval '1 minute' end,
  case when status = 'running' then now() + interval '1 day' end,
  now() + interval '1 day',
  case when status = 'waiting' then at end, case when status = 'waiting' then id::text end,
  case when status = 'failed' then 'internal' end::public.error_code,
  case when status = 'failed' then 'Sorry.' end,
  at, case when status <> 'queued' then at end,
  case when status in ('succeeded', 'failed') then at end
from plan;
insert into private.job_requests (job_id, provider, provider_input)
select id, 'preview', input from public.jobs;
insert into public.generations (
  id, user_id, model_id, input, status, output, error_code, error_message, requested_at, created_at
)
select
  id, user_id, model_id, input, status,
  case when status = 'succeeded' then '[{{"path": "a/b/0.png"}}]'::jsonb end,
  error_code, error_message, created_at, finished_at
from public.jobs where finished_at is not null;

do $$
declare
  v_index record;
begin
  for v_index in select * from later loop
    execute v_index.definition;
  end loop;
end
$$;
reset session_replication_role;

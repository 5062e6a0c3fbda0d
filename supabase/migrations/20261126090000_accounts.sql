-- Roles, settings, and the credits of every user.

create schema private;
comment on schema private is 'The machine: not exposed by the Data API.';

-- Every function says `set search_path = pg_catalog, pg_temp`. With an empty path, Postgres looks
-- for types and relations in pg_temp first: a login that may make temporary objects could shadow
-- uuid there, and run code of its own as the owner of a function that it may call.
--
-- Every function that a role calls also says `set random_page_cost = 0`. A session keeps its
-- plans. A plan that it made while a table fitted one page would read the whole table after the
-- table has grown; with this setting the plan uses the index from the beginning.

-- The roles of the two processes. Each process logs in as a member of its own role and of no
-- other role, and becomes that role. docs/deploy.md has the recipe.
do $$
begin
  if to_regrole('generation_bridge') is null then
    create role generation_bridge nologin;
  end if;
  if to_regrole('generation_worker') is null then
    create role generation_worker nologin;
  end if;
  execute format('grant generation_bridge, generation_worker to %I', current_user);
end
$$;
grant usage on schema private to generation_bridge, generation_worker;

create type public.credit_entry_kind as enum (
  'grant',    -- credits in: starter gift, purchase
  'hold',     -- reserved when a generation is requested; also the receipt of its id
  'settle',   -- the hold was spent: the generation succeeded
  'refund',   -- the hold came back: it failed or was canceled
  'revoke'    -- credits out: a purchase was refunded, or what was owed for one is taken
);

create table private.config (
  is_only_row boolean primary key default true,
  starter_credits integer not null default 10,
  anonymous_starter_credits integer not null default 5,
  max_unfinished_jobs integer not null default 20,
  max_input_bytes integer not null default 16384,
  free_spacing double precision not null default 8,
  paid_spacing double precision not null default 1,
  max_paid_jobs_per_day integer not null default 200,
  max_unsuccessful_per_day integer not null default 60,
  accept_sandbox_purchases boolean not null default false,
  constraint there_is_one_row check (is_only_row),
  constraint starter_credits_are_not_negative
    check (starter_credits >= 0 and anonymous_starter_credits >= 0),
  constraint bounds_are_positive check (
    max_unfinished_jobs > 0 and max_input_bytes > 0 and max_paid_jobs_per_day > 0
    and max_unsuccessful_per_day > 0
  ),
  constraint paid_users_are_denser check (0 < paid_spacing and paid_spacing <= free_spacing)
);
alter table private.config enable row level security;
comment on table private.config is 'The product''s numbers. One row; change it with update.';
comment on column private.config.free_spacing is
  'Seconds of rank between two unfinished jobs of a free user, so that other users get their turn.';
comment on column private.config.paid_spacing is
  'The same for a paid user, who may have more jobs near the front.';
comment on column private.config.max_paid_jobs_per_day is
  'How many included jobs a paid user may have in 24 hours, so that a subscription is no open '
  'wallet.';
comment on column private.config.max_unsuccessful_per_day is
  'How many jobs of a user may, within 24 hours, reach the provider and then be canceled or '
  'refused.';
comment on column private.config.accept_sandbox_purchases is
  'Whether purchases of a store''s sandbox count. Anybody with a tester account makes them for '
  'free.';
insert into private.config default values;

-- Every transaction locks the account row before it locks a job of that user, and what a user
-- owns refers to this row instead of auth.users. So a completion and the deletion of the account
-- wait for each other here, and cannot deadlock.
create table public.entitlements (
  user_id uuid primary key references auth.users (id) on delete cascade,
  is_paid boolean not null default false,
  paid_until timestamptz,
  credits integer not null default 0,
  owed integer not null default 0,
  next_rank double precision not null default 0,
  blocked_at timestamptz,
  created_at timestamptz not null default now(),
  constraint credits_are_not_negative check (credits >= 0),
  constraint debtors_have_no_credits check (owed >= 0 and (owed = 0 or credits = 0))
);
alter table public.entitlements enable row level security;
comment on table public.entitlements is
  'What a user may do. credits and owed equal the sums of the user''s credit_entries.';
comment on column public.entitlements.is_paid is
  'Set by a backend of your own. A user with paid_until in the future is paid, too: '
  'private.is_paid.';
comment on column public.entitlements.paid_until is
  'When the last of the user''s subscriptions ends or ended; record_purchase keeps it.';
comment on column public.entitlements.blocked_at is
  'Set by an operator: every call of this user is refused as account_suspended.';
comment on column public.entitlements.owed is
  'Credits that were revoked when they were already spent or held. The next credits that come in '
  'pay it first.';

-- is_paid: whether a user has the rights of a paid user now
create function private.is_paid(p_account public.entitlements)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select p_account.is_paid or coalesce(p_account.paid_until > clock_timestamp(), false)
$$;

create table public.credit_entries (
  id bigint generated always as identity primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  kind public.credit_entry_kind not null,
  amount integer not null,
  owed integer not null default 0,
  job_id uuid,          -- no foreign key: the entry stays when the job is pruned
  reason text not null,
  external_ref text,
  fingerprint bytea,    -- SHA-256 of the request that the hold was made for
  created_at timestamptz not null default now(),
  constraint amounts_have_the_sign_of_their_kind check (
    case kind
      when 'grant' then amount > 0
      when 'hold' then amount <= 0
      when 'settle' then amount = 0
      when 'revoke' then amount <= 0
      else amount >= 0
    end
  ),
  -- A revoke owes what it could not take. A later revoke takes that: then owed falls with credits.
  constraint only_revokes_are_owed
    check (owed = 0 or (kind = 'revoke' and (owed > 0 or owed = amount))),
  constraint only_jobs_are_held_for check ((kind in ('grant', 'revoke')) = (job_id is null)),
  constraint only_holds_are_receipts check ((kind = 'hold') = (fingerprint is not null)),
  constraint reasons_are_short check (char_length(reason) between 1 and 200),
  constraint external_refs_are_short check (char_length(external_ref) between 1 and 200)
);
alter table public.credit_entries enable row level security;
comment on table public.credit_entries is
  'Append-only ledger. Its holds keep every accepted job id: a pruned id is still the same job.';

-- A purchase counts once. Partial, since the entries of jobs have none.
create unique index credit_entries_by_external_ref
  on public.credit_entries (external_ref) where external_ref is not null;
-- A job id is charged at most once, permanently.
create unique index credit_entries_one_hold_per_job
  on public.credit_entries (job_id) where kind = 'hold';
-- A job is settled or refunded, at most once.
create unique index credit_entries_one_outcome_per_job
  on public.credit_entries (job_id) where kind in ('settle', 'refund');
-- A user's statement, newest first.
create index credit_entries_by_user on public.credit_entries (user_id, created_at desc);

create policy "Owners see their entitlement" on public.entitlements
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Owners see their credit entries" on public.credit_entries
  for select to authenticated using ((select auth.uid()) = user_id);

revoke all on table public.entitlements, public.credit_entries
  from anon, authenticated, service_role;
revoke all on sequence public.credit_entries_id_seq from anon, authenticated, service_role;
grant select on table public.entitlements, public.credit_entries to authenticated, service_role;
-- A purchase backend sets is_paid directly. It moves credits through grant_credits and
-- revoke_credits only.
grant update (is_paid) on table public.entitlements to service_role;

-- post_entry: writes one ledger entry and the balance; the only function that moves credits
--
-- Credits that come in, by a grant or a refund, pay first what the user owes. So credits and owed
-- depend on the sum of all entries alone and not on their order, and a hold hides no credits from
-- a revoke. The balance is written first: a trigger on the entry can read it. It is written once,
-- with the next rank of a hold: the second update of a row in one transaction checks its foreign
-- key again, and would wait for the deletion of the user, which waits for this row.
create function private.post_entry(
  p_user_id uuid,
  p_kind public.credit_entry_kind,
  p_amount integer,
  p_reason text,
  p_job_id uuid default null,
  p_external_ref text default null,
  p_fingerprint bytea default null,
  p_owed integer default 0,
  p_next_rank double precision default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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

-- raise_api_error: ends the request with this HTTP status, error code and message
--
-- PostgREST reads status and headers from an error with this sqlstate. So the Edge Functions, and a
-- client that calls the Data API directly, see the same codes.
create function private.raise_api_error(
  p_status integer, p_code text, p_message text, p_headers jsonb default '{}'
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise sqlstate 'PGRST' using
    message = json_build_object(
      'code', p_code, 'message', p_message, 'details', null, 'hint', null
    )::text,
    detail = json_build_object('status', p_status, 'headers', p_headers)::text;
end
$$;

-- open_account: gives a new auth user an entitlement and the starter credits
create function private.open_account(p_user_id uuid, p_is_anonymous boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
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

-- security definer: the Auth service inserts the user, and has no rights on these tables.
create function private.on_user_created()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  perform private.open_account(new.id, coalesce(new.is_anonymous, false));
  return null;
end
$$;

create trigger open_account_of_new_user
  after insert on auth.users
  for each row execute function private.on_user_created();

-- Users who exist before the first migration.
select private.open_account(id, coalesce(is_anonymous, false)) from auth.users;

-- Postgres lets every role execute a new function. Each chapter revokes that inside private only:
-- the default privileges belong to the host project, whose own functions need them.
revoke execute on all functions in schema private from public;

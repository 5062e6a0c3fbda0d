-- Roles, settings, and the credits of every user.

create schema private;
comment on schema private is 'The machine: not exposed by the Data API.';

-- Every function of the project says `set search_path = pg_catalog, pg_temp`. With an empty path, Postgres
-- looks for types and relations in pg_temp first: a login that may make temporary objects could shadow
-- uuid there and run code of its own as the owner of a function that it may call.
--
-- Every function that a role calls says `set random_page_cost = 0`, for all that it does: a session keeps
-- its plans, and one that it made while a table fitted one page would go on to read the whole table when
-- that has grown. With this, a plan takes the index even then.

-- The roles of the two processes. Each process logs in as a member of its own role and of no other, and
-- becomes that role; docs/operations.md has the recipe.
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
  'refund'    -- the hold came back: it failed or was canceled
);

create table private.config (
  is_only_row boolean primary key default true,
  starter_credits integer not null default 10,
  anonymous_starter_credits integer not null default 5,
  max_unfinished_jobs integer not null default 20,
  max_input_bytes integer not null default 16384,
  free_spacing double precision not null default 8,
  paid_spacing double precision not null default 1,
  constraint there_is_one_row check (is_only_row),
  constraint starter_credits_are_not_negative check (starter_credits >= 0 and anonymous_starter_credits >= 0),
  constraint bounds_are_positive check (max_unfinished_jobs > 0 and max_input_bytes > 0),
  constraint paid_users_are_denser check (0 < paid_spacing and paid_spacing <= free_spacing)
);
alter table private.config enable row level security;
comment on table private.config is 'The product''s numbers. One row; change it with update.';
comment on column private.config.free_spacing is
  'Seconds of rank between two jobs of a free user: the k-th waiting job of one user ranks with jobs requested k spacings later.';
insert into private.config default values;

-- The account row is locked before any job of its user, everywhere; and what a user owns refers to it
-- and not to auth.users. So a completion and the deletion of the account queue up here and cannot deadlock.
create table public.entitlements (
  user_id uuid primary key references auth.users (id) on delete cascade,
  is_paid boolean not null default false,
  credits integer not null default 0,
  next_rank double precision not null default 0,
  created_at timestamptz not null default now(),
  constraint credits_are_not_negative check (credits >= 0)
);
alter table public.entitlements enable row level security;
comment on table public.entitlements is
  'What a user may do. credits is always the sum of the user''s credit_entries; only private.post_entry writes it.';

create table public.credit_entries (
  id bigint generated always as identity primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  kind public.credit_entry_kind not null,
  amount integer not null,
  job_id uuid,          -- no reference: the entry outlives the job
  reason text not null,
  external_ref text unique,
  fingerprint bytea,    -- of the request a hold was made for
  created_at timestamptz not null default now(),
  constraint amounts_have_the_sign_of_their_kind check (
    case kind when 'grant' then amount > 0 when 'hold' then amount <= 0 when 'settle' then amount = 0 else amount >= 0 end
  ),
  constraint only_grants_are_without_a_job check ((kind = 'grant') = (job_id is null)),
  constraint only_holds_are_receipts check ((kind = 'hold') = (fingerprint is not null)),
  constraint reasons_are_short check (char_length(reason) between 1 and 200),
  constraint external_refs_are_short check (char_length(external_ref) between 1 and 200)
);
alter table public.credit_entries enable row level security;
comment on table public.credit_entries is
  'Append-only ledger. Its holds remember every job id ever accepted, so an id stays the same job after the job is pruned.';

-- an id is charged once, for ever
create unique index credit_entries_one_hold_per_job on public.credit_entries (job_id) where kind = 'hold';
-- at most one of settle and refund can ever exist for a job
create unique index credit_entries_one_outcome_per_job on public.credit_entries (job_id) where kind in ('settle', 'refund');
-- a user's statement, newest first
create index credit_entries_by_user on public.credit_entries (user_id, created_at desc);

create policy "Owners see their entitlement" on public.entitlements
  for select to authenticated using ((select auth.uid()) = user_id);
create policy "Owners see their credit entries" on public.credit_entries
  for select to authenticated using ((select auth.uid()) = user_id);

revoke all on table public.entitlements, public.credit_entries from anon, authenticated, service_role;
revoke all on sequence public.credit_entries_id_seq from anon, authenticated, service_role;
grant select on table public.entitlements, public.credit_entries to authenticated, service_role;
-- A purchase backend says who is paid; credits move through grant_credits alone.
grant update (is_paid) on table public.entitlements to service_role;

-- post_entry: the only statement that moves credits
create function private.post_entry(
  p_user_id uuid,
  p_kind public.credit_entry_kind,
  p_amount integer,
  p_reason text,
  p_job_id uuid default null,
  p_external_ref text default null,
  p_fingerprint bytea default null
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into public.credit_entries (user_id, kind, amount, reason, job_id, external_ref, fingerprint)
  values (p_user_id, p_kind, p_amount, p_reason, p_job_id, p_external_ref, p_fingerprint);

  update public.entitlements
  set credits = credits + p_amount
  where user_id = p_user_id and p_amount <> 0;
end
$$;

-- raise_api_error: ends the request with an HTTP status of our choice
--
-- PostgREST reads status and headers from an error with this sqlstate, so the Edge Functions and a client
-- that calls the Data API directly see the same codes.
create function private.raise_api_error(p_status integer, p_code text, p_message text, p_headers jsonb default '{}')
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise sqlstate 'PGRST' using
    message = json_build_object('code', p_code, 'message', p_message, 'details', null, 'hint', null)::text,
    detail = json_build_object('status', p_status, 'headers', p_headers)::text;
end
$$;

-- open_account: a new auth user gets an entitlement and the starter grant
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
    perform private.post_entry(p_user_id, 'grant', v_credits, 'starter', p_external_ref => 'starter:' || p_user_id);
  end if;
end
$$;

-- security definer: the trigger runs as the Auth service, which may not touch our tables
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

-- users who were there before us
select private.open_account(id, coalesce(is_anonymous, false)) from auth.users;

-- Postgres lets every role execute a new function: each chapter takes that back inside private, and
-- leaves the default of the database as it is, for the functions of others.
revoke execute on all functions in schema private from public;

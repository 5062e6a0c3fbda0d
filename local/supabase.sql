-- The parts of hosted Supabase that our first migration finds, as far as we rely on them.
--
-- Run once, in the database postgres of an empty cluster, by its superuser supabase_admin. Nothing
-- newer than Postgres 17. The login roles get no password here: local/postgres.py gives them one.

create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
-- The Data API logs in as this and becomes one of the three.
create role authenticator login noinherit;
create role postgres login createdb createrole replication bypassrls;
create role supabase_auth_admin login;
create role supabase_storage_admin login;
create role supabase_realtime_admin login;

grant anon, authenticated, service_role
  to authenticator, supabase_storage_admin, supabase_realtime_admin;
grant anon, authenticated, service_role to postgres with admin option;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

alter database postgres owner to postgres;
create schema extensions authorization postgres;
alter role postgres set search_path = "$user", public, extensions;
-- As in projects created since 30 May 2026: what is new in public is granted to no role, not even
-- service_role.
grant usage on schema public, extensions to anon, authenticated, service_role;

create schema auth authorization supabase_auth_admin;
grant usage on schema auth
  to postgres, anon, authenticated, service_role, supabase_storage_admin, supabase_realtime_admin;

set role supabase_auth_admin;

create table auth.users (
  id uuid primary key,
  aud text,
  role text,
  email text unique,
  email_confirmed_at timestamptz,
  email_change text,
  email_change_sent_at timestamptz,
  phone text unique,
  raw_app_meta_data jsonb,
  raw_user_meta_data jsonb,
  is_anonymous boolean not null default false,
  last_sign_in_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz
);
alter table auth.users enable row level security;
grant select, insert, update, delete, references, trigger on auth.users to postgres;

create table auth.sessions (
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  created_at timestamptz not null default now()
);
alter table auth.sessions enable row level security;
create index sessions_of_a_user on auth.sessions (user_id);

create table auth.refresh_tokens (
  token text primary key,
  session_id uuid not null references auth.sessions (id) on delete cascade,
  parent text,
  revoked boolean not null default false,
  created_at timestamptz not null default now()
);
alter table auth.refresh_tokens enable row level security;
-- a session has one token that is good; the others were rotated away
create unique index refresh_tokens_one_active on auth.refresh_tokens (session_id) where not revoked;
grant select on auth.sessions, auth.refresh_tokens to postgres;

create table auth.one_time_tokens (
  user_id uuid not null references auth.users (id) on delete cascade,
  token_type text not null,
  token_hash text not null,
  relates_to text not null,  -- the address
  created_at timestamptz not null default now(),
  primary key (user_id, token_type)
);
alter table auth.one_time_tokens enable row level security;

create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

create function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

reset role;

create schema storage authorization supabase_storage_admin;
grant usage on schema storage to postgres, anon, authenticated, service_role;

set role supabase_storage_admin;

create function storage.foldername(name text) returns text[] language sql immutable as $$
  select parts[1:cardinality(parts) - 1] from string_to_array(name, '/') as parts
$$;

create function storage.filename(name text) returns text language sql immutable as $$
  select parts[cardinality(parts)] from string_to_array(name, '/') as parts
$$;

create function storage.extension(name text) returns text language sql immutable as $$
  select substring(storage.filename(name) from '[^.]*$')
$$;

create table storage.buckets (
  id text primary key,
  name text not null unique,
  owner uuid,
  owner_id text,
  public boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create table storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets (id),
  name text,
  owner uuid,
  owner_id text,
  version text,  -- names the file that holds the bytes
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  unique (bucket_id, name)
);
create index idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");

-- A row deleted by SQL would leave its bytes behind, so only the Storage API may: it sets this for
-- its transaction.
create function storage.protect_delete() returns trigger language plpgsql as $$
begin
  if current_setting('storage.allow_delete_query', true) is distinct from 'true' then
    raise exception
      'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
      using errcode = '42501';
  end if;
  return null;
end
$$;

create trigger protect_buckets_delete before delete on storage.buckets
  for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
  for each statement execute function storage.protect_delete();

-- Whom these grants let in is decided by the policies, and there are none yet.
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant select, insert, update, delete, references, trigger
  on storage.buckets, storage.objects to postgres;
grant select, insert, update, delete
  on storage.buckets, storage.objects to anon, authenticated, service_role;

reset role;

create schema realtime authorization supabase_realtime_admin;
grant usage on schema realtime to postgres, anon, authenticated, service_role;

set role supabase_realtime_admin;

-- Hosted, this is partitioned by day and a partition is dropped after 72 hours; here rows stay
-- until the stack is reset.
create table realtime.messages (
  id uuid not null default gen_random_uuid(),
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  binary_payload bytea,
  primary key (id, inserted_at)
);
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

create function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')
$$;

-- Never fails: a broadcast is a hint, and the transaction that sends it must not die of it.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void language plpgsql as $$
declare
  v_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, topic, extension, payload, event, private)
  values (
    v_id, topic, 'broadcast',
    case when payload ? 'id' then payload else jsonb_set(payload, '{id}', to_jsonb(v_id)) end,
    event, private
  );
exception when others then
  raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- Hosted, Realtime streams new messages by logical replication. Here the gateway takes their ids
-- from this table: whatever is in it was committed and not sent yet, in whatever order the
-- transactions ended.
create unlogged table realtime.outbox (message_id uuid primary key);

create function realtime.put_in_outbox() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if current_setting('realtime.is_probe', true) = 'true' then
    return null;  -- rolled back at once, see local/gateway/authorization.py
  end if;
  insert into realtime.outbox select id from new_messages;
  -- NOTIFY makes commits queue up for a lock of the whole cluster, so of concurrent transactions
  -- one rings for all.
  if pg_try_advisory_xact_lock(hashtext('realtime.outbox')) then
    notify realtime_outbox;
  end if;
  return null;
end
$$;

reset role;

-- Hosted Supabase (supautils) lets postgres write policies on tables it does not own. Plain
-- Postgres lets only the owner, so these tables belong to a role that postgres is a member of
-- without being able to become it, and an event trigger takes back what else an owner may do: any
-- change in these schemas but of a policy. An event trigger does not see what a GRANT is on, so
-- postgres can grant rights on these tables. Hosted, it can for the tables of storage too, but not
-- for realtime.messages.
create role supabase_policy_owner nologin;
grant supabase_policy_owner to postgres with inherit true, set false;
grant supabase_policy_owner to supabase_storage_admin, supabase_realtime_admin;
alter table storage.buckets owner to supabase_policy_owner;
alter table storage.objects owner to supabase_policy_owner;
alter table realtime.messages owner to supabase_policy_owner;
-- The owner's own rights would reach postgres by inheritance; what postgres may do with rows is
-- granted above. The remaining right lets Postgres check an object's reference to its bucket, as
-- the owner.
revoke all on storage.buckets, storage.objects, realtime.messages from supabase_policy_owner;
grant usage on schema storage to supabase_policy_owner;
grant select, update on storage.buckets to supabase_policy_owner;
grant all on storage.buckets, storage.objects to supabase_storage_admin;
grant all on realtime.messages to supabase_realtime_admin;

create trigger put_in_outbox after insert on realtime.messages
  referencing new table as new_messages
  for each statement execute function realtime.put_in_outbox();

create function storage.refuse_platform_changes() returns event_trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_changed text;
begin
  if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    return;
  end if;
  if tg_event = 'sql_drop' then
    select object_identity into v_changed from pg_event_trigger_dropped_objects()
    where object_type <> 'policy' and object_identity ~ '(^| on )(storage|realtime)\.';
  else
    select object_identity into v_changed from pg_event_trigger_ddl_commands()
    where object_type <> 'policy' and object_identity ~ '(^| on )(storage|realtime)\.';
  end if;
  if v_changed is not null then
    raise exception 'must be owner of %', v_changed using errcode = '42501';
  end if;
end
$$;
create event trigger refuse_platform_changes on ddl_command_end
  execute function storage.refuse_platform_changes();
create event trigger refuse_platform_drops on sql_drop
  execute function storage.refuse_platform_changes();

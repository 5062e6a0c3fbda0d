-- The events of a store: purchases, refunds and subscriptions, in any order and any number of
-- times.
--
-- An event never says "add" or "end". It is kept, and then the state of its transaction, and of
-- its subscription, is worked out again from all events that are known, in the order of their own
-- time. So a late, repeated or swapped event leads to the same balance and the same paid_until.

create table private.products (
  id text primary key,
  credits integer not null default 0,
  gives_access boolean not null default false,
  is_lifetime boolean not null default false,
  constraint products_do_something check (credits > 0 or gives_access),
  constraint only_access_lasts check (gives_access or not is_lifetime),
  constraint credits_are_bounded check (credits between 0 and 1000000)
);
alter table private.products enable row level security;
comment on table private.products is
  'What a store sells, by the product id in its events. credits are posted once per purchase or '
  'paid period; while a period with gives_access lasts, the user is paid.';
comment on column private.products.is_lifetime is
  'It is bought once and its events have no expiration: the user is paid until it is refunded.';

create table private.purchase_events (
  id text primary key,
  type text,
  happened_at timestamptz,
  is_accepted boolean not null,
  store text,
  transaction_id text,
  subscription text,
  product_id text,
  expires_at timestamptz,
  customer text[] not null,
  transferred_to text[] not null,
  is_refund boolean,
  event jsonb not null,
  effect text,
  credits integer not null default 0,
  granted_to uuid,
  received_at timestamptz not null default clock_timestamp()
);
alter table private.purchase_events enable row level security;
comment on table private.purchase_events is
  'Every store event by its id, read once, with what it did. No reference to the account: a refund '
  'may come after the deletion.';
comment on column private.purchase_events.is_accepted is
  'False for a sandbox, unless private.config says that its purchases count.';
comment on column private.purchase_events.subscription is
  'The first transaction of the subscription that this event is about.';
comment on column private.purchase_events.customer is
  'All ids that the store knows the buyer by; of a TRANSFER, those that lose the subscriptions.';
comment on column private.purchase_events.is_refund is
  'True: the purchase was refunded. False: its refund was reversed. Null: neither.';
comment on column private.purchase_events.credits is
  'What the transaction got through this event: its grant, a refund as negative, or its reversal.';

-- A transaction grants once, permanently: also after the account with its ledger was deleted.
create unique index purchase_events_one_grant_per_transaction
  on private.purchase_events (store, transaction_id) where granted_to is not null;
-- settle_refunds: the refunds of a transaction.
create index purchase_events_refunds on private.purchase_events (store, transaction_id)
  where is_refund is not null;
-- place_subscription: the transfers after an event.
create index purchase_events_transfers on private.purchase_events (happened_at)
  where type = 'TRANSFER';
-- operator_status: the events that did not do what they should.
create index purchase_events_unapplied on private.purchase_events (received_at)
  where effect in ('unknown_product', 'unknown_user', 'unreadable');

create table private.subscriptions (
  store text not null,
  subscription text not null,
  product_id text,
  expires_at timestamptz not null,
  as_of timestamptz not null,
  as_of_event text not null,
  customer text[] not null,
  holders text[] not null default '{}',
  user_id uuid,
  primary key (store, subscription)
);
alter table private.subscriptions enable row level security;
comment on table private.subscriptions is
  'What the newest event says of each subscription, and the user who has it after all transfers. '
  'paid_until is the maximum of a user''s rows whose product gives access.';
comment on column private.subscriptions.customer is 'The ids of the buyer in that newest event.';
comment on column private.subscriptions.holders is
  'All ids that had it since then: a late transfer from one of them changes who has it now.';
-- refresh_paid_until: the subscriptions of a user.
create index subscriptions_by_user on private.subscriptions (user_id);
-- apply_transfer: the subscriptions of one user go to another.
create index subscriptions_by_holder on private.subscriptions using gin (holders);

-- event_text: a short text of an event; null for anything else
create function private.event_text(p_event jsonb, p_key text, p_max integer default 150)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_event -> p_key) = 'string'
      and char_length(p_event ->> p_key) between 1 and p_max
    then p_event ->> p_key
  end
$$;

-- event_time: a time of an event, in milliseconds since 1970; null for anything else
create function private.event_time(p_event jsonb, p_key text)
returns timestamptz
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_event -> p_key) = 'number' then case
      when (p_event ->> p_key)::numeric between 0 and 253402300799000  -- the end of the year 9999
      then to_timestamp(floor((p_event ->> p_key)::numeric)::double precision / 1000)
    end
  end
$$;

-- event_ids: the customer ids under a key that holds one or a list; at most 100
create function private.event_ids(p_event jsonb, p_key text)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(id #>> '{}' order by n), '{}')
  from jsonb_array_elements(case jsonb_typeof(p_event -> p_key)
    when 'array' then p_event -> p_key
    when 'string' then jsonb_build_array(p_event -> p_key)
    else '[]'
  end) with ordinality as ids (id, n)
  where jsonb_typeof(id) = 'string' and char_length(id #>> '{}') between 1 and 100 and n <= 100
$$;

-- read_event: an event as a row; what is missing or of a wrong type is null
--
-- A billing issue may come with a grace period, in which the user keeps the access; an expiration
-- ends it now, whatever time it names. A subscription is known by its first transaction; without
-- one, an event stands for itself, as a temporary grant does.
-- subscriber_attributes may hold an e-mail address and are not kept.
create function private.read_event(p_event jsonb)
returns private.purchase_events
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_read private.purchase_events;
begin
  v_read.id := private.event_text(p_event, 'id');
  v_read.type := private.event_text(p_event, 'type');
  v_read.happened_at := private.event_time(p_event, 'event_timestamp_ms');
  v_read.store := private.event_text(p_event, 'store', 40);
  v_read.is_accepted := (select accept_sandbox_purchases from private.config) or (
    coalesce(p_event -> 'environment', 'null') in ('null', '"PRODUCTION"')
    and v_read.store is distinct from 'TEST_STORE'
  );
  v_read.transaction_id := private.event_text(p_event, 'transaction_id');
  v_read.subscription := coalesce(
    private.event_text(p_event, 'original_transaction_id'),
    v_read.transaction_id,
    case when v_read.type = 'TEMPORARY_ENTITLEMENT_GRANT' then v_read.id end
  );
  v_read.product_id := private.event_text(p_event, 'product_id');
  v_read.expires_at := private.event_time(p_event, 'expiration_at_ms');
  v_read.expires_at := case v_read.type
    when 'EXPIRATION' then least(v_read.expires_at, v_read.happened_at)
    else greatest(v_read.expires_at, private.event_time(p_event, 'grace_period_expiration_at_ms'))
  end;
  v_read.customer := case
    when v_read.type = 'TRANSFER' then private.event_ids(p_event, 'transferred_from')
    else private.event_ids(p_event, 'app_user_id')
      || private.event_ids(p_event, 'original_app_user_id')
      || private.event_ids(p_event, 'aliases')
  end;
  v_read.transferred_to := private.event_ids(p_event, 'transferred_to');
  v_read.is_refund := case
    when v_read.happened_at is null then null
    when v_read.type = 'REFUND_REVERSED' then false
    when v_read.type = 'CANCELLATION' and p_event ->> 'cancel_reason' = 'CUSTOMER_SUPPORT' then true
  end;
  v_read.event := p_event - 'subscriber_attributes';
  v_read.credits := 0;
  v_read.received_at := clock_timestamp();
  return v_read;
end
$$;

-- find_user: the first of a customer's ids that is a user; null if none is
create function private.find_user(p_customer text[])
returns uuid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids uuid[] := array(
    select id::uuid
    from unnest(p_customer) with ordinality as ids (id, n)
    where id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    order by n
  );
begin
  return (
    select user_id from public.entitlements
    where user_id = any (v_ids)
    order by array_position(v_ids, user_id)
    limit 1
  );
end
$$;

-- lock_account: locks a user, then the account, as a deletion does; returns the account
--
-- An event may write an account more than once. Then Postgres checks the foreign key to the user
-- again, and would wait for a deletion that waits for the account.
create function private.lock_account(p_user_id uuid)
returns public.entitlements
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_account public.entitlements;
begin
  perform from auth.users where id = p_user_id for key share;
  select * into v_account from public.entitlements where user_id = p_user_id for no key update;
  return v_account;
end
$$;

-- refresh_paid_until: works out until when a user is paid
create function private.refresh_paid_until(p_user_id uuid)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  select private.lock_account(p_user_id);
  update public.entitlements e
  set paid_until = ends.at
  from (
    select max(s.expires_at) as at
    from private.subscriptions s join private.products p on p.id = s.product_id
    where s.user_id = p_user_id and p.gives_access
  ) ends
  where e.user_id = p_user_id and e.paid_until is distinct from ends.at
$$;

revoke execute on all functions in schema private from public;

-- The rules by which a store's events move credits and access.
--
-- Events are applied one at a time, under the lock that record_purchase takes. Then comes the lock
-- of the account, as everywhere.

-- grant_purchase: a purchase or paid period posts the credits of its product, once
--
-- Returns null if there is nothing to post: a trial and a family member's share are not paid. An
-- entry that a backend posted by hand under the same reference counts as the grant.
create function private.grant_purchase(p_event private.purchase_events)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref text := p_event.store || ':' || p_event.transaction_id;
  v_product private.products;
  v_user_id uuid;
begin
  if exists (select from public.credit_entries where external_ref = v_ref) or exists (
    select from private.purchase_events
    where store = p_event.store and transaction_id = p_event.transaction_id
      and granted_to is not null
  ) then
    return 'known_transaction';
  end if;
  select * into v_product from private.products where id = p_event.product_id;
  if not found then
    return 'unknown_product';
  elsif v_product.credits = 0
    or p_event.event ->> 'period_type' = 'TRIAL' or p_event.event ->> 'is_family_share' = 'true'
  then
    return null;
  end if;

  v_user_id := (private.lock_account(private.find_user(p_event.customer))).user_id;
  if v_user_id is null then
    return 'unknown_user';
  end if;
  perform public.grant_credits(v_user_id, v_product.credits, 'purchase', v_ref);
  update private.purchase_events
  set granted_to = v_user_id, credits = credits + v_product.credits
  where id = p_event.id;
  return 'granted';
end
$$;

-- settle_refunds: a refunded transaction has no credits, one whose refund was reversed has them
-- again
--
-- The newest of its refunds and reversals decides, in whatever order they came. It takes
-- the amount of the grant, from the account that got it: the buyer's ids of today may name another
-- one. Returns null if the transaction was never refunded.
create function private.settle_refunds(p_event private.purchase_events)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_newest private.purchase_events;
  v_taken integer;
  v_grant public.credit_entries;
  v_account public.entitlements;
begin
  select * into v_newest
  from private.purchase_events
  where store = p_event.store and transaction_id = p_event.transaction_id
    and is_refund is not null and is_accepted
  order by happened_at desc, is_refund, id desc
  limit 1;
  if not found then
    return null;
  end if;
  select -sum(credits) into v_taken
  from private.purchase_events
  where store = p_event.store and transaction_id = p_event.transaction_id
    and is_refund is not null;
  if v_newest.is_refund = (v_taken > 0) then
    return 'known_refund';
  end if;

  select * into v_grant
  from public.credit_entries
  where external_ref = p_event.store || ':' || p_event.transaction_id and kind = 'grant';
  v_account := private.lock_account(v_grant.user_id);
  if v_account.user_id is null then
    return 'nothing_to_take';  -- not granted yet, or the account was deleted
  end if;

  if v_newest.is_refund then
    v_taken := -v_grant.amount;
    perform private.take_credits(
      v_account, v_grant.amount, 'purchase refunded', 'refund:' || v_newest.id
    );
  else
    perform private.post_entry(
      v_account.user_id, 'grant', v_taken, 'refund reversed',
      p_external_ref => 'return:' || v_newest.id
    );
  end if;
  update private.purchase_events set credits = credits + v_taken where id = v_newest.id;
  return case when v_newest.is_refund then 'revoked' else 'returned' end;
end
$$;

-- place_subscription: works out who has a subscription; returns the user, or null if it is none
--
-- It follows the transfers since the newest event about it, in the order of their time. At the same
-- time, the event comes first.
create function private.place_subscription(p_subscription private.subscriptions)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_customer text[] := p_subscription.customer;
  v_holders text[] := p_subscription.customer;
  v_transfer private.purchase_events;
  v_user_id uuid;
begin
  for v_transfer in
    select * from private.purchase_events
    where type = 'TRANSFER' and is_accepted and happened_at >= p_subscription.as_of
      and cardinality(transferred_to) > 0
    order by happened_at, id
  loop
    continue when not v_customer && v_transfer.customer;
    v_customer := v_transfer.transferred_to;
    v_holders := v_holders || v_customer;
  end loop;

  v_user_id := private.find_user(v_customer);
  update private.subscriptions
  set holders = v_holders, user_id = v_user_id
  where store = p_subscription.store and subscription = p_subscription.subscription;
  if p_subscription.user_id is distinct from v_user_id then
    perform private.refresh_paid_until(p_subscription.user_id);
  end if;
  perform private.refresh_paid_until(v_user_id);
  return v_user_id;
end
$$;

-- update_subscription: the newest event about a subscription says until when it lasts
--
-- Returns null if the event says nothing about one. A cancellation for a billing error says less
-- than the billing issue that comes with it, which has the grace period. A lifetime product lasts
-- from its purchase to its refund; its end is the last time that all our clients can read.
create function private.update_subscription(p_event private.purchase_events)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subscription private.subscriptions;
  v_product private.products;
begin
  select * into v_product from private.products where id = p_event.product_id;
  if v_product.is_lifetime
    and (p_event.type = 'NON_RENEWING_PURCHASE' or p_event.is_refund is not null)
  then
    p_event.expires_at := case
      when p_event.is_refund then p_event.happened_at else '9999-12-31 23:59:59+00'
    end;
  end if;
  if p_event.subscription is null or p_event.expires_at is null
    or p_event.event ->> 'cancel_reason' = 'BILLING_ERROR'
  then
    return null;
  elsif p_event.product_id is null then
    return 'unreadable';  -- it cannot say whether the period gives access
  end if;

  insert into private.subscriptions as known
    (store, subscription, product_id, expires_at, as_of, as_of_event, customer)
  values (
    p_event.store, p_event.subscription, p_event.product_id, p_event.expires_at,
    p_event.happened_at, p_event.id, p_event.customer
  )
  on conflict (store, subscription) do update
  set product_id = excluded.product_id,
      expires_at = excluded.expires_at,
      as_of = excluded.as_of,
      as_of_event = excluded.as_of_event,
      customer = excluded.customer
  where (known.as_of, known.expires_at, known.as_of_event)
    <= (excluded.as_of, excluded.expires_at, excluded.as_of_event)
  returning * into v_subscription;
  if not found then
    return 'older';
  elsif private.place_subscription(v_subscription) is null then
    return 'unknown_user';
  elsif v_product.id is null then
    return 'unknown_product';
  end if;
  return 'subscription';
end
$$;

-- transfer_subscriptions: moves what the one customer had to the other; never credits
create function private.transfer_subscriptions(p_event private.purchase_events)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_subscription private.subscriptions;
  v_effect text := 'nothing_to_transfer';
begin
  for v_subscription in
    select * from private.subscriptions
    where holders && p_event.customer and as_of <= p_event.happened_at
  loop
    perform private.place_subscription(v_subscription);
    v_effect := 'transferred';
  end loop;
  return v_effect;
end
$$;

-- apply_event: what a kept event means now
--
-- A type that is not named here has no effect. Among them: a product change is only announced, an
-- invoice is not yet paid, and RevenueCat's own currency is another ledger.
create function private.apply_event(p_event private.purchase_events)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_purchase boolean;
  v_granted text;
  v_settled text;
  v_updated text;
begin
  if not p_event.is_accepted then
    return 'sandbox';
  elsif p_event.type not in (
    'INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE', 'CANCELLATION', 'UNCANCELLATION',
    'EXPIRATION', 'BILLING_ISSUE', 'SUBSCRIPTION_PAUSED', 'SUBSCRIPTION_EXTENDED',
    'TEMPORARY_ENTITLEMENT_GRANT', 'REFUND_REVERSED', 'TRANSFER'
  ) then
    return 'ignored';
  elsif p_event.happened_at is null or p_event.type is null then
    return 'unreadable';
  elsif p_event.type = 'TRANSFER' and cardinality(p_event.transferred_to) > 0 then
    return private.transfer_subscriptions(p_event);
  elsif p_event.type = 'TRANSFER' or p_event.store is null then
    return 'unreadable';
  end if;

  v_is_purchase := p_event.type in ('INITIAL_PURCHASE', 'RENEWAL', 'NON_RENEWING_PURCHASE');
  if v_is_purchase and p_event.transaction_id is null then
    return 'unreadable';
  elsif v_is_purchase then
    v_granted := private.grant_purchase(p_event);
  end if;
  if v_is_purchase or p_event.is_refund is not null then
    v_settled := private.settle_refunds(p_event);
  end if;
  v_updated := private.update_subscription(p_event);
  return coalesce(v_settled, v_granted, v_updated, 'ignored');
end
$$;

-- record_purchase: keeps one store event by its id, and applies it; returns its effect
--
-- p_event an event of RevenueCat. Without an id it is refused with 400; any other is kept.
--
-- The same event again finds its work done; if its product or user was unknown, it is applied now.
create function public.record_purchase(p_event jsonb)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
set lock_timeout = '4s'  -- below the caller's timeout: the store repeats, and no queue builds up
as $$
declare
  v_event private.purchase_events;
  v_effect text;
begin
  if jsonb_typeof(p_event) is distinct from 'object'
    or private.event_text(p_event, 'id') is null
  then
    perform private.raise_api_error(400, 'invalid_request', 'An event needs an id.');
  end if;

  -- One event at a time: each reads what the others have done. Stores send few of them.
  perform pg_advisory_xact_lock(726177002);
  v_event := private.read_event(p_event);
  insert into private.purchase_events as known values (v_event.*)
  on conflict (id) do update set is_accepted = excluded.is_accepted
  returning * into v_event;

  v_effect := private.apply_event(v_event);
  update private.purchase_events
  set effect = v_effect
  where id = v_event.id
    and coalesce(effect, 'sandbox') in ('sandbox', 'unknown_product', 'unknown_user');
  return v_effect;
end
$$;
revoke execute on function public.record_purchase(jsonb) from public, anon, authenticated;
grant execute on function public.record_purchase(jsonb) to service_role;
revoke execute on all functions in schema private from public;

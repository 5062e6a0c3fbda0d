-- The functions of a purchase backend: grant credits, and take them back.

-- grant_credits: adds credits to a user's balance, once per external_ref; returns the balance
--
-- If the user owes credits that were revoked, the grant pays them first.
--
-- p_amount       credits, above 0
-- p_reason       what the user reads in the statement
-- p_external_ref the purchase's own id: the same one again changes nothing
--
-- It is in public because a purchase backend calls it through the Data API; only service_role may
-- execute it. A known external_ref with another user or amount is refused with 409.
create function public.grant_credits(
  p_user_id uuid, p_amount integer, p_reason text, p_external_ref text
) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_credits integer;
  v_known public.credit_entries;
begin
  if p_amount is null or p_amount <= 0
    or coalesce(p_reason, '') = '' or coalesce(p_external_ref, '') = ''
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A grant needs an amount above 0, a reason and an external_ref.'
    );
  end if;
  select credits into v_credits
  from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(404, 'unknown_user', 'There is no such user.');
  end if;

  select * into v_known from public.credit_entries where external_ref = p_external_ref;
  if found then
    if (v_known.user_id, v_known.kind, v_known.amount)
      is distinct from (p_user_id, 'grant'::public.credit_entry_kind, p_amount)
    then
      perform private.raise_api_error(
        409, 'id_conflict', 'This external_ref was used for another grant.'
      );
    end if;
    return v_credits;
  elsif v_credits > 1000000000 - p_amount then  -- a refund must never overflow the integer
    perform private.raise_api_error(
      400, 'invalid_request', 'A balance cannot exceed 1000000000 credits.'
    );
  end if;
  perform private.post_entry(
    p_user_id, 'grant', p_amount, p_reason, p_external_ref => p_external_ref
  );
  return (select credits from public.entitlements where user_id = p_user_id);
end
$$;
revoke execute on function public.grant_credits(uuid, integer, text, text)
  from public, anon, authenticated;
grant execute on function public.grant_credits(uuid, integer, text, text) to service_role;

-- take_credits: posts a revoke; credits that the balance lacks are owed
--
-- The caller has locked the account.
create function private.take_credits(
  p_account public.entitlements, p_amount integer, p_reason text, p_external_ref text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_taken integer := least(p_account.credits, p_amount);
begin
  perform private.post_entry(
    p_account.user_id, 'revoke', -v_taken, p_reason,
    p_external_ref => p_external_ref, p_owed => p_amount - v_taken
  );
end
$$;

-- revoke_credits: takes credits back, once per external_ref, and never below zero
--
-- p_amount       credits, above 0
-- p_reason       what the user reads in the statement
-- p_external_ref the refund's own id: the same one again changes nothing
--
-- Returns {"taken", "owed", "credits"}: what this revoke took when it was made, and what the user
-- owes and has now. The debt is taken from the next grants, and from the refunds of jobs that
-- hold credits. Refuses as grant_credits does.
create function public.revoke_credits(
  p_user_id uuid, p_amount integer, p_reason text, p_external_ref text
) returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_account public.entitlements;
  v_known public.credit_entries;
begin
  if p_amount is null or p_amount <= 0
    or coalesce(p_reason, '') = '' or coalesce(p_external_ref, '') = ''
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A revoke needs an amount above 0, a reason and an external_ref.'
    );
  end if;
  select * into v_account from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(404, 'unknown_user', 'There is no such user.');
  end if;

  select * into v_known from public.credit_entries where external_ref = p_external_ref;
  if not found then
    if v_account.owed > 1000000000 - p_amount then  -- the debt must never overflow the integer
      perform private.raise_api_error(
        400, 'invalid_request', 'A user cannot owe more than 1000000000 credits.'
      );
    end if;
    perform private.take_credits(v_account, p_amount, p_reason, p_external_ref);
  elsif (v_known.user_id, v_known.kind, v_known.owed - v_known.amount)
    is distinct from (p_user_id, 'revoke'::public.credit_entry_kind, p_amount)
  then
    perform private.raise_api_error(
      409, 'id_conflict', 'This external_ref was used for another revoke.'
    );
  end if;
  return (
    select jsonb_build_object('taken', -c.amount, 'owed', e.owed, 'credits', e.credits)
    from public.credit_entries c join public.entitlements e using (user_id)
    where c.external_ref = p_external_ref
  );
end
$$;
revoke execute on function public.revoke_credits(uuid, integer, text, text)
  from public, anon, authenticated;
grant execute on function public.revoke_credits(uuid, integer, text, text) to service_role;
revoke execute on all functions in schema private from public;

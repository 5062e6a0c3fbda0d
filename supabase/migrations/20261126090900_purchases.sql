-- What a purchase backend may do.

-- grant_credits: adds credits to a user's balance, once per external_ref; returns the balance
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
    if (v_known.user_id, v_known.amount) is distinct from (p_user_id, p_amount) then
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
  return v_credits + p_amount;
end
$$;
revoke execute on function public.grant_credits(uuid, integer, text, text)
  from public, anon, authenticated;
grant execute on function public.grant_credits(uuid, integer, text, text) to service_role;

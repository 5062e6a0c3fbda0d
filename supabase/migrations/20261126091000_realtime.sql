-- How a client learns of a change.

-- broadcast_job: sends the job to its owner's private topic
--
-- security definer: to send, a role needs rights on realtime.messages that our callers must not
-- have.
create function private.broadcast_job()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform realtime.send(private.job_json(new), 'job', 'user:' || new.user_id, true);
  return null;
end
$$;

create trigger jobs_broadcast_new
  after insert on public.jobs
  for each row execute function private.broadcast_job();
-- A claim is not sent: most jobs wait for their provider or end a moment later, which is sent. One
-- that keeps its worker is sent with each renewal of its lease, the first of them after a second.
-- A job that goes back to the queue is not sent: nothing changes for its owner.
create trigger jobs_broadcast_change
  after update on public.jobs
  for each row
  when (
    old.progress is distinct from new.progress
    or old.status <> new.status and new.status not in ('queued', 'running')
    or old.lease_expires_at < new.lease_expires_at
  )
  execute function private.broadcast_job();

-- broadcast_account: sends the balance to its owner's private topic
--
-- After a grant or a revoke, and when the user's right to included models changes. The hold and
-- the refund of a job are sent with the job. No client listens yet when the account is opened.
create function private.broadcast_account()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_account public.entitlements;
begin
  select * into v_account from public.entitlements where user_id = new.user_id;
  perform realtime.send(
    jsonb_build_object(
      'credits', v_account.credits,
      'owed', v_account.owed,
      'is_paid', private.is_paid(v_account),
      'paid_until', v_account.paid_until,
      'updated_at', clock_timestamp()
    ),
    'account', 'user:' || new.user_id, true
  );
  return null;
end
$$;

create trigger credit_entries_broadcast
  after insert on public.credit_entries
  for each row
  when (new.kind in ('grant', 'revoke') and new.reason <> 'starter')
  execute function private.broadcast_account();
create trigger entitlements_broadcast
  after update of is_paid, paid_until on public.entitlements
  for each row
  when ((old.is_paid, old.paid_until) is distinct from (new.is_paid, new.paid_until))
  execute function private.broadcast_account();

-- There is no policy for insert: a user receives on the own topic and can send on none.
create policy "Users receive on their own topic" on realtime.messages
  for select to authenticated
  using (
    extension = 'broadcast'
    and (select realtime.topic()) = 'user:' || (select auth.uid())::text
    and (select exists (select from public.entitlements where user_id = (select auth.uid())))
  );

revoke execute on all functions in schema private from public;

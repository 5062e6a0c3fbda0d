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
create trigger jobs_broadcast_change
  after update on public.jobs
  for each row
  when ((old.status, old.progress) is distinct from (new.status, new.progress))
  execute function private.broadcast_job();

-- There is no policy for insert: a user receives on the own topic and can send on none.
create policy "Users receive on their own topic" on realtime.messages
  for select to authenticated
  using (
    extension = 'broadcast'
    and (select realtime.topic()) = 'user:' || (select auth.uid())::text
  );

revoke execute on all functions in schema private from public;

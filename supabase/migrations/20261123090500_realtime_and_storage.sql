-- How a client learns of a change, and where the pictures lie.

-- security definer: a sender needs rights on realtime.messages that no caller of ours should have
create function private.broadcast_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform realtime.send(private.job_json(new.id), 'job', 'user:' || new.user_id, true);
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

-- There is no policy to insert: a user can receive on the own topic and send nowhere.
create policy "Users receive on their own topic" on realtime.messages
  for select to authenticated
  using (extension = 'broadcast' and (select realtime.topic()) = 'user:' || (select auth.uid())::text);

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('generations', 'generations', false, 20971520, array['image/png', 'image/jpeg', 'image/webp'])
on conflict (id) do update
set public = excluded.public, file_size_limit = excluded.file_size_limit, allowed_mime_types = excluded.allowed_mime_types;

-- Workers write with the secret key; nobody else does.
create policy "Users read their own folder" on storage.objects
  for select to authenticated
  using (bucket_id = 'generations' and (storage.foldername(name))[1] = (select auth.uid())::text);

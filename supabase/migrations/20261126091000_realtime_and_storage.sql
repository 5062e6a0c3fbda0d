-- How a client learns of a change, and where the pictures are stored.

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

-- broadcast_account: sends the balance to its owner's private topic
--
-- After a grant or a revoke, and when the user's right to included models changes. What a job holds
-- and gives back is told with the job. Nobody listens yet when the account is opened.
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
  );

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
  'generations', 'generations', false, 20971520, array['image/png', 'image/jpeg', 'image/webp']
)
on conflict (id) do update
set public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

-- Workers write with the secret key. There is no policy for insert, update or delete.
create policy "Users read their own folder" on storage.objects
  for select to authenticated
  using (bucket_id = 'generations' and (storage.foldername(name))[1] = (select auth.uid())::text);

-- unreferenced_objects: of the next p_limit objects after p_after, the unreferenced ones; and the
-- last path
--
-- An object is referenced while its job is unfinished, and afterwards if the generation shows it.
-- Neither can become true again, so an unreferenced object can be removed at any later time. An
-- object whose name the worker did not make is left alone.
create function private.unreferenced_objects(
  p_after text, p_limit integer,
  out last_path text, out paths text[]
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  with page as (
    select name, case
      when name ~ '^[0-9a-f-]{36}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9]+\.[a-z]+$'
        then split_part(name, '/', 2)::uuid
    end as job_id
    from storage.objects
    where bucket_id = 'generations' and name > p_after
    order by name
    limit p_limit
  )
  select max(name), coalesce(array_agg(name) filter (where
    job_id is not null
    and not exists (
      select from public.jobs j
      where j.id = job_id and j.finished_at is null and name like j.user_id || '/%'
    )
    and not exists (
      select from public.generations g
      where g.id = job_id and g.output @> jsonb_build_array(jsonb_build_object('path', name))
    )
  ), '{}')
  into last_path, paths
  from page;
end
$$;

create table private.object_sweep (
  is_only_row boolean primary key default true,
  swept_at timestamptz not null default '-infinity',
  last_path text not null default '',
  constraint there_is_one_row check (is_only_row)
);
alter table private.object_sweep enable row level security;
comment on table private.object_sweep is
  'One row: when workers last looked for unreferenced objects, and how far they came.';
insert into private.object_sweep default values;

-- sweep_unreferenced_objects: of the next p_limit objects, the unreferenced ones; none if a worker looked less
-- than
-- p_every ago
--
-- Of workers that call at the same time, one gets the row and the others skip it. The place is
-- stored before the objects are removed: if the worker dies in between, the next round finds
-- them.
create function private.sweep_unreferenced_objects(p_every interval, p_limit integer)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_after text;
  v_page record;
begin
  select last_path into v_after
  from private.object_sweep
  where swept_at <= clock_timestamp() - p_every
  for update skip locked;
  if not found then
    return '{}';
  end if;

  select * into v_page from private.unreferenced_objects(v_after, p_limit);
  if v_page.last_path is null then  -- the end: a new round begins
    select * into v_page from private.unreferenced_objects('', p_limit);
  end if;
  update private.object_sweep
  set swept_at = clock_timestamp(), last_path = coalesce(v_page.last_path, '')
  where is_only_row;
  return v_page.paths;
end
$$;

revoke execute on all functions in schema private from public;
grant execute on function
  private.unreferenced_objects(text, integer),
  private.sweep_unreferenced_objects(interval, integer)
to generation_worker;

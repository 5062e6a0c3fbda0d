-- The functions for an account and its generations: delete it, report a generation, register
-- a device for pushes. And what a worker does with the devices.

-- delete_account: deletes the caller's account and everything of it
--
-- The rows go in this transaction, by the cascade from auth.users and the triggers on it:
-- predictions under way are canceled at the provider, and workers remove the files within a minute.
-- The session cannot be refreshed; an access token that is still good is refused everywhere. A
-- repeated call answers as the first. postgres, which owns this function, needs DELETE on
-- auth.users.
create function public.delete_account()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
set statement_timeout = '60s'  -- of the Data API's request: an account may have many rows
as $$
begin
  if auth.uid() is null then
    perform private.raise_api_error(401, 'unauthenticated', 'Sign in first.');
  end if;
  delete from auth.users where id = auth.uid();
end
$$;
revoke execute on function public.delete_account() from public, anon, service_role;
grant execute on function public.delete_account() to authenticated;

-- lock_own_account: what belongs to the account is locked after it, as its deletion does; refuses
-- with 401 when the deletion was faster
create function private.lock_own_account(p_user_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.entitlements where user_id = p_user_id for no key update;
  if not found then
    perform private.raise_api_error(401, 'unauthenticated', 'This account no longer exists.');
  end if;
end
$$;

-- report_generation: tells the operators of a generation of the caller; once each
--
-- p_reason 'sexual', 'violent', 'hateful', 'real_person', 'copyright' or 'other'
-- p_text   the user's own words, at most 500 characters
--
-- A repeated report changes nothing and answers as the first. Refuses with 400, 401 or 404.
create function public.report_generation(p_id uuid, p_reason text, p_text text default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
  v_generation public.generations;
begin
  if p_reason is null
    or p_reason not in ('sexual', 'violent', 'hateful', 'real_person', 'copyright', 'other')
  then
    perform private.raise_api_error(
      400, 'invalid_request',
      'The reason must be sexual, violent, hateful, real_person, copyright or other.'
    );
  elsif char_length(p_text) > 500 then
    perform private.raise_api_error(
      400, 'invalid_request', 'The text may have at most 500 characters.'
    );
  end if;
  perform private.lock_own_account(v_user_id);
  -- A deletion of the generation waits for the report, and leaves its files.
  select * into v_generation from public.generations
  where id = p_id and user_id = v_user_id for key share;
  if not found then
    if exists (select from private.reports where generation_id = p_id and user_id = v_user_id) then
      return;
    end if;
    perform private.raise_api_error(404, 'unknown_job', 'There is no such generation.');
  end if;
  insert into private.reports
    (generation_id, user_id, reason, text, model_id, input, input_paths, output)
  values (
    p_id, v_user_id, p_reason, nullif(btrim(p_text), ''), v_generation.model_id,
    v_generation.input, v_generation.input_paths, v_generation.output
  )
  on conflict do nothing;
end
$$;
revoke execute on function public.report_generation(uuid, text, text)
  from public, anon, service_role;
grant execute on function public.report_generation(uuid, text, text) to authenticated;

-- on_report_closed: has workers remove the files that outlived their generation; objects_to_remove
-- keeps those that are still shown
create function private.on_report_closed()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  insert into private.removed_objects (bucket, path)
  select * from private.files_of(old.output, old.input_paths)
  on conflict (bucket, path) do update set remove_at = excluded.remove_at;
  return null;
end
$$;
create trigger reports_remove_objects_when_closed
  after update of closed_at on private.reports
  for each row
  when (old.closed_at is null and new.closed_at is not null)
  execute function private.on_report_closed();
-- Of a deleted account, or when an operator deletes the report.
create trigger reports_remove_objects_when_deleted
  after delete on private.reports
  for each row
  when (old.closed_at is null)
  execute function private.on_report_closed();

create table private.devices (
  token text primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  platform text not null,
  seen_at timestamptz not null default clock_timestamp(),
  constraint tokens_are_of_expo check (token ~ '^Expo(nent)?PushToken\[[A-Za-z0-9_-]{1,100}\]$'),
  constraint platforms_are_known check (platform in ('ios', 'android'))
);
alter table private.devices enable row level security;
comment on table private.devices is
  'Where a push goes when a long job has ended: at most 5 tokens a user. A token has one owner, '
  'the last to register it. It goes when Expo refuses it, or when it was not registered for 60 '
  'days.';
-- devices_of_job, and the cascade from the account.
create index devices_by_user on private.devices (user_id, seen_at);
-- register_device: the tokens that no app has registered for long.
create index devices_by_age on private.devices (seen_at);

-- register_device: has pushes of the caller's long jobs sent to this device; the app calls it at
-- every start
--
-- p_token    what getExpoPushTokenAsync returns
-- p_platform 'ios' or 'android'
--
-- Refuses with 400 or 401. The account is locked, so that calls at the same time leave 5 tokens.
create function public.register_device(p_token text, p_platform text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
begin
  if p_token is null or p_token !~ '^Expo(nent)?PushToken\[[A-Za-z0-9_-]{1,100}\]$'
    or p_platform is null or p_platform not in ('ios', 'android')
  then
    perform private.raise_api_error(
      400, 'invalid_request', 'A device needs a push token of Expo, and ios or android as platform.'
    );
  end if;
  perform private.lock_own_account(v_user_id);
  insert into private.devices (token, user_id, platform) values (p_token, v_user_id, p_platform)
  on conflict (token) do update
  set user_id = excluded.user_id, platform = excluded.platform, seen_at = excluded.seen_at;

  -- Locked rows are skipped: another user is registering that token.
  delete from private.devices where token in (
    select token from private.devices
    where user_id = v_user_id
    order by seen_at desc
    offset 5
    for update skip locked
  );
  delete from private.devices where token in (
    select token from private.devices
    where seen_at < clock_timestamp() - interval '60 days'
    limit 100
    for update skip locked
  );
end
$$;
revoke execute on function public.register_device(text, text) from public, anon, service_role;
grant execute on function public.register_device(text, text) to authenticated;

-- unregister_device: has no more pushes of the caller's jobs sent to this device; the app calls it
-- when its user signs out
--
-- p_token  the token that was registered
--
-- Leaves a token that another user has registered since, and does nothing for an unknown one.
-- Refuses with 401 or 403.
create function public.unregister_device(p_token text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_user_id uuid := private.caller();
begin
  delete from private.devices where token = p_token and user_id = v_user_id;
end
$$;
revoke execute on function public.unregister_device(text) from public, anon, service_role;
grant execute on function public.unregister_device(text) to authenticated;

-- devices_of_job: the tokens to push to when this job has succeeded or failed; none if it was
-- canceled
create function private.devices_of_job(p_job_id uuid)
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select token
  from public.jobs j join private.devices d using (user_id)
  where j.id = p_job_id and j.status in ('succeeded', 'failed')
    and d.seen_at > clock_timestamp() - interval '60 days'
  order by d.seen_at desc
$$;

-- forget_devices: Expo says that nothing reaches these tokens any more
create function private.forget_devices(p_tokens text[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  delete from private.devices where token = any (p_tokens)
$$;

revoke execute on all functions in schema private from public;
grant execute on function
  private.devices_of_job(uuid),
  private.forget_devices(text[])
to generation_worker;

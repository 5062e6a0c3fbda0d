-- Stored objects that no row refers to any more: what is to be removed, and the sweep that finds
-- the rest.

create table private.removed_objects (
  bucket text not null,
  path text not null,
  remove_at timestamptz not null default clock_timestamp(),
  primary key (bucket, path)
);
alter table private.removed_objects enable row level security;
comment on table private.removed_objects is
  'Objects whose row is gone: of deleted generations, deleted accounts and jobs that ended without '
  'success. Workers remove them within a minute.';
-- objects_to_remove: what is due.
create index removed_objects_due on private.removed_objects (remove_at);

-- remove_objects_under: has workers remove what lies in a folder of a bucket
create function private.remove_objects_under(p_bucket text, p_folder text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into private.removed_objects (bucket, path)
  select p_bucket, path from private.objects_under(p_bucket, p_folder) path
  on conflict do nothing
$$;

-- files_of: the files of a generation, its uploaded photos included
create function private.files_of(p_output jsonb, p_input_paths text[])
returns table (bucket text, path text)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select 'generations', path
  from jsonb_array_elements(p_output) output,
    unnest(array[output ->> 'path', output ->> 'thumb']) path
  where path is not null
  union
  select 'inputs', path from unnest(p_input_paths) path where path ~ '^[^/]+/[^/]+$'
$$;

-- security definer: the owner deletes the generation, and has no rights on the private schema.
create function private.on_generation_deleted()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  insert into private.removed_objects (bucket, path)
  select * from private.files_of(old.output, old.input_paths)
  on conflict do nothing;
  return null;
end
$$;
create trigger generations_remove_objects
  after delete on public.generations
  for each row execute function private.on_generation_deleted();

create function private.on_account_deleted()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  perform private.remove_objects_under('generations', old.user_id || '/');
  perform private.remove_objects_under('inputs', old.user_id || '/');
  return null;
end
$$;
create trigger entitlements_remove_objects
  after delete on public.entitlements
  for each row execute function private.on_account_deleted();

-- objects_to_remove: at most p_limit objects that a worker shall remove now
--
-- It tells the worker of an object again after a minute, until objects_removed says that it is
-- gone. An object that an unfinished job needs waits for that job, one that is reported for the end
-- of the report. A photo that another generation shows stays.
create function private.objects_to_remove(p_limit integer)
returns table (bucket text, path text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  return query
  with due as (
    select r.bucket, r.path from private.removed_objects r
    where r.remove_at <= clock_timestamp()
    order by r.remove_at
    limit p_limit
    for update skip locked
  ), kept as (
    delete from private.removed_objects r using due
    where (r.bucket, r.path) = (due.bucket, due.path) and private.is_shown(due.path)
    returning r.bucket, r.path
  ), told as (
    update private.removed_objects r
    set remove_at = clock_timestamp()
      + case when private.is_reported(r.path) then interval '1 hour' else interval '1 minute' end
    from due
    where (r.bucket, r.path) = (due.bucket, due.path) and not private.is_shown(due.path)
    returning r.bucket, r.path
  )
  select told.bucket, told.path from told
  where not private.is_in_use(told.path) and not private.is_reported(told.path);
end
$$;

-- objects_removed: these objects are gone
create function private.objects_removed(p_bucket text, p_paths text[])
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  delete from private.removed_objects where bucket = p_bucket and path = any (p_paths)
$$;

-- discard_outputs: has workers remove what was stored for a job that this worker lost, unless the
-- generation shows it or another worker has the job
create function private.discard_outputs(p_user_id uuid, p_job_id uuid)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  insert into private.removed_objects (bucket, path)
  select 'generations', path
  from private.objects_under('generations', p_user_id || '/' || p_job_id || '/') path
  where not private.is_in_use(path) and not private.is_shown(path)
  on conflict do nothing
$$;

create table private.object_sweep (
  is_only_row boolean primary key default true,
  swept_at timestamptz not null default '-infinity',
  last_bucket text not null default '',
  last_path text not null default '',
  constraint there_is_one_row check (is_only_row)
);
alter table private.object_sweep enable row level security;
comment on table private.object_sweep is
  'One row: when workers last looked for unreferenced objects, and how far they came.';
insert into private.object_sweep default values;

-- sweep_unreferenced_objects: has workers remove the unreferenced ones of the next p_limit
-- objects; returns how many, and nothing if a worker looked less than p_every ago
--
-- The slow net under removed_objects, for a worker that died between an upload and its outcome,
-- and for photos that were uploaded a day ago and never used. Of workers that call at the same
-- time, one gets the row and the others skip it. An object with another kind of name is left alone.
create function private.sweep_unreferenced_objects(p_every interval, p_limit integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
declare
  v_sweep private.object_sweep;
  v_count integer;
begin
  select * into v_sweep
  from private.object_sweep
  where swept_at <= clock_timestamp() - p_every
  for update skip locked;
  if not found then
    return null;
  end if;

  with page as (
    select bucket_id, name, created_at
    from storage.objects
    where bucket_id in ('generations', 'inputs')
      and (bucket_id, name collate "C") > (v_sweep.last_bucket, v_sweep.last_path)
    order by bucket_id, name collate "C"
    limit p_limit
  ), last as (
    select bucket_id, name from page order by bucket_id desc, name collate "C" desc limit 1
  ), moved as (  -- past the end, the next round begins
    update private.object_sweep
    set swept_at = clock_timestamp(),
        last_bucket = coalesce((select bucket_id from last), ''),
        last_path = coalesce((select name from last), '')
  )
  insert into private.removed_objects (bucket, path)
  select bucket_id, name from page
  where case bucket_id
      when 'generations' then private.job_of(name) is not null
      else created_at < now() - interval '1 day'
    end
    and not private.is_in_use(name)
    and not private.is_shown(name)
    and not private.is_reported(name)
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

revoke execute on all functions in schema private from public;
grant execute on function
  private.objects_to_remove(integer),
  private.objects_removed(text, text[]),
  private.discard_outputs(uuid, uuid),
  private.sweep_unreferenced_objects(interval, integer)
to generation_worker;

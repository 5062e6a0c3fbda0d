-- Stored objects: the photos that users upload, what workers store, and which rows refer to them.

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values
  (
    'generations', 'generations', false, 52428800,
    array[
      'image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif',
      'video/mp4', 'video/webm', 'video/quicktime',
      'audio/mpeg', 'audio/wav', 'audio/mp4', 'audio/ogg', 'audio/flac', 'audio/webm'
    ]
  ),
  ('inputs', 'inputs', false, 10485760, array['image/png', 'image/jpeg', 'image/webp'])
on conflict (id) do update
set public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

-- objects_under: the paths of a bucket that begin with a folder, which ends with a slash
create function private.objects_under(p_bucket text, p_folder text)
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select name from storage.objects
  where bucket_id = p_bucket
    and name collate "C" >= p_folder
    and name collate "C" < left(p_folder, -1) || '0'  -- the character after the slash
$$;

-- may_upload: whether the caller may upload this photo
--
-- The path is <user>/<uuid>.<jpg|png|webp>. A user who was deleted may have a token that is still
-- good. 40 photos a day are more than a person needs, and bound what an account can fill.
-- Uploads at the same moment do not see each other, so a few more can pass.
create function private.may_upload(p_path text)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
  select
    p_path ~ ('^' || auth.uid() || '/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(jpg|png|webp)$')
    and exists (
      select from public.entitlements where user_id = auth.uid() and blocked_at is null
    )
    and (
      select count(*) from private.objects_under('inputs', auth.uid() || '/') path
      join storage.objects on bucket_id = 'inputs' and name = path
      where created_at > now() - interval '1 day'
    ) < 40
$$;

-- Workers write with the secret key. A user may upload photos, and change or delete nothing. The
-- token of a deleted account opens nothing, although the files stay for up to a minute.
create policy "Users read their own folder" on storage.objects
  for select to authenticated
  using (
    bucket_id in ('generations', 'inputs')
    and (storage.foldername(name))[1] = (select auth.uid())::text
    and (select exists (select from public.entitlements where user_id = (select auth.uid())))
  );
create policy "Users upload their photos" on storage.objects
  for insert to authenticated
  with check (bucket_id = 'inputs' and private.may_upload(name));

-- job_of: the id of the job whose worker made this path; null for any other path
create function private.job_of(p_path text)
returns uuid
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_path ~ ('^[0-9a-f-]{36}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
      '/[0-9]+(-thumb)?\.[a-z0-9]+$')
      then split_part(p_path, '/', 2)::uuid
  end
$$;

-- is_in_use: whether an unfinished job made this object, or needs it as a photo
create function private.is_in_use(p_path text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.jobs
    where id = private.job_of(p_path) and finished_at is null and p_path like user_id || '/%'
  ) or exists (
    select from public.jobs
    where input_paths @> array[p_path] and input_paths <> '{}' and finished_at is null
  )
$$;

-- is_shown: whether a generation shows this object, as its output or as its photo
create function private.is_shown(p_path text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from public.generations
    where id = private.job_of(p_path)
      and (output @> jsonb_build_array(jsonb_build_object('path', p_path))
        or output @> jsonb_build_array(jsonb_build_object('thumb', p_path)))
  ) or private.job_of(p_path) is null and exists (
    select from public.generations where input_paths @> array[p_path] and input_paths <> '{}'
  )
$$;

-- is_reported: whether an open report is about this object
create function private.is_reported(p_path text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from private.reports where generation_id = private.job_of(p_path) and closed_at is null
  ) or private.job_of(p_path) is null and exists (
    select from private.reports
    where input_paths @> array[p_path] and input_paths <> '{}' and closed_at is null
  )
$$;

revoke execute on all functions in schema private from public;
grant execute on function private.may_upload(text) to authenticated;

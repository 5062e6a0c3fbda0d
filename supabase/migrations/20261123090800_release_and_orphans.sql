-- What a worker that leaves gives back, and what nobody owns any more.

-- release_job: running -> queued, or waiting where the provider may have the work; costs no attempt
--
-- For a worker that shuts down. Its own late write afterwards is fenced out: the job is no longer running.
create function private.release_job(p_id uuid, p_fence bigint)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.jobs := private.lock_job(p_id, p_moves_credits => true);
begin
  if v_job.status in ('queued', 'waiting') and v_job.fence = p_fence then
    return true;
  elsif (v_job.status, v_job.fence) is distinct from ('running', p_fence) then
    return false;
  elsif v_job.cancel_requested_at is not null and v_job.submitted_at is null then
    perform private.cancel_job(v_job);
    return true;
  end if;

  update public.jobs
  set status = case when submitted_at is null then 'queued' else 'waiting' end::public.job_status,
      attempt = attempt - case when submitted_at is null then 1 else 0 end,
      lease_expires_at = null
  where id = p_id;
  perform private.ring_doorbell();
  return true;
end
$$;

-- orphaned_objects: of the next p_limit pictures after p_after, those of nobody; and how far that was
--
-- A picture has an owner while its job is unfinished, and then if the generation shows it. Neither can become true
-- again, so what is an orphan once can be removed at any time later. Names that are not ours are left alone.
create function private.orphaned_objects(
  p_after text, p_limit integer,
  out last_path text, out paths text[]
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  with page as (
    select name, case when name ~ '^[0-9a-f-]{36}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9]+\.[a-z]+$' then split_part(name, '/', 2)::uuid end as job_id
    from storage.objects
    where bucket_id = 'generations' and name > p_after
    order by name
    limit p_limit
  )
  select max(name), coalesce(array_agg(name) filter (where
    job_id is not null
    and not exists (select from public.jobs j where j.id = job_id and j.finished_at is null and name like j.user_id || '/%')
    and not exists (
      select from public.generations g
      where g.id = job_id and g.output @> jsonb_build_array(jsonb_build_object('path', name))
    )
  ), '{}')
  into last_path, paths
  from page;
end
$$;

grant execute on function
  private.release_job(uuid, bigint),
  private.orphaned_objects(text, integer)
to generation_worker;

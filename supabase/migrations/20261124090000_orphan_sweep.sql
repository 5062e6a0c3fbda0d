-- Where the search for pictures of nobody stands: it goes on whichever worker ends, and workers do not repeat it.

create table private.orphan_sweep (
  is_only_row boolean primary key default true,
  swept_at timestamptz not null default '-infinity',
  last_path text not null default '',
  constraint there_is_one_row check (is_only_row)
);
alter table private.orphan_sweep enable row level security;
comment on table private.orphan_sweep is 'One row: when workers last looked for pictures of nobody, and how far they came.';
insert into private.orphan_sweep default values;

-- sweep_orphans: of the next p_limit pictures, those of nobody; none if anybody looked less than p_every ago
--
-- Of workers that ask at once, one gets the row and the others skip it. The place is written down before anything is
-- removed: whoever dies in between leaves orphans that the next round finds.
create function private.sweep_orphans(p_every interval, p_limit integer)
returns text[]
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_after text;
  v_page record;
begin
  select last_path into v_after
  from private.orphan_sweep
  where swept_at <= clock_timestamp() - p_every
  for update skip locked;
  if not found then
    return '{}';
  end if;

  select * into v_page from private.orphaned_objects(v_after, p_limit);
  if v_page.last_path is null then  -- the end: a new round begins
    select * into v_page from private.orphaned_objects('', p_limit);
  end if;
  update private.orphan_sweep
  set swept_at = clock_timestamp(), last_path = coalesce(v_page.last_path, '');
  return v_page.paths;
end
$$;

grant execute on function private.sweep_orphans(interval, integer) to generation_worker;

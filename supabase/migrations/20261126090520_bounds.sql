-- The bounds of work that costs us and no user: jobs that reach a provider and end unpaid, the
-- budget of a provider, and prompts that are refused before they cost anything.

-- In a table of its own: a condition on jobs.submitted_at in an index of jobs would make every
-- submission write all indexes of the row.
create table private.unsuccessful_starts (
  job_id uuid primary key,
  user_id uuid not null references public.entitlements (user_id) on delete cascade,
  ended_at timestamptz not null default clock_timestamp()
);
alter table private.unsuccessful_starts enable row level security;
comment on table private.unsuccessful_starts is
  'Jobs that reached the provider and were then canceled or refused, of the last 24 hours. They '
  'cost the user nothing and may have cost us.';
-- seconds_until_next_try: the last ones of a user.
create index unsuccessful_starts_by_user on private.unsuccessful_starts (user_id, ended_at);

-- on_unsuccessful_start: a job that reached the provider was canceled or refused
--
-- It deletes the user's rows that are too old, so that a user never has many more than the bound.
create function private.on_unsuccessful_start()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set random_page_cost = 0
as $$
begin
  delete from private.unsuccessful_starts
  where user_id = new.user_id and ended_at < clock_timestamp() - interval '24 hours';
  insert into private.unsuccessful_starts (job_id, user_id) values (new.id, new.user_id);
  return null;
end
$$;
-- The other codes are our fault or the provider's.
create trigger jobs_count_unsuccessful_start
  after update on public.jobs
  for each row
  when (
    new.finished_at is not null
    and new.error_code in ('canceled', 'content_rejected', 'invalid_input', 'provider_rejected')
    and (new.submitted_at is not null or new.failed_refs <> '{}')
  )
  execute function private.on_unsuccessful_start();

-- seconds_until_next_try: how long a user who had p_count unsuccessful starts within 24 hours has
-- to wait; null when there were fewer
create function private.seconds_until_next_try(p_user_id uuid, p_count integer)
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select ceil(extract(epoch from ended_at + interval '24 hours' - clock_timestamp()))::integer
  from private.unsuccessful_starts
  where user_id = p_user_id and ended_at > clock_timestamp() - interval '24 hours'
  order by ended_at desc
  offset p_count - 1
  limit 1
$$;

-- has_budget: whether this provider may be called once more today for this user
create function private.has_budget(p_user_id uuid, p_provider text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select not exists (
    select from private.provider_limits l
    left join private.starts_today(p_provider) s using (provider)
    where l.provider = p_provider and (
      coalesce(s.starts, 0) >= l.starts_per_day
      or coalesce(s.anonymous_starts, 0) >= l.anonymous_starts_per_day
        and (select is_anonymous from auth.users where id = p_user_id)
    )
  )
$$;

create table private.prompt_filter (
  word text primary key,
  constraint words_are_short check (char_length(word) between 1 and 100)
);
alter table private.prompt_filter enable row level security;
comment on table private.prompt_filter is
  'Words and phrases that no input may contain. Empty by default. private.is_refused_prompt reads '
  'it.';

-- plain_words: a text in lower case with one space between words and around them
create function private.plain_words(p_text text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select ' ' || btrim(
    regexp_replace(lower(normalize(p_text, nfkc)), '[[:space:][:punct:]]+', ' ', 'g')
  ) || ' '
$$;

-- is_refused_prompt: whether an input must not be accepted. Replace it for a filter of your own.
--
-- It looks for whole words of private.prompt_filter in every text of the input.
create function private.is_refused_prompt(p_input jsonb)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text text;
begin
  if not exists (select from private.prompt_filter) then
    return false;
  end if;
  select string_agg(private.plain_words(value #>> '{}'), '') into v_text
  from jsonb_path_query(p_input, 'strict $.** ? (@.type() == "string")') value;
  return exists (
    select from private.prompt_filter where strpos(v_text, private.plain_words(word)) > 0
  );
end
$$;

-- refuse_unbounded_work: refuses a request of a user who had too many unsuccessful starts, for a
-- provider without budget, or with a prompt that must not be accepted
create function private.refuse_unbounded_work(p_user_id uuid, p_provider text, p_input jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wait integer := private.seconds_until_next_try(
    p_user_id, (select max_unsuccessful_per_day from private.config)
  );
begin
  if v_wait is not null then
    perform private.raise_api_error(
      429, 'too_many_failures',
      'Too many of your generations were canceled or refused today. Please try again later.',
      jsonb_build_object('Retry-After', v_wait::text)
    );
  elsif not private.has_budget(p_user_id, p_provider) then
    perform private.raise_api_error(
      503, 'unavailable', 'The service is busy. Please try again later.', '{"Retry-After": "3600"}'
    );
  elsif private.is_refused_prompt(p_input) then
    perform private.raise_api_error(
      422, 'content_rejected', 'This prompt is not allowed. Please change it.'
    );
  end if;
end
$$;

-- status_of_bounds: what operator_status says of budgets and reports
create function private.status_of_bounds()
returns table (item text, value text, problem text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    name || ' of ' || provider || ' today',
    used || ' of ' || bound,
    case
      when used >= bound then 'the budget is used: requests are refused'
      when used >= 0.8 * bound then 'over 80 % of the budget'
    end
  from private.budgets_today()
  union all
  select
    'open reports', count(*)::text,
    case when count(*) > 0 then 'read private.reports, and close them: docs/operations.md' end
  from private.reports
  where closed_at is null
$$;

revoke execute on all functions in schema private from public;

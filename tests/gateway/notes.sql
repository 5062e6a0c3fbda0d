-- The objects that tests of the Data API use: a table whose rows have owners, and functions that
-- end in every way.

create table public.notes (
  id integer primary key,
  user_id uuid not null default auth.uid(),
  body text unique,
  tags jsonb not null default '[]'
);
alter table public.notes enable row level security;
grant select, insert, update, delete on public.notes to authenticated;
create policy "Owners do as they like" on public.notes to authenticated
  using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);

create table public.sealed (id integer);
grant select on public.sealed to authenticated;

create sequence public.numbers;
create function public.write() returns integer language sql volatile as
  'insert into public.sealed values (1) returning id';
create function public.add(a integer, b integer default 10) returns integer
language sql immutable as 'select a + b';
create function public.nothing() returns void language sql as 'select';
create view public.taken as select nextval('public.numbers') as number;
create view public.written as select public.write() as number;
create function public.my_notes() returns setof public.notes
language sql stable as 'select * from public.notes order by id';
create function public.echo(p_ids uuid[], p_data jsonb) returns jsonb language sql immutable as $$
  select jsonb_build_object('ids', p_ids, 'data', p_data)
$$;
create function public.claims() returns jsonb language sql stable as $$
  select jsonb_build_object('uid', auth.uid(), 'role', current_user, 'claimed', auth.role(),
    'method', current_setting('request.method'), 'path', current_setting('request.path'),
    'timeout', current_setting('statement_timeout'),
    'agent', current_setting('request.headers')::jsonb ->> 'user-agent')
$$;
create function public.fail(p_state text, p_message text, p_detail text default '') returns void
language plpgsql as $$
begin
  raise exception using errcode = p_state, message = p_message, detail = p_detail;
end
$$;
grant execute on function
  public.write, public.add, public.nothing, public.my_notes, public.echo, public.claims, public.fail
to anon, authenticated, service_role;
grant select on public.taken, public.written to authenticated;
grant usage on sequence public.numbers to authenticated;

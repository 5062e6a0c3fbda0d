"""A login of bridge or worker that shadows every name the functions could look up gains no rights.

pg_temp is a schema that any login may fill. A `security definer` function that searches it first
would run the login's code with the rights of the function's owner.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from local.stack import Stack
from operate.migrate import MIGRATIONS
from tests.support.actors import Actor, BridgeRole, Operator, Service, SomeActor, User, WorkerRole

# The function reports the role that runs it. As a constraint of a domain it runs whenever a value
# becomes one of that type.
EVIL = """
create function pg_temp.evil() returns boolean language plpgsql as $$
begin
  raise notice 'code of the login runs as %', current_user;
  return true;
end
$$;
create function pg_temp.evil(anyelement, anyelement) returns boolean language sql as 'select pg_temp.evil()';
"""
TYPES = """
select typname from pg_type
where typnamespace = 'pg_catalog'::regnamespace and typtype = 'b' and typelem = 0 and typname !~ '^(pg_|_)'
"""
RELATIONS = """
select relname from pg_class
where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'v')
  or relnamespace = 'pg_catalog'::regnamespace and relname in ('pg_class', 'pg_locks', 'pg_roles')
"""
OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "||", "->", "->>", "@>", "~")


def names(conn: psycopg.Connection[Any], query: str) -> list[str]:
    return [str(next(iter(row.values()))) for row in conn.execute(query.encode())]


def shadow(conn: psycopg.Connection[Any]) -> int:
    """Create an object of each name in pg_temp, owned by the login; return the number created."""
    conn.execute(EVIL)
    statements = [
        f'create domain pg_temp."{name}" as pg_catalog."{name}" check (pg_temp.evil())'
        for name in names(conn, TYPES)
    ]
    statements += [
        f'create domain pg_temp."{name}" as pg_catalog.text check (pg_temp.evil())'
        for name in ("job_status", "error_code", "credit_entry_kind")
    ]
    statements += [
        f'create view pg_temp."{name}" as select pg_temp.evil() as id' for name in names(conn, RELATIONS)
    ]
    statements += [
        f"create operator pg_temp.{operator} (leftarg = anyelement, rightarg = anyelement, function = pg_temp.evil)"
        for operator in OPERATORS
    ]
    called = set(re.findall(r"\b([a-z_0-9]+)\(", "".join(p.read_text() for p in MIGRATIONS.glob("*.sql"))))
    statements += [
        f'create function pg_temp."{name}"() returns boolean language sql as $$ select pg_temp.evil() $$'
        for name in called - {"evil"}
    ]
    made = 0
    for statement in statements:
        try:
            conn.execute(statement.encode())
            made += 1
        except psycopg.errors.DuplicateObject:
            pass  # two spellings of one type
    return made


class ReportedRoles:
    """The roles that ran the code of the login, by its notices."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.users: set[str] = set()
        conn.add_notice_handler(self.record)

    def record(self, notice: psycopg.errors.Diagnostic) -> None:
        if found := re.search(r"runs as (\S+)", notice.message_primary or ""):
            self.users.add(found[1])


Connect = Callable[..., Any]


@pytest.fixture
def connect() -> Iterator[Connect]:
    actors: list[Actor] = []

    def connect(kind: type[SomeActor], url: str) -> SomeActor:
        actors.append(actor := kind(url))
        return actor

    yield connect
    for actor in actors:
        actor.conn.close()


@pytest.fixture
def operator(connect: Connect, stack: Stack) -> Operator:
    operator: Operator = connect(Operator, stack.database_url)
    return operator


@pytest.fixture
def user(connect: Connect, stack: Stack, operator: Operator) -> User:
    user: User = connect(User, stack.database_url)
    user.sign_in(operator.add_user(credits=1000))
    return user


def call_every_function(actor: Actor) -> set[str]:
    """Call every function that the actor may execute, with nulls; return the names."""
    functions = actor.rows(
        "select p.proname as name, format('%%s(%%s)', p.oid::regproc, ("
        "  select string_agg('null::pg_catalog.' || quote_ident(typname), ', ' order by place)"
        "  from unnest(proargtypes) with ordinality as a (type, place) join pg_catalog.pg_type t on t.oid = type"
        " )) as call from pg_catalog.pg_proc p where pronamespace = 'private'::regnamespace"
        " and has_function_privilege(p.oid, 'execute')"
    )
    for function in functions:
        call = function["call"].replace("pg_catalog.error_code", "public.error_code")
        try:
            actor.rows(f"select {call}".replace("%", "%%"))
        except psycopg.Error as error:
            assert not isinstance(error, psycopg.errors.InsufficientPrivilege), error
    return {function["name"] for function in functions}


def test_the_attack_works_on_a_function_that_looks_into_pg_temp_first(
    connect: Connect, stack: Stack, operator: Operator
) -> None:
    """A control: without it, an attack without effect would prove nothing."""
    operator.conn.execute("""
        create function private.careless(p_id uuid) returns uuid language plpgsql security definer
        set search_path = '' as $$ declare v_id uuid := p_id; begin return v_id; end $$;
        grant execute on function private.careless(uuid) to generation_worker;
    """)
    worker = connect(WorkerRole, stack.worker_url)
    reported = ReportedRoles(worker.conn)
    shadow(worker.conn)
    worker.rows("select private.careless(gen_random_uuid())")
    assert "postgres" in reported.users


def test_a_worker_that_shadows_every_name_stays_a_worker(connect: Connect, stack: Stack, user: User) -> None:
    worker, service = connect(WorkerRole, stack.worker_url), connect(Service, stack.database_url)
    reported = ReportedRoles(worker.conn)
    assert shadow(worker.conn) > 100

    job_id = user.job()
    fence = worker.claimed(job_id)
    assert worker.renew(job_id, fence, progress=0.5) == "renewed"
    assert worker.record_submission(job_id, fence)
    assert worker.wait(job_id, fence, "ref")
    assert service.wake(job_id, "ref")
    assert worker.retry(job_id, worker.claimed(job_id))
    assert worker.release(job_id, worker.claimed(job_id))
    assert worker.complete(job_id, worker.claimed(job_id), [{"path": "p"}])
    job_id = user.job()
    assert worker.fail(job_id, worker.claimed(job_id))
    assert call_every_function(worker) >= {"claim_jobs", "complete_jobs"}

    assert "postgres" not in reported.users


def test_a_bridge_that_shadows_every_name_stays_a_bridge(
    connect: Connect, stack: Stack, operator: Operator, user: User
) -> None:
    bridge, worker = connect(BridgeRole, stack.bridge_url), connect(WorkerRole, stack.worker_url)
    reported = ReportedRoles(bridge.conn)
    assert shadow(bridge.conn) > 100

    job_id, late = user.job(), user.job()
    assert set(bridge.dispatch()) == {job_id, late}
    worker.claimed(job_id)
    operator.lose_worker(job_id)
    operator.pass_deadline(late)
    assert set(bridge.rescue()) == {job_id, late}
    assert call_every_function(bridge) >= {"dispatch_jobs", "operator_status"}

    assert "postgres" not in reported.users


@pytest.mark.parametrize("process", ["bridge", "worker"])
def test_a_login_can_become_nothing_but_the_role_of_its_process(stack: Stack, process: str) -> None:
    """`reset role` returns to the login, which has no rights at all, and never to the owner."""
    role, other = f"generation_{process}", {"bridge": "worker", "worker": "bridge"}[process]
    with psycopg.connect(getattr(stack, f"{process}_url"), autocommit=True) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        conn.execute("reset role")
        for forbidden in (f"generation_{other}", "postgres", "service_role", "authenticated", "anon"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(sql.SQL("set role {}").format(sql.Identifier(forbidden)))
        for statement in (
            "select private.operator_status()",
            "select private.claim_jobs(array[gen_random_uuid()], '1 minute')",
            "select * from public.jobs",
            "select public.grant_credits(gen_random_uuid(), 1, 'r', 'x')",
            "grant postgres to current_user",
            "create table public.mine (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())

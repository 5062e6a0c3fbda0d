"""Check the migrations, and each login as its process uses it: role, functions, LISTEN, clock."""

import re
import time
import uuid
from pathlib import Path

import psycopg
from psycopg import sql

import database
import settings
import urls
from operate import Refused
from operate.connection import ROLES, as_owner, as_process, setting_of
from operate.findings import Findings, note, ok, wrong
from operate.migrate import MIGRATIONS

ROOT = Path(__file__).parent.parent
CONNECTIONS = {"bridge": 2, "worker": 4}  # at most, of one process
POOLER_SERVES = 15  # connections of a role, through a session-mode pooler of the smallest size
NOTIFIED_WITHIN = 3.0  # seconds
CLOCKS_DIFFER = 30.0  # seconds; nothing of ours depends on it, TLS and signed URLs do

HEADROOM = """
select current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int
  - (select sum(numbackends)::int from pg_stat_database),
  (select rolconnlimit from pg_roles where rolname = session_user),
  extract(epoch from clock_timestamp())::float8, current_setting('transaction_read_only')::boolean
"""
MAY_DELETE_USERS = """
select pg_get_userbyid(proowner), has_table_privilege(proowner, 'auth.users', 'delete')
from pg_proc where oid = to_regprocedure('public.delete_account()')
"""
FUNCTION = """
select p.oid is not null, coalesce(has_function_privilege(p.oid, 'execute'), false)
from (select %s::text as name) wanted
left join pg_proc p on p.pronamespace = to_regnamespace('private') and p.proname = wanted.name
limit 1
"""


def bridge() -> Findings:
    yield from of_process("bridge")


def worker() -> Findings:
    yield from of_process("worker")


def of_process(name: settings.Process) -> Findings:
    config, setting = settings.load(), setting_of(name)
    if setting == "DATABASE_URL" and config.database_url is None:
        yield wrong(f"{name} login", f"set {name.upper()}_DATABASE_URL in .env")
        return
    subject = f"{name} login ({setting})"
    try:
        with as_process(name) as conn:
            yield ok(subject, f"{conn.info.user} becomes {ROLES[name]}")
            yield from of_login(subject, conn)
            yield from of_functions(subject, conn, name)
            yield from of_connections(subject, conn, name)
            if name == "bridge":
                yield from of_notifications(subject, conn)
    except Refused as error:
        yield wrong(subject, str(error))


def of_login(subject: str, conn: database.Connection) -> Findings:
    if conn.info.user.split(".")[0] == "postgres":
        yield note(
            subject, "postgres is convenient and no boundary: docs/deploy.md has a login for each process"
        )
    if conn.info.host not in (*urls.LOOPBACK, "") and not conn.pgconn.ssl_in_use:
        yield note(subject, "the password and all data travel unencrypted: add ?sslmode=require to the URL")


def functions_of(name: str) -> list[str]:
    """Every function that the SQL of a process names."""
    package = "bridge" if name == "bridge" else "tasks"
    text = (ROOT / package / "store.py").read_text()
    return sorted(set(re.findall(r"private\.(\w+)\(", text)))


def of_functions(subject: str, conn: database.Connection, name: str) -> Findings:
    missing, refused = [], []
    for function in functions_of(name):
        ((is_there, may),) = conn.execute(FUNCTION, (function,)).fetchall()
        if not is_there:
            missing.append(function)
        elif not may:
            refused.append(function)
    if missing:
        yield wrong(subject, f"the database has no {', '.join(missing)}: run make migrate")
    if refused:
        yield wrong(
            subject,
            f"{conn.info.user} may not execute {', '.join(refused)}: run the grants of supabase/migrations again",
        )
    if not missing and not refused:
        yield ok(subject, "every function is there and may be executed")


def of_connections(subject: str, conn: database.Connection, name: str) -> Findings:
    began = time.time()
    ((left, limit, clock, is_read_only),) = conn.execute(HEADROOM).fetchall()
    needs = CONNECTIONS[name]
    if is_read_only:
        yield wrong(subject, "the database is read-only: free its disk, or name the primary")
    if left < needs:
        yield wrong(
            subject,
            f"the server has {left} connections left, and a {name} takes {needs}: raise max_connections",
        )
    elif 0 <= limit < needs:
        yield wrong(
            subject,
            f"the login may have {limit} connections, and a {name} takes {needs}: raise its connection limit",
        )
    else:
        yield ok(subject, f"{left} connections are left; a {name} takes at most {needs}")
    if "pooler" in conn.info.host:
        count = POOLER_SERVES // needs
        yield note(
            subject,
            f"a session pooler serves {POOLER_SERVES} connections a role by default: {count} of these processes",
        )
    skew = clock - (began + time.time()) / 2
    if abs(skew) > CLOCKS_DIFFER:
        yield note(
            subject,
            f"this machine's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the database's: run NTP",
        )


def of_notifications(subject: str, conn: database.Connection) -> Findings:
    """As the bridge does it: one connection listens, another one notifies."""
    channel = f"doctor_{uuid.uuid4().hex}"
    with as_process("bridge") as listening:
        listening.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        conn.execute("select pg_notify(%s, '')", (channel,))
        if any(True for _ in listening.notifies(timeout=NOTIFIED_WITHIN, stop_after=1)):
            yield ok(subject, "notifications arrive")
        else:
            yield wrong(
                subject,
                "no notification arrives: the URL leads through a transaction-mode pooler;"
                " use a direct or session-mode connection (port 5432)",
            )


def owner() -> Findings:
    """Migrations, with the login that applies them, and what they need of the rest of Supabase."""
    subject = "migrations (DATABASE_URL)"
    if settings.load().database_url is None:
        yield note(subject, "DATABASE_URL is not set, so the list of applied migrations was not read")
        return
    try:
        with as_owner() as conn:
            yield from of_migrations(subject, conn)
            yield from of_accounts(conn)
    except Refused as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            yield note(subject, "this login may not read which migrations were applied: only their owner may")
        else:
            yield wrong(subject, str(error))


def of_migrations(subject: str, conn: database.Connection) -> Findings:
    try:
        rows = conn.execute("select version from supabase_migrations.schema_migrations").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        rows = []
    known = {version for (version,) in rows}
    missing = [
        path.name for path in sorted(MIGRATIONS.glob("*.sql")) if path.stem.partition("_")[0] not in known
    ]
    if missing:
        yield wrong(subject, f"{len(missing)} are not applied, {missing[0]} first: run make migrate")
    else:
        yield ok(subject, "all are applied")


def of_accounts(conn: database.Connection) -> Findings:
    for owner, may_delete in conn.execute(MAY_DELETE_USERS).fetchall():
        if may_delete:
            yield ok("delete_account", f"{owner} may do what it does")
        else:
            yield wrong(
                "delete_account",
                f"no user can delete an account: grant delete on auth.users to {owner};",
            )

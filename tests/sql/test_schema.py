"""Rules for every table, function and policy of ours, and the whole schema as last reviewed."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.postgres import programs
from local.stack import Stack
from tests.support.databases import fresh_copy

SNAPSHOT = Path(__file__).with_name("schema.sql")

# A pg_dump of only our schemas omits these: our objects in the schemas of Supabase, and our roles.
ELSEWHERE = {
    "policies": "select format('%s.%s: %s for %s to %s using %s with check %s', schemaname, tablename, policyname, cmd,"
    " roles, qual, with_check) from pg_policies where schemaname not in ('public', 'private')",
    "triggers": "select pg_get_triggerdef(t.oid) from pg_trigger t join pg_proc p on p.oid = tgfoid"
    " where p.pronamespace = 'private'::regnamespace and tgrelid::regclass::text !~ '^(public\\.|private\\.|[^.]*$)'",
    "buckets": "select format('%s: public %s, at most %s bytes, %s', id, public, file_size_limit, allowed_mime_types)"
    " from storage.buckets",
    "roles": "select format('%s: login %s, superuser %s, bypassrls %s, createrole %s', rolname, rolcanlogin, rolsuper,"
    " rolbypassrls, rolcreaterole) from pg_roles where rolname ~ '^generation_'",
    "memberships": "select format('%s in %s', member::regrole, roleid::regrole) from pg_auth_members"
    " where (member::regrole::text || roleid::regrole::text) ~ 'generation_' group by 1",
    "default privileges": "select format('%s in %s: %s', defaclobjtype, defaclnamespace, defaclacl) from pg_default_acl"
    " where defaclrole = 'postgres'::regrole",
}  # fmt: skip


@pytest.fixture(scope="module")
def stack(template: Stack) -> Iterator[Stack]:
    yield from fresh_copy(template)


@pytest.fixture
def conn(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        yield conn


def names(conn: psycopg.Connection[Any], query: str) -> list[str]:
    return sorted(str(row[0]) for row in conn.execute(query.encode()))


def test_the_schema_is_the_one_that_was_reviewed(
    stack: Stack, conn: psycopg.Connection[Any], tmp_path: Path
) -> None:
    now = tmp_path / "schema.sql"
    now.write_text(dump(stack) + describe(conn))
    assert now.read_text() == SNAPSHOT.read_text(), f"if this change is meant: cp {now} {SNAPSHOT}"


def dump(stack: Stack) -> str:
    """The definitions, without text that differs between runs or versions of pg_dump."""
    options = ["--schema-only", "--schema=public", "--schema=private"]
    command = [str(programs() / "pg_dump"), *options, stack.database_url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = re.sub(
        r"^(--.*|SET .*|SELECT pg_catalog.set_config.*|\\(un)?restrict .*)\n", "", text, flags=re.MULTILINE
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def describe(conn: psycopg.Connection[Any]) -> str:
    conn.execute("set search_path = pg_catalog")
    return "".join(
        f"\n-- {title}\n" + "".join(f"-- {line}\n" for line in names(conn, query))
        for title, query in ELSEWHERE.items()
    )


def test_every_table_has_row_level_security(conn: psycopg.Connection[Any]) -> None:
    assert not names(
        conn,
        "select oid::regclass from pg_class where relnamespace in ('public'::regnamespace, 'private'::regnamespace)"
        " and relkind in ('r', 'p') and not relrowsecurity",
    )


def test_every_function_looks_into_pg_temp_last(conn: psycopg.Connection[Any]) -> None:
    """With an empty path, types and relations of pg_temp would come first: see test_shadowing."""
    assert not names(
        conn,
        "select oid::regprocedure from pg_proc where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
        " and not coalesce(proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']",
    )


def test_nothing_is_granted_to_everybody_or_to_anon(conn: psycopg.Connection[Any]) -> None:
    assert not names(
        conn,
        "select distinct 'function ' || p.oid::regprocedure from pg_proc p,"
        "  aclexplode(coalesce(proacl, acldefault('f', proowner))) a"
        " where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
        "  and a.grantee in (0, 'anon'::regrole)"
        " union all"
        " select distinct 'relation ' || c.oid::regclass from pg_class c, aclexplode(relacl) a"
        " where relnamespace in ('public'::regnamespace, 'private'::regnamespace)"
        "  and a.grantee in (0, 'anon'::regrole)",
    )


def test_the_default_privileges_of_the_host_project_stay_as_they_were(
    conn: psycopg.Connection[Any], postgres: Stack
) -> None:
    """A later function of the host project keeps the rights from Postgres or the project."""
    defaults = "select format('%s in %s: %s', defaclobjtype, defaclnamespace, defaclacl) from pg_default_acl"
    with psycopg.connect(postgres.database_url, autocommit=True) as without_migrations:
        assert names(conn, defaults) == names(without_migrations, defaults)
    with conn.transaction(force_rollback=True):
        conn.execute("create function public.later() returns int language sql as 'select 1'")
        conn.execute("set local role authenticated")
        assert conn.execute("select public.later()").fetchone() == (1,)


def test_a_job_shows_its_owner_the_columns_of_the_client_contract(conn: psycopg.Connection[Any]) -> None:
    readable = names(
        conn,
        "select attname from pg_attribute where attrelid = 'public.jobs'::regclass and attnum > 0"
        " and has_column_privilege('authenticated', attrelid, attnum, 'select')",
    )
    assert readable == [
        "cost", "created_at", "error_code", "error_message", "finished_at", "id", "input", "model_id",
        "progress", "started_at", "status", "updated_at", "user_id",
    ]  # fmt: skip


def test_every_function_that_a_role_calls_keeps_its_plans_on_indexes(conn: psycopg.Connection[Any]) -> None:
    """test_plans shows why."""
    assert names(
        conn,
        "select proname from pg_proc where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
        " and prosecdef and not coalesce(proconfig, '{}') @> array['random_page_cost=0']",
    ) == ["broadcast_job", "on_prediction_not_needed"]


def test_only_functions_that_say_so_run_with_the_rights_of_their_owner(conn: psycopg.Connection[Any]) -> None:
    """A function without a grant to a role needs no owner's rights, unless it is a trigger's."""
    assert not names(
        conn,
        "select p.oid::regprocedure from pg_proc p where pronamespace = 'private'::regnamespace and prosecdef"
        " and prorettype <> 'trigger'::regtype and not exists ("
        "  select from aclexplode(proacl)"
        "  where grantee in ('generation_bridge'::regrole, 'generation_worker'::regrole, 'authenticated'::regrole))",
    )


def test_policies_ask_who_is_calling_once_per_statement_and_not_per_row(
    conn: psycopg.Connection[Any],
) -> None:
    query = "select policyname || ': ' || concat(qual, with_check) from pg_policies"
    policies = [policy for policy in names(conn, query) if "auth.uid" in policy]
    assert len(policies) == 7
    for policy in policies:
        assert policy.count("auth.uid()") == policy.count("( SELECT auth.uid() AS uid)")
        assert policy.count("realtime.topic()") == policy.count("( SELECT realtime.topic() AS topic)")


def test_every_policy_is_for_signed_in_users_alone(conn: psycopg.Connection[Any]) -> None:
    assert not names(conn, "select policyname from pg_policies where roles <> '{authenticated}'")


def test_every_table_with_a_policy_on_its_owner_has_an_index_that_begins_with_the_owner(
    conn: psycopg.Connection[Any],
) -> None:
    assert not names(
        conn,
        "select distinct tablename from pg_policies where schemaname = 'public' and qual ~ 'user_id' and not exists ("
        "  select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        "  where i.indrelid = format('%I.%I', schemaname, tablename)::regclass and a.attname = 'user_id'"
        "  and i.indpred is null)",
    )


def test_the_roles_of_bridge_and_worker_are_nothing_but_their_grants(conn: psycopg.Connection[Any]) -> None:
    assert not names(
        conn,
        "select rolname from pg_roles where rolname ~ '^generation_' and (rolcanlogin or rolsuper or rolcreaterole"
        " or rolcreatedb or rolbypassrls or rolreplication)"
        " union select member::regrole::text from pg_auth_members where member::regrole::text ~ '^generation_'",
    )


def test_nothing_newer_than_hosted_postgres_is_used() -> None:
    """Hosted projects run Postgres 17; the embedded one is newer and would accept this."""
    newer = re.compile(
        r"\b(uuidv[47]|virtual\b.*generated|casefold|array_sort|returning\s+(old|new)\b|without overlaps)",
        re.I,
    )
    for path in (SNAPSHOT.parent.parent.parent / "supabase" / "migrations").glob("*.sql"):
        assert not newer.search(path.read_text()), path.name

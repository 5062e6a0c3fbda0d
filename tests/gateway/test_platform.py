"""The rights of role postgres, and so of a migration, on the objects of the platform."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

from local.stack import Stack

PLATFORM_TABLES = ("storage.buckets", "storage.objects", "realtime.messages")


@pytest.fixture
def migration(unmigrated_stack: Stack) -> Iterator[psycopg.Connection]:
    with psycopg.connect(unmigrated_stack.database_url) as conn:
        yield conn
        conn.rollback()


@pytest.mark.parametrize("table", PLATFORM_TABLES)
def test_postgres_writes_policies_on_tables_it_does_not_own(
    migration: psycopg.Connection, table: str
) -> None:
    name = sql.Identifier(*table.split("."))
    for statement in (
        "create policy p on {} for select to authenticated using (false)",
        "alter policy p on {} using (true)",
        "comment on policy p on {} is 'why'",
        "drop policy p on {}",
    ):
        migration.execute(sql.SQL(statement).format(name))


@pytest.mark.parametrize(
    "statement",
    [
        "alter table {} enable row level security",
        "alter table {} disable row level security",
        "alter table {} add column x integer",
        "alter table {} owner to postgres",
        "alter table {} rename to x",
        "drop table {} cascade",
        "truncate {}",
        "create index on {} (id)",
        "create rule r as on insert to {} do nothing",
        "comment on table {} is ''",
    ],
)
@pytest.mark.parametrize("table", PLATFORM_TABLES)
def test_postgres_changes_nothing_else_of_them(
    migration: psycopg.Connection, table: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        migration.execute(sql.SQL(statement).format(sql.Identifier(*table.split("."))))


@pytest.mark.parametrize(
    "statement",
    [
        b"create table realtime.x ()",
        b"create function storage.x() returns integer language sql as 'select 1'",
        b"drop function storage.protect_delete cascade",
        b"drop event trigger refuse_platform_changes",
        b"set role supabase_policy_owner",
        b"set role supabase_storage_admin",
        b"alter role postgres superuser",
        b"alter table auth.users add column x integer",
        b"delete from storage.objects",
        b"delete from storage.buckets",
    ],
)
def test_postgres_is_no_superuser(migration: psycopg.Connection, statement: bytes) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        migration.execute(statement)


def test_a_broadcast_without_a_right_to_send_fails_silently(migration: psycopg.Connection) -> None:
    count = "select count(*) from realtime.messages"
    migration.execute("""select realtime.send('{"n": 1}', 'e', 'user:1')""")
    assert migration.execute(count).fetchone() == (1,)
    migration.execute("set local role authenticated")
    migration.execute("""select realtime.send('{"n": 2}', 'e', 'user:1')""")
    migration.execute("reset role")
    assert migration.execute(count).fetchone() == (1,)


def test_a_broadcast_keeps_the_id_of_its_payload_and_gets_one_otherwise(
    migration: psycopg.Connection,
) -> None:
    migration.execute(
        """select realtime.send('{"id": "mine"}', 'e', 't'), realtime.send('{}', 'e', 't')""",
    )
    rows = migration.execute("select id::text, payload ->> 'id' from realtime.messages").fetchall()
    assert [given for id_, given in rows if given != id_] == ["mine"]


def test_new_objects_in_public_are_granted_to_no_role(migration: psycopg.Connection) -> None:
    migration.execute("create table public.t ()")
    for role in ("anon", "authenticated", "service_role"):
        granted = "select has_table_privilege(%s, 'public.t', 'select')"
        assert migration.execute(granted, (role,)).fetchone() == (False,)


def test_a_trigger_of_a_migration_sees_new_users(
    migration: psycopg.Connection, unmigrated_stack: Stack
) -> None:
    migration.execute("""
      create function public.refuse() returns trigger language plpgsql as $$ begin raise 'seen'; end $$;
      create trigger t after insert on auth.users for each row execute function public.refuse();
    """)
    with pytest.raises(errors.RaiseException, match="seen"):
        migration.execute("insert into auth.users (id) values (%s)", (uuid.uuid4(),))

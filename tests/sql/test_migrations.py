"""From every earlier state, with every tool, the migrations lead to one schema and lose nothing."""

import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from local.stack import Stack
from operate.migrate import migrate
from tests.sql.supabase_cli import SupabaseCli, install, migrations
from tests.sql.test_schema import describe, dump
from tests.support.actors import INPUT, Operator
from tests.support.all_actors import Actors

REMEMBERED = "select version, name from supabase_migrations.schema_migrations order by version"
STATES = range(len(migrations()) + 1)
FIRST_WITH_REQUESTS = 13  # from the thirteenth file on, users can make requests


def schema(stack: Stack) -> str:
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        return dump(stack) + describe(conn)


def remembered(stack: Stack) -> list[Any]:
    with psycopg.connect(stack.database_url) as conn:
        return conn.execute(REMEMBERED).fetchall()


@pytest.fixture(scope="module")
def reviewed(template: Stack) -> str:
    return schema(template)


def migrate_first(stack: Stack, count: int, folder: Path) -> None:
    for path in migrations(count):
        shutil.copy(path, folder)
    migrate(stack.database_url, folder)


@pytest.mark.parametrize("count", STATES)
def test_the_rest_applies_to_every_earlier_state_and_keeps_its_data(
    unmigrated_stack: Stack, tmp_path: Path, reviewed: str, count: int
) -> None:
    migrate_first(unmigrated_stack, count, tmp_path)
    user_id, job_id = uuid.uuid4(), uuid.uuid4()
    operator = Operator(unmigrated_stack.database_url)
    operator.conn.execute("insert into auth.users (id, is_anonymous) values (%s, true)", (user_id,))
    if count >= FIRST_WITH_REQUESTS:
        operator.conn.execute(
            "select set_config('request.jwt.claims', %s, false)", (f'{{"sub": "{user_id}"}}',)
        )
        operator.conn.execute("update private.models set enabled = true")
        operator.value("select public.enqueue_generation(%s, 'preview', %s)", job_id, Jsonb(INPUT))
    operator.conn.close()

    migrate(unmigrated_stack.database_url)

    assert schema(unmigrated_stack) == reviewed
    actors = Actors(unmigrated_stack.database_url)
    actors.operator.conn.execute("update private.models set enabled = true")
    user = actors.session(user_id, is_anonymous=True)
    if count < FIRST_WITH_REQUESTS:
        user.enqueue(job_id)
    assert actors.bridge.dispatch() == [job_id]
    assert actors.worker.complete(job_id, actors.worker.claimed(job_id))
    assert user.enqueue(job_id)["credits"] == 4
    actors.end()


@pytest.fixture(scope="session")
def cli_is_installed() -> None:
    install()


@pytest.mark.usefixtures("cli_is_installed")
@pytest.mark.parametrize("count", [0, FIRST_WITH_REQUESTS])
def test_the_supabase_cli_applies_what_our_runner_has_not(
    unmigrated_stack: Stack, tmp_path: Path, reviewed: str, count: int
) -> None:
    (folder := tmp_path / "first").mkdir()
    migrate_first(unmigrated_stack, count, folder)
    SupabaseCli(tmp_path, migrations()).push(unmigrated_stack.database_url)
    assert schema(unmigrated_stack) == reviewed
    assert migrate(unmigrated_stack.database_url) == []


@pytest.mark.usefixtures("cli_is_installed")
def test_our_runner_applies_what_the_supabase_cli_has_not(
    unmigrated_stack: Stack, template: Stack, tmp_path: Path, reviewed: str
) -> None:
    SupabaseCli(tmp_path, migrations(FIRST_WITH_REQUESTS)).push(unmigrated_stack.database_url)
    assert migrate(unmigrated_stack.database_url) == [
        path.name for path in migrations()[FIRST_WITH_REQUESTS:]
    ]
    assert schema(unmigrated_stack) == reviewed
    assert remembered(unmigrated_stack) == remembered(template)


@pytest.mark.usefixtures("cli_is_installed")
def test_the_advisors_of_supabase_have_nothing_to_warn_of(database: str, tmp_path: Path) -> None:
    """docs/decisions.md explains their findings below the level of a warning."""
    cli = SupabaseCli(tmp_path, [])
    assert cli.advice(database, "warn") == []
    with psycopg.connect(database) as conn:
        conn.execute("create function public.careless() returns int language sql as 'select 1'")
    findings = [finding["name"] for finding in cli.advice(database, "warn")]
    assert findings == ["function_search_path_mutable"], "they do look"


def test_a_chapter_uses_only_what_stands_before_it() -> None:
    """A reader meets only names that are explained already.

    `create function` does not check a body for unknown names.
    """
    code = {path.name: re.sub(r"--.*", "", path.read_text()) for path in migrations()}
    made = {
        name: chapter
        for chapter, text in code.items()
        for name in re.findall(r"^create (?:table|type|function) ((?:public|private)\.\w+)", text, re.M)
    }
    assert len(made) > 50
    early = [
        f"{chapter} uses {name}, which {made[name]} creates"
        for chapter, text in code.items()
        for name in set(re.findall(r"\b(?:public|private)\.\w+", text)) & made.keys()
        if made[name] > chapter
    ]
    assert not early

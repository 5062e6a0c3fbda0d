"""A bridge or worker with an unusable login ends with one line, before it touches a job."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import database
from local import postgres as embedded_postgres
from local.stack import Stack
from tests.support.processes import ControlledProcess, python
from tests.support.servers import Redis
from tests.support.waiting import wait_until

COMMANDS = {
    "bridge": python("-m", "bridge"),
    "worker": [str(Path(sys.executable).parent / "celery"), "-A", "tasks", "worker", "--without-mingle"],
}
Start = Callable[..., ControlledProcess]


@pytest.fixture
def login(stack: Stack, request: pytest.FixtureRequest) -> Iterator[str]:
    """A login that is in no role, with the password of the stack."""
    name = f"lonely_{abs(hash(request.node.nodeid)) % 10**8}"
    identifier = sql.Identifier(name)
    with psycopg.connect(stack.url_of(embedded_postgres.SUPERUSER), autocommit=True) as conn:
        create = sql.SQL("create role {} login noinherit password {}")
        conn.execute(create.format(identifier, sql.Literal(stack.password)))
        yield name
        conn.execute(sql.SQL("drop role {}").format(identifier))


@pytest.fixture
def start(stack: Stack, broker: Redis, tmp_path: Path) -> Iterator[Start]:
    started: list[ControlledProcess] = []

    def start(name: str, url: str) -> ControlledProcess:
        environment = {
            f"{name.upper()}_DATABASE_URL": url,
            "REDIS_URL": broker.url,
            "SUPABASE_URL": stack.gateway_url,
            "SUPABASE_SECRET_KEY": stack.secret_key,
        }
        started.append(
            ControlledProcess(name, COMMANDS[name], folder=tmp_path, environment=environment).start()
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_login_without_the_role_is_named_with_the_cure(
    name: str, stack: Stack, login: str, start: Start
) -> None:
    process = start(name, stack.url_of(login))
    assert process.wait(30) == 1
    line = process.output.strip().splitlines()[-1]
    assert line.startswith(f"The login {login} cannot become generation_{name}")
    assert f"grant generation_{name} to {login};" in line
    assert stack.password not in process.output
    assert "ready" not in process.output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_password_that_a_pooler_does_not_know_yet_is_tried_again(
    name: str, stack: Stack, login: str, start: Start
) -> None:
    with psycopg.connect(stack.url_of(embedded_postgres.SUPERUSER), autocommit=True) as conn:
        change = sql.SQL("alter role {} password {}")
        conn.execute(change.format(sql.Identifier(login), sql.Literal("not yet")))
        role = sql.Identifier(f"generation_{name}")
        conn.execute(sql.SQL("grant {} to {}").format(role, sql.Identifier(login)))
        process = start(name, stack.url_of(login))
        event = {"bridge": "database.lost", "worker": "database.refused"}[name]
        wait_until(lambda: event in process.output, "the refusal")
        conn.execute(change.format(sql.Identifier(login), sql.Literal(stack.password)))
    # There is no Storage in this test, so the worker waits for it next.
    event = {"bridge": "database.back", "worker": "storage.away"}[name]
    wait_until(lambda: event in process.output, "the process to be of use", 30)
    assert process.is_alive


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_password_ends_the_process_in_one_line(
    name: str, stack: Stack, login: str, start: Start
) -> None:
    begun = time.monotonic()
    process = start(name, stack.url_of(login).replace(stack.password, "wrong-password"))
    assert process.wait(database.REFUSED_LOGIN_RETRIED_FOR + 60) == 1
    assert time.monotonic() - begun >= database.REFUSED_LOGIN_RETRIED_FOR
    line = process.output.strip().splitlines()[-1]
    assert line.startswith(f"The database refuses the password of {name.upper()}_DATABASE_URL")
    assert "wrong-password" not in process.output

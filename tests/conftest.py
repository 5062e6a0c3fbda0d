"""One Postgres for the whole run, one fresh database for each test, made as a copy of a migrated template."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from local import postgres as embedded_postgres
from local import stack as stacks
from local.migrate import migrate
from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.servers import Redis

pytest_plugins = ["tests.distribution"]

numbers = count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running server whose database `postgres` holds what hosted Supabase brings, and no migration."""
    stack = stacks.with_free_ports(stacks.create(tmp_path_factory.mktemp("stack")))
    stacks.save(stack)
    with embedded_postgres.running(stack, fsync="off"):  # it outlives no power cut
        embedded_postgres.bring_supabase(stack)
        yield stack


@pytest.fixture(scope="session")
def template(postgres: Stack) -> Stack:
    """The database that tests copy. No connection to it may stay open."""
    migrated = copy(postgres, "template_pilotlight")
    migrate(migrated.database_url)
    embedded_postgres.make_process_logins(migrated)
    return migrated


@pytest.fixture
def unmigrated_stack(postgres: Stack) -> Iterator[Stack]:
    """A fresh database with what hosted Supabase brings. Roles are the cluster's, so no role can be made twice."""
    yield from fresh_copy(postgres)


@pytest.fixture
def stack(template: Stack) -> Iterator[Stack]:
    """Keys, ports and the URLs of a fresh migrated database; of the servers only Postgres runs."""
    yield from fresh_copy(template)


@pytest.fixture
def database(stack: Stack) -> str:
    """The URL of a fresh migrated database, as role postgres."""
    return stack.database_url


@pytest.fixture
def jobs(database: str) -> Iterator[Jobs]:
    with psycopg.connect(database, autocommit=True) as conn:
        yield Jobs(conn)


@pytest.fixture(scope="session")
def redis_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis")).start().wait_ready()
    yield server
    server.kill()


@pytest.fixture
def broker(redis_of_the_run: Redis) -> Redis:
    """An empty Redis. Leave it running."""
    redis_of_the_run.flush()
    return redis_of_the_run


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that a test may kill and freeze."""
    server = Redis(tmp_path).start().wait_ready()
    yield server
    server.kill()


def fresh_copy(template: Stack) -> Iterator[Stack]:
    made = copy(template, f"test_{next(numbers)}")
    yield made
    run(template, sql.SQL("drop database {} with (force)").format(sql.Identifier(made.database)))


def copy(template: Stack, name: str) -> Stack:
    names = {"name": sql.Identifier(name), "template": sql.Identifier(template.database)}
    # Copying the files takes a quarter of the time of writing every block to the log.
    create = sql.SQL("create database {name} template {template} strategy file_copy owner postgres")
    run(template, create.format(**names))
    return replace(template, database=name)


def run(stack: Stack, statement: sql.Composed) -> None:
    """As superuser and beside the databases of the tests: a template must have no connection."""
    maintenance = replace(stack, database="template1").url_of(embedded_postgres.SUPERUSER)
    with psycopg.connect(maintenance, autocommit=True) as conn:
        conn.execute(statement)

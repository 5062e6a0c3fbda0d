"""One Postgres for the whole run, one fresh database for each test, made as a copy of a migrated
template.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import settings
from local import postgres as embedded_postgres
from local import stack as stacks
from local.stack import Stack
from tests.support.databases import bring_schema, copy, fresh_copy
from tests.support.jobs import Jobs
from tests.support.servers import Postgres, Redis

pytest_plugins = ["tests.distribution"]

settings.ENV_FILE = os.devnull  # a developer's .env is for the processes beside the tests

# A shell starts a command in the background with SIGINT ignored, and child processes would inherit
# that: Ctrl-C would not end them.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running server whose database `postgres` holds what hosted Supabase brings, and no
    migration.
    """
    stack = stacks.with_free_ports(stacks.create(tmp_path_factory.mktemp("stack")))
    stacks.save(stack)
    server = Postgres(stack).start()
    try:
        server.wait_ready(120)
        embedded_postgres.bring_supabase(stack)
        yield stack
    finally:
        server.stop()


@pytest.fixture(scope="session")
def template(postgres: Stack) -> Stack:
    """The database that tests copy. No connection to it may stay open."""
    migrated = copy(postgres, "template_pilotlight")
    bring_schema(migrated)
    return migrated


@pytest.fixture
def unmigrated_stack(postgres: Stack) -> Iterator[Stack]:
    """A fresh database with what hosted Supabase brings.

    Roles are the cluster's, so no role can be made twice.
    """
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
    with Jobs(database) as jobs:
        yield jobs


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

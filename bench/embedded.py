"""The servers of a bench: an embedded Postgres. Its data is deleted however the bench ends."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from bench import install
from local import postgres
from local import stack as stacks
from local.stack import Stack

VERSIONS = (17, 18)


def choose(version: int) -> None:
    """Choose the version of Postgres.

    18 comes with the local stack. 17, which hosted projects run, is installed for a bench.
    """
    if version == 17:
        programs = install.postgres17()
        postgres.programs = lambda: programs


@contextmanager
def supabase(**settings: str) -> Iterator[Stack]:
    """Run a database like that of a hosted project before its first migration."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all servers are stopped
    postgres.ignore_environment()
    with tempfile.TemporaryDirectory(prefix="pilotlight-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postgres may run as another user
        stack = stacks.with_free_ports(stacks.create(folder))
        stacks.save(stack)
        with postgres.running(stack, **settings):
            postgres.bring_supabase(stack)
            yield stack


def database(stack: Stack, name: str, template: str = "postgres") -> Stack:
    """Make another database on the same server."""
    maintenance = replace(stack, database="template1").url_of(postgres.SUPERUSER)
    with psycopg.connect(maintenance, autocommit=True) as conn:
        conn.execute(f"create database {name} template {template} owner postgres".encode())
    return replace(stack, database=name)

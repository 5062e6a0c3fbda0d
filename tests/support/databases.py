"""A migrated database, and a fresh one for each test: a copy of a template in the one server of the
run.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import psycopg
from psycopg import sql

from local import postgres
from local.stack import Stack
from operate.migrate import migrate

numbers = count(1)


def bring_schema(stack: Stack) -> None:
    """A database like a hosted one, with our migrations, the preview models and a login per
    process.
    """
    postgres.bring_supabase(stack)
    migrate(stack.database_url)
    postgres.seed(stack.database_url)
    postgres.make_process_logins(stack)


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
    maintenance = replace(stack, database="template1").url_of(postgres.SUPERUSER)
    with psycopg.connect(maintenance, autocommit=True) as conn:
        conn.execute(statement)

"""Apply supabase/migrations in file-name order, each in one transaction, and remember them as the Supabase CLI does.

`python -m local.migrate <database url>` works on any database; the CLI then sees the same migrations as applied.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from local.stack import ROOT

MIGRATIONS = ROOT / "supabase" / "migrations"

REMEMBER = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
alter table supabase_migrations.schema_migrations
  add column if not exists statements text[], add column if not exists name text;
"""

# What may hold a semicolon that does not end a statement. The body of a `begin atomic` function is not known here.
OPAQUE = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | \b[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "[^"]*" | (\$\w*\$).*?\1""",
    re.DOTALL | re.VERBOSE,
)


class MigrationFailed(Exception):
    """A migration that cannot be applied; the text names its file and line."""


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    line: int


def migrate(database_url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is not applied yet; the names of the files that were."""
    # Without prepared statements this passes a transaction-mode pooler, too.
    with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as conn:
        with conn.transaction():
            conn.execute(REMEMBER)
        return [path.name for path in sorted(folder.glob("*.sql")) if apply(conn, path)]


def apply(conn: psycopg.Connection[Any], path: Path) -> bool:
    """Apply one file unless it was applied before. False: it was."""
    version, _, name = path.stem.partition("_")
    with conn.transaction():
        # Two deploys at once take turns, and the second finds the work done.
        conn.execute("lock table supabase_migrations.schema_migrations in share row exclusive mode")
        known = "select from supabase_migrations.schema_migrations where version = %s"
        if conn.execute(known, (version,)).fetchone() is not None:
            return False
        statements = list(split(path.read_text()))
        for statement in statements:
            run(conn, statement, path)
        conn.execute(
            "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
            (version, [statement.text for statement in statements], name),
        )
    return True


def run(conn: psycopg.Connection[Any], statement: Statement, path: Path) -> None:
    try:
        conn.execute(statement.text.encode())
    except psycopg.Error as error:
        before = statement.text[: int(error.diag.statement_position or 1) - 1]
        line = statement.line + before.count("\n")
        raise MigrationFailed(f"{path.name}, line {line}: {error.diag.message_primary or error}") from error


def split(text: str) -> Iterator[Statement]:
    """The statements of a file without their semicolons, each with the line it starts on."""
    start = position = 0
    while position < len(text):
        if opaque := OPAQUE.match(text, position):
            position = opaque.end()
            continue
        if text[position] == ";":
            yield from statement_at(text, start, position)
            start = position + 1
        position += 1
    yield from statement_at(text, start, len(text))


def statement_at(text: str, start: int, end: int) -> Iterator[Statement]:
    stripped = text[start:end].strip()
    if re.sub(r"--[^\n]*|/\*.*?\*/|\s", "", stripped, flags=re.DOTALL):
        yield Statement(stripped, text.count("\n", 0, text.index(stripped, start)) + 1)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m local.migrate <database url>")
    try:
        applied = migrate(sys.argv[1])
    except (MigrationFailed, psycopg.Error) as error:
        raise SystemExit(f"Migration failed: {error}") from None
    print("\n".join(f"Applied {name}" for name in applied) or "Nothing to apply: the database is up to date.")


if __name__ == "__main__":
    main()

"""Apply supabase/migrations in file-name order, each in one transaction, and remember them as the
Supabase CLI does.

`make migrate` does it to DATABASE_URL; the CLI then sees the same migrations as applied.
"""

import sys
from pathlib import Path
from typing import Any

import psycopg

import settings
from operate.connection import explained

MIGRATIONS = Path(__file__).parent.parent / "supabase" / "migrations"

REMEMBER = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text not null primary key);
alter table supabase_migrations.schema_migrations
  add column if not exists statements text[], add column if not exists name text;
"""


class MigrationFailed(Exception):
    """A migration that cannot be applied; the text names its file and, if Postgres knows it, the
    line.
    """


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
        text = path.read_text()
        run(conn, text, path)
        conn.execute(
            "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
            (version, [text], name),
        )
    return True


def run(conn: psycopg.Connection[Any], text: str, path: Path) -> None:
    """Send the file whole, as one query of the simple protocol, so that Postgres finds its
    statements.
    """
    try:
        conn.execute(text.encode())
    except psycopg.Error as error:
        raise MigrationFailed(f"{path.name}{place_of(error, text)}: {reason_of(error)}") from error


def place_of(error: psycopg.Error, text: str) -> str:
    """Not every error has a position: a table that exists already has none."""
    if error.diag.statement_position is None:
        return ""
    return f", line {text.count(chr(10), 0, int(error.diag.statement_position) - 1) + 1}"


def reason_of(error: psycopg.Error) -> str:
    reason = error.diag.message_primary or str(error)
    return f"{reason} ({error.diag.context})" if error.diag.context else reason


def main() -> int:
    try:
        applied = migrate(settings.owner_database())
    except MigrationFailed as error:
        print(f"Migration failed: {error}", file=sys.stderr)
        return 1
    except psycopg.Error as error:
        print(explained(error, "DATABASE_URL"), file=sys.stderr)
        return 1
    print("\n".join(f"Applied {name}" for name in applied) or "Nothing to apply: the database is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

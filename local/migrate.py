"""Apply supabase/migrations in file-name order, each in one transaction, and remember them as the
Supabase CLI does.

`python -m local.migrate <database url>` works on any database; the CLI then sees the same
migrations as applied.
"""

import sys
from pathlib import Path
from typing import Any

import psycopg

import urls
from local.stack import ROOT

MIGRATIONS = ROOT / "supabase" / "migrations"
SEED = ROOT / "supabase" / "seed.sql"

REMEMBER = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
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


def seed(database_url: str) -> None:
    """Run supabase/seed.sql, which is for development: it enables the preview models."""
    with psycopg.connect(database_url) as conn:
        conn.execute(SEED.read_bytes())


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


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m local.migrate <database url>")
    try:
        applied = migrate(urls.database(sys.argv[1]))
    except ValueError as error:  # its text never has the value
        raise SystemExit(f"The database URL is wrong: {error}.") from None
    except (MigrationFailed, psycopg.Error) as error:
        raise SystemExit(f"Migration failed: {error}") from None
    print("\n".join(f"Applied {name}" for name in applied) or "Nothing to apply: the database is up to date.")


if __name__ == "__main__":
    main()

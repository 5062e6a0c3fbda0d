from pathlib import Path

import psycopg
import pytest

from local.stack import Stack
from operate.migrate import MIGRATIONS, MigrationFailed, migrate

TRICKY = """-- a comment; with a semicolon
create table t (a text default 'x;''y');

/* another; one */ create function f() returns void language plpgsql as $body$
begin perform ';'; perform $$;$$; end
$body$;
insert into t values (E'a\\';b'), ('50%');
select "a;" from (select 1 as "a;") s  -- no semicolon at the end
"""


def remembered(database_url: str) -> list[tuple[str, list[str], str]]:
    with psycopg.connect(database_url) as conn:
        rows = conn.execute("select version, statements, name from supabase_migrations.schema_migrations")
        return rows.fetchall()


def test_a_migration_is_applied_once_and_remembered_as_the_cli_does(
    unmigrated_stack: Stack, tmp_path: Path
) -> None:
    url = unmigrated_stack.database_url
    (tmp_path / "20260101000000_tricky.sql").write_text(TRICKY)
    assert migrate(url, tmp_path) == ["20260101000000_tricky.sql"]
    assert migrate(url, tmp_path) == []
    assert remembered(url) == [("20260101000000", [TRICKY], "tricky")]


def test_files_are_applied_in_the_order_of_their_names(unmigrated_stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "2_second.sql").write_text("insert into t values (1);")
    (tmp_path / "1_first.sql").write_text("create table t (a int);")
    assert migrate(unmigrated_stack.database_url, tmp_path) == ["1_first.sql", "2_second.sql"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("select 1;\n\nselect\n  nonsense;\n", 4),
        ("-- ü\nselect 'ü',\n  nonsense;\n", 3),
        ("create function f() returns int language plpgsql as $$\nbegin\n  retrun 1;\nend\n$$;\n", 3),
        ("select 1;\nselect 'open;\n", 2),
    ],
)
def test_a_failure_names_file_and_line_and_leaves_nothing(
    unmigrated_stack: Stack, tmp_path: Path, text: str, line: int
) -> None:
    (tmp_path / "1_wrong.sql").write_text("create table before_the_error (a int);" + text)
    with pytest.raises(MigrationFailed, match=f"^1_wrong.sql, line {line}: "):
        migrate(unmigrated_stack.database_url, tmp_path)
    assert remembered(unmigrated_stack.database_url) == []
    with psycopg.connect(unmigrated_stack.database_url) as conn:
        assert conn.execute("select to_regclass('public.before_the_error')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\ncreate table before_the_error (a int);", 'relation "before_the_error" already exists'),
        (
            "\ndo $$\nbegin\n  raise 'no';\nend\n$$;",
            r"no \(PL/pgSQL function inline_code_block line 3 at RAISE\)",
        ),
    ],
)
def test_a_failure_without_a_position_names_the_file_and_what_postgres_knows(
    unmigrated_stack: Stack, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "1_wrong.sql").write_text("create table before_the_error (a int);" + text)
    with pytest.raises(MigrationFailed, match=f"^1_wrong.sql: {reason}$"):
        migrate(unmigrated_stack.database_url, tmp_path)
    assert remembered(unmigrated_stack.database_url) == []


def test_our_migrations_apply_as_a_role_without_more_rights_than_hosted_has(template: Stack) -> None:
    assert [version for version, _, _ in remembered(template.database_url)] == sorted(
        path.name.split("_")[0] for path in MIGRATIONS.glob("*.sql")
    )

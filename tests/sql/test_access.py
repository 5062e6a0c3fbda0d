"""Each actor can do with each object of ours exactly what access.txt lists.

An object without a line in access.txt fails the test until a person has decided on its rights.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import seed
from local.stack import Stack
from operate.migrate import migrate
from tests.sql.access import ACTORS, Explorer, objects

MATRIX = Path(__file__).with_name("access.txt")

# Projects made before June 2026 grant new objects in public to every role of the Data API.
OLD_PROJECT = """
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
"""


@pytest.fixture(params=["new project", "old project"])
def explorer(request: pytest.FixtureRequest, unmigrated_stack: Stack) -> Iterator[Explorer]:
    with psycopg.connect(unmigrated_stack.database_url, autocommit=True) as conn:
        before = objects(conn)
        if request.param == "old project":
            conn.execute(OLD_PROJECT)
        migrate(unmigrated_stack.database_url)
        seed(unmigrated_stack.database_url)
        yield Explorer(conn, objects(conn) - before)


def test_everybody_can_do_exactly_what_the_matrix_says(explorer: Explorer, tmp_path: Path) -> None:
    lines = [line([*ACTORS, "action", "object"])]
    lines += [line([*cells, action, name]) for (name, action), cells in sorted(explorer.matrix().items())]
    (tmp_path / "access.txt").write_text(found := "".join(lines))
    assert found == MATRIX.read_text(), f"if this is meant: cp {tmp_path}/access.txt {MATRIX}"


def line(words: list[str]) -> str:
    *cells, action, name = words
    return "".join(f"{cell:11}" for cell in cells) + f" {action:22}{name}\n"

"""Each bench runs and fills its tables, with sizes too small for a measurement of speed."""

from pathlib import Path

import pytest

from bench import edge, sql
from tests.bench.tables import PrintedTable, measured, tables
from tests.support.make import make

pytestmark = pytest.mark.processes


def assert_full(table: PrintedTable) -> None:
    """Latencies may be negative: a worker may begin before the answer to the commit reaches the
    client.
    """
    assert table.rows
    assert any(table.figures()), table


def assert_on_the_page(text: str, folder: Path) -> None:
    """The printed table is in the page, under its title."""
    page = (folder / "README.md").read_text()
    assert text.startswith("# ")
    assert f"\n#{text.splitlines()[0]}\n" in page
    assert [table.rows for table in tables(page)] == [table.rows for table in tables(text)]


def test_sql_times_each_call_and_says_what_it_reads(tmp_path: Path) -> None:
    text = measured("bench-sql", f"--jobs 1000 --times 1 --results {tmp_path}")
    times, reads = tables(text)
    assert_full(times)
    assert times.names == reads.names == list(sql.CALLS)
    assert any(reading for _, reading in reads.rows)
    assert_on_the_page(text, tmp_path)


def test_edge_compares_the_functions_with_what_people_write(tmp_path: Path) -> None:
    text = measured("bench-edge", f"--cold 1 --warm 1 --results {tmp_path}")
    boots, taps, warm, targets = tables(text)
    for table in (boots, taps, warm, targets):
        assert_full(table)
    assert boots.names == [*edge.EMPTY, *edge.OURS, *edge.THEIRS]
    assert taps.names == list(edge.ENQUEUES)
    assert warm.names == ["bare RPC", *edge.ENQUEUES]
    assert_on_the_page(text, tmp_path)


def test_picture_compares_us_with_a_bare_task_that_does_the_same_work(tmp_path: Path) -> None:
    text = measured("bench-picture", f"--samples 1 --results {tmp_path}")
    times, target = tables(text)
    assert_full(times)
    assert times.names == ["bare Celery", "Pilotlight"]
    assert_full(target)
    assert_on_the_page(text, tmp_path)


@pytest.mark.parametrize("target", ["bench", "bench-sql", "bench-edge", "bench-picture"])
def test_a_folder_that_is_missing_is_named_in_one_line_before_anything_is_measured(
    target: str, tmp_path: Path
) -> None:
    folder = tmp_path / "missing"
    ended = make(target, ARGS=f"--results {folder}")  # at full size, which takes minutes
    said, *of_make = ended.stderr.splitlines()
    assert said == f"{folder} is no folder."
    assert len(of_make) == 1 and of_make[0].startswith("make: ***")
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("bench", "--rounds 0"),
        ("bench", "--samples many"),
        ("bench-sql", "--jobs 999"),
        ("bench-edge", "--warm -1"),
    ],
)
def test_a_size_that_measures_nothing_is_refused(target: str, arguments: str) -> None:
    ended = make(target, ARGS=arguments)
    assert f"argument {arguments.split()[0]}: " in ended.stderr
    assert (ended.returncode, ended.stdout) == (2, "")

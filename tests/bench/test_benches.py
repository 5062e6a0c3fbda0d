"""Each bench, with sizes so small that it says nothing about speed: that it runs, and that its tables are full."""

from pathlib import Path

import pytest

from bench import edge, sql
from tests.bench.tables import Table, measured, tables
from tests.support.make import make

pytestmark = pytest.mark.processes


def assert_full(table: Table) -> None:
    """Latencies may be negative: a worker may begin before the answer to the commit reaches the client."""
    assert table.rows
    assert any(table.figures()), table


def test_dispatch_compares_us_with_bare_celery_and_each_process_has_its_own_login(tmp_path: Path) -> None:
    file = tmp_path / "dispatch.md"
    sizes = "--rounds 1 --samples 5 --burst 20 --idle 1 --backlog 1000"
    text = measured("bench-dispatch", f"{sizes} --output {file}")
    latencies, burst, idle, looks = tables(text)
    for table in (latencies, burst, looks):
        assert_full(table)
    assert latencies.names == burst.names == ["bare Celery", "Pilotlight"]
    assert [row[:2] for row in idle.rows] == [
        ["pilotlight-bridge", "pilotlight_bridge"],
        ["pilotlight-worker", "pilotlight_worker"],
    ]
    assert any(idle.figures())
    assert file.read_text() == text


def test_sql_times_each_call_and_says_what_it_reads(tmp_path: Path) -> None:
    file = tmp_path / "sql.md"
    text = measured("bench-sql", f"--jobs 1000 --times 1 --output {file}")
    times, reads = tables(text)
    assert_full(times)
    assert times.names == reads.names == list(sql.CALLS)
    assert any(reading for _, reading in reads.rows)
    assert file.read_text() == text


def test_edge_compares_the_functions_with_what_people_write(tmp_path: Path) -> None:
    file = tmp_path / "edge.md"
    text = measured("bench-edge", f"--cold 1 --warm 1 --output {file}")
    boots, taps, warm, targets = tables(text)
    for table in (boots, taps, warm, targets):
        assert_full(table)
    assert boots.names == [*edge.EMPTY, *edge.OURS, *edge.THEIRS]
    assert taps.names == list(edge.ENQUEUES)
    assert warm.names == ["bare RPC", *edge.ENQUEUES]
    assert file.read_text() == text


def test_picture_compares_us_with_a_bare_task_that_does_the_same_work(tmp_path: Path) -> None:
    file = tmp_path / "picture.md"
    text = measured("bench-picture", f"--samples 1 --output {file}")
    times, target = tables(text)
    assert_full(times)
    assert times.names == ["bare Celery", "Pilotlight"]
    assert_full(target)
    assert file.read_text() == text


@pytest.mark.parametrize("target", ["bench-dispatch", "bench-sql", "bench-edge", "bench-picture"])
def test_a_file_that_cannot_be_written_is_named_in_one_line_before_anything_is_measured(
    target: str, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "table.md"
    ended = make(target, ARGS=f"--output {file}")  # at full size, which takes minutes
    said, *of_make = ended.stderr.splitlines()
    assert said == f"{file} cannot be written: No such file or directory."
    assert len(of_make) == 1 and of_make[0].startswith("make: ***")
    assert (ended.returncode, ended.stdout) == (2, "")


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("bench-dispatch", "--rounds 0"),
        ("bench-dispatch", "--samples many"),
        ("bench-sql", "--jobs 999"),
        ("bench-edge", "--warm -1"),
    ],
)
def test_a_size_that_measures_nothing_is_refused(target: str, arguments: str) -> None:
    ended = make(target, ARGS=arguments)
    assert f"argument {arguments.split()[0]}: " in ended.stderr
    assert (ended.returncode, ended.stdout) == (2, "")

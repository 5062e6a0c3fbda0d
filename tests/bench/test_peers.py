"""Every contender of `make bench` does the work, with sizes too small to measure speed."""

import json
from pathlib import Path

import pytest

from bench.entries import ENTRIES
from tests.bench.tables import measured, tables

pytestmark = pytest.mark.processes

ONCE = [name for name, entry in ENTRIES.items() if not entry.bursts_alone]


def test_each_contender_does_the_same_work(tmp_path: Path) -> None:
    sizes = "--rounds 1 --warm-up 0 --burst 20 --part burst"
    only = " ".join(f"--only '{name}'" for name in ONCE)
    text = measured("bench", f"{sizes} {only} --results {tmp_path}")
    burst, cost, described = tables(text)
    assert burst.names == cost.names == described.names == ONCE
    assert all(figure > 0 for figure in burst.figures())
    assert any(cost.figures())
    assert "](peers-burst.svg)" in (tmp_path / "README.md").read_text()
    assert len(json.loads((tmp_path / "peers.json").read_text())["rounds"]["bursts"]) == len(ONCE)


def test_each_part_has_its_table(tmp_path: Path) -> None:
    """Of one contender, which starts in a moment."""
    sizes = "--rounds 1 --warm-up 10 --samples 2 --burst 10 --backlog 100 --idle 1 --in-flight 2"
    text = measured("bench", f"{sizes} --only graphile-worker --results {tmp_path}")
    found = tables(text)
    assert [len(table.rows) for table in found] == [1] * 7
    assert all(any(table.figures()) for table in found[:-1])

import math
from pathlib import Path

import pytest

from bench import parts
from bench.report import Report, cell, percentile, writable
from tests.bench.tables import tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (2.534, "2.53"),
        (-0.012, "-0.01"),
        (123.4, "123"),
        (12345.6, "12,346"),
        (7, "7"),
        ("a", "a"),
    ],
)
def test_a_cell_has_the_figures_that_mean_something(value: str | float, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_cell_without_a_finite_number_is_found(
    value: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Report("a", tmp_path).table(["what", "ms"], [("a", 1.0), ("b", value)])
    (table,) = tables(capsys.readouterr().out)
    with pytest.raises(AssertionError):
        table.figures()


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.95, 5), (1.0, 5)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile([5, 3, 1, 4, 2], share) == value


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_every_percentile_of_one_value_is_that_value(share: float) -> None:
    assert percentile([7], share) == 7


@pytest.mark.quick  # git, for the commit
def test_the_page_holds_what_was_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("sql", writable(str(tmp_path)))
    report.title("A bench")
    report.table(["what", "ms"], [("a", 1.0)])
    report.save()
    table = "| what | ms |\n| --- | ---: |\n| a | 1.00 |\n"
    assert capsys.readouterr().out.endswith(table)
    assert table in (tmp_path / "README.md").read_text()


def test_a_bench_that_fails_keeps_the_former_results(tmp_path: Path) -> None:
    file = tmp_path / "sql.json"
    file.write_text("{}")
    Report("sql", tmp_path).table(["what", "ms"], [("a", 2.0)])
    assert file.read_text() == "{}"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="is no folder"):
        writable(str(tmp_path / "file"))


def test_the_bench_counts_no_statement_of_its_own() -> None:
    lines = [
        "ours|pilotlight-bridge|LOG:  execute _pg3_2: select 1",
        "ours|pilotlight-worker|LOG:  statement: begin",
        "ours|bench|LOG:  execute <unnamed>: select 1",
        "another|worker|LOG:  statement: select 1",
    ]
    assert parts.statements(lines, "ours") == 2

import math
from pathlib import Path

import pytest

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
def test_a_cell_without_a_finite_number_is_found(value: float, capsys: pytest.CaptureFixture[str]) -> None:
    Report(None).table(["what", "ms"], [("a", 1.0), ("b", value)])
    (table,) = tables(capsys.readouterr().out)
    with pytest.raises(AssertionError):
        table.figures()


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.95, 5), (1.0, 5)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile([5, 3, 1, 4, 2], share) == value


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_every_percentile_of_one_value_is_that_value(share: float) -> None:
    assert percentile([7], share) == 7


def test_the_file_holds_what_was_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(writable(str(tmp_path / "table.md")))
    report.title("A bench")
    report.table(["what", "ms"], [("a", 1.0)])
    report.save()
    printed = capsys.readouterr().out
    assert (tmp_path / "table.md").read_text() == printed
    assert printed.startswith("# A bench\n")
    assert printed.endswith("| what | ms |\n| --- | ---: |\n| a | 1.00 |\n")


def test_a_bench_that_fails_keeps_the_former_table(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    file.write_text("| a | 1.00 |\n")
    Report(writable(str(file))).table(["what", "ms"], [("a", 2.0)])
    assert file.read_text() == "| a | 1.00 |\n"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="cannot be written: Is a directory"):
        writable(str(tmp_path))

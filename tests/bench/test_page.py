"""The figures of the documents come from the results; none was typed."""

import xml.etree.ElementTree as ET
from pathlib import Path

from bench import charts, page, scale
from bench.report import RESULTS

COST = {
    "columns": [
        "A job of a burst costs",
        "CPU us, bridge",
        "CPU us, Postgres",
        "fsyncs",
        "bytes of WAL",
        "bytes of disk",
    ],
    "rows": [["bare Celery", 0.0, 0.0, 0.0, 0.0, 0.0], ["Pilotlight", 50.0, 900.0, 0.5, 5_000.0, 2_000.0]],
    "key": "cost",
}
BURST = {
    "columns": ["Burst of 10", "jobs a second", "rate x bare Celery"],
    "rows": [["bare Celery", 1_000.0, 1.0], ["Pilotlight", 850.0, 0.85]],
    "key": "burst",
}
RESULTS_OF_A_RUN = {"peers": {"title": "Peers", "machine": "", "blocks": [BURST, COST]}}


def test_the_pages_in_the_repository_are_what_the_results_say() -> None:
    """After a merge: python -m bench.page."""
    results = page.load(RESULTS)
    assert (RESULTS / "README.md").read_text() == page.page(results, RESULTS)
    document = page.DOCUMENT.read_text()
    assert page.filled(document, results) == document


def test_a_table_of_the_document_is_filled_and_can_be_filled_again() -> None:
    document = "before\n<!-- table: peers/burst -->\nold\n<!-- end -->\nafter\n"
    filled = page.filled(document, RESULTS_OF_A_RUN)
    assert "| Pilotlight | 850 | 0.85 |" in filled and "old" not in filled
    assert page.filled(filled, RESULTS_OF_A_RUN) == filled


def test_a_missing_measurement_is_named(tmp_path: Path) -> None:
    document = "<!-- table: edge/boots -->\n<!-- end -->\n<!-- table: scale -->\n<!-- end -->\n"
    assert page.filled(document, {}).count("Not measured yet.") == 2
    page.render(tmp_path)
    assert (tmp_path / "README.md").read_text() == page.HEAD


def test_a_thousand_times_the_load_takes_a_thousand_times_of_what_a_job_costs() -> None:
    once, *_, thousandfold = scale.table(RESULTS_OF_A_RUN)["rows"]
    figures = dict(zip(scale.COLUMNS, zip(once, thousandfold, strict=True), strict=True))
    for column in ("Jobs a second", "cores of Postgres", "commits that flush, a second", "WAL a day, GB"):
        low, high = figures[column]
        assert abs(high / low - 1_000) < 1e-6, column
    assert figures["workers"] == (2, 4)  # two claims a job, at 60 % of 850 a second
    assert figures["smallest hosted size"] == ("Micro", "XL")
    assert figures["gives first"] == ("connections", "starts at Replicate")


def test_a_chart_has_a_bar_for_each_row_and_the_longest_for_the_largest() -> None:
    (name,) = [name for name in charts.of(RESULTS_OF_A_RUN) if "burst" in name]
    chart = ET.fromstring(charts.of(RESULTS_OF_A_RUN)[name])  # noqa: S314  # it is ours
    bars = [float(bar.attrib["width"]) for bar in chart.iter("{http://www.w3.org/2000/svg}rect")]
    assert bars == [charts.BARS, charts.BARS * 0.85]

"""The storms of the Makefile, started as a person starts them, with small sizes."""

import math
import re

import pytest

from tests.bench.tables import measured
from tests.support.make import make

pytestmark = pytest.mark.processes


def figures(name: str, text: str) -> list[float]:
    """The numbers that stand beside a name in the text."""
    line = re.search(rf"^ *{re.escape(name)} +(.*)$", text, re.MULTILINE)
    assert line, f"nothing is said of {name!r} in\n{text}"
    found = [float(word) for word in line[1].split() if re.fullmatch(r"-?[\d.]+|nan|inf", word)]
    assert found and all(map(math.isfinite, found)), line[0]
    return found


def test_a_storm_of_a_few_jobs_breaks_no_promise() -> None:
    # A worker needs seconds to start: killed more often, it would do nothing on a busy machine.
    text = measured("storm", "--jobs 2 --kill-every 60 --seed 2")
    assert text.startswith("seed 2: 2 jobs in ")
    assert any(figures("made", text))
    violations = text.split("violations\n")[1].strip().splitlines()
    assert len(violations) == 7
    assert all(line.split()[-1] == "0" for line in violations)


def test_a_few_predictions_in_flight_are_all_collected() -> None:
    text = measured("inflight", "--jobs 10 --samples 5")
    assert "10 predictions in flight, one bridge, one worker" in text
    for name in (
        "webhook to generation",
        "bare Celery: a round trip that collects and stores",
        "bare Celery: a round trip that does nothing",
        "ratio to the one that collects",
        "in flight",
        "until all were collected",
    ):
        assert any(figures(name, text))
    assert "lost 0, predictions too many 0" in text


def test_chaos_takes_options() -> None:
    ended = make("chaos", ARGS="--help")
    assert ended.returncode == 0, ended.stderr
    assert "--faults FAULTS" in ended.stdout

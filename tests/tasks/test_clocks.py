"""No process's own clock matters: bridge and workers may be hours apart from each other and from
the database.

Celery's countdown alone is measured by the wall clock of its sender, so that another worker may
hold the message of a retry for hours; the row is due by the database's clock, and the bridge sends
another.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.jobs import Jobs
from tests.support.processes import ROOT
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

# Read by Python before anything else. A jump of the wall clock leaves time.monotonic alone, as it
# does in life.
OTHER_CLOCK = """
import datetime, time
by = datetime.timedelta(hours={hours})
right_time = time.time
time.time = lambda: right_time() + by.total_seconds()

class Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + by

datetime.datetime = Datetime
"""


@pytest.fixture
def clock(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """The environment of a process whose wall clock is so many hours ahead."""

    def environment(hours: int) -> dict[str, str]:
        folder = tmp_path / f"clock{hours}"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(OTHER_CLOCK.format(hours=hours))
        return {"PYTHONPATH": f"{folder}:{ROOT}"}

    return environment


def test_clocks_that_are_hours_apart_change_nothing(
    faulty: Jobs,
    start_bridge: StartWorker,
    start_worker: StartWorker,
    clock: Callable[[int], dict[str, str]],
) -> None:
    before = faulty.credits()
    start_bridge(**clock(5))
    workers = [start_worker(**clock(hours)) for hours in (2, -2)]
    longer_than_its_lease = [faulty.enqueue("faulty", seconds=4) for _ in range(4)]
    tried_again = [faulty.enqueue("faulty", do="fail at first") for _ in range(4)]
    waiting = [faulty.enqueue("faulty", do="start") for _ in range(4)]

    wait_until(lambda: faulty.statuses() == ["succeeded"] * 12, "the jobs to end", 30)

    attempts = {job_id: faulty.get(job_id)["attempt"] for job_id in (*longer_than_its_lease, *tried_again)}
    assert attempts == dict.fromkeys(longer_than_its_lease, 1) | dict.fromkeys(tried_again, 2)
    assert [faulty.get(job_id)["fence"] for job_id in longer_than_its_lease] == [1] * 4
    assert [faulty.get(job_id)["fence"] for job_id in waiting] == [2] * 4
    assert faulty.credits() == before - 12
    assert all(worker.is_alive for worker in workers)

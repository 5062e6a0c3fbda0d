"""A worker may die, freeze or be asked to leave at any line; the job goes on and costs its price
once.
"""

import signal
from pathlib import Path
from uuid import UUID

import pytest
from pytest_celery import CeleryTestSetup

from tests.support.jobs import Jobs
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker


def pictures(jobs: Jobs) -> int:
    row = jobs.conn.execute("select count(distinct split_part(name, '/', 2)) from storage.objects").fetchone()
    return int(row[0]) if row else 0


def dead(setup: CeleryTestSetup) -> int:
    return [worker.container.status for worker in setup.worker_cluster].count("exited")


def assert_ended_well(jobs: Jobs, job_id: UUID, credits_before: int, timeout: float = 40) -> None:
    wait_until(lambda: jobs.get(job_id)["finished_at"] is not None, "the job to end", timeout)
    assert (jobs.status(job_id), jobs.credits()) == ("succeeded", credits_before - 1)
    assert jobs.count("true") == pictures(jobs) == 1


@pytest.mark.parametrize(
    ("point", "attempts"),
    [
        ("before claim", 1),  # the message is lost, the row is not
        ("after claim", 2),
        ("before upload", 2),
        ("after upload", 2),  # the second upload overwrites the same path
        ("before complete", 2),
        ("after complete", 1),
    ],
)
def test_a_worker_killed_at_any_point_loses_nothing(
    faulty: Jobs, tmp_path: Path, celery_setup: CeleryTestSetup, point: str, attempts: int
) -> None:
    before = faulty.credits()
    (tmp_path / f"kill {point}").touch()

    job_id = faulty.enqueue("faulty")
    wait_until(lambda: dead(celery_setup) == 1, "the worker that has the job to die")

    assert_ended_well(faulty, job_id, before)
    assert faulty.get(job_id)["attempt"] == attempts
    assert dead(celery_setup) == 1, "the other worker went on"


def test_a_worker_killed_between_row_and_message_of_a_retry_loses_nothing(
    faulty: Jobs, tmp_path: Path, celery_setup: CeleryTestSetup
) -> None:
    before = faulty.credits()
    (tmp_path / "kill after retry").touch()

    job_id = faulty.enqueue("faulty", do="fail at first")
    wait_until(lambda: dead(celery_setup) == 1, "the worker that has the job to die")

    assert_ended_well(faulty, job_id, before)
    assert faulty.get(job_id)["attempt"] == 2


def test_a_worker_killed_while_it_collects_orders_nothing_again(
    faulty: Jobs, tmp_path: Path, celery_setup: CeleryTestSetup
) -> None:
    before = faulty.credits()
    (tmp_path / "kill before upload").touch()

    job_id = faulty.enqueue("faulty", do="start")
    wait_until(lambda: dead(celery_setup) == 1, "the worker that collects to die")

    assert_ended_well(faulty, job_id, before)
    assert (tmp_path / "starts").read_text() == f"{job_id} 1\n"


@pytest.mark.parametrize("point", ["after claim", "after upload", "before complete"])
def test_a_zombie_that_wakes_after_its_lease_changes_nothing(
    faulty: Jobs, tmp_path: Path, celery_setup: CeleryTestSetup, point: str
) -> None:
    before = faulty.credits()
    (tmp_path / f"freeze {point}").touch()
    job_id = faulty.enqueue("faulty")
    wait_until(lambda: not (tmp_path / f"freeze {point}").exists(), "the worker to freeze")
    assert_ended_well(faulty, job_id, before)

    for worker in celery_setup.worker_cluster:
        worker.kill("SIGCONT")

    wait_until(
        lambda: any("attempt.lost" in worker.logs() for worker in celery_setup.worker_cluster),
        "the zombie to learn that it lost",
    )
    assert_ended_well(faulty, job_id, before)
    assert faulty.get(job_id)["fence"] == 2


def test_when_all_workers_die_jobs_wait_for_the_next(faulty: Jobs, celery_setup: CeleryTestSetup) -> None:
    for worker in celery_setup.worker_cluster:
        worker.kill()
    job_ids = [faulty.enqueue("faulty") for _ in range(3)]
    wait_until(lambda: faulty.count("dispatched_at is not null") == 3, "the dispatch")

    celery_setup.worker.restart()

    wait_until(lambda: faulty.statuses() == ["succeeded"] * 3, "the jobs to end")
    assert [faulty.get(job_id)["attempt"] for job_id in job_ids] == [1] * 3


def test_a_job_that_kills_its_worker_is_bounded_and_refunded(
    faulty: Jobs, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    before = faulty.credits()
    start_bridge()
    job_id = faulty.enqueue("faulty", do="abort")
    for attempt in (1, 2, 3):
        worker = start_worker()
        wait_until(lambda worker=worker: not worker.is_alive, f"death {attempt}", 40)  # type: ignore[misc]
    start_worker()
    innocent = faulty.enqueue("faulty")

    wait_until(lambda: faulty.get(innocent)["finished_at"] is not None, "the innocent job to end", 40)
    wait_until(lambda: faulty.get(job_id)["finished_at"] is not None, "the poisonous job to end", 40)
    assert faulty.get(job_id)["error_code"] == "worker_lost"
    assert (faulty.status(innocent), faulty.credits()) == ("succeeded", before - 1)


def test_a_leaving_worker_gives_back_what_is_unfinished_without_costing_an_attempt(
    faulty: Jobs, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    start_bridge()
    leaving = start_worker(SHUTDOWN_SECONDS="0.2", LEASE_SECONDS="60")
    job_id = faulty.enqueue("faulty", seconds=30)
    wait_until(lambda: faulty.status(job_id) == "running", "the job to run")

    assert leaving.terminate(timeout=10) == 0

    assert (faulty.status(job_id), faulty.get(job_id)["attempt"]) == ("queued", 0)
    assert "job.released" in leaving.output


def test_a_leaving_worker_finishes_what_takes_a_moment(
    faulty: Jobs, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    before = faulty.credits()
    start_bridge()
    leaving = start_worker()
    job_id = faulty.enqueue("faulty", seconds=1)
    wait_until(lambda: faulty.status(job_id) == "running", "the job to run")

    assert leaving.terminate(timeout=20) == 0

    assert_ended_well(faulty, job_id, before)
    assert faulty.get(job_id)["fence"] == 1


@pytest.mark.parametrize("point", ["after claim", "after upload"])
def test_a_deleted_account_leaves_no_row_and_no_picture(
    faulty: Jobs, tmp_path: Path, start_bridge: StartWorker, start_worker: StartWorker, point: str
) -> None:
    start_bridge()
    worker = start_worker(LEASE_SECONDS="60")
    (tmp_path / f"freeze {point}").touch()
    faulty.enqueue("faulty")
    wait_until(lambda: not (tmp_path / f"freeze {point}").exists(), "the worker to freeze")

    faulty.conn.execute("delete from auth.users where id = %s", (faulty.user_id,))
    worker.send(signal.SIGCONT)

    wait_until(lambda: "objects.removed" in worker.output, "the picture to be removed", 60)
    assert (faulty.count(), pictures(faulty)) == (0, 0)

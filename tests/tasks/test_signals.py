"""However a worker is asked to leave, it gives back what is unfinished, at no attempt, and ends
soon.
"""

import signal
from uuid import UUID

import pytest
from celery import Celery

from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.servers import Redis
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

# A worker that waits for its jobs would have until the end of the test.
PATIENT = {"SHUTDOWN_SECONDS": "60", "LEASE_SECONDS": "60"}
AT_ONCE = {"SHUTDOWN_SECONDS": "0.2", "LEASE_SECONDS": "60"}


@pytest.fixture
def running(faulty: Jobs, start_bridge: StartWorker) -> "list[UUID]":
    start_bridge()
    return [faulty.enqueue("faulty", seconds=60) for _ in range(2)]


@pytest.mark.parametrize(
    ("numbers", "environment_of_it"),
    [
        ([signal.SIGTERM], AT_ONCE),
        ([signal.SIGINT], AT_ONCE),
        ([signal.SIGINT, signal.SIGINT], PATIENT),
        ([signal.SIGTERM, signal.SIGQUIT], PATIENT),
        ([signal.SIGQUIT], PATIENT),
        ([signal.SIGTERM], PATIENT | {"REMAP_SIGTERM": "SIGQUIT"}),
        ([signal.SIGHUP], AT_ONCE),
    ],
    ids=["TERM", "INT", "INT twice", "TERM then QUIT", "QUIT", "TERM remapped to QUIT", "HUP"],
)
def test_a_signal_gives_unfinished_jobs_back_at_no_attempt(
    faulty: Jobs,
    running: list[UUID],
    start_worker: StartWorker,
    numbers: list[signal.Signals],
    environment_of_it: dict[str, str],
) -> None:
    worker = start_worker(**environment_of_it)
    wait_until(lambda: faulty.count("status = 'running'") == 2, "the jobs to run")
    for number in numbers:
        worker.send(number)
        wait_heard(worker, number)

    assert worker.wait(20) == 0

    assert [(faulty.status(job_id), faulty.get(job_id)["attempt"]) for job_id in running] == [
        ("queued", 0)
    ] * 2


def wait_heard(worker: ControlledProcess, number: signal.Signals) -> None:
    """Two signals that come at once are one."""
    if number != signal.SIGHUP:
        wait_until(
            lambda: "shutdown (MainProcess)" in worker.output or not worker.is_alive, "the signal to arrive"
        )


def test_an_idle_worker_leaves_at_once(start_worker: StartWorker, broker: Redis) -> None:
    """It waits for a message in Redis for ten seconds at a time, and must not sit that out."""
    worker = start_worker(SHUTDOWN_SECONDS="60")

    def is_waiting() -> bool:
        with broker.client as client:
            return int(client.info("clients")["blocked_clients"]) > 0

    wait_until(is_waiting, "the worker to wait for a message")
    assert worker.terminate(timeout=5) == 0


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_that_is_revoked_in_flower_is_canceled(
    faulty: Jobs, start_bridge: StartWorker, start_worker: StartWorker, broker: Redis, status: str
) -> None:
    before = faulty.credits()
    worker = start_worker(WORKER_THREADS="1", LEASE_SECONDS="60" if status == "queued" else "3")
    start_bridge()
    running = faulty.enqueue("faulty", seconds=4)
    wait_until(lambda: faulty.status(running) == "running", "the job to run")
    job_id = faulty.enqueue("faulty") if status == "queued" else running
    with Celery(broker=broker.url, set_as_current=False) as app:
        app.control.revoke(str(job_id), terminate=True)

    wait_until(lambda: faulty.get(job_id)["finished_at"], "the job to end", 40)
    assert (faulty.status(job_id), faulty.get(job_id)["error_code"]) == ("canceled", "canceled")
    if status == "queued":
        wait_until(lambda: faulty.get(running)["finished_at"], "the other job to end", 40)
    assert faulty.credits() == before - (1 if status == "queued" else 0)
    assert worker.is_alive

"""Redis, Postgres and Storage restart, freeze and fall silent under a working worker."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from celery import Celery
from pytest_celery import CeleryTestSetup

from local.postgres import SUPERUSER
from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.relay import Relay
from tests.support.servers import Redis
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def redis_relay(own_broker: Redis) -> Iterator[Relay]:
    relay = Relay(own_broker.port)
    yield relay
    relay.close()


@pytest.fixture
def redis_url(redis_relay: Relay) -> str:
    return f"redis://127.0.0.1:{redis_relay.port}/0"


@pytest.fixture
def worker(start_bridge: StartWorker, start_worker: StartWorker, redis_url: str) -> ControlledProcess:
    start_bridge(REDIS_URL=redis_url)
    return start_worker(REDIS_URL=redis_url)


def ends(jobs: Jobs, *job_ids: UUID, timeout: float = 45) -> None:
    for job_id in job_ids:
        wait_until(lambda job_id=job_id: jobs.get(job_id)["finished_at"], "the job to end", timeout)  # type: ignore[misc]
        assert jobs.status(job_id) == "succeeded"
        assert jobs.get(job_id)["attempt"] == 1, "no attempt was spent on a broken server"


def running(jobs: Jobs, seconds: float = 2) -> UUID:
    job_id = jobs.enqueue("faulty", seconds=seconds)
    wait_until(lambda: jobs.status(job_id) == "running", "the job to run")
    return job_id


def test_redis_restarts_with_a_task_in_flight(celery_setup: CeleryTestSetup, faulty: Jobs) -> None:
    in_flight = running(faulty)
    celery_setup.broker.kill()
    waiting = faulty.enqueue("faulty")
    celery_setup.broker.restart()

    ends(faulty, in_flight, waiting)
    assert [worker.container.status for worker in celery_setup.worker_cluster] == ["running"] * 2


def test_redis_loses_every_message(worker: ControlledProcess, faulty: Jobs, own_broker: Redis) -> None:
    worker.freeze()
    lost = [faulty.enqueue("faulty") for _ in range(5)]
    wait_until(lambda: faulty.count("dispatched_at is not null") == 5, "the dispatch")
    own_broker.flush()
    worker.thaw()

    ends(faulty, *lost)


def test_redis_freezes(worker: ControlledProcess, faulty: Jobs, own_broker: Redis) -> None:
    in_flight = running(faulty)
    own_broker.freeze()
    waiting = faulty.enqueue("faulty")
    ends(faulty, in_flight)
    own_broker.thaw()

    ends(faulty, waiting)


def test_connections_to_redis_fall_silent(
    worker: ControlledProcess, faulty: Jobs, redis_relay: Relay
) -> None:
    in_flight = running(faulty)
    redis_relay.silence()
    waiting = [faulty.enqueue("faulty") for _ in range(3)]

    ends(faulty, in_flight, *waiting)


def test_a_retry_that_redis_does_not_take_is_due_without_it(
    worker: ControlledProcess, faulty: Jobs, own_broker: Redis
) -> None:
    job_id = faulty.enqueue("faulty", do="fail at first", seconds=1)
    wait_until(lambda: faulty.status(job_id) == "running", "the job to run")
    own_broker.kill()
    wait_until(lambda: "retry.not_sent" in worker.output, "the retry to be refused")
    own_broker.start().wait_ready()

    wait_until(lambda: faulty.get(job_id)["finished_at"], "the job to end", 40)
    assert (faulty.status(job_id), faulty.get(job_id)["attempt"]) == ("succeeded", 2)


def test_a_message_delivered_many_times_runs_once(
    celery_setup: CeleryTestSetup, faulty: Jobs, tmp_path: Path
) -> None:
    job_ids = [faulty.enqueue("faulty") for _ in range(5)]
    for job_id in job_ids * 3:
        celery_setup.app.send_task("tasks.generate", (str(job_id),), queue="generations")

    ends(faulty, *job_ids)
    assert len((tmp_path / "starts").read_text().splitlines()) == 5


def test_postgres_falls_silent_while_a_task_runs(
    start_bridge: StartWorker, start_worker: StartWorker, faulty: Jobs, gateway: Stack
) -> None:
    relay = Relay(gateway.postgres_port)
    port = urlsplit(gateway.database_url).port
    start_bridge()
    url = gateway.worker_url.replace(f":{port}/", f":{relay.port}/")
    start_worker(LEASE_SECONDS="60", DATABASE_ANSWER_WITHIN="6", DATABASE_URL=url)
    in_flight = running(faulty)
    relay.silence()

    ends(faulty, in_flight)
    relay.close()


def test_every_database_connection_is_cut_while_a_task_runs(
    worker: ControlledProcess, faulty: Jobs, gateway: Stack
) -> None:
    in_flight = running(faulty)
    with psycopg.connect(gateway.url_of(SUPERUSER), autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pilotlight-%'"
            " and datname = current_database()"
        )
    waiting = faulty.enqueue("faulty")

    ends(faulty, in_flight, waiting)


def test_storage_is_away_for_a_while(
    start_bridge: StartWorker, start_worker: StartWorker, faulty: Jobs, gateway: Stack
) -> None:
    before = faulty.credits()
    relay = Relay(gateway.gateway_port)
    start_bridge()
    start_worker(SUPABASE_URL=f"http://127.0.0.1:{relay.port}")
    relay.target_port = 1  # no server listens there
    relay.cut()
    waiting = faulty.enqueue("faulty", do="start")
    direct = faulty.enqueue("faulty")
    wait_until(lambda: faulty.get(direct)["error_code"] is not None, "the upload to fail")
    wait_until(lambda: faulty.get(waiting)["fence"] > 1, "the second upload to fail")
    assert faulty.status(waiting) in ("waiting", "running"), "work a provider has done is not ordered again"

    relay.target_port = gateway.gateway_port

    for job_id in (waiting, direct):
        wait_until(lambda job_id=job_id: faulty.get(job_id)["finished_at"], "the job to end", 60)  # type: ignore[misc]
        assert faulty.status(job_id) == "succeeded"
    assert faulty.get(waiting)["attempt"] == 1
    assert faulty.credits() == before - 2
    relay.close()


def test_a_worker_that_is_alive_but_stalled_leaves_to_be_replaced(
    start_worker: StartWorker, broker: Redis
) -> None:
    worker = start_worker(CONSUMER_STALLED_AFTER="1")
    with Celery(broker=broker.url, set_as_current=False) as app:

        def has_stalled() -> bool:
            # Repeat it: a worker reports that it is ready before it listens to commands, and
            # Redis keeps none.
            app.control.cancel_consumer("generations")
            return app.control.inspect(timeout=0.5).active_queues() == {"worker0@test": []}

        wait_until(has_stalled, "the worker to stall")
        app.send_task("tasks.generate", (NOBODY,), queue="generations")
        assert worker.wait(30) == 1
    assert "worker.stalled" in worker.output


def test_a_worker_that_leaves_is_not_stalled_and_gives_back_what_it_has(
    start_worker: StartWorker, faulty: Jobs, broker: Redis
) -> None:
    worker = start_worker(CONSUMER_STALLED_AFTER="1", SHUTDOWN_SECONDS="3", LEASE_SECONDS="60")
    job_id = faulty.enqueue("faulty", seconds=30)
    with Celery(broker=broker.url, set_as_current=False) as app:
        app.send_task("tasks.generate", (str(job_id),), queue="generations")
        wait_until(lambda: faulty.status(job_id) == "running", "the job to run")
        worker.send(signal.SIGTERM)

        def has_left() -> bool:
            if not broker.queue_length():
                app.send_task("tasks.generate", (NOBODY,), queue="generations")
            return not worker.is_alive

        wait_until(has_left, "the worker to leave")
    assert worker.wait(1) == 0
    assert (faulty.status(job_id), "worker.stalled" in worker.output) == ("queued", False)

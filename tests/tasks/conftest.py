"""Real workers and bridges on a fresh database, with the embedded Storage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery
from pytest_celery import (
    CeleryBrokerCluster,
    CeleryTestBroker,
    CeleryTestWorker,
    CeleryWorkerCluster,
)

from local.stack import Stack
from tests.support import servers
from tests.support.jobs import Jobs
from tests.support.processes import PROGRAMS, ControlledProcess, python
from tests.support.servers import Redis
from tests.tasks.containers import Container

StartWorker = Callable[..., ControlledProcess]


@pytest.fixture
def gateway(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The stack with its gateway running, and so Storage."""
    folder = tmp_path / "stack"
    folder.mkdir()
    with servers.gateway(stack, folder) as served:
        yield served


ADD_FAULTY = """
insert into private.models (id, title, cost, provider, input_schema) values ('faulty', 'Faulty', 1, 'faulty', '{
  "type": "object",
  "properties": {"prompt": {"type": "string"}, "do": {"type": "string"}, "seconds": {"type": "number"}}
}')
"""


@pytest.fixture
def faulty(jobs: Jobs) -> Jobs:
    """Jobs whose model follows its input."""
    jobs.conn.execute(ADD_FAULTY)
    return jobs


@pytest.fixture
def environment(gateway: Stack, broker: Redis, tmp_path: Path) -> dict[str, str]:
    return {
        "REDIS_URL": broker.url,
        "SUPABASE_URL": gateway.gateway_url,
        "SUPABASE_SECRET_KEY": gateway.secret_key,
        "LEASE_SECONDS": "3",
        "FAILPOINTS": str(tmp_path),
    }


@pytest.fixture
def start_bridge(environment: dict[str, str], gateway: Stack, tmp_path: Path) -> Iterator[StartWorker]:
    own = environment | {"DATABASE_URL": gateway.bridge_url}
    with beginning("bridge", python("-m", "bridge"), own, tmp_path) as begin:
        yield lambda **changes: begin(**changes).wait_ready()


@pytest.fixture
def begin_worker(environment: dict[str, str], gateway: Stack, tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker and do not wait for it."""
    command = [str(PROGRAMS / "celery"), "-A", "tests.tasks.faulty_worker", "worker"]
    command += ["--without-gossip", "--without-mingle", "--hostname", "worker{number}@test"]
    own = environment | {"DATABASE_URL": gateway.worker_url}
    with beginning("worker", command, own, tmp_path) as begin:
        yield begin


@pytest.fixture
def start_worker(begin_worker: StartWorker) -> StartWorker:
    return lambda **changes: begin_worker(**changes).wait_ready()


@contextmanager
def beginning(
    name: str, command: list[str], environment: dict[str, str], folder: Path
) -> Iterator[StartWorker]:
    started: list[ControlledProcess] = []

    def begin(**changes: str) -> ControlledProcess:
        number = len(started)
        process = ControlledProcess(
            f"{name}{number}",
            [part.format(number=number) for part in command],
            folder=folder,
            environment=environment | changes,
        )
        process.is_ready = lambda: "ready." in process.output or "started" in process.output
        started.append(process)
        return process.start()

    yield begin
    for process in started:
        process.kill()


# The parts of pytest-celery's `celery_setup`: a Redis, two workers, no backend, and a bridge.


@pytest.fixture
def celery_broker_cluster(own_broker: Redis) -> CeleryBrokerCluster:
    container = Container(own_broker, url=own_broker.url, host_url=own_broker.url)
    return CeleryBrokerCluster(CeleryTestBroker(container))


@pytest.fixture
def celery_backend_cluster() -> None:
    """The row is the truth; there is no result backend."""


@pytest.fixture
def celery_setup_app(own_broker: Redis) -> Iterator[Celery]:
    with Celery(broker=own_broker.url, set_as_current=False) as app:
        yield app


@pytest.fixture
def celery_worker_cluster(
    celery_setup_app: Celery, own_broker: Redis, start_bridge: StartWorker, begin_worker: StartWorker
) -> CeleryWorkerCluster:
    workers = [begin_worker(REDIS_URL=own_broker.url) for _ in range(2)]
    start_bridge(REDIS_URL=own_broker.url)
    cluster = CeleryWorkerCluster(
        *(CeleryTestWorker(Container(worker), celery_setup_app) for worker in workers)
    )
    assert cluster.ready()
    return cluster

"""Real workers and bridges on a fresh database, with the embedded Storage."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from chaos.process import Process, python
from chaos.servers import Redis, free_port
from local import stack as stacks
from local.stack import Stack
from tests.jobs import Jobs

StartWorker = Callable[..., Process]


@pytest.fixture
def gateway(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The stack with its gateway running, and so Storage."""
    folder = tmp_path / "stack"
    folder.mkdir()
    served = replace(stack, folder=folder, gateway_port=free_port())
    stacks.save(served)

    def answers() -> bool:
        try:
            return httpx.get(f"{served.gateway_url}/auth/v1/health", timeout=2).status_code < 500
        except httpx.HTTPError:
            return False

    command = python("-m", "local.gateway", str(folder / "stack.json"))
    process = Process("gateway", command, folder=tmp_path, is_ready=answers).start().wait_ready()
    yield served
    process.kill()


@pytest.fixture
def faulty(jobs: Jobs) -> Jobs:
    """Jobs whose model does as its input says."""
    jobs.conn.execute(
        "insert into private.models (id, title, cost, provider) values ('faulty', 'Faulty', 1, 'faulty')"
    )
    return jobs


@pytest.fixture
def environment(gateway: Stack, broker: Redis, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": gateway.database_url,
        "REDIS_URL": broker.url,
        "SUPABASE_URL": gateway.gateway_url,
        "SUPABASE_SECRET_KEY": gateway.secret_key,
        "LEASE_SECONDS": "3",
        "FAILPOINTS": str(tmp_path),
    }


@pytest.fixture
def start_bridge(environment: dict[str, str], tmp_path: Path) -> Iterator[StartWorker]:
    yield from starting("bridge", python("-m", "bridge"), environment, tmp_path)


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[StartWorker]:
    command = [str(Path(sys.executable).parent / "celery"), "-A", "tests.tasks.faulty_worker", "worker"]
    command += ["--without-gossip", "--without-mingle", "--hostname", "worker{number}@test"]
    yield from starting("worker", command, environment, tmp_path)


def starting(
    name: str, command: list[str], environment: dict[str, str], folder: Path
) -> Iterator[StartWorker]:
    started: list[Process] = []

    def start(**changes: str) -> Process:
        number = len(started)
        process = Process(
            f"{name}{number}",
            [part.format(number=number) for part in command],
            folder=folder,
            environment=environment | changes,
        )
        process.is_ready = lambda: "ready." in process.output or "started" in process.output
        started.append(process)
        return process.start().wait_ready()

    yield start
    for process in started:
        process.kill()

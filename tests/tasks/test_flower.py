"""Flower shows tasks by the id of their job, as it comes; its API stays closed until a password is
set.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess
from tests.support.servers import free_port
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker


@pytest.fixture
def flower(environment: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [str(Path(sys.executable).parent / "celery"), "-A", "tasks", "flower"]
    command += ["--address=127.0.0.1", f"--port={port}"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:

        def answers() -> bool:
            try:
                return client.get("/healthcheck").status_code == 200
            except httpx.HTTPError:
                return False

        process = ControlledProcess(
            "flower", command, folder=tmp_path, environment=environment, is_ready=answers
        )
        process.start().wait_ready(60)
        yield client
        process.kill()


def test_a_job_is_found_by_its_id_and_the_api_is_closed(
    flower: httpx.Client, start_worker: StartWorker, start_bridge: StartWorker, jobs: Jobs
) -> None:
    start_worker()
    start_bridge()
    wait_until(lambda: "worker0@test" in flower.get("/workers").text, "Flower to list the worker", 40)
    job_id = jobs.enqueue()
    wait_until(lambda: jobs.status(job_id) == "succeeded", "the job to end", 40)

    wait_until(lambda: "SUCCESS" in flower.get(f"/task/{job_id}").text, "Flower to know how the task ended")
    assert flower.get("/api/workers").status_code == 401
    assert flower.post(f"/api/task/revoke/{job_id}").status_code == 401

"""The image takes a job and leaves when it is asked to.

`make image` builds it and prints its path.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support import servers
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess, of_procfile
from tests.support.servers import Redis, free_port
from tests.support.waiting import wait_until

IMAGE = os.environ.get("PILOTLIGHT_IMAGE", "")
pytestmark = pytest.mark.skipif(not IMAGE, reason="make image builds one and runs this")

ENVIRONMENT = [
    "PATH=/venv/bin:/usr/bin:/bin",
    "PYTHONUNBUFFERED=1",
    "PYTHONDONTWRITEBYTECODE=1",
    "LOG_FORMAT=json",
]


@pytest.fixture
def processes(stack: Stack, broker: Redis, tmp_path: Path) -> Iterator[dict[str, ControlledProcess]]:
    (tmp_path / "stack").mkdir()
    with servers.gateway(stack, tmp_path / "stack") as served:
        settings = [
            f"REDIS_URL={broker.url}",
            f"BRIDGE_DATABASE_URL={served.bridge_url}",
            f"WORKER_DATABASE_URL={served.worker_url}",
            f"SUPABASE_URL={served.gateway_url}",
            f"SUPABASE_SECRET_KEY={served.secret_key}",
            f"HEALTH_PORT={free_port()}",
        ]
        # As in the image: its user, its folder and its environment. The process keeps the id of
        # the command.
        within = [
            "chroot",
            "--userspec=10001:10001",
            IMAGE,
            "/usr/bin/env",
            "-i",
            "-C",
            "/app",
            *ENVIRONMENT,
            *settings,
        ]
        started = {
            kind: ControlledProcess(kind, [*within, *of_procfile(kind)], folder=tmp_path).start()
            for kind in ("bridge", "worker")
        }
        yield started
        for process in started.values():
            process.kill()


def test_the_image_takes_a_job_and_leaves_on_sigterm(
    processes: dict[str, ControlledProcess], jobs: Jobs
) -> None:
    bridge, worker = processes["bridge"], processes["worker"]
    wait_until(lambda: "bridge.started" in bridge.output and "worker.started" in worker.output, "both", 60)
    job_id = jobs.enqueue()
    wait_until(lambda: jobs.status(job_id) == "succeeded", "the picture", 60)
    owners = subprocess.run(
        ["ps", "-o", "uid=", "-p", str(worker.popen.pid if worker.popen else 0)],
        capture_output=True,
        text=True,
    )
    assert owners.stdout.strip() == "10001"
    assert bridge.terminate(10) == 0
    assert worker.terminate(10) == 0

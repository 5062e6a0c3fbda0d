"""A worker that was started as it cannot work says so in one line, before it takes a job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.worker.options import REFUSED
from tests.support.processes import ROOT

pytestmark = pytest.mark.processes

NOWHERE = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/postgres", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize("pool", ["prefork", "processes", "solo"])
def test_a_worker_refuses_any_pool_but_its_own(pool: str) -> None:
    celery = Path(sys.executable).parent / "celery"
    seen = subprocess.run(
        [str(celery), "-A", "tasks", "worker", "--pool", pool],
        cwd=ROOT,
        env=os.environ | NOWHERE | {"PYTHONWARNINGS": "ignore"},  # of Celery, for who runs as root
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (seen.returncode, seen.stderr.splitlines()) == (1, [f"--pool: {REFUSED['pool']}"])

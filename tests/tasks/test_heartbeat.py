"""A worker records that it runs. tests/media/test_storage.py tests its record of Storage."""

import settings
from tests.support.jobs import Jobs
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

TOLD = "select kind, version, problem, expects_webhooks from private.processes"


def test_a_worker_tells_that_it_runs(jobs: Jobs, start_worker: StartWorker) -> None:
    start_worker()
    heartbeat = ("worker", settings.VERSION, None, False)
    wait_until(lambda: jobs.conn.execute(TOLD).fetchall() == [heartbeat], "the first heartbeat")


def test_a_worker_with_a_webhook_tells_that_it_expects_it(jobs: Jobs, start_worker: StartWorker) -> None:
    start_worker(REPLICATE_API_TOKEN="r8_x", REPLICATE_WEBHOOK_URL="https://example.com/webhook")
    heartbeat = ("worker", settings.VERSION, None, True)
    wait_until(lambda: jobs.conn.execute(TOLD).fetchall() == [heartbeat], "the first heartbeat")

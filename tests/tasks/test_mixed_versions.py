"""In a deploy, bridges and workers of two versions run beside each other."""

from pathlib import Path

from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess, python
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

TOMORROW = "import settings; settings.TASK_NAME = 'tasks.tomorrow'; import bridge.__main__ as b; b.main()"


def test_a_message_that_a_worker_does_not_know_costs_the_job_nothing(
    faulty: Jobs,
    environment: dict[str, str],
    gateway: Stack,
    tmp_path: Path,
    start_bridge: StartWorker,
    start_worker: StartWorker,
) -> None:
    worker = start_worker()
    own = environment | {"DATABASE_URL": gateway.bridge_url}
    newer = ControlledProcess("newer", python("-c", TOMORROW), folder=tmp_path, environment=own).start()
    job_id = faulty.enqueue("faulty")
    wait_until(lambda: "tasks.tomorrow" in worker.output, "the worker to refuse the message")
    newer.kill()
    assert faulty.status(job_id) == "queued"

    faulty.move(job_id, dispatched_at="now() - interval '1 minute'")
    start_bridge()

    wait_until(lambda: faulty.status(job_id) == "succeeded", "the job to end")
    assert (faulty.get(job_id)["attempt"], worker.is_alive) == (1, True)

"""A commit whose reply is lost has happened: a repeated call reports it and repeats nothing."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.relay import LosesReply, Relay
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker
from tests.tasks.test_crashes import assert_ended_well


@pytest.mark.parametrize("fault", [Relay.cut, Relay.silence])
def test_a_completion_whose_reply_is_lost_is_one_completion(
    faulty: Jobs,
    gateway: Stack,
    start_bridge: StartWorker,
    start_worker: StartWorker,
    fault: Callable[[Relay], None],
) -> None:
    before = faulty.credits()
    network = LosesReply(gateway.postgres_port, b"private.complete_jobs", fault)
    port = urlsplit(gateway.database_url).port
    url = gateway.worker_url.replace(f":{port}/", f":{network.relay.port}/")
    start_bridge()
    url += "?sslmode=disable&gssencmode=disable"
    # It waits as long as in production: with a shorter timeout it would call a third time
    # on a busy machine.
    worker = start_worker(LEASE_SECONDS="60", DATABASE_URL=url)

    job_id = faulty.enqueue("faulty")
    wait_until(lambda: "attempt.ended" in worker.output, "the worker to be told", 40)

    assert network.is_lost
    # A busy machine may repeat the call once more. All calls together make one completion.
    assert network.asked >= 2
    assert_ended_well(faulty, job_id, before)
    assert (faulty.get(job_id)["attempt"], faulty.get(job_id)["fence"]) == (1, 1)

    other = faulty.enqueue("faulty")
    wait_until(lambda: faulty.status(other) == "succeeded", "the worker to go on")
    assert faulty.credits() == before - 2
    network.relay.close()

"""An intent that was recorded, and whose reply was lost, is an intent: neither a cancel nor leave
to pay.
"""

from collections.abc import Iterator

import pytest

import settings
from local.stack import Stack
from tests.replicate.conftest import InlineWorker
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs
from tests.support.relay import LosesReply, Relay


@pytest.fixture
def network(worker: InlineWorker, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[LosesReply]:
    """The reply of the database to the worker's first intent is lost."""
    network = LosesReply(stack.postgres_port, b"private.record_submission", Relay.cut)
    url = stack.database_url.replace(f":{stack.postgres_port}/", f":{network.relay.port}/")
    monkeypatch.setenv("DATABASE_URL", url + "?sslmode=disable&gssencmode=disable")
    settings.load.cache_clear()
    yield network
    network.relay.close()


def test_a_job_whose_intent_was_recorded_unheard_is_not_canceled_and_is_paid_for_once(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, network: LosesReply
) -> None:
    job_id = jobs.enqueue("fox")
    worker.run_once()
    assert network.asked > 1  # once more for each idle connection that was cut along
    assert (jobs.status(job_id), replicate.of(job_id)) == ("waiting", [])

    worker.age(job_id, 91)
    assert worker.run_to_the_end(job_id) == "succeeded"
    assert len(replicate.of(job_id)) == 1


def test_a_cancel_that_comes_before_the_intent_is_a_cancel(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import store

    def canceled_during_the_call(job: store.Job) -> bool:
        jobs.cancel(job_id)
        return record(job)

    record = store.record_submission
    monkeypatch.setattr(store, "record_submission", canceled_during_the_call)
    job_id = jobs.enqueue("fox")
    worker.run_once()
    assert (jobs.status(job_id), jobs.credits(), replicate.requests) == ("canceled", 1_000_010, [])


def test_a_job_that_was_rescued_before_its_intent_is_left_alone(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import store

    def rescued_during_the_call(job: store.Job) -> bool:
        jobs.move(job_id, lease_expires_at="now() - interval '1 second'")
        jobs.actors.bridge.rescue()
        return record(job)

    record = store.record_submission
    monkeypatch.setattr(store, "record_submission", rescued_during_the_call)
    job_id = jobs.enqueue("fox")
    worker.run_once()
    assert (jobs.status(job_id), replicate.requests) == ("queued", [])

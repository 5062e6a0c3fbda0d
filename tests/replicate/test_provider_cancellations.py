"""A prediction that no job needs any more is canceled at the provider, however the job ended."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.replicate.behaviour import Behaviour, ErrorResponse
from tests.replicate.conftest import InlineWorker, Plan
from tests.replicate.server import MisbehavingReplicate
from tests.support.jobs import Jobs

DuringTheStart = Callable[[UUID], None]


@pytest.fixture
def waiting(worker: InlineWorker, jobs: Jobs, plan: Plan) -> UUID:
    """A job whose prediction does not end by itself."""
    plan(Behaviour(seconds=None))
    job_id = jobs.enqueue("fox")
    worker.run_once()
    assert jobs.status(job_id) == "waiting"
    return job_id


@pytest.fixture
def start_with(
    worker: InlineWorker, jobs: Jobs, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> Callable[[DuringTheStart], UUID]:
    """Start a job's prediction; something happens to the job before the worker has written the
    reference down.
    """

    def start_job(during: DuringTheStart) -> UUID:
        from tasks.providers.replicate import Replicate as Provider

        start = Provider.start

        def start_slowly(self: Provider, job: object) -> object:
            started = start(self, job)  # type: ignore[arg-type]
            during(job_id)
            return started

        monkeypatch.setattr(Provider, "start", start_slowly)
        plan(Behaviour(seconds=None))
        job_id = jobs.enqueue("fox")
        worker.run_once()
        return job_id

    return start_job


def test_a_user_who_cancels_gets_the_credits_at_once_and_the_prediction_is_canceled(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID
) -> None:
    jobs.cancel(waiting)
    assert (jobs.status(waiting), jobs.credits()) == ("canceled", 1_000_000 + 10)
    assert worker.run_once() == 1
    (prediction,) = replicate.of(waiting)
    assert prediction.is_cancel_asked
    assert (worker.provider_cancellations(), worker.run_once()) == ([], 0)


def test_a_cancel_that_comes_while_a_worker_asks_ends_the_same_way(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID
) -> None:
    from tasks import store

    jobs.move(waiting, run_at="null")
    worker.dispatch()
    job = store.claim(str(waiting), lease=60)
    assert job is not None
    jobs.cancel(waiting)
    assert store.wait_for_provider(job, provider_ref=job.provider_ref, check_in=60)
    worker.run_once()  # ends the job
    worker.run_once()  # cancels its prediction
    assert jobs.status(waiting) == "canceled"
    assert replicate.of(waiting)[0].is_cancel_asked


def test_a_cancel_that_comes_during_the_create_leaves_no_prediction_running(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    start_with: Callable[[DuringTheStart], UUID],
) -> None:
    job_id = start_with(jobs.cancel)
    while worker.run_once():
        pass
    assert jobs.status(job_id) == "canceled"
    assert replicate.of(job_id)[0].is_cancel_asked


def test_a_job_that_ends_during_the_create_leaves_no_prediction_running(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    start_with: Callable[[DuringTheStart], UUID],
) -> None:
    def end(job_id: UUID) -> None:
        jobs.move(job_id, deadline_at="now() - interval '1 second'")
        jobs.actors.bridge.rescue()

    job_id = start_with(end)
    assert jobs.get(job_id)["error_code"] == "timed_out"
    worker.run_once()
    assert replicate.of(job_id)[0].is_cancel_asked
    assert worker.provider_cancellations() == []


def test_a_reference_that_comes_while_another_worker_looks_for_it_is_adopted(
    worker: InlineWorker,
    jobs: Jobs,
    replicate: MisbehavingReplicate,
    start_with: Callable[[DuringTheStart], UUID],
) -> None:
    from tasks import store

    def go_on(job_id: UUID) -> None:
        jobs.move(job_id, lease_expires_at="now() - interval '1 second'")
        jobs.actors.bridge.rescue()
        assert store.claim(str(job_id), lease=60) is not None

    job_id = start_with(go_on)
    (prediction,) = replicate.of(job_id)
    assert (jobs.status(job_id), jobs.get(job_id)["provider_ref"]) == ("running", prediction.id)
    assert (worker.provider_cancellations(), prediction.is_cancel_asked) == ([], False)


def test_a_deadline_fails_the_job_refunds_it_and_cancels_the_prediction(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID
) -> None:
    jobs.move(waiting, deadline_at="now() - interval '1 second'")
    jobs.actors.bridge.rescue()
    assert (jobs.get(waiting)["error_code"], jobs.credits()) == ("timed_out", 1_000_010)
    worker.run_once()
    assert replicate.of(waiting)[0].is_cancel_asked


def test_a_late_success_after_the_deadline_is_discarded(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID
) -> None:
    jobs.move(waiting, deadline_at="now() - interval '1 second'")
    jobs.actors.bridge.rescue()
    replicate.end_all()
    assert not worker.webhook(waiting, replicate.of(waiting)[0].id)
    worker.run_once()
    assert (jobs.status(waiting), worker.stored) == ("failed", {})


def test_a_deleted_account_leaves_nothing_running(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID
) -> None:
    jobs.conn.execute("delete from auth.users where id = %s", (jobs.user_id,))
    assert worker.run_once() == 1
    assert replicate.of(waiting)[0].is_cancel_asked


@pytest.mark.parametrize("fault", [ErrorResponse(500), ErrorResponse(429), ErrorResponse(401)])
def test_a_cancel_without_an_answer_is_sent_again(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate, waiting: UUID, fault: ErrorResponse
) -> None:
    replicate.faults["cancel"].append(fault)
    jobs.cancel(waiting)
    worker.run_once()
    assert worker.run_once() == 0
    jobs.conn.execute("update private.provider_cancellations set send_at = now()")
    assert worker.run_once() == 1
    assert replicate.of(waiting)[0].is_cancel_asked
    assert worker.provider_cancellations() == []


def test_a_cancellation_that_failed_for_an_hour_is_given_up(
    worker: InlineWorker, jobs: Jobs, waiting: UUID
) -> None:
    jobs.cancel(waiting)
    jobs.conn.execute("update private.provider_cancellations set created_at = now() - interval '61 minutes'")
    assert (worker.run_once(), worker.provider_cancellations()) == (0, [])


def test_a_prediction_that_succeeded_is_left_alone(
    worker: InlineWorker, jobs: Jobs, replicate: MisbehavingReplicate
) -> None:
    job_id = jobs.enqueue("fox")
    assert worker.run_to_the_end(job_id) == "succeeded"
    (prediction,) = replicate.of(job_id)
    assert not worker.webhook(job_id, prediction.id)  # a replay
    assert not worker.webhook(job_id, prediction.id, is_final=False)
    assert (worker.run_once(), worker.provider_cancellations(), "cancel" in replicate.requests) == (
        0,
        [],
        False,
    )


def test_a_webhook_for_an_unknown_job_changes_nothing(worker: InlineWorker, waiting: UUID) -> None:
    assert not worker.webhook(UUID(int=7), "p00000001")
    assert worker.provider_cancellations() == []

"""While a provider works: submission, waiting, webhooks, orphans."""

import uuid

import pytest

from tests.sql.actors import ENDED, User
from tests.sql.cast import Cast


def test_claiming_a_waiting_job_grows_the_fence_alone(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "waiting")
    job = cast.worker.claim(job_id)
    assert job is not None
    assert (job["attempt"], job["fence"], job["provider_ref"]) == (1, fence + 1, f"ref-{job_id}")
    assert job["submitted_at"] is not None


def test_a_submission_is_granted_once_per_attempt(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    assert cast.worker.record_submission(job_id, fence)
    assert not cast.worker.record_submission(job_id, fence)
    assert cast.worker.retry(job_id, fence)
    assert cast.worker.record_submission(job_id, cast.worker.claimed(job_id))


def test_a_submission_is_refused_once_the_user_canceled(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    user.cancel(job_id)
    assert not cast.worker.record_submission(job_id, fence)


def test_waiting_frees_the_worker_until_the_time_of_the_check(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    assert cast.worker.wait(job_id, fence, "ref", "1 hour")
    assert cast.bridge.dispatch() == []
    cast.operator.move(job_id, run_at="now() - interval '1 second'")
    assert cast.bridge.dispatch() == [job_id]


@pytest.mark.parametrize("check_in", ["-1 hour", "0 seconds", None])
def test_a_check_without_delay_is_due_at_once(cast: Cast, user: User, check_in: str | None) -> None:
    job_id, fence = cast.job(user, "running")
    assert cast.worker.wait(job_id, fence, "ref", check_in)
    assert cast.bridge.dispatch() == [job_id]


def test_a_webhook_makes_a_waiting_job_due(cast: Cast, user: User) -> None:
    job_id, _ = cast.job(user, "waiting")
    assert cast.service.wake(job_id, f"ref-{job_id}")
    assert cast.bridge.dispatch() == [job_id]


def test_a_webhook_that_overtakes_the_worker_is_not_forgotten(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    assert cast.worker.record_submission(job_id, fence)
    assert cast.service.wake(job_id, "ref")
    assert cast.operator.status(job_id) == "running"
    assert cast.worker.wait(job_id, fence, "ref", "1 hour")
    assert cast.bridge.dispatch() == [job_id]


def test_a_webhook_adopts_an_orphan(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    cast.worker.record_submission(job_id, fence)
    cast.operator.lose_worker(job_id)
    assert cast.bridge.rescue() == {job_id: "waiting"}
    assert cast.service.wake(job_id, "orphan")
    job = cast.worker.claim(job_id)
    assert job is not None and job["provider_ref"] == "orphan"


def test_late_news_of_a_failed_attempt_is_not_of_the_next_one(cast: Cast, user: User) -> None:
    job_id, _ = cast.job(user, "waiting")
    failed = f"ref-{job_id}"
    assert cast.worker.retry(job_id, cast.worker.claimed(job_id))
    fence = cast.worker.claimed(job_id)
    assert cast.worker.record_submission(job_id, fence)
    assert not cast.service.wake(job_id, failed)
    assert cast.worker.value("select private.adopt_orphan(%s, %s, %s)", job_id, fence, [failed]) is None
    assert cast.service.wake(job_id, "the new one")
    assert cast.operator.job(job_id)["provider_ref"] == "the new one"


def test_a_webhook_for_work_that_is_not_the_jobs_changes_nothing(cast: Cast, user: User) -> None:
    waiting, _ = cast.job(user, "waiting")
    other, fence = cast.job(user, "running")
    cast.worker.record_submission(other, fence)
    assert not cast.service.wake(waiting, "another-ref")
    assert not cast.service.wake(other, f"ref-{waiting}"), "one piece of work belongs to one job"
    assert not cast.service.wake(waiting, None)
    assert not cast.service.wake(uuid.uuid4(), "ref")
    assert cast.operator.job(waiting)["woken_at"] is None
    assert cast.operator.job(other)["provider_ref"] is None


@pytest.mark.parametrize("status", ["queued", "running", *ENDED])
def test_a_webhook_for_a_job_that_submitted_nothing_changes_nothing(
    cast: Cast, user: User, status: str
) -> None:
    job_id, _ = cast.job(user, status)
    before = cast.operator.job(job_id)
    assert not cast.service.wake(job_id, "ref")
    assert cast.operator.job(job_id) == before


def test_a_replayed_webhook_does_not_send_a_second_message(cast: Cast, user: User) -> None:
    job_id, _ = cast.job(user, "waiting")
    cast.service.wake(job_id, f"ref-{job_id}")
    assert cast.bridge.dispatch() == [job_id]
    assert cast.service.wake(job_id, f"ref-{job_id}")
    assert cast.bridge.dispatch() == []


def test_a_canceled_job_that_goes_waiting_is_looked_at_at_once(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    user.cancel(job_id)
    assert cast.worker.wait(job_id, fence, "ref", "1 hour")
    assert cast.bridge.dispatch() == [job_id]
    job = cast.worker.claim(job_id)
    assert job is not None and job["is_cancel_requested"]


def test_the_work_of_a_provider_for_a_canceled_job_comes_too_late(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "waiting")
    user.cancel(job_id)
    assert not cast.service.wake(job_id, f"ref-{job_id}")
    assert cast.worker.claim(job_id) is None
    assert not cast.worker.complete(job_id, fence)


def test_a_worker_that_was_rescued_from_still_leaves_its_reference(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    cast.worker.record_submission(job_id, fence)
    cast.operator.lose_worker(job_id)
    cast.bridge.rescue()
    assert cast.worker.wait(job_id, fence, "paid-for", "1 hour")
    assert cast.bridge.dispatch() == [job_id], "the check was due at once and still is"
    job = cast.worker.claim(job_id)
    assert job is not None and job["provider_ref"] == "paid-for"


def test_one_piece_of_a_providers_work_belongs_to_one_job(cast: Cast, user: User) -> None:
    first, _ = cast.job(user, "waiting")
    second, fence = cast.job(user, "running")
    assert cast.worker.wait(second, fence, f"ref-{first}")
    assert cast.operator.job(second)["provider_ref"] is None
    assert cast.operator.job(first)["provider_ref"] == f"ref-{first}"

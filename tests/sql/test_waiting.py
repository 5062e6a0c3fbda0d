"""Jobs while a provider works: submission, waiting, webhooks, orphans."""

import uuid

import pytest

from tests.support.actors import ENDED, User
from tests.support.all_actors import Actors


def test_claiming_a_waiting_job_grows_the_fence_alone(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "waiting")
    job = actors.worker.claim(job_id)
    assert job is not None
    assert (job["attempt"], job["fence"], job["provider_ref"]) == (1, fence + 1, f"ref-{job_id}")
    assert job["submitted_at"] is not None


def test_a_submission_is_granted_once_per_attempt(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.record_submission(job_id, fence)
    assert not actors.worker.record_submission(job_id, fence)
    assert actors.worker.retry(job_id, fence)
    assert actors.worker.record_submission(job_id, actors.worker.claimed(job_id))


def test_a_submission_is_refused_once_the_user_canceled(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    user.cancel(job_id)
    assert not actors.worker.record_submission(job_id, fence)


def test_waiting_frees_the_worker_until_the_time_of_the_check(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.wait(job_id, fence, "ref", "1 hour")
    assert actors.bridge.dispatch() == []
    actors.operator.move(job_id, run_at="now() - interval '1 second'")
    assert actors.bridge.dispatch() == [job_id]


@pytest.mark.parametrize("check_in", ["-1 hour", "0 seconds", None])
def test_a_check_without_delay_is_due_at_once(actors: Actors, user: User, check_in: str | None) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.wait(job_id, fence, "ref", check_in)
    assert actors.bridge.dispatch() == [job_id]


def test_a_webhook_makes_a_waiting_job_due(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "waiting")
    assert actors.service.wake(job_id, f"ref-{job_id}")
    assert actors.bridge.dispatch() == [job_id]


def test_a_webhook_that_overtakes_the_worker_is_not_forgotten(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.record_submission(job_id, fence)
    assert actors.service.wake(job_id, "ref")
    assert actors.operator.status(job_id) == "running"
    assert actors.worker.wait(job_id, fence, "ref", "1 hour")
    assert actors.bridge.dispatch() == [job_id]


def test_a_webhook_adopts_an_orphan(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.record_submission(job_id, fence)
    actors.operator.lose_worker(job_id)
    assert actors.bridge.rescue() == {job_id: "waiting"}
    assert actors.service.wake(job_id, "orphan")
    job = actors.worker.claim(job_id)
    assert job is not None and job["provider_ref"] == "orphan"


def test_late_news_of_a_failed_attempt_is_not_of_the_next_one(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "waiting")
    failed = f"ref-{job_id}"
    assert actors.worker.retry(job_id, actors.worker.claimed(job_id))
    fence = actors.worker.claimed(job_id)
    assert actors.worker.record_submission(job_id, fence)
    assert not actors.service.wake(job_id, failed)
    assert actors.worker.value("select private.adopt_orphan(%s, %s, %s)", job_id, fence, [failed]) is None
    assert actors.service.wake(job_id, "the new one")
    assert actors.operator.job(job_id)["provider_ref"] == "the new one"


def test_a_webhook_for_work_that_is_not_the_jobs_changes_nothing(actors: Actors, user: User) -> None:
    waiting, _ = actors.job(user, "waiting")
    other, fence = actors.job(user, "running")
    actors.worker.record_submission(other, fence)
    assert not actors.service.wake(waiting, "another-ref")
    assert not actors.service.wake(other, f"ref-{waiting}"), "one piece of work belongs to one job"
    assert not actors.service.wake(waiting, None)
    assert not actors.service.wake(uuid.uuid4(), "ref")
    assert actors.operator.job(waiting)["woken_at"] is None
    assert actors.operator.job(other)["provider_ref"] is None


@pytest.mark.parametrize("status", ["queued", "running", *ENDED])
def test_a_webhook_for_a_job_that_submitted_nothing_changes_nothing(
    actors: Actors, user: User, status: str
) -> None:
    job_id, _ = actors.job(user, status)
    before = actors.operator.job(job_id)
    assert not actors.service.wake(job_id, "ref")
    assert actors.operator.job(job_id) == before


def test_a_replayed_webhook_does_not_send_a_second_message(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "waiting")
    actors.service.wake(job_id, f"ref-{job_id}")
    assert actors.bridge.dispatch() == [job_id]
    assert actors.service.wake(job_id, f"ref-{job_id}")
    assert actors.bridge.dispatch() == []


def test_a_canceled_job_that_goes_waiting_is_looked_at_at_once(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    user.cancel(job_id)
    assert actors.worker.wait(job_id, fence, "ref", "1 hour")
    assert actors.bridge.dispatch() == [job_id]
    job = actors.worker.claim(job_id)
    assert job is not None and job["is_cancel_requested"]


def test_the_work_of_a_provider_for_a_canceled_job_comes_too_late(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "waiting")
    user.cancel(job_id)
    assert not actors.service.wake(job_id, f"ref-{job_id}")
    assert actors.worker.claim(job_id) is None
    assert not actors.worker.complete(job_id, fence)


def test_a_worker_that_was_rescued_from_still_leaves_its_reference(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.record_submission(job_id, fence)
    actors.operator.lose_worker(job_id)
    actors.bridge.rescue()
    assert actors.worker.wait(job_id, fence, "paid-for", "1 hour")
    assert actors.bridge.dispatch() == [job_id], "the check was due at once and still is"
    job = actors.worker.claim(job_id)
    assert job is not None and job["provider_ref"] == "paid-for"


def test_one_piece_of_a_providers_work_belongs_to_one_job(actors: Actors, user: User) -> None:
    first, _ = actors.job(user, "waiting")
    second, fence = actors.job(user, "running")
    assert actors.worker.wait(second, fence, f"ref-{first}")
    assert actors.operator.job(second)["provider_ref"] is None
    assert actors.operator.job(first)["provider_ref"] == f"ref-{first}"

"""The transitions of a job that a user and a worker make."""

import json

import psycopg
import pytest

from tests.support.actors import ENDED, User
from tests.support.all_actors import Actors


def test_a_request_is_queued(actors: Actors, user: User) -> None:
    job = actors.operator.job(user.job())
    assert (job["status"], job["attempt"], job["fence"], job["run_at"], job["dispatched_at"]) == (
        "queued",
        0,
        0,
        None,
        None,
    )


def test_claiming_a_queued_job_consumes_an_attempt_and_grows_the_fence(actors: Actors, user: User) -> None:
    job_id = user.job()
    actors.bridge.dispatch()
    job = actors.worker.claim(job_id)
    assert job is not None
    assert (job["attempt"], job["fence"], job["submitted_at"], job["is_cancel_requested"]) == (
        1,
        1,
        None,
        False,
    )
    assert (job["user_id"], job["model"], job["provider"]) == (user.id, "preview", "preview")
    assert json.loads(job["request"]) == {"prompt": "a fox in the snow"}
    assert 0 < job["seconds_left"] <= 900
    assert actors.operator.job(job_id)["dispatched_at"] is None


def test_a_job_that_is_not_due_may_be_claimed_by_its_message(actors: Actors, user: User) -> None:
    job_id = user.job()
    actors.worker.retry(job_id, actors.worker.claimed(job_id), "1 hour")
    assert actors.worker.claim(job_id) is not None


@pytest.mark.parametrize("status", ["running", *ENDED])
def test_a_job_is_not_claimed_twice(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    assert actors.worker.claim(job_id) is None


def test_a_job_past_its_deadline_is_not_claimed(actors: Actors, user: User) -> None:
    job_id = user.job()
    actors.operator.pass_deadline(job_id)
    assert actors.worker.claim(job_id) is None


def test_a_lease_is_renewed_with_progress_that_never_goes_back(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.operator.lose_worker(job_id)
    assert actors.worker.renew(job_id, fence, progress=0.5) == "renewed"
    assert actors.worker.renew(job_id, fence, progress=0.25) == "renewed"
    assert actors.worker.renew(job_id, fence) == "renewed"
    assert actors.operator.job(job_id)["progress"] == 0.5
    assert actors.bridge.rescue() == {}


@pytest.mark.parametrize(("reported", "kept"), [(1.5, 1.0), (-3.0, 0.0), (float("nan"), 1.0)])
def test_progress_beyond_reason_is_bounded_and_costs_no_lease(
    actors: Actors, user: User, reported: float, kept: float
) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.renew(job_id, fence, progress=reported) == "renewed"
    assert actors.operator.job(job_id)["progress"] == kept


def test_a_retry_forgets_the_failed_try_and_is_due_after_its_delay(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.record_submission(job_id, fence)
    actors.worker.renew(job_id, fence, progress=0.5)
    assert actors.worker.retry(job_id, fence, "1 hour")
    job = actors.operator.job(job_id)
    assert (job["status"], job["submitted_at"], job["provider_ref"], job["progress"]) == (
        "queued",
        None,
        None,
        None,
    )
    assert actors.bridge.dispatch() == []
    actors.operator.move(job_id, run_at="now() - interval '1 second'")
    assert actors.bridge.dispatch() == [job_id]


@pytest.mark.parametrize("delay", ["-1 hour", "0 seconds", None])
def test_a_retry_without_delay_is_due_at_once(actors: Actors, user: User, delay: str | None) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.retry(job_id, fence, delay)
    assert actors.bridge.dispatch() == [job_id]


def test_a_retry_that_is_not_the_jobs_fault_gives_the_attempt_back(actors: Actors, user: User) -> None:
    job_id = user.job()
    for _ in range(10):
        assert actors.worker.retry(job_id, actors.worker.claimed(job_id), costs_attempt=False)
    assert actors.operator.job(job_id)["attempt"] == 0


def test_the_last_attempt_cannot_be_retried(actors: Actors, user: User) -> None:
    job_id = user.job()
    for _ in range(2):
        assert actors.worker.retry(job_id, actors.worker.claimed(job_id))
    fence = actors.worker.claimed(job_id)
    with pytest.raises(psycopg.errors.RaiseException, match="has used all its 3 attempts"):
        actors.worker.retry(job_id, fence)
    assert actors.worker.fail(job_id, fence)


def test_completing_leaves_the_generation_with_input_and_output(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    output = [
        {"path": f"{user.id}/{job_id}/0.png", "mime": "image/png", "width": 8, "height": 8, "blurhash": "L"}
    ]
    assert actors.worker.complete(job_id, fence, output)
    assert actors.operator.status(job_id) == "succeeded"
    generation = actors.operator.generation(job_id)
    assert generation is not None
    assert (generation["input"], generation["output"]) == ({"prompt": "a fox in the snow"}, output)


def test_failing_leaves_the_generation_with_its_reason(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert actors.worker.fail(job_id, fence, "content_rejected", "The provider does not paint this.")
    (job,) = user.status(job_id)
    assert job["error"] == {"code": "content_rejected", "message": "The provider does not paint this."}
    assert (job["status"], job["generation"]["error"]) == ("failed", job["error"])
    assert job["generation"]["input"] == {"prompt": "a fox in the snow"}


@pytest.mark.parametrize("status", ["queued", "waiting"])
def test_a_job_that_no_worker_has_is_canceled_at_once(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    assert user.cancel(job_id)["job"]["status"] == "canceled"
    generation = actors.operator.generation(job_id)
    assert generation is not None and generation["error_code"] == "canceled"


def test_canceling_a_running_job_asks_its_worker_to_stop(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert user.cancel(job_id)["job"]["status"] == "running"
    assert actors.worker.renew(job_id, fence) == "cancel_requested"
    assert actors.worker.fail(job_id, fence, "canceled", "")
    (job,) = user.status(job_id)
    assert (job["status"], job["error"]) == (
        "canceled",
        {"code": "canceled", "message": "You canceled this."},
    )


def test_a_worker_that_finishes_before_it_heard_of_the_cancel_has_finished(
    actors: Actors, user: User
) -> None:
    job_id, fence = actors.job(user, "running")
    user.cancel(job_id)
    assert actors.worker.complete(job_id, fence)
    assert user.cancel(job_id)["job"]["status"] == "succeeded"


def test_a_canceled_job_is_not_retried_but_ends(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    user.cancel(job_id)
    assert not actors.worker.retry(job_id, fence)
    assert actors.operator.status(job_id) == "canceled"

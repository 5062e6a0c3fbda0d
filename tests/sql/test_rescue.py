"""Lost workers and missed deadlines."""

import pytest

from tests.support.actors import User
from tests.support.all_actors import Actors


def test_a_lost_worker_gives_its_job_back_to_the_queue(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.renew(job_id, fence, progress=0.5)
    actors.operator.lose_worker(job_id)
    assert actors.bridge.rescue() == {job_id: "queued"}
    assert actors.operator.job(job_id)["progress"] is None
    assert actors.bridge.dispatch() == [job_id]
    assert actors.worker.claimed(job_id) == fence + 1


def test_a_lost_worker_whose_provider_has_the_work_leaves_the_job_waiting(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.record_submission(job_id, fence)
    actors.operator.lose_worker(job_id)
    assert actors.bridge.rescue() == {job_id: "waiting"}
    assert actors.bridge.dispatch() == [job_id]
    job = actors.worker.claim(job_id)
    assert job is not None and job["submitted_at"]


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_job_that_kills_its_workers_fails_when_its_attempts_are_used_up(
    actors: Actors, user: User, is_submitted: bool
) -> None:
    job_id = user.job()
    ends: list[str] = []
    for _ in range(3):
        fence = actors.worker.claimed(job_id)
        if is_submitted:
            actors.worker.record_submission(job_id, fence)
        actors.operator.lose_worker(job_id)
        ends += actors.bridge.rescue().values()
    assert ends == ["waiting" if is_submitted else "queued"] * 2 + ["failed"]
    assert actors.operator.job(job_id)["error_code"] == "worker_lost"


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_a_job_past_its_deadline_fails(actors: Actors, user: User, status: str) -> None:
    job_id, fence = actors.job(user, status)
    actors.operator.pass_deadline(job_id)
    assert actors.bridge.rescue() == {job_id: "failed"}
    assert actors.operator.job(job_id)["error_code"] == "timed_out"
    assert not actors.worker.complete(job_id, fence)


@pytest.mark.parametrize("reach", ["deadline", "lease"])
def test_a_job_that_was_to_be_canceled_is_rescued_as_canceled(actors: Actors, user: User, reach: str) -> None:
    job_id, _ = actors.job(user, "running")
    user.cancel(job_id)
    actors.operator.lose_worker(job_id) if reach == "lease" else actors.operator.pass_deadline(job_id)
    assert actors.bridge.rescue() == {job_id: "canceled"}

"""Lost workers and missed deadlines."""

import pytest

from tests.sql.actors import User
from tests.sql.cast import Cast


def test_a_lost_worker_gives_its_job_back_to_the_queue(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    cast.worker.renew(job_id, fence, progress=0.5)
    cast.operator.lose_worker(job_id)
    assert cast.bridge.rescue() == {job_id: "queued"}
    assert cast.operator.job(job_id)["progress"] is None
    assert cast.bridge.dispatch() == [job_id]
    assert cast.worker.claimed(job_id) == fence + 1


def test_a_lost_worker_whose_provider_has_the_work_leaves_the_job_waiting(cast: Cast, user: User) -> None:
    job_id, fence = cast.job(user, "running")
    cast.worker.record_submission(job_id, fence)
    cast.operator.lose_worker(job_id)
    assert cast.bridge.rescue() == {job_id: "waiting"}
    assert cast.bridge.dispatch() == [job_id]
    job = cast.worker.claim(job_id)
    assert job is not None and job["submitted_at"]


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_job_that_kills_its_workers_fails_when_its_attempts_are_used_up(
    cast: Cast, user: User, is_submitted: bool
) -> None:
    job_id = user.job()
    ends: list[str] = []
    for _ in range(3):
        fence = cast.worker.claimed(job_id)
        if is_submitted:
            cast.worker.record_submission(job_id, fence)
        cast.operator.lose_worker(job_id)
        ends += cast.bridge.rescue().values()
    assert ends == ["waiting" if is_submitted else "queued"] * 2 + ["failed"]
    assert cast.operator.job(job_id)["error_code"] == "worker_lost"


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_whatever_passes_its_deadline_fails(cast: Cast, user: User, status: str) -> None:
    job_id, fence = cast.job(user, status)
    cast.operator.pass_deadline(job_id)
    assert cast.bridge.rescue() == {job_id: "failed"}
    assert cast.operator.job(job_id)["error_code"] == "timed_out"
    assert not cast.worker.complete(job_id, fence)


@pytest.mark.parametrize("reach", ["deadline", "lease"])
def test_a_job_that_was_to_be_canceled_is_rescued_as_canceled(cast: Cast, user: User, reach: str) -> None:
    job_id, _ = cast.job(user, "running")
    user.cancel(job_id)
    cast.operator.lose_worker(job_id) if reach == "lease" else cast.operator.pass_deadline(job_id)
    assert cast.bridge.rescue() == {job_id: "canceled"}

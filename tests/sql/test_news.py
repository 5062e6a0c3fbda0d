"""Messages to a user's devices about a job: the changes of the screen, and nothing else."""

from uuid import UUID

from tests.support.actors import User
from tests.support.all_actors import Actors


def sent(actors: Actors, job_id: UUID) -> list[str]:
    """The status of each message, with its progress if any, in the order of the changes."""
    messages = actors.operator.rows(
        "select concat_ws(' ', payload ->> 'status', payload ->> 'progress') as news from realtime.messages"
        " where event = 'job' and payload ->> 'id' = %s order by inserted_at",
        str(job_id),
    )
    return [row["news"] for row in messages]


def test_a_job_that_ends_in_a_moment_is_sent_twice(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "succeeded")
    assert sent(actors, job_id) == ["queued", "succeeded"]


def test_every_end_is_sent(actors: Actors, user: User) -> None:
    for status in ("failed", "canceled"):
        job_id, _ = actors.job(user, status)
        assert sent(actors, job_id)[-1] == status


def test_a_job_that_keeps_its_worker_is_heard_of(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    assert sent(actors, job_id) == ["queued"]
    actors.worker.renew(job_id, fence)
    assert sent(actors, job_id) == ["queued", "running"]
    actors.worker.renew(job_id, fence)
    assert sent(actors, job_id) == ["queued", "running", "running"], "the first may have been lost"


def test_a_job_that_waits_for_its_provider_is_sent_with_its_progress_and_not_with_each_look(
    actors: Actors, user: User
) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.wait(job_id, fence)
    fence = actors.worker.claimed(job_id)
    assert sent(actors, job_id) == ["queued", "waiting"]
    actors.worker.renew(job_id, fence, progress=0.5)
    assert actors.worker.wait(job_id, fence)
    assert actors.worker.complete(job_id, actors.worker.claimed(job_id))
    assert sent(actors, job_id) == ["queued", "waiting", "running 0.5", "waiting 0.5", "succeeded"]


def test_a_job_that_goes_back_to_the_queue_is_no_news(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.worker.retry(job_id, fence)
    actors.worker.release(job_id, actors.worker.claimed(job_id))
    actors.worker.claimed(job_id)
    actors.operator.lose_worker(job_id)
    actors.bridge.rescue()
    assert actors.worker.complete(job_id, actors.worker.claimed(job_id))
    assert sent(actors, job_id) == ["queued", "succeeded"]

"""unreferenced objects are removed, by one worker after the other, however often workers are started anew."""

from uuid import UUID, uuid4

import pytest

from tests.support.jobs import Jobs
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

USER = UUID(int=0)


def stored(jobs: Jobs) -> list[str]:
    return [row[0] for row in jobs.conn.execute("select name from storage.objects order by name").fetchall()]


@pytest.fixture
def orphans(jobs: Jobs) -> list[str]:
    """Three pictures of a user that is no more, in the order in which they are found."""
    paths = sorted(f"{USER}/{uuid4()}/0.png" for _ in range(3))
    for path in paths:
        jobs.conn.execute("insert into storage.objects (bucket_id, name) values ('generations', %s)", (path,))
    return paths


def swept(jobs: Jobs, *, every: str = "0 s", limit: int = 2) -> list[str]:
    row = jobs.conn.execute(
        "select private.sweep_unreferenced_objects(%s::interval, %s)", (every, limit)
    ).fetchone()
    return list(row[0]) if row else []


def test_a_worker_sweeps_when_it_starts(
    jobs: Jobs, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    start_bridge()
    start_worker()
    kept, deleted = jobs.enqueue(), jobs.enqueue()
    wait_until(lambda: jobs.statuses() == ["succeeded"] * 2, "both pictures")
    assert len(stored(jobs)) == 4
    jobs.conn.execute("delete from public.generations where id = %s", (deleted,))
    jobs.conn.execute("update private.object_sweep set swept_at = now() - interval '11 minutes'")

    start_worker()

    wait_until(lambda: len(stored(jobs)) == 2, "the unreferenced objects to be removed")
    assert stored(jobs) == [f"{jobs.user_id}/{kept}/{name}" for name in ("0-thumb.webp", "0.png")]


def test_what_was_swept_a_moment_ago_is_left_alone(jobs: Jobs, orphans: list[str]) -> None:
    assert swept(jobs, every="10 minutes") == orphans[:2]
    assert swept(jobs, every="10 minutes") == []


def test_a_sweep_goes_on_where_the_last_one_ended_and_begins_anew_at_the_end(
    jobs: Jobs, orphans: list[str]
) -> None:
    assert [swept(jobs) for _ in range(3)] == [orphans[:2], orphans[2:], orphans[:2]]


def test_a_sweep_of_an_empty_bucket_finds_nothing(jobs: Jobs) -> None:
    assert [swept(jobs), swept(jobs)] == [[], []]


def test_of_two_workers_that_sweep_at_once_one_does(database: str, jobs: Jobs, orphans: list[str]) -> None:
    with jobs.conn.transaction():
        assert swept(jobs) == orphans[:2]
        with type(jobs.conn).connect(database) as other:
            other.execute("set statement_timeout = '5s'")
            assert other.execute("select private.sweep_unreferenced_objects('0 s', 2)").fetchone() == ([],)

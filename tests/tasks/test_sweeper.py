"""Stored objects whose row is gone are removed within a minute; those that no row ever named are
found by the sweep.
"""

from uuid import UUID, uuid4

import pytest

from tests.support.jobs import Jobs
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

USER = UUID(int=0)


def stored(jobs: Jobs) -> set[str]:
    return {row[0] for row in jobs.conn.execute("select name from storage.objects").fetchall()}


@pytest.fixture
def unreferenced(jobs: Jobs) -> list[str]:
    """Three pictures of a user that is no more, in the order in which they are found."""
    paths = sorted(f"{USER}/{uuid4()}/0.png" for _ in range(3))
    for path in paths:
        jobs.conn.execute("insert into storage.objects (bucket_id, name) values ('generations', %s)", (path,))
    return paths


def sweep(jobs: Jobs, *, every: str = "0 s", limit: int = 2) -> list[str]:
    """The objects that one sweep finds, in their order."""
    jobs.conn.execute("delete from private.removed_objects")
    jobs.conn.execute("select private.sweep_unreferenced_objects(%s::interval, %s)", (every, limit))
    rows = jobs.conn.execute("select path from private.removed_objects order by path").fetchall()
    return [row[0] for row in rows]


def test_a_worker_removes_what_a_deleted_generation_showed_and_nothing_else(
    jobs: Jobs, start_bridge: StartWorker, start_worker: StartWorker
) -> None:
    start_bridge()
    start_worker()
    kept, deleted = jobs.enqueue(), jobs.enqueue()
    wait_until(lambda: jobs.statuses() == ["succeeded"] * 2, "both pictures")
    before = stored(jobs)
    jobs.conn.execute("delete from public.generations where id = %s", (deleted,))

    wait_until(lambda: stored(jobs) != before, "the picture of the deleted generation to go", 60)

    wait_until(
        lambda: not jobs.conn.execute("select from private.removed_objects").fetchall(), "an empty list"
    )
    assert stored(jobs) == {path for path in before if str(kept) in path}


def test_a_worker_sweeps_when_it_starts(
    jobs: Jobs, start_worker: StartWorker, unreferenced: list[str]
) -> None:
    jobs.conn.execute("update private.object_sweep set swept_at = now() - interval '11 minutes'")
    start_worker()
    wait_until(lambda: not stored(jobs), "the unreferenced objects to be removed", 60)


def test_objects_that_were_swept_a_moment_ago_are_left_alone(jobs: Jobs, unreferenced: list[str]) -> None:
    assert sweep(jobs, every="10 minutes") == unreferenced[:2]
    assert sweep(jobs, every="10 minutes") == []


def test_a_sweep_goes_on_where_the_last_one_ended_and_begins_anew_past_the_end(
    jobs: Jobs, unreferenced: list[str]
) -> None:
    rounds = [sweep(jobs) for _ in range(4)]
    assert rounds == [unreferenced[:2], unreferenced[2:], [], unreferenced[:2]]


def test_a_sweep_of_an_empty_bucket_finds_nothing(jobs: Jobs) -> None:
    assert [sweep(jobs), sweep(jobs)] == [[], []]


def test_of_two_workers_that_sweep_at_once_one_does(
    database: str, jobs: Jobs, unreferenced: list[str]
) -> None:
    with jobs.conn.transaction():
        assert sweep(jobs) == unreferenced[:2]
        with type(jobs.conn).connect(database) as other:
            other.execute("set statement_timeout = '5s'")
            row = other.execute("select private.sweep_unreferenced_objects('0 s', 2)").fetchone()
            assert row == (None,)

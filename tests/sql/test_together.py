"""Several jobs in one call: each is checked alone, and no call waits for another transaction."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest

from tests.sql.race import racing
from tests.support.actors import User, WorkerRole
from tests.support.all_actors import Actors


@contextmanager
def locked(actors: Actors, query: str, value: UUID) -> Iterator[None]:
    """Lock rows in a transaction that is still open."""
    with psycopg.connect(actors.url, autocommit=True) as conn, conn.transaction(force_rollback=True):
        conn.execute(query.encode(), (value,))
        yield


LOCK_JOB = "select from public.jobs where id = %s for no key update"
LOCK_ACCOUNT = "select from public.entitlements where user_id = %s for update"


def test_a_claim_of_several_takes_what_it_can_and_leaves_out_what_is_locked(
    actors: Actors, user: User
) -> None:
    free, taken = user.job(), user.job()
    others = [actors.job(user, status)[0] for status in ("running", "succeeded", "canceled")]
    with locked(actors, LOCK_JOB, taken):
        assert actors.worker.claim_all([*others, taken, free, uuid.uuid4()]) == {free}
    assert actors.worker.claim_all([free, taken]) == {taken}
    assert {actors.operator.job(job_id)["fence"] for job_id in (free, taken)} == {1}


def test_two_workers_that_claim_the_same_jobs_in_other_orders_share_them(actors: Actors, user: User) -> None:
    second = actors.another(WorkerRole)
    with racing(2) as start:
        for _ in range(10):
            job_ids = [user.job() for _ in range(8)]
            shares = start(
                lambda: actors.worker.claim_all(job_ids),  # noqa: B023
                lambda: second.claim_all(job_ids[::-1]),  # noqa: B023
            )
            left = set(job_ids) - shares[0] - shares[1]
            assert not shares[0] & shares[1]
            assert all(actors.worker.complete(job_id, actors.worker.claimed(job_id)) for job_id in left)
            assert (
                actors.worker.complete_all(dict.fromkeys(shares[0] | shares[1], 1)) == shares[0] | shares[1]
            )


def test_of_several_completions_each_is_judged_by_its_own_fence_and_status(
    actors: Actors, user: User
) -> None:
    mine, repeated = actors.job(user, "running"), actors.job(user, "succeeded")
    late = [(actors.job(user, status)[0], 1) for status in ("queued", "waiting", "failed", "canceled")]
    foreign = (actors.job(user, "running")[0], 9)
    jobs = dict([*late, foreign, mine, repeated])
    before = {job_id: actors.operator.job(job_id) for job_id in jobs}
    asked = jobs | {uuid.uuid4(): 1}

    assert actors.worker.complete_all(asked) == {mine[0], repeated[0]}

    assert actors.operator.job(mine[0])["status"] == "succeeded"
    assert all(actors.operator.job(job_id) == before[job_id] for job_id in jobs if job_id != mine[0])
    assert actors.worker.complete_all(asked) == {mine[0], repeated[0]}, "the reply may have been lost"


@pytest.mark.parametrize("lock", [LOCK_JOB, LOCK_ACCOUNT])
def test_a_completion_of_several_waits_for_no_lock(actors: Actors, user: User, lock: str) -> None:
    other = actors.user()
    free, taken = actors.job(user, "running"), actors.job(other, "running")
    with locked(actors, lock, taken[0] if lock == LOCK_JOB else other.id):
        assert actors.worker.complete_all(dict([taken, free])) == {free[0]}
    assert actors.worker.complete_all(dict([taken, free])) == {free[0], taken[0]}


def test_several_completions_with_one_that_is_illegal_change_nothing(actors: Actors, user: User) -> None:
    jobs = dict(actors.job(user, "running") for _ in range(2))
    with pytest.raises(psycopg.errors.IntegrityError):
        actors.worker.complete_all(jobs, {"path": "not a list"})
    assert {actors.operator.job(job_id)["status"] for job_id in jobs} == {"running"}


def test_a_claim_reads_its_own_jobs_only_also_when_the_statistics_are_of_a_quiet_hour(
    actors: Actors, user: User
) -> None:
    """No job was unfinished at the last analyze, so the planner takes their index for empty."""
    for _ in range(8):
        actors.job(user, "succeeded")
    actors.operator.execute("analyze public.jobs", ())
    jobs = [user.job() for _ in range(16)]

    def scans() -> int:
        actors.worker.value("select pg_stat_force_next_flush()")
        actors.worker.value("select 1")  # ends the transaction, which reports the counts
        return int(
            actors.operator.value(
                "select sum(idx_scan) from pg_stat_user_indexes where indexrelname = 'jobs_unfinished_by_user'"
            )
        )

    before = scans()
    assert actors.worker.claim_all(jobs) == set(jobs)
    assert scans() == before

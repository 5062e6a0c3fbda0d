"""prune_jobs deletes the oldest jobs first, in batches; generations and the ledger stay."""

from tests.support.actors import User
from tests.support.all_actors import Actors


def test_a_call_deletes_the_oldest_and_no_more_than_its_limit(actors: Actors, user: User) -> None:
    jobs = [user.job() for _ in range(5)]
    for job_id in jobs:
        user.cancel(job_id)
    operator = actors.operator
    prune = "select private.prune_jobs('-1 seconds', 2)"

    assert operator.value(prune) == 2
    assert {row["id"] for row in operator.rows("select id from public.jobs")} == set(jobs[2:])
    assert [operator.value(prune) for _ in range(3)] == [2, 1, 0]
    assert all(operator.generation(job_id) for job_id in jobs)
    assert operator.rows("select * from private.ledger_mismatches()") == []


def test_unfinished_and_young_jobs_stay(actors: Actors, user: User) -> None:
    user.job()
    user.cancel(user.job())
    assert actors.operator.value("select private.prune_jobs('1 hour')") == 0
    assert actors.operator.prune() == 1

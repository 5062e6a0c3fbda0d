"""The order of dispatch: 1000 jobs of one user delay no other, paid users lead, no user starves."""

from itertools import pairwise
from uuid import UUID

from tests.support.actors import User
from tests.support.all_actors import Actors


def order_of_owners(actors: Actors, limit: int) -> list[UUID]:
    job_ids = actors.bridge.dispatch(limit, window=10**6)
    owners = {
        row["id"]: row["user_id"] for row in actors.operator.rows("select id, user_id from public.jobs")
    }
    return [owners[job_id] for job_id in job_ids]


def queue(user: User, count: int) -> None:
    user.rows(
        "select public.enqueue_generation(gen_random_uuid(), 'preview', '{\"prompt\": \"a fox\"}')"
        " from generate_series(1, %s)",
        count,
    )


def test_a_users_single_job_is_among_the_next_few_after_anothers_thousand(actors: Actors) -> None:
    actors.operator.configure(max_unfinished_jobs=2000)
    busy, single = actors.user(credits=1000), actors.user()
    queue(busy, 1000)
    actors.bridge.dispatch(limit=1)
    queue(single, 1)
    assert single.id in order_of_owners(actors, limit=3)


def test_jobs_of_one_user_keep_their_order(actors: Actors, user: User) -> None:
    jobs = [user.job() for _ in range(5)]
    assert actors.bridge.dispatch() == jobs


def test_users_take_turns(actors: Actors) -> None:
    first, second = actors.user(), actors.user()
    queue(first, 5)
    queue(second, 5)
    assert order_of_owners(actors, limit=10) == [first.id, second.id] * 5


def test_a_paid_user_is_denser_and_starves_no_other(actors: Actors) -> None:
    actors.operator.configure(max_unfinished_jobs=200)
    paid, free = actors.user(is_paid=True), actors.user()
    queue(free, 10)
    queue(paid, 80)
    owners = order_of_owners(actors, limit=90)
    assert owners.count(paid.id) == 80
    places = [place for place, owner in enumerate(owners) if owner == free.id]
    assert min(b - a for a, b in pairwise(places)) >= 7
    assert max(b - a for a, b in pairwise(places)) <= 10, "one in nine is the free user's"


def test_a_past_that_disturbed_no_other_is_not_held_against_a_user(actors: Actors) -> None:
    """Jobs run while no other user waited put a new one back by at most one full load of jobs."""
    busy, others = actors.user(), actors.user()
    actors.operator.conn.execute(
        "update public.entitlements set next_rank = extract(epoch from now()) + 86400 where user_id = %s",
        (busy.id,),
    )
    queue(busy, 2)
    queue(others, 20)
    lag = actors.operator.value(
        "select max(rank) - extract(epoch from now()) from public.jobs where user_id = %s", busy.id
    )
    assert 150 < lag <= 160, "20 jobs, 8 seconds apart"
    assert order_of_owners(actors, limit=22).count(busy.id) == 2


def test_a_job_that_is_tried_again_keeps_its_place(actors: Actors) -> None:
    first, second = actors.user(), actors.user()
    retried, other = first.job(), second.job()
    actors.worker.retry(retried, actors.worker.claimed(retried))
    assert actors.bridge.dispatch() == [retried, other]

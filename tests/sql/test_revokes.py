"""Revoked credits are gone, also if they were spent, held in jobs, or not granted yet."""

from collections.abc import Callable
from random import Random

import pytest

from tests.sql.race import racing
from tests.support.actors import User, refused
from tests.support.all_actors import Actors

ENTRIES = "select kind, amount, owed, reason from public.credit_entries where user_id = %s order by id"


@pytest.fixture(autouse=True)
def books_are_right(actors: Actors) -> object:
    yield
    assert actors.operator.rows("select * from private.ledger_mismatches()") == []


def test_a_revoke_takes_what_is_there_once_and_remembers_the_rest(actors: Actors) -> None:
    user = actors.user(credits=10)
    assert actors.service.revoke(user.id, 4, "refund-1") == {"taken": 4, "owed": 0, "credits": 6}
    for _ in range(2):
        assert actors.service.revoke(user.id, 9, "refund-2") == {"taken": 6, "owed": 3, "credits": 0}
    assert actors.service.revoke(user.id, 2, "refund-3") == {"taken": 0, "owed": 5, "credits": 0}
    assert [tuple(entry.values()) for entry in actors.operator.rows(ENTRIES, user.id)] == [
        ("grant", 10, 0, "starter"),
        ("revoke", -4, 0, "refund"),
        ("revoke", -6, 3, "refund"),
        ("revoke", 0, 2, "refund"),
    ]


def test_the_next_grants_pay_what_is_owed(actors: Actors) -> None:
    user = actors.user(credits=0)
    actors.service.revoke(user.id, 5, "refund")
    assert actors.service.grant(user.id, 2, "receipt-1") == 0
    assert actors.operator.owed(user.id) == 3
    for _ in range(2):
        assert actors.service.grant(user.id, 10, "receipt-2") == 7
    assert actors.operator.owed(user.id) == 0
    assert [tuple(entry.values()) for entry in actors.operator.rows(ENTRIES, user.id)] == [
        ("revoke", 0, 5, "refund"),
        ("grant", 2, 0, "purchase"),
        ("revoke", -2, -2, "owed"),
        ("grant", 10, 0, "purchase"),
        ("revoke", -3, -3, "owed"),
    ]


def late(actors: Actors, user: User) -> None:
    job_id, _ = actors.job(user, "running")
    actors.operator.pass_deadline(job_id)
    actors.service.revoke(user.id, 3, "refund")
    actors.bridge.rescue()


def failed(actors: Actors, user: User) -> None:
    job_id, fence = actors.job(user, "running")
    actors.service.revoke(user.id, 3, "refund")
    actors.worker.fail(job_id, fence)


def canceled(actors: Actors, user: User, status: str) -> None:
    job_id, _ = actors.job(user, status)
    actors.service.revoke(user.id, 3, "refund")
    assert user.cancel(job_id)["credits"] == 0


DODGES: dict[str, Callable[[Actors, User], None]] = {
    "canceled in the queue": lambda actors, user: canceled(actors, user, "queued"),
    "canceled while the provider works": lambda actors, user: canceled(actors, user, "waiting"),
    "failed": failed,
    "past its deadline": late,
}


@pytest.mark.parametrize("dodge", DODGES)
def test_a_hold_cannot_dodge_a_refund(actors: Actors, dodge: str) -> None:
    """All credits are held by a job when the refund arrives; its end does not return them."""
    user = actors.user(credits=1)
    DODGES[dodge](actors, user)
    assert (actors.operator.credits(user.id), actors.operator.owed(user.id)) == (0, 2)
    with refused(402, "insufficient_credits"):
        user.job()


def test_a_job_that_succeeds_leaves_the_debt_as_it_was(actors: Actors) -> None:
    user = actors.user(credits=1)
    job_id, fence = actors.job(user, "running")
    actors.service.revoke(user.id, 1, "refund")
    assert actors.worker.complete(job_id, fence)
    assert (actors.operator.credits(user.id), actors.operator.owed(user.id)) == (0, 1)


@pytest.mark.parametrize(
    ("amount", "ref", "reason"),
    [
        (0, "r", "x"),
        (-1, "r", "x"),
        (None, "r", "x"),
        (1, None, "x"),
        (1, "", "x"),
        (1, "r", None),
        (1, "r", ""),
    ],
)
def test_a_revoke_needs_an_amount_a_reason_and_a_reference(
    actors: Actors, user: User, amount: int | None, ref: str | None, reason: str | None
) -> None:
    with refused(400, "invalid_request"):
        actors.service.revoke(user.id, amount, ref, reason)


def test_a_reference_is_one_revoke(actors: Actors) -> None:
    user, other = actors.user(credits=10), actors.user(credits=10)
    actors.service.grant(user.id, 5, "receipt")
    actors.service.revoke(user.id, 20, "refund")
    for user_id, amount, ref in ((user.id, 19, "refund"), (other.id, 20, "refund"), (user.id, 5, "receipt")):
        with refused(409, "id_conflict"):
            actors.service.revoke(user_id, amount, ref)
    with refused(409, "id_conflict"):
        actors.service.grant(user.id, 15, "refund")


def test_no_user_can_owe_more_than_an_integer_holds(actors: Actors) -> None:
    user = actors.user(credits=0)
    actors.service.revoke(user.id, 1_000_000_000, "refund-1")
    for amount in (1, 2**31 - 1):
        with refused(400, "invalid_request"):
            actors.service.revoke(user.id, amount, "refund-2")


def test_a_revoke_from_an_unknown_user_is_refused(actors: Actors, user: User) -> None:
    actors.operator.delete_user(user.id)
    with refused(404, "unknown_user"):
        actors.service.revoke(user.id, 1, "refund")


def test_grants_and_revokes_lead_to_one_balance_in_any_order(actors: Actors) -> None:
    for seed in range(30):
        dice = Random(seed)
        amounts = [dice.choice([-1, 1]) * dice.randint(1, 9) for _ in range(8)]
        user = actors.user(credits=5)
        for number, amount in enumerate(amounts):
            book = actors.service.grant if amount > 0 else actors.service.revoke
            book(user.id, abs(amount), f"{seed}-{number}")
        net = 5 + sum(amounts)
        assert actors.operator.credits(user.id) == max(net, 0)
        assert actors.operator.owed(user.id) == max(-net, 0)
        actors.free.append(user)


def test_a_refund_meets_jobs_and_their_ends_and_nothing_is_lost(actors: Actors) -> None:
    service = actors.another(type(actors.service))
    with racing(4) as start:
        for round_number in range(60):
            user = actors.user(credits=3)
            running, fence = actors.job(user, "running")
            queued = user.job()
            session = actors.session(user.id)
            start(
                lambda u=user, n=round_number: actors.service.revoke(u.id, 3, f"refund-{n}"),
                lambda u=user, n=round_number: service.grant(u.id, 1, f"receipt-{n}"),
                lambda s=session, q=queued: s.cancel(q),
                lambda r=running, f=fence: actors.worker.fail(r, f),
            )
            assert (actors.operator.credits(user.id), actors.operator.owed(user.id)) == (1, 0)
            actors.free += [user, session]

"""The paid users, and the end of their period, for any order of the store's events."""

import uuid
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from tests.support.actors import User
from tests.support.all_actors import Actors
from tests.support.store import (
    BARE,
    DAY,
    MONTH,
    NOW,
    PACK,
    account,
    event,
    paid_until,
    period,
    transfer,
)

ENTRIES = "select kind, amount, reason, external_ref from public.credit_entries where user_id = %s order by id offset 1"


pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def user(actors: Actors) -> User:
    return actors.user(credits=10)


@pytest.mark.parametrize("fields", [{"period_type": "TRIAL"}, {"is_family_share": True}])
def test_an_unpaid_period_gives_access_and_no_credits(
    actors: Actors, user: User, fields: dict[str, Any]
) -> None:
    told = period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY, **fields)
    assert actors.service.record(told) == "subscription"
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((10, 0), NOW + DAY)


def test_the_newest_event_says_until_when_in_any_order(actors: Actors) -> None:
    told = [
        ("INITIAL_PURCHASE", 0, NOW + 30 * DAY),
        ("RENEWAL", 30, NOW + 60 * DAY),
        ("SUBSCRIPTION_EXTENDED", 40, NOW + 50 * DAY),
    ]
    for order in permutations(told):
        user = actors.user(credits=10)
        for kind, day, until in order:
            actors.service.record(
                period(
                    kind,
                    uuid.uuid4(),
                    NOW + day * DAY,
                    user.id,
                    f"sub-{user.id}",
                    until,
                    transaction_id=f"{day}-{user.id}",
                )
            )
        assert (paid_until(actors, user.id), account(actors, user.id)) == (NOW + 50 * DAY, (70, 0))
        actors.free.append(user)


def test_access_ends_with_its_expiration_and_lasts_through_a_grace_period(actors: Actors, user: User) -> None:
    def tell(kind: str, at: int, until: int, **fields: Any) -> int | None:
        actors.service.record(period(kind, uuid.uuid4(), at, user.id, "sub", until, **fields))
        return paid_until(actors, user.id)

    assert tell("INITIAL_PURCHASE", NOW, NOW + 30 * DAY) == NOW + 30 * DAY
    issue = {"grace_period_expiration_at_ms": NOW + 46 * DAY}
    assert tell("BILLING_ISSUE", NOW + 30 * DAY, NOW + 30 * DAY, **issue) == NOW + 46 * DAY
    failed = {"cancel_reason": "BILLING_ERROR"}
    assert tell("CANCELLATION", NOW + 30 * DAY + 1, NOW + 30 * DAY, **failed) == NOW + 46 * DAY
    assert tell("EXPIRATION", NOW + 40 * DAY, NOW + 99 * DAY) == NOW + 40 * DAY
    assert tell("RENEWAL", NOW + 50 * DAY, NOW + 80 * DAY) == NOW + 80 * DAY


def test_a_user_is_paid_until_the_last_of_all_subscriptions_ends(actors: Actors, user: User) -> None:
    for name, until, product in (("a", 5, MONTH), ("b", 9, BARE), ("c", 7, MONTH), ("d", 99, PACK)):
        told = period(
            "INITIAL_PURCHASE",
            name,
            NOW,
            user.id,
            name,
            NOW + until * DAY,
            product_id=product,
            transaction_id=name,
        )
        actors.service.record(told)
    assert paid_until(actors, user.id) == NOW + 9 * DAY


def test_a_subscriber_pays_no_credits_and_is_dispatched_as_a_paid_user_until_it_ends(
    actors: Actors, user: User
) -> None:
    later = round(datetime.now(UTC).timestamp() * 1000) + DAY
    actors.service.record(period("INITIAL_PURCHASE", "1", NOW, user.id, "s", later, period_type="TRIAL"))
    job_id = user.job()
    assert actors.operator.job(job_id)["cost"] == 0
    actors.service.record(period("EXPIRATION", "2", NOW + 1, user.id, "s", NOW + 1))
    assert actors.operator.job(user.job())["cost"] == 1


def test_a_temporary_grant_gives_access_without_credits(actors: Actors, user: User) -> None:
    told = event(
        "TEMPORARY_ENTITLEMENT_GRANT", "1", NOW, user.id, product_id=MONTH, expiration_at_ms=NOW + DAY
    )
    del told["environment"]
    assert actors.service.record(told) == "subscription"
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((10, 0), NOW + DAY)


def test_a_transfer_moves_subscriptions_and_never_credits(actors: Actors, user: User) -> None:
    other = actors.user(credits=10)
    actors.service.record(period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY))
    moved = transfer("2", NOW + 1, ["$RCAnonymousID:x", user.id], [other.id])
    assert [actors.service.record(moved) for _ in range(2)] == ["transferred", "transferred"]
    assert (account(actors, user.id), account(actors, other.id)) == ((40, 0), (10, 0))
    assert (paid_until(actors, user.id), paid_until(actors, other.id)) == (None, NOW + DAY)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_chain_of_transfers_comes_in_any_order(actors: Actors, user: User, order: tuple[int, ...]) -> None:
    second, third = actors.user(), actors.user()
    told = [
        period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY),
        transfer("2", NOW + 1, [user.id], [second.id]),
        transfer("3", NOW + 2, [second.id], [third.id]),
        transfer("4", NOW + 3, [user.id], [second.id]),  # the first user has nothing left
    ]
    for place in order:
        actors.service.record(told[place])
    assert [paid_until(actors, one.id) for one in (user, second, third)] == [None, None, NOW + DAY]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_at_the_same_time_the_longer_period_counts_and_the_transfer_comes_last(
    actors: Actors, user: User, order: tuple[int, ...]
) -> None:
    other = actors.user()
    told = [
        period("RENEWAL", "9", NOW, user.id, "sub", NOW + DAY),
        period("SUBSCRIPTION_EXTENDED", "1", NOW, user.id, "sub", NOW + 2 * DAY),
        transfer("2", NOW, [user.id], [other.id]),
    ]
    for place in order:
        actors.service.record(told[place])
    assert (paid_until(actors, user.id), paid_until(actors, other.id)) == (None, NOW + 2 * DAY)


def test_purchases_of_a_deleted_account_can_be_transferred_to_the_next(actors: Actors, user: User) -> None:
    actors.service.record(period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY))
    actors.operator.delete_user(user.id)
    other = actors.user(credits=10)
    actors.service.record(transfer("2", NOW + 1, [user.id], [other.id]))
    assert (account(actors, other.id), paid_until(actors, other.id)) == ((10, 0), NOW + DAY)


def test_the_owner_hears_of_the_balance_at_once(actors: Actors, user: User) -> None:
    """A grant, a revoke and a purchase send a message; a change by a job is sent with the job."""
    news = (
        "select payload - 'id' - 'updated_at' as payload from realtime.messages"
        " where topic = %s and event = 'account' and private order by inserted_at"
    )
    actors.service.grant(user.id, 5, "receipt")
    actors.service.revoke(user.id, 20, "refund")
    user.status()
    told = period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + 2000 * DAY, transaction_id="t")
    actors.service.record(told)
    heard = [row["payload"] for row in actors.operator.rows(news, f"user:{user.id}")]
    assert [(one["credits"], one["owed"], one["is_paid"]) for one in heard[:2]] == [
        (15, 0, False),
        (0, 5, False),
    ]
    last = heard[-1]
    assert (last["credits"], last["owed"], last["is_paid"]) == (25, 0, True)
    assert datetime.fromisoformat(last["paid_until"]).timestamp() * 1000 == NOW + 2000 * DAY
    count = len(heard)
    user.cancel(user.job())
    assert len(actors.operator.rows(news, f"user:{user.id}")) == count

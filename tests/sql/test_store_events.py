"""The effect of each kind of event, by its order and its repetition."""

import uuid
from itertools import permutations
from typing import Any

import pytest

from tests.support.actors import Row, User, refused
from tests.support.all_actors import Actors
from tests.support.store import (
    ADD_PRODUCT,
    DAY,
    NOW,
    Event,
    account,
    paid_until,
    period,
    purchase,
    refund,
    transfer,
)

ENTRIES = "select kind, amount, reason, external_ref from public.credit_entries where user_id = %s order by id offset 1"


pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def user(actors: Actors) -> User:
    return actors.user(credits=10)


def back(refunded: Event, number: str, at: int) -> Event:
    return {**refunded, "id": f"event-{number}", "type": "REFUND_REVERSED", "event_timestamp_ms": at}


def test_a_purchase_is_posted_once_however_it_is_told(actors: Actors, user: User) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    other_id = {**bought, "id": "event-2", "event_timestamp_ms": NOW + 9}
    effects = [actors.service.record(one) for one in (bought, bought, other_id)]
    assert effects == ["granted", "known_transaction", "known_transaction"]
    assert [tuple(row.values()) for row in actors.operator.rows(ENTRIES, user.id)] == [
        ("grant", 100, "purchase", "APP_STORE:t1")
    ]


def test_the_same_transaction_of_another_store_is_another_one(actors: Actors, user: User) -> None:
    for store in ("APP_STORE", "PLAY_STORE"):
        actors.service.record(purchase(store, NOW, user.id, "t1", store=store))
    assert account(actors, user.id) == (210, 0)


def test_a_grant_that_a_backend_posted_by_hand_counts(actors: Actors, user: User) -> None:
    actors.service.grant(user.id, 70, "APP_STORE:t1")
    bought = purchase("1", NOW, user.id, "t1")
    assert actors.service.record(bought) == "known_transaction"
    assert actors.service.record(refund("2", NOW + 1, bought)) == "revoked"
    assert account(actors, user.id) == (10, 0)


@pytest.mark.parametrize("kind", ["INITIAL_PURCHASE", "RENEWAL"])
def test_every_paid_period_posts_its_credits(actors: Actors, user: User, kind: str) -> None:
    for number in range(3):
        told = period(kind, number, NOW + number, user.id, "sub", NOW + DAY, transaction_id=f"t{number}")
        assert actors.service.record(told) in ("granted",)
    assert account(actors, user.id) == (100, 0)


def test_a_refund_takes_what_was_granted_and_its_reversal_returns_it(actors: Actors, user: User) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    refunded = refund("2", NOW + 1, bought)
    returned = back(refunded, "3", NOW + 2)
    for one, effect, now in (
        (bought, "granted", (110, 0)),
        (refunded, "revoked", (10, 0)),
        (refunded, "known_refund", (10, 0)),
        (returned, "returned", (110, 0)),
        (refund("4", NOW + 3, bought), "revoked", (10, 0)),
        (returned, "known_refund", (10, 0)),
        (refunded, "known_refund", (10, 0)),
    ):
        assert (actors.service.record(one), account(actors, user.id)) == (effect, now)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_refunds_come_in_any_order(actors: Actors, user: User, order: tuple[int, ...]) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    refunded = refund("2", NOW + 1, bought)
    told = [bought, refunded, back(refunded, "3", NOW + 2), refund("4", NOW + 3, bought)]
    for place in order:
        actors.service.record(told[place])
    assert account(actors, user.id) == (10, 0)


def test_a_spent_purchase_that_is_refunded_is_owed(actors: Actors, user: User) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    actors.service.record(bought)
    actors.service.revoke(user.id, 95, "as if spent")
    refunded = refund("2", NOW + 1, bought)
    assert actors.service.record(refunded) == "revoked"
    assert account(actors, user.id) == (0, 85)
    assert actors.service.record(back(refunded, "3", NOW + 2)) == "returned"
    assert account(actors, user.id) == (15, 0)


def test_a_refund_is_taken_from_the_account_that_was_granted(actors: Actors, user: User) -> None:
    other = actors.user(credits=10)
    bought = purchase("1", NOW, user.id, "t1")
    actors.service.record(bought)
    actors.service.record(transfer("2", NOW + 1, [user.id], [other.id]))
    names = {key: str(other.id) for key in ("app_user_id", "original_app_user_id")}
    assert actors.service.record({**refund("3", NOW + 2, bought), **names, "aliases": []}) == "revoked"
    assert (account(actors, user.id), account(actors, other.id)) == ((10, 0), (10, 0))


def test_a_price_of_an_earlier_day_is_what_a_refund_takes(actors: Actors, user: User) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    actors.service.record(bought)
    actors.operator.conn.execute("update private.products set credits = 7")
    actors.service.record(refund("2", NOW + 1, bought))
    assert account(actors, user.id) == (10, 0)


@pytest.mark.parametrize(
    "reason", ["UNSUBSCRIBE", "BILLING_ERROR", "DEVELOPER_INITIATED", "PRICE_INCREASE", "UNKNOWN", None, 5]
)
def test_another_cancellation_takes_nothing(actors: Actors, user: User, reason: object) -> None:
    actors.service.record(period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY))
    actors.service.record(period("CANCELLATION", "2", NOW, user.id, "sub", NOW + DAY, cancel_reason=reason))
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((40, 0), NOW + DAY)


def test_an_event_after_the_deletion_is_kept_and_touches_no_account(actors: Actors, user: User) -> None:
    other = actors.user(credits=10)
    bought = purchase("1", NOW, user.id, "t1", aliases=[str(other.id)])
    actors.service.record(bought)
    actors.operator.delete_user(user.id)
    refunded = refund("2", NOW + 1, bought, aliases=[str(other.id)])
    effects = [
        actors.service.record(one)
        for one in (refunded, back(refunded, "3", NOW + 2), {**bought, "id": "event-4"})
    ]
    assert effects == ["nothing_to_take", "known_refund", "known_refund"]
    assert account(actors, other.id) == (10, 0)
    assert actors.operator.value("select count(*) from private.purchase_events") == 4


def test_a_user_is_looked_up_by_every_id_of_the_buyer(actors: Actors, user: User) -> None:
    nobody = "$RCAnonymousID:x"
    for number, ids in enumerate(
        [(user.id, nobody, []), (nobody, user.id, []), (nobody, nobody, [nobody, str(user.id)])]
    ):
        first, original, aliases = ids
        told = purchase(number, NOW, first, f"t{number}", original_app_user_id=str(original), aliases=aliases)
        assert actors.service.record(told) == "granted"
    assert account(actors, user.id) == (310, 0)


def test_a_purchase_of_an_unknown_user_or_product_is_applied_when_it_is_told_again(actors: Actors) -> None:
    user_id = uuid.uuid4()
    strange = period("INITIAL_PURCHASE", "1", NOW, user_id, "sub", NOW + DAY, product_id="new")
    assert actors.service.record(strange) == "unknown_product"
    actors.operator.conn.execute(ADD_PRODUCT, ("new", 5, True, False))
    assert actors.service.record(strange) == "unknown_user"
    actors.operator.conn.execute("insert into auth.users (id) values (%s)", (user_id,))
    again = "select public.record_purchase(event) from private.purchase_events where effect like 'unknown%%'"
    assert actors.operator.value(again) == "granted"
    assert (account(actors, user_id), paid_until(actors, user_id)) == ((15, 0), NOW + DAY)
    assert actors.operator.value("select effect from private.purchase_events") == "granted"


@pytest.mark.parametrize(
    "fields", [{"environment": "SANDBOX"}, {"store": "TEST_STORE"}, {"environment": ["PRODUCTION"]}]
)
def test_a_sandbox_buys_nothing_unless_it_is_allowed(
    actors: Actors, user: User, fields: dict[str, Any]
) -> None:
    bought = {**period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY), **fields}
    moved = {**transfer("2", NOW + 1, [user.id], [uuid.uuid4()]), **fields}
    assert [actors.service.record(one) for one in (bought, moved)] == ["sandbox", "sandbox"]
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((10, 0), None)
    actors.operator.configure(accept_sandbox_purchases=True)
    assert [actors.service.record(one) for one in (bought, moved)] == ["granted", "transferred"]
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((40, 0), None)


def test_a_refund_in_a_sandbox_takes_nothing_of_a_purchase(actors: Actors, user: User) -> None:
    bought = purchase("1", NOW, user.id, "t1")
    for number in ("2", "3"):
        actors.service.record(bought)
        assert actors.service.record(refund(number, NOW + 1, bought, environment="SANDBOX")) == "sandbox"
    actors.service.record(bought)
    assert account(actors, user.id) == (110, 0)


@pytest.mark.parametrize(
    "kind",
    ["TEST", "PRODUCT_CHANGE", "INVOICE_ISSUANCE", "VIRTUAL_CURRENCY_TRANSACTION", "EXPERIMENT_ENROLLMENT",
     "SUBSCRIBER_ALIAS", "paywall_close", "A_TYPE_OF_TOMORROW", "refund_reversed"],
)  # fmt: skip
def test_other_types_are_kept_and_do_nothing(actors: Actors, user: User, kind: Any) -> None:
    told = {**period("RENEWAL", "1", NOW, user.id, "sub", NOW + DAY), "type": kind}
    assert actors.service.record(told) == "ignored"
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((10, 0), None)
    kept: Row = actors.operator.row("select * from private.purchase_events") or {}
    assert kept["event"] == {key: value for key, value in told.items() if key != "subscriber_attributes"}


@pytest.mark.parametrize("missing", ["type", "event_timestamp_ms", "store", "transaction_id"])
def test_an_event_that_cannot_be_read_does_nothing(actors: Actors, user: User, missing: str) -> None:
    told = purchase("1", NOW, user.id, "t1")
    del told[missing]
    assert actors.service.record(told) == "unreadable"
    assert account(actors, user.id) == (10, 0)


@pytest.mark.parametrize("told", [None, 5, [], {}, {"id": None}, {"id": ""}, {"id": 5}, {"id": "x" * 151}])
def test_an_event_without_an_id_is_refused(actors: Actors, told: object) -> None:
    with refused(400, "invalid_request"):
        actors.service.record(told)


def test_an_operator_sees_what_could_not_be_applied(actors: Actors, user: User) -> None:
    told = purchase("1", NOW, user.id, "t1")
    actors.service.record({**told, "product_id": "new"})
    found = {row["item"]: row for row in actors.bridge.rows("select * from private.operator_status()")}
    row = found["last day: purchases with unknown product"]
    assert (row["value"], row["problem"] is None) == ("1", False)
    assert found["last day: purchases with unreadable"]["problem"] is None

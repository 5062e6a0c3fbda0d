"""Lifetimes, other products, and fields that an event may have or lack beside the documents."""

import uuid
from itertools import permutations
from typing import Any

import pytest

from tests.sql.test_store_events import back
from tests.support.actors import User
from tests.support.all_actors import Actors
from tests.support.store import (
    DAY,
    END_OF_TIME,
    LIFETIME,
    MONTH,
    NOW,
    PACK,
    account,
    event,
    paid_until,
    period,
    purchase,
    refund,
    transfer,
)

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def user(actors: Actors) -> User:
    return actors.user(credits=10)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_lifetime_lasts_until_its_refund_in_any_order(
    actors: Actors, user: User, order: tuple[int, ...]
) -> None:
    other = actors.user(credits=10)
    bought = purchase("1", NOW, user.id, "t1", product_id=LIFETIME)
    refunded = refund("2", NOW + 1, bought)
    told = [bought, refunded, back(refunded, "3", NOW + 2), transfer("4", NOW + 3, [user.id], [other.id])]
    for place in order:
        actors.service.record(told[place])
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((60, 0), None)
    assert (account(actors, other.id), paid_until(actors, other.id)) == ((10, 0), END_OF_TIME)
    names = {"app_user_id": str(other.id), "original_app_user_id": str(other.id), "aliases": []}
    assert actors.service.record({**refund("5", NOW + 4, bought), **names}) == "revoked"
    assert (account(actors, user.id), paid_until(actors, other.id)) == ((10, 0), NOW + 4)


UNUSUAL: list[tuple[dict[str, Any], str, int, int | None]] = [
    # changed fields of a period paid until tomorrow; effect; credits and paid until afterwards
    ({"price": -1e300, "currency": "XXX", "price_in_purchased_currency": "1,5"}, "granted", 40, DAY),
    ({"of_tomorrow": {"a": [{"b": "c"}]}, "credits": 10**9, "effect": "x", "granted_to": "y"}, "granted", 40, DAY),
    ({"aliases": {"0": "x"}, "original_app_user_id": None, "entitlement_ids": None}, "granted", 40, DAY),
    ({"original_transaction_id": None}, "granted", 40, DAY),
    ({"period_type": "INTRO", "offer_code": "x", "is_family_share": None}, "granted", 40, DAY),
    ({"period_type": "PREPAID"}, "granted", 40, DAY),
    ({"is_family_share": True}, "subscription", 10, DAY),
    ({"store": "PROMOTIONAL", "product_id": "rc_promo_pro_monthly", "app_id": None}, "unknown_product", 10, None),
    ({"product_id": None}, "unknown_product", 10, None),
    ({"product_id": ["pro:monthly"]}, "unknown_product", 10, None),
    ({"product_id": PACK, "expiration_at_ms": None, "entitlement_ids": ["pro"]}, "granted", 110, None),
    ({"expiration_at_ms": None}, "granted", 40, None),
    ({"expiration_at_ms": "1790000000000"}, "granted", 40, None),
    ({"event_timestamp_ms": 0}, "granted", 40, DAY),
    ({"event_timestamp_ms": -1}, "unreadable", 10, None),
    ({"event_timestamp_ms": 1e300}, "unreadable", 10, None),
    ({"event_timestamp_ms": "now"}, "unreadable", 10, None),
    ({"store": "TEST_STORE"}, "sandbox", 10, None),
    ({"type": "VIRTUAL_CURRENCY_TRANSACTION", "adjustments": [{"amount": 9}], "store": None}, "ignored", 10, None),
    ({"type": "EXPERIMENT_ENROLLMENT", "store": None, "event_timestamp_ms": None}, "ignored", 10, None),
    ({"type": "paywall_impression", "store": None, "event_timestamp_ms": None}, "ignored", 10, None),
    ({"type": "PRODUCT_CHANGE", "new_product_id": "founder"}, "ignored", 10, None),
    ({"type": "INVOICE_ISSUANCE", "period_type": None}, "ignored", 10, None),
    ({"type": "TEMPORARY_ENTITLEMENT_GRANT", "original_transaction_id": None}, "subscription", 10, DAY),
    ({"type": "TRANSFER"}, "unreadable", 10, None),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "effect", "credits", "lasts"), UNUSUAL)
def test_an_unusual_event_has_the_expected_effect(
    actors: Actors, user: User, fields: dict[str, Any], effect: str, credits: int, lasts: int | None
) -> None:
    told = {**period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY), **fields}
    until = None if lasts is None else NOW + lasts
    for _ in range(2):
        actors.service.record(told)
        assert (account(actors, user.id), paid_until(actors, user.id)) == ((credits, 0), until)
    assert actors.operator.value("select effect from private.purchase_events") == effect


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "BILLING_ISSUE", "product_id": None},
        {"type": "UNCANCELLATION", "product_id": 5},
        {"type": "TRANSFER", "transferred_to": []},
        {"type": "TRANSFER", "transferred_to": None, "transferred_from": "no list"},
        {"type": "SUBSCRIPTION_PAUSED", "auto_resume_at_ms": NOW + 90 * DAY},
        {"type": "CANCELLATION", "cancel_reason": "UNKNOWN", "expiration_at_ms": None},
        {"type": "BILLING_ISSUE", "expiration_at_ms": None, "grace_period_expiration_at_ms": None},
        {"type": "CANCELLATION", "cancel_reason": "CUSTOMER_SUPPORT", "store": "TEST_STORE", "price": -9.99},
        {"type": "EXPIRATION", "event_timestamp_ms": 1, "entitlement_ids": None},
    ],
)
def test_access_is_not_lost_by_what_an_event_lacks(
    actors: Actors, user: User, fields: dict[str, Any]
) -> None:
    actors.service.record(period("INITIAL_PURCHASE", "1", NOW, user.id, "sub", NOW + DAY))
    told = period("EXPIRATION", "2", NOW + 1, user.id, "sub", NOW + DAY, transferred_from=[str(user.id)])
    actors.service.record({**told, **fields})
    assert (account(actors, user.id), paid_until(actors, user.id)) == ((40, 0), NOW + DAY)


def test_another_product_comes_with_its_renewal_and_not_with_its_announcement(
    actors: Actors, user: User
) -> None:
    def tell(kind: str, at: int, **fields: Any) -> tuple[tuple[int, int], int | None]:
        actors.service.record(period(kind, uuid.uuid4(), NOW + at, user.id, "sub", NOW + DAY, **fields))
        return account(actors, user.id), paid_until(actors, user.id)

    new = {"product_id": "supporter", "transaction_id": "sub-1"}
    assert tell("INITIAL_PURCHASE", 0) == ((40, 0), NOW + DAY)
    assert tell("PRODUCT_CHANGE", 1, new_product_id="supporter") == ((40, 0), NOW + DAY)
    assert tell("RENEWAL", 2, **new, expiration_at_ms=NOW + 9 * DAY) == ((40, 0), NOW + 9 * DAY)
    assert tell("RENEWAL", 3, product_id=MONTH, transaction_id="sub-2") == ((70, 0), NOW + DAY)


def test_the_case_of_an_id_is_no_other_user(actors: Actors, user: User) -> None:
    name = str(user.id).upper()
    told = event("NON_RENEWING_PURCHASE", "1", NOW, name, product_id=PACK, transaction_id="t1", aliases=[])
    assert actors.service.record(told) == "granted"

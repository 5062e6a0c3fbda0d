"""Concurrent events of one buyer, on separate connections, during the deletion of the account."""

# ruff: noqa: B023  # the actions of a round are done before its variables change

import random
import uuid

import pytest

from tests.sql.race import racing
from tests.support.actors import Operator, Service, code_of_refusal
from tests.support.all_actors import Actors
from tests.support.store import DAY, NOW, account, paid_until, period, purchase, refund, transfer

ROUNDS = 100

pytestmark = pytest.mark.usefixtures("shop")


def test_one_purchase_told_at_once_under_two_ids_is_granted_once(actors: Actors) -> None:
    user = actors.user(credits=10)
    services = [actors.service, *(actors.another(Service) for _ in range(3))]
    with racing(4) as start:
        for number in range(1, ROUNDS + 1):
            bought = purchase(f"{number}-a", NOW, user.id, f"t{number}")
            again = {**bought, "id": f"event-{number}-b"}
            told = zip(services, (bought, bought, again, again), strict=True)
            effects = start(*(lambda s=service, e=one: s.record(e) for service, one in told))
            assert sorted(effects) == ["granted", *["known_transaction"] * 3]
            assert account(actors, user.id) == (10 + 100 * number, 0)


def test_a_purchase_meets_its_refund_its_reversal_and_a_backend(actors: Actors) -> None:
    services = [actors.service, *(actors.another(Service) for _ in range(3))]
    with racing(4) as start:
        for number in range(ROUNDS):
            user = actors.user(credits=10)
            bought = purchase(uuid.uuid4(), NOW, user.id, f"t{number}")
            refunded = refund(uuid.uuid4(), NOW + 1, bought)
            returned = {
                **refunded,
                "id": str(uuid.uuid4()),
                "type": "REFUND_REVERSED",
                "event_timestamp_ms": NOW + 2,
            }
            start(
                lambda: services[0].record(bought),
                lambda: services[1].record(refunded),
                lambda: services[2].record(returned),
                lambda: services[3].revoke(user.id, 60, f"chargeback-{number}"),
            )
            assert account(actors, user.id) == (50, 0)
            actors.free.append(user)


def test_a_subscription_meets_its_transfers(actors: Actors) -> None:
    services = [actors.service, *(actors.another(Service) for _ in range(3))]
    with racing(4) as start:
        for number in range(ROUNDS):
            first, second, third = (actors.operator.add_user(credits=0) for _ in range(3))
            events = [
                period(
                    "INITIAL_PURCHASE", uuid.uuid4(), NOW, first, f"s{number}", NOW + DAY, period_type="TRIAL"
                ),
                period("EXPIRATION", uuid.uuid4(), NOW - 1, first, f"s{number}", NOW - 1),
                transfer(uuid.uuid4(), NOW + 1, [first], [second]),
                transfer(uuid.uuid4(), NOW + 2, [second], [third]),
            ]
            random.shuffle(events)
            start(*(lambda s=s, e=e: s.record(e) for s, e in zip(services, events, strict=True)))
            assert [paid_until(actors, user) for user in (first, second, third)] == [None, None, NOW + DAY]


def test_a_deletion_meets_events_of_the_account(actors: Actors) -> None:
    cleaner, service = actors.another(Operator), actors.another(Service)
    with racing(4) as start:
        for number in range(ROUNDS):
            user = actors.user(credits=10)
            bought = purchase(uuid.uuid4(), NOW, user.id, f"t{number}")
            told = period(
                "RENEWAL", uuid.uuid4(), NOW, user.id, f"s{number}", NOW + DAY, transaction_id=f"r{number}"
            )
            effects = start(
                lambda: cleaner.delete_user(user.id),
                lambda: actors.service.record(bought),
                lambda: service.record(told),
                lambda: code_of_refusal(lambda: user.job()),
            )
            assert effects[1] in ("granted", "unknown_user")
            assert effects[2] in ("granted", "unknown_user")
            late = refund(uuid.uuid4(), NOW + 1, bought)
            assert actors.service.record(late) == "nothing_to_take"
            actors.free.append(user)

"""RevenueCat's events of one made-up store, and their result when read in the order of time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from tests.support.all_actors import Actors

Event = dict[str, Any]

PACK, MONTH, BARE, LIFETIME = "pack_100", "pro:monthly", "supporter", "founder"
PRODUCTS = {
    PACK: (100, False, False),
    MONTH: (30, True, False),
    BARE: (0, True, False),
    LIFETIME: (50, True, True),
}
"""Product: its credits, whether it gives access, and whether for a lifetime."""

DAY = 86_400_000
NOW = 1_790_000_000_000
"""Times are in milliseconds since 1970."""
END_OF_TIME = 253_402_300_799_000
"""Until when a lifetime lasts."""

PURCHASES = ("INITIAL_PURCHASE", "RENEWAL", "NON_RENEWING_PURCHASE")
TELL_NOTHING_OF_A_PERIOD = ("PRODUCT_CHANGE", "TEST", "INVOICE_ISSUANCE", "A_TYPE_OF_TOMORROW")

ADD_PRODUCT = "insert into private.products (id, credits, gives_access, is_lifetime) values (%s, %s, %s, %s)"


def account(actors: Actors, user_id: UUID) -> tuple[int, int]:
    """Credits and debt."""
    return actors.operator.credits(user_id), actors.operator.owed(user_id)


def paid_until(actors: Actors, user_id: UUID) -> int | None:
    until = actors.operator.value("select paid_until from public.entitlements where user_id = %s", user_id)
    return None if until is None else round(until.timestamp() * 1000)


def event(kind: str, number: object, at: int, user: object, **fields: Any) -> Event:
    """As RevenueCat documents it, with the fields that matter here."""
    return {
        "id": f"event-{number}",
        "type": kind,
        "event_timestamp_ms": at,
        "app_id": "app",
        "app_user_id": str(user),
        "original_app_user_id": str(user),
        "aliases": ["$RCAnonymousID:8069238d6049ce87cc529853916d624c", str(user)],
        "environment": "PRODUCTION",
        "store": "APP_STORE",
        "period_type": "NORMAL",
        "entitlement_ids": None,
        "subscriber_attributes": {"$email": {"value": "somebody@example.com"}},
        **fields,
    }


def purchase(number: object, at: int, user: object, transaction: str, **fields: Any) -> Event:
    """A pack of credits."""
    given = {"product_id": PACK, "transaction_id": transaction, "original_transaction_id": transaction}
    return event("NON_RENEWING_PURCHASE", number, at, user, **{**given, "expiration_at_ms": None, **fields})


def period(
    kind: str, number: object, at: int, user: object, subscription: str, until: int, **fields: Any
) -> Event:
    """Something about a subscription that lasts until then."""
    given = {
        "product_id": MONTH,
        "transaction_id": f"{subscription}-0",
        "original_transaction_id": subscription,
    }
    return event(kind, number, at, user, **{**given, "expiration_at_ms": until, **fields})


def refund(number: object, at: int, bought: Event, **fields: Any) -> Event:
    kept = {
        key: bought[key]
        for key in ("product_id", "transaction_id", "original_transaction_id", "expiration_at_ms")
    }
    return event(
        "CANCELLATION", number, at, bought["app_user_id"], **kept, cancel_reason="CUSTOMER_SUPPORT", price=-5.0,
        **fields,
    )  # fmt: skip


def transfer(number: object, at: int, sources: Iterable[object], targets: Iterable[object]) -> Event:
    """It has no user, product or transaction."""
    return {
        "id": f"event-{number}", "type": "TRANSFER", "event_timestamp_ms": at, "app_id": "app", "store": "APP_STORE",
        "environment": "PRODUCTION", "transferred_from": [str(one) for one in sources],
        "transferred_to": [str(one) for one in targets],
    }  # fmt: skip


@dataclass(slots=True)
class Account:
    """The expected state of an account."""

    net: int = 0
    """Credits, or below zero what is owed."""
    paid_until: datetime | None = None


@dataclass(slots=True)
class Subscription:
    product: str
    until: int
    customer: list[str]


@dataclass(slots=True)
class Oracle:
    """Reads every event once, in the order of time, with none lost: as simple as the rules can be
    said.
    """

    starter: dict[UUID, int]
    accounts: dict[UUID, Account] = field(default_factory=dict)
    granted: dict[str, tuple[UUID, int]] = field(default_factory=dict)
    refunded: set[str] = field(default_factory=set)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def read(self, events: Iterable[Event]) -> dict[UUID, Account]:
        self.accounts = {user: Account(credits) for user, credits in self.starter.items()}
        counted = [one for one in events if one["environment"] == "PRODUCTION"]
        for one in sorted(counted, key=money_in_time):
            self.hear_of_money(one)
        for one in sorted(counted, key=periods_in_time):
            self.hear_of_periods(one)
        for user, amount in (self.granted[key] for key in self.granted.keys() - self.refunded):
            self.accounts[user].net += amount
        for subscription in self.subscriptions.values():
            holder = self.user(subscription.customer)
            if holder and PRODUCTS[subscription.product][1]:
                ends = datetime.fromtimestamp(subscription.until / 1000, UTC)
                account = self.accounts[holder]
                account.paid_until = max(account.paid_until or ends, ends)
        return self.accounts

    def hear_of_money(self, one: Event) -> None:
        kind, transaction = one["type"], one.get("transaction_id")
        if kind in PURCHASES and one["period_type"] != "TRIAL":
            user, amount = self.user(customer_of(one)), PRODUCTS[one["product_id"]][0]
            if user and amount:
                self.granted.setdefault(str(transaction), (user, amount))
        elif kind == "CANCELLATION" and one["cancel_reason"] == "CUSTOMER_SUPPORT":
            self.refunded.add(str(transaction))
        elif kind == "REFUND_REVERSED":
            self.refunded.discard(str(transaction))

    def hear_of_periods(self, one: Event) -> None:
        if one["type"] == "TRANSFER":
            for subscription in self.subscriptions.values():
                if set(subscription.customer) & set(one["transferred_from"]):
                    subscription.customer = one["transferred_to"]
        elif tells_of_a_period(one):
            told = Subscription(one["product_id"], ends_at(one), customer_of(one))
            self.subscriptions[one["original_transaction_id"]] = told

    def user(self, customer: list[str]) -> UUID | None:
        known = (UUID(one) for one in customer if not one.startswith("$"))
        return next((user for user in known if user in self.accounts), None)


def customer_of(one: Event) -> list[str]:
    return [one["app_user_id"], one["original_app_user_id"], *one["aliases"]]


def tells_of_a_period(one: Event) -> bool:
    return (
        one["type"] not in (*TELL_NOTHING_OF_A_PERIOD, "TRANSFER")
        and (one.get("expiration_at_ms") is not None or one["product_id"] == LIFETIME)
        and one.get("cancel_reason") != "BILLING_ERROR"
    )


def ends_at(one: Event) -> int:
    if one["product_id"] == LIFETIME:
        return int(one["event_timestamp_ms"]) if one["type"] == "CANCELLATION" else END_OF_TIME
    until = max(int(one["expiration_at_ms"]), int(one.get("grace_period_expiration_at_ms") or 0))
    return min(until, int(one["event_timestamp_ms"])) if one["type"] == "EXPIRATION" else until


def money_in_time(one: Event) -> tuple[int, bool, str]:
    """At the same time, a refund comes before its reversal."""
    return one["event_timestamp_ms"], one["type"] == "REFUND_REVERSED", one["id"]


def periods_in_time(one: Event) -> tuple[int, bool, int, str]:
    """At the same time, the longest period comes last, and after it the transfers."""
    ends = ends_at(one) if tells_of_a_period(one) else 0
    return one["event_timestamp_ms"], one["type"] == "TRANSFER", ends, one["id"]


@dataclass(slots=True)
class Year:
    """A year of a shop, one event after the other, as they happen."""

    dice: Random
    users: list[UUID]
    events: list[Event] = field(default_factory=list)
    bought: list[Event] = field(default_factory=list)
    periods: dict[str, list[Event]] = field(default_factory=dict)
    """Of each subscription what it was last, and whose."""
    now: int = NOW

    def live(self, count: int) -> list[Event]:
        actions = [self.buy, self.subscribe, self.renew, self.renew, self.refund, self.reverse, self.end, self.move,
                 self.talk]  # fmt: skip
        while len(self.events) < count:
            self.now += self.dice.choice([0, 1, DAY // 3, DAY])
            self.dice.choice(actions)()
        return self.events

    def add(self, one: Event) -> Event:
        self.events.append(one)
        return one

    def number(self) -> int:
        """A random id: ids have no order in time."""
        return self.dice.getrandbits(48)

    def customer(self) -> str:
        return str(self.dice.choice(self.users))

    def environment(self) -> str:
        return "SANDBOX" if self.dice.random() < 0.05 else "PRODUCTION"

    def buy(self) -> None:
        made = purchase(
            self.number(), self.now, self.customer(), f"pack-{self.number()}", environment=self.environment(),
            product_id=self.dice.choice([PACK, PACK, LIFETIME]),
        )  # fmt: skip
        self.bought.append(self.add(made))
        if self.dice.random() < 0.2:  # the store repeats it under another id
            self.add({**made, "id": f"event-{self.number()}", "event_timestamp_ms": self.now + 5})

    def subscribe(self) -> None:
        name, user = f"sub-{self.number()}", self.customer()
        kind = self.dice.choice(["NORMAL", "TRIAL"])
        first = period(
            "INITIAL_PURCHASE", self.number(), self.now, user, name, self.now + 30 * DAY,
            period_type=kind, product_id=self.dice.choice([MONTH, BARE]), environment=self.environment(),
        )  # fmt: skip
        self.periods[name] = [self.add(first)]
        self.bought.append(first)

    def of_a_subscription(self, kind: str, until: int, **fields: Any) -> Event | None:
        if not self.periods:
            return None
        name = self.dice.choice(sorted(self.periods))
        last = self.periods[name][-1]
        told = period(
            kind, self.number(), self.now, last["app_user_id"], name, until,
            **{"transaction_id": last["transaction_id"], "product_id": last["product_id"],
               "environment": last["environment"], **fields},
        )  # fmt: skip
        return self.add(told)

    def renew(self) -> None:
        told = self.of_a_subscription(
            "RENEWAL", self.now + self.dice.randint(1, 60) * DAY, transaction_id=f"renewal-{self.number()}"
        )
        if told:
            self.periods[told["original_transaction_id"]].append(told)
            self.bought.append(told)

    def refund(self) -> None:
        if self.bought:
            bought = self.dice.choice(self.bought[-12:])
            self.add(refund(self.number(), self.now, bought, environment=bought["environment"]))

    def reverse(self) -> None:
        refunded = [one for one in self.events if one.get("cancel_reason") == "CUSTOMER_SUPPORT"]
        if refunded:  # some are refunded again
            back = self.dice.choice(refunded[-6:])
            self.add({**back, "id": f"event-{self.number()}", "type": "REFUND_REVERSED", "cancel_reason": None,
                      "event_timestamp_ms": self.now})  # fmt: skip

    def end(self) -> None:
        kind = self.dice.choice(
            ["CANCELLATION", "EXPIRATION", "BILLING_ISSUE", "SUBSCRIPTION_EXTENDED", "UNCANCELLATION"]
        )
        fields: dict[str, Any] = {}
        if kind == "CANCELLATION":
            fields["cancel_reason"] = self.dice.choice(["UNSUBSCRIBE", "BILLING_ERROR"])
        elif kind == "BILLING_ISSUE":
            fields["grace_period_expiration_at_ms"] = self.dice.choice([None, self.now + 16 * DAY])
        self.of_a_subscription(kind, self.now + self.dice.randint(-10, 10) * DAY, **fields)

    def move(self) -> None:
        source, target = self.customer(), self.customer()
        self.add(transfer(self.number(), self.now, [source], [target]))
        for told in self.periods.values():  # what comes later names the new customer
            if told[-1]["app_user_id"] == source and self.dice.random() < 0.8:
                told.append({**told[-1], "app_user_id": target})

    def talk(self) -> None:
        self.of_a_subscription(self.dice.choice(TELL_NOTHING_OF_A_PERIOD), self.now + 400 * DAY)

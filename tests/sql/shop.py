"""Random actions of a store and a backend, on any user at any moment."""

import uuid
from random import Random

from tests.support.actors import User, code_of_refusal
from tests.support.all_actors import Actors
from tests.support.store import ADD_PRODUCT, DAY, NOW, PRODUCTS, Event, period, purchase, refund


class Shop:
    """A shop with low prices, so that refunded credits were often spent."""

    def __init__(self, actors: Actors, users: list[User]) -> None:
        self.service, self.users = actors.service, users
        self.sold: list[Event] = []
        for product, (credits, *access) in PRODUCTS.items():
            actors.operator.conn.execute(ADD_PRODUCT, (product, credits // 10, *access))

    def sell(self, dice: Random) -> None:
        number = uuid.uuid4()
        self.sold.append(purchase(number, NOW, dice.choice(self.users).id, str(number)))
        if dice.random() < 0.8:  # otherwise its refund may arrive first
            self.service.record(self.sold[-1])

    def subscribe(self, dice: Random) -> None:
        number, until = uuid.uuid4(), dice.choice([NOW, NOW + 3000 * DAY])
        user, subscription = dice.choice(self.users), dice.choice("ab")
        told = period("RENEWAL", number, NOW, user.id, subscription, until, transaction_id=str(number))
        self.sold.append(told)
        self.service.record(told)

    def give_back(self, dice: Random) -> None:
        if not self.sold:
            return
        bought = dice.choice(self.sold)
        told = refund(uuid.uuid4(), NOW + dice.randrange(99), bought)
        if dice.random() < 0.3:
            told |= {"type": "REFUND_REVERSED", "cancel_reason": None}
        self.service.record(told)
        self.service.record(bought)

    def revoke(self, dice: Random) -> None:
        user, amount = dice.choice(self.users), dice.randint(1, 5)
        code_of_refusal(lambda: self.service.revoke(user.id, amount, str(uuid.uuid4())))

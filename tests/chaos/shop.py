"""A store that sends a year of purchases during the faults.

The events are shuffled, some come twice, and each is repeated until it is answered.
"""

import queue
import threading
import time
from random import Random
from typing import Any
from uuid import UUID

import httpx

from local.stack import Stack
from tests.chaos.load import CREDITS, Load
from tests.chaos.system import ChaosSystem
from tests.support.store import ADD_PRODUCT, PRODUCTS, Account, Event, Oracle, Year

BACKOFF = 0.3  # seconds until the store repeats; RevenueCat waits for minutes
STARTER = 5  # what an anonymous account begins with
TOLD_WITHIN = 120.0  # seconds that the store may need after the load has ended

# As in production; and subscribers may ask as often as all others.
CONFIGURE = "update private.config set accept_sandbox_purchases = false, max_paid_jobs_per_day = 1000000"


class ChaosShop:
    """Some users delete their accounts: the store sends their events all the same, and these change
    no other user.
    """

    def __init__(self, system: ChaosSystem, load: Load, *, events: int, rate: float, dice: Random) -> None:
        self.users, self.pace = load.users, 1 / rate
        self.events = Year(dice, [UUID(user.id) for user in load.users]).live(events)
        told = [*self.events, *dice.sample(self.events, events // 3)]
        dice.shuffle(told)
        self.told: queue.SimpleQueue[Event] = queue.SimpleQueue()
        for event in told:
            self.told.put(event)
        self.refused: list[int] = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(system.stack,), daemon=True)
        with system.connect() as conn:
            for product, sold in PRODUCTS.items():
                conn.execute(ADD_PRODUCT.encode(), (product, *sold))
            conn.execute(CONFIGURE)

    def run(self, stack: Stack) -> None:
        headers = {"Authorization": f"Bearer {stack.publishable_key}"}
        url = f"{stack.gateway_url}/functions/v1/purchase_webhook"
        with httpx.Client(headers=headers, timeout=10) as client:
            while not self.told.empty():
                self.tell(client, url, self.told.get())
                self.is_over.wait(self.pace)

    def tell(self, client: httpx.Client, url: str, event: Event) -> None:
        status = 0
        while status != 200:
            try:
                status = client.post(url, json={"api_version": "1.0", "event": event}).status_code
            except httpx.HTTPError:
                status = 0
            if 400 <= status < 500:
                self.refused.append(status)
                return
            if status != 200:
                time.sleep(BACKOFF)

    def finish(self) -> None:
        """Send the rest at once."""
        self.is_over.set()
        self.thread.join(TOLD_WITHIN)

    def wrong_accounts(self, rows: list[Any]) -> list[Any]:
        """Those whose (user, balance without what its jobs moved, paid until) is not what the year
        comes to.
        """
        alive = [UUID(user.id) for user in self.users if not user.is_deleted]
        expected = Oracle(dict.fromkeys(alive, STARTER + CREDITS)).read(self.events)
        return [row for row in rows if Account(row[1], row[2]) != expected[row[0]]]

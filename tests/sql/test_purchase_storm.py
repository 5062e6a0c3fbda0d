"""A year of store events, late, shuffled, repeated and cut off, ends as it would in order."""

import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.support.actors import Operator, Service, code_of_refusal
from tests.support.all_actors import Actors
from tests.support.store import Event, Oracle, Year

SEEDS = range(8)
EVENTS = 500
SENDERS = 4
STARTER = 50
COST = 40  # credits for one picture
WITHIN = 120  # seconds after which an unfinished storm is a failure

KILL = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name = 'store' and query like '%%record_purchase%%' order by random() limit 1
"""
SPENT = "select coalesce(sum(amount), 0) from public.credit_entries where user_id = %s and job_id is not null"
ACCOUNT = (
    "select credits - owed as net, credits, owed, paid_until from public.entitlements where user_id = %s"
)
DOUBLE_GRANTS = """
select split_part(external_ref, ':', 2) from public.credit_entries
where kind = 'grant' and reason = 'purchase' group by 1 having count(*) > 1
"""


class Sender(threading.Thread):
    """Sends events of the queue, and puts an unanswered one back, as a store does."""

    def __init__(self, url: str, told: "queue.Queue[Event]", effects: Counter[str]) -> None:
        super().__init__(daemon=True)  # a failed storm does not wait for it
        self.url, self.told, self.effects = url, told, effects

    def run(self) -> None:
        service = None
        while True:
            one = self.told.get()
            if not one:
                break
            try:
                service = service or Service(f"{self.url}?application_name=store")
                self.effects[service.record(one)] += 1
            except psycopg.OperationalError:
                self.effects["killed"] += 1
                self.told.put(one)
                if service:
                    service.conn.close()
                service = None
            self.told.task_done()
        if service:
            service.conn.close()


def deliveries(events: list[Event], dice: Random) -> list[Event]:
    """Each event one to three times, in random order or a little late."""
    told = [one for one in events for _ in range(dice.choice([1, 1, 2, 3]))]
    lateness = dice.choice([5, 50, len(told)])
    order = sorted(range(len(told)), key=lambda place: place + dice.random() * lateness)
    return [told[place] for place in order]


@contextmanager
def killing(url: str) -> Iterator[None]:
    """Terminate one connection of the senders every 50 milliseconds."""
    operator, done = Operator(url), threading.Event()

    def kill() -> None:
        while not done.wait(0.05):
            operator.rows(KILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        operator.conn.close()


@contextmanager
def spending(actors: Actors, users: list[UUID], dice: Random) -> Iterator[None]:
    """Request expensive pictures and end them later: refunds then find spent and held credits."""
    sessions, done = {user: actors.session(user) for user in users}, threading.Event()
    held: list[tuple[UUID, UUID]] = []

    def ask(user: UUID) -> None:
        job_id = uuid.uuid4()
        if code_of_refusal(lambda: sessions[user].enqueue(job_id)) is None:
            held.append((user, job_id))

    def end() -> None:
        user, job_id = held.pop(dice.randrange(len(held)))
        if dice.random() < 0.5:
            sessions[user].cancel(job_id)
        else:
            assert actors.worker.complete(job_id, actors.worker.claimed(job_id))

    def spend() -> None:
        while not done.is_set():
            ask(dice.choice(users))
            if len(held) > 10:
                end()
        while held:
            end()

    actors.operator.conn.execute("update private.models set cost = %s where id = 'preview'", (COST,))
    thread = threading.Thread(target=spend)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        actors.operator.conn.execute("update private.models set cost = 1 where id = 'preview'")


def tell(url: str, told: list[Event]) -> Counter[str]:
    waiting: queue.Queue[Event] = queue.Queue()
    for one in told:
        waiting.put(one)
    effects: Counter[str] = Counter()
    senders = [Sender(url, waiting, effects) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    until = time.monotonic() + WITHIN
    while waiting.unfinished_tasks and all(sender.is_alive() for sender in senders):
        assert time.monotonic() < until, "the storm does not end"
        time.sleep(0.01)
    for _ in senders:
        waiting.put({})
    for sender in senders:
        sender.join()
    assert waiting.unfinished_tasks == SENDERS, "a sender gave up"
    return effects


def known_subscriptions(actors: Actors) -> dict[str, tuple[UUID | None, str, int]]:
    return {
        row["subscription"]: (row["user_id"], row["product_id"], round(row["expires_at"].timestamp() * 1000))
        for row in actors.operator.rows("select * from private.subscriptions")
    }


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_store_may_say_anything_in_any_order(
    actors: Actors, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = Random(seed)
    users = [actors.operator.add_user(credits=STARTER) for _ in range(5)]
    nobody = uuid.uuid4()
    events = Year(dice, [*users, nobody]).live(EVENTS)
    told = deliveries(events, dice)

    with killing(actors.url), spending(actors, users, dice):
        effects = tell(actors.url, told)

    oracle = Oracle({user: STARTER for user in users})
    expected = oracle.read(events)
    for user in users:
        row: dict[str, Any] = actors.operator.row(ACCOUNT, user) or {}
        spent = int(actors.operator.value(SPENT, user))
        assert row["net"] == expected[user].net + spent, user
        assert row["paid_until"] == expected[user].paid_until, user
        assert min(row["credits"], row["owed"]) == 0
    assert actors.operator.rows(DOUBLE_GRANTS) == []
    assert known_subscriptions(actors) == {
        name: (oracle.user(one.customer), one.product, one.until)
        for name, one in oracle.subscriptions.items()
    }
    kept = actors.operator.value("select count(*) from private.purchase_events")
    assert kept == len({one["id"] for one in events})
    with capsys.disabled():
        print(f"\nseed {seed}: {len(told)} deliveries of {len(events)} events: {dict(effects.most_common())}")

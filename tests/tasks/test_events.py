"""A listener gets every task event since it began; without one none is sent, and none is lost while
Redis is away.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery
from celery.events import EventDispatcher

from tasks.worker import events
from tests.support.servers import Redis
from tests.support.waiting import wait_until


@pytest.fixture
def app(own_broker: Redis) -> Iterator[Celery]:
    with Celery(broker=own_broker.url, set_as_current=False) as app:
        yield app


@pytest.fixture
def dispatcher(app: Celery) -> Iterator[EventDispatcher]:
    """As a worker has it."""
    with (
        app.connection_for_write() as connection,
        app.events.Dispatcher(
            connection, hostname="w", buffer_group=["task"], buffer_limit=sys.maxsize
        ) as dispatcher,
    ):
        yield dispatcher


@contextmanager
def listening(app: Celery, broker: Redis) -> Iterator[list[Any]]:
    """Listen as Flower does; the uuids of the events that came."""
    heard: list[Any] = []
    with app.connection_for_read() as connection, broker.client as client:
        receiver = app.events.Receiver(connection, handlers={"*": lambda event: heard.append(event["uuid"])})
        thread = threading.Thread(target=receiver.capture, kwargs={"wakeup": False})
        thread.start()
        wait_until(lambda: client.pubsub_numpat() == 1, "the listener")
        try:
            yield heard
        finally:
            receiver.should_stop = True
            thread.join()


def sent(broker: Redis) -> int:
    with broker.client as client:
        return int(client.info("stats")["total_net_input_bytes"])


def test_events_are_sent_while_somebody_listens(
    own_broker: Redis, app: Celery, dispatcher: EventDispatcher
) -> None:
    for number in range(1000):
        dispatcher.send("task-succeeded", uuid=f"unheard {number}")
    before = sent(own_broker)
    events.send(dispatcher)
    assert sent(own_broker) - before < 2000, "a thousand events are a hundred times as long"

    with listening(app, own_broker) as heard:
        for uuid in ("first", "second"):
            dispatcher.send("task-succeeded", uuid=uuid)
        events.send(dispatcher)
        dispatcher.send("task-succeeded", uuid="third")
        events.send(dispatcher)
        wait_until(lambda: len(heard) >= 3, "what was sent")
    assert heard == ["first", "second", "third"]


def test_events_wait_while_redis_is_away(own_broker: Redis, app: Celery, dispatcher: EventDispatcher) -> None:
    dispatcher.send("task-succeeded", uuid="kept")
    own_broker.kill()
    events.send(dispatcher)
    own_broker.start().wait_ready()
    with listening(app, own_broker) as heard:
        events.send(dispatcher)
        wait_until(lambda: heard == ["kept"], "what was kept")

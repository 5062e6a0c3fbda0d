"""A bridge on a real Postgres and a real Redis, run one look at a time."""

from collections.abc import Callable, Iterator

import pytest

import broker
from bridge.listener import Listener
from bridge.loop import Bridge
from bridge.publisher import Publisher
from bridge.store import Store
from local.stack import Stack
from tests.support.servers import Redis


@pytest.fixture
def make_bridge(stack: Stack) -> Iterator[Callable[..., Bridge]]:
    made = []

    def make(
        redis_url: str, *, dsn: str = stack.bridge_url, listen_dsn: str = stack.bridge_url, window: int = 512
    ) -> Bridge:
        publisher = Publisher(broker.parse(redis_url))
        bridge = Bridge(Store(dsn), Listener(listen_dsn), publisher, window=window, rescue_every=5)
        made.append(bridge)
        return bridge

    yield make
    for bridge in made:
        bridge.listener.close()
        bridge.store.close()
        bridge.publisher.redis.close()


@pytest.fixture
def bridge(make_bridge: Callable[..., Bridge], broker: Redis) -> Bridge:
    made = make_bridge(broker.url)
    made.listener.listen()
    return made

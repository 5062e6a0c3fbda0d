"""A bridge receives the doorbell, and notices when it no longer can."""

import struct
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from bridge import listener as listeners
from bridge.listener import HeartbeatMissed, Listener
from bridge.loop import Bridge
from bridge.store import Store
from tests.support.jobs import Jobs
from tests.support.relay import Relay
from tests.support.servers import Redis
from tests.support.waiting import wait_until


@pytest.fixture
def listener(database: str) -> Iterator[Listener]:
    made = Listener(database)
    made.listen()
    yield made
    made.close()


def through(relay: Relay, dsn: str) -> str:
    parts = urlsplit(dsn)
    return dsn.replace(f":{parts.port}/", f":{relay.port}/")


def port_of(dsn: str) -> int:
    return int(urlsplit(dsn).port or 0)


def ring(store: Store, listener: Listener) -> None:
    with store.dispatch(limit=1, window=1, heartbeat_channel=listener.channel):
        pass
    listener.expect_heartbeat()


def wait_heard(listener: Listener) -> None:
    """A heartbeat wakes nothing, so it is looked for again and again."""

    def heartbeat_received() -> bool:
        listener.wait(0.05)
        return listener.heartbeat_received

    wait_until(heartbeat_received, "the heartbeat")


def test_a_new_job_wakes_it(listener: Listener, jobs: Jobs) -> None:
    jobs.enqueue()
    listener.wait(30)  # the test would time out, were it not woken


def test_it_holds_back_no_notifications_of_others(listener: Listener, jobs: Jobs) -> None:
    """A listener inside a transaction keeps the queue of all notifications from being emptied."""
    jobs.enqueue()
    listener.wait(30)
    assert listener.conn is not None
    assert listener.conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_without_a_doorbell_it_returns_in_time(listener: Listener) -> None:
    listener.wait(0.01)


def test_a_heartbeat_is_heard_and_does_not_wake_it(listener: Listener, database: str) -> None:
    store = Store(database)
    ring(store, listener)
    wait_heard(listener)
    store.close()


def test_a_bridge_that_was_held_up_hears_first_what_has_come_since(listener: Listener, database: str) -> None:
    store = Store(database)
    ring(store, listener)
    listener.heartbeat_due = 0.0  # long overdue, but it lies in the socket

    listener.wait(0.05)

    assert listener.heartbeat_received
    store.close()


def test_a_half_open_connection_is_noticed(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    relay, store = Relay(port_of(database)), Store(database)
    listener = Listener(through(relay, database))
    listener.listen()
    ring(store, listener)
    wait_heard(listener)

    monkeypatch.setattr(listeners, "HEARTBEAT_WITHIN", 0.3)
    relay.silence()
    ring(store, listener)
    with pytest.raises(HeartbeatMissed):
        listener.wait(5)

    monkeypatch.undo()
    listener.heartbeat_received = False
    listener.listen()
    ring(store, listener)
    wait_heard(listener)
    store.close()
    listener.close()
    relay.close()


def test_a_statement_on_a_half_open_connection_ends_in_an_error(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay(port_of(database))
    store = Store(through(relay, database))
    store.rescue(limit=1)
    monkeypatch.setattr("database.DATABASE_ANSWER_WITHIN", 0.3)
    relay.silence()

    with pytest.raises(psycopg.OperationalError):
        store.rescue(limit=1)

    monkeypatch.undo()
    assert store.rescue(limit=1) == [], "the next call connects again"
    store.close()
    relay.close()


def without_notifications() -> Callable[[bytes], bytes]:
    """Like a transaction-mode pooler: everything works, and no NotificationResponse ever comes."""
    pending = bytearray()

    def change(content: bytes) -> bytes:
        pending.extend(content)
        passed = bytearray()
        while len(pending) >= 5:
            size = 1 + struct.unpack("!I", pending[1:5])[0]
            if len(pending) < size:
                break
            if pending[0] != ord("A"):
                passed += pending[:size]
            del pending[:size]
        return bytes(passed)

    return change


def test_a_pooler_that_delivers_no_notifications_is_refused_in_clear_words(
    make_bridge: Callable[..., Bridge], broker: Redis, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "HEARTBEAT_WITHIN", 0.3)
    relay = Relay(port_of(database), from_server=without_notifications)
    bridge = make_bridge(
        broker.url, listen_dsn=through(relay, database) + "?sslmode=disable&gssencmode=disable"
    )

    with pytest.raises(SystemExit, match="transaction-mode pooler"):
        bridge.run()
    relay.close()


def test_a_login_without_the_small_role_is_refused_in_clear_words(
    make_bridge: Callable[..., Bridge], broker: Redis, database: str
) -> None:
    stranger = database.replace("postgres:", "supabase_storage_admin:", 1).replace(
        "//postgres", "//supabase_storage_admin", 1
    )
    bridge = make_bridge(broker.url, dsn=stranger, listen_dsn=stranger)

    with pytest.raises(SystemExit, match="generation_bridge"):
        bridge.run()

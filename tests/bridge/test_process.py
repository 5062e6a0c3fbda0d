"""The bridge as the process that runs in production."""

import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

import settings
from local.postgres import SUPERUSER
from local.stack import Stack
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess, python
from tests.support.servers import Redis, free_port
from tests.support.waiting import wait_until

Start = Callable[..., ControlledProcess]


@pytest.fixture
def start(tmp_path: Path, stack: Stack, broker: Redis) -> Iterator[Start]:
    """Start a bridge; processes that the test leaves behind are killed."""
    started: list[ControlledProcess] = []

    def start_bridge(**changes: str) -> ControlledProcess:
        environment = {"DATABASE_URL": stack.bridge_url, "REDIS_URL": broker.url, **changes}
        name = f"bridge-{len(started)}"
        process = ControlledProcess(
            name, python("-m", "bridge"), folder=tmp_path, environment=environment
        ).start()
        started.append(process)
        return process

    yield start_bridge
    for process in started:
        process.kill()


def test_it_sends_what_is_due_and_leaves_on_sigterm(start: Start, broker: Redis, jobs: Jobs) -> None:
    jobs.enqueue()
    bridge = start()
    wait_until(lambda: broker.queue_length() == 1, "the message")
    jobs.enqueue()
    wait_until(lambda: broker.queue_length() == 2, "the second message")

    assert bridge.terminate(timeout=5) == 0
    assert "bridge.stopped" in bridge.output


def test_it_leaves_on_sigint_while_its_database_is_away(start: Start) -> None:
    bridge = start(DATABASE_URL=f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
    wait_until(lambda: "database.lost" in bridge.output, "the log line")

    bridge.send(signal.SIGINT)

    assert bridge.wait(10) == 0
    assert bridge.output.count("database.lost") == 1


def test_it_outlives_the_loss_of_every_connection(
    start: Start, stack: Stack, broker: Redis, jobs: Jobs
) -> None:
    bridge = start()
    jobs.enqueue()
    wait_until(lambda: broker.queue_length() == 1, "the first message")

    with psycopg.connect(stack.url_of(SUPERUSER), autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pilotlight-bridge'"
            " and datname = current_database()"
        )
    jobs.enqueue()

    wait_until(lambda: broker.queue_length() == 2, "the message after the loss")
    # after it has sent
    wait_until(lambda: "database.back" in bridge.output, "the bridge to say so")
    assert bridge.is_alive
    assert bridge.output.count("database.lost") == bridge.output.count("database.back") == 1


def test_it_holds_two_connections(start: Start, jobs: Jobs) -> None:
    start()

    def connections() -> int:
        row = jobs.conn.execute(
            "select count(*) from pg_stat_activity"
            " where application_name = 'pilotlight-bridge' and datname = current_database()"
        ).fetchone()
        return int(row[0]) if row else 0

    wait_until(lambda: connections() == 2, "both connections")
    jobs.enqueue()
    wait_until(lambda: jobs.count("dispatched_at is not null") == 1, "the dispatch")
    assert connections() == 2


def answer(port: int, path: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}


def test_it_says_whether_it_is_ready(start: Start, own_broker: Redis, jobs: Jobs) -> None:
    port = free_port()
    start(HEALTH_PORT=str(port), REDIS_URL=own_broker.url)
    wait_until(lambda: answer(port, "/readyz")[0] == 200, "a ready bridge")
    status, facts = answer(port, "/healthz")
    assert (status, facts["broker"], facts["outstanding"]) == (200, "up", 0)

    own_broker.kill()
    jobs.enqueue()
    wait_until(lambda: answer(port, "/readyz")[0] == 503, "a bridge without its broker")
    assert answer(port, "/healthz")[0] == 200, "restarting it would not help"
    assert answer(port, "/nothing")[0] == 404


def test_a_database_without_our_migrations_is_named(start: Start, unmigrated_stack: Stack) -> None:
    bridge = start(DATABASE_URL=unmigrated_stack.database_url)
    assert bridge.wait(20) == 1
    assert "Apply the migrations" in bridge.output


def test_it_is_ready_only_after_redis_answered(start: Start) -> None:
    port, nowhere = free_port(), free_port()
    start(HEALTH_PORT=str(port), REDIS_URL=f"redis://127.0.0.1:{nowhere}/0")
    wait_until(lambda: answer(port, "/healthz")[1].get("broker") == "down", "an idle bridge to ask Redis")
    assert answer(port, "/readyz")[0] == 503


def test_connections_that_hang_take_nothing_from_it(start: Start, broker: Redis, jobs: Jobs) -> None:
    """With 252 of them, a process that may have 256 descriptors was busy with nothing but refused
    accepts.
    """
    port = free_port()
    bridge = start(HEALTH_PORT=str(port), HEALTH_HOST="127.0.0.1")
    wait_until(lambda: answer(port, "/readyz")[0] == 200, "a ready bridge")
    with ExitStack() as opened:
        for number in range(400):
            hanging = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            if number % 2:
                hanging.sendall(b"GET /readyz HTTP/1.1\r\nX-Slow: ")
        assert answer(port, "/readyz")[0] == 200
        assert bridge.popen is not None
        descriptors = len(list(Path(f"/proc/{bridge.popen.pid}/fd").iterdir()))
        assert descriptors < 60, "of 400 connections, at most 16 are kept"
        jobs.enqueue()
        wait_until(lambda: broker.queue_length() == 1, "the message")


def test_a_busy_port_is_one_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bridge = start(HEALTH_PORT=str(other.getsockname()[1]), HEALTH_HOST="127.0.0.1")
        assert bridge.wait(20) == 1
    assert bridge.output.count("\n") == 1
    assert "set another HEALTH_PORT or HEALTH_HOST" in bridge.output


def test_it_tells_the_database_that_it_runs_and_whether_redis_answers(
    start: Start, own_broker: Redis, jobs: Jobs
) -> None:
    bridge = start(REDIS_URL=own_broker.url)

    def told() -> list[tuple[object, ...]]:
        return jobs.conn.execute("select kind, version, problem from private.processes").fetchall()

    wait_until(lambda: told() == [("bridge", settings.VERSION, None)], "the first heartbeat")
    own_broker.kill()
    jobs.enqueue()
    wait_until(lambda: "Redis does not answer" in str(told()), "the bridge to tell of Redis")
    own_broker.start().wait_ready()
    wait_until(lambda: told() == [("bridge", settings.VERSION, None)], "the bridge to tell that it is back")
    assert bridge.is_alive

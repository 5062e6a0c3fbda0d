"""Idle processes send few commands: some hosts of Redis charge for each, and Postgres is shared."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from local import postgres
from local.stack import Stack
from tests.support.processes import PROGRAMS, of_procfile
from tests.support.servers import Redis
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker, beginning

SECONDS = 40  # four waits of a worker for a message
SETTLED_AFTER = 14  # seconds: an idle bridge looks less and less often
COMMANDS_A_MINUTE = 40
STATEMENTS_A_MINUTE = 60
LOOKS_A_MINUTE = 10  # fewer would mean that nothing was counted, or that work is found late


# The commands of the test itself.
ITS_OWN = {"cmdstat_time", "cmdstat_info"}


def commands(client: "redis.Redis") -> tuple[float, dict[str, int]]:
    """The time of Redis in seconds, and how often it was asked for each command."""
    seconds, microseconds = client.time()
    stats = client.info("commandstats")
    counted = {name: facts["calls"] for name, facts in stats.items() if name not in ITS_OWN}
    return seconds + microseconds / 1e6, counted


@contextmanager
def logged(stack: Stack) -> Iterator[Path]:
    """The log of Postgres, with every statement of bridges and workers that connect from now on."""
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
        for login in postgres.PROCESS_LOGINS:
            conn.execute(f"alter role {login} set log_statement = 'all'".encode())
        try:
            yield stack.folder / "postgres.log"
        finally:
            for login in postgres.PROCESS_LOGINS:
                conn.execute(f"alter role {login} reset log_statement".encode())


def test_an_idle_bridge_and_worker_ask_for_little(
    start_bridge: StartWorker,
    environment: dict[str, str],
    stack: Stack,
    gateway: Stack,
    own_broker: Redis,
    tmp_path: Path,
) -> None:
    own = environment | {"DATABASE_URL": gateway.worker_url, "REDIS_URL": own_broker.url}
    command = [str(PROGRAMS / "celery"), *of_procfile("worker")[1:]]
    with (
        logged(stack) as log,
        beginning("worker", command, own, tmp_path) as begin,
        own_broker.client as client,
    ):
        start_bridge(REDIS_URL=own_broker.url, LEASE_SECONDS="60")
        started, _ = commands(client)
        begin().wait_ready(60)
        wait_until(lambda: commands(client)[1].get("cmdstat_brpop", 0) > 1, "the worker to come to rest")
        wait_until(
            lambda: commands(client)[0] - started > SETTLED_AFTER, "the bridge to come to rest", every=1
        )
        begun, before = commands(client)
        size = log.stat().st_size
        wait_until(lambda: commands(client)[0] - begun > SECONDS, "time to pass", SECONDS + 30, every=1)
        ended, after = commands(client)
        said = log.read_bytes()[size:].decode()
    minutes = (ended - begun) / 60
    sent = {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
    assert sum(sent.values()) / minutes <= COMMANDS_A_MINUTE, sent
    asked = re.findall(
        r"^pilotlight_(?:bridge|worker) LOG:  (?:statement|execute \S+): (.*)", said, re.MULTILINE
    )
    assert len(asked) / minutes <= STATEMENTS_A_MINUTE, asked
    assert sum("dispatch_jobs" in one for one in asked) / minutes >= LOOKS_A_MINUTE, asked

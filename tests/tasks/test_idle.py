"""Some hosts of Redis charge for each command, so what does nothing must send almost none."""

from pathlib import Path

import redis

from local.stack import Stack
from tests.support.processes import PROGRAMS, of_procfile
from tests.support.servers import Redis
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker, beginning

SECONDS = 40  # four waits of a worker for a message
A_MINUTE = 40


# What the test itself asks.
ITS_OWN = {"cmdstat_time", "cmdstat_info"}


def commands(client: "redis.Redis") -> tuple[float, dict[str, int]]:
    """The time of Redis in seconds, and how often it was asked for each command."""
    seconds, microseconds = client.time()
    stats = client.info("commandstats")
    counted = {name: facts["calls"] for name, facts in stats.items() if name not in ITS_OWN}
    return seconds + microseconds / 1e6, counted


def test_an_idle_bridge_and_worker_send_few_commands(
    start_bridge: StartWorker,
    environment: dict[str, str],
    gateway: Stack,
    own_broker: Redis,
    tmp_path: Path,
) -> None:
    start_bridge(REDIS_URL=own_broker.url)
    own = environment | {"DATABASE_URL": gateway.worker_url, "REDIS_URL": own_broker.url}
    command = [str(PROGRAMS / "celery"), *of_procfile("worker")[1:]]
    with beginning("worker", command, own, tmp_path) as begin, own_broker.client as client:
        begin().wait_ready(60)
        wait_until(lambda: commands(client)[1].get("cmdstat_brpop", 0) > 1, "the worker to settle")
        begun, before = commands(client)
        wait_until(lambda: commands(client)[0] - begun > SECONDS, "time to pass", SECONDS + 30, every=1)
        ended, after = commands(client)
    sent = {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
    assert sum(sent.values()) / (ended - begun) * 60 <= A_MINUTE, sent

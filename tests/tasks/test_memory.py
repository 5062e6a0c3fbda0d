"""A worker's memory does not grow with the messages it has taken."""

import json
from pathlib import Path
from typing import Any

import redis
from celery import Celery

import settings
from tests.support.processes import ControlledProcess
from tests.support.servers import Redis
from tests.support.waiting import wait_until
from tests.tasks.conftest import StartWorker

WARM_UP, MESSAGES = 20_000, 100_000
# bytes a message, measured where kombu remembered the tags of a queue without acks
REMEMBERED_TAG = 190
NOBODY = "00000000-0000-0000-0000-000000000000"


def kilobytes(worker: ControlledProcess) -> int:
    assert worker.popen is not None
    status = Path(f"/proc/{worker.popen.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def template(broker: Redis) -> Any:
    """A message of Celery for an expired task: a worker receives it and drops it."""
    with Celery(broker=broker.url, set_as_current=False) as app:
        app.send_task("tasks.generate", (NOBODY,), queue=settings.QUEUE, expires=-1)
    with redis.Redis.from_url(broker.url) as client:
        return json.loads(client.rpop(settings.QUEUE) or b"")


def send(broker: Redis, message: Any, count: int) -> None:
    with redis.Redis.from_url(broker.url) as client:
        for start in range(0, count, 1000):
            copies = []
            for number in range(start, start + 1000):
                message["properties"]["delivery_tag"] = f"{count}-{number}"
                copies.append(json.dumps(message))
            client.lpush(settings.QUEUE, *copies)


def test_a_hundred_thousand_messages_leave_no_trace(begin_worker: StartWorker, broker: Redis) -> None:
    message, found = template(broker), []  # before there is a worker that would take it
    # Celery does not count an expired task as received, so the watchdog must be patient here.
    worker = begin_worker(LOG_LEVEL="ERROR", CONSUMER_STALLED_AFTER="600")
    for count in (WARM_UP, MESSAGES):
        send(broker, message, count)
        wait_until(lambda: broker.queue_length() == 0, "the messages to be taken", 240, every=0.2)
        found.append(kilobytes(worker))
    growth = (found[1] - found[0]) * 1024
    assert growth < MESSAGES * REMEMBERED_TAG / 4

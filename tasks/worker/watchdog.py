"""End a worker that is alive but no longer consumes: messages wait, it is idle, and it takes none."""

import logging
import os
import time

import redis
from celery.signals import task_received, worker_ready, worker_shutting_down
from celery.worker import state
from celery.worker.consumer import Consumer

import settings
from tasks import background

log = logging.getLogger("tasks")

LOOK_EVERY = 5.0  # seconds
# Seconds of messages waiting, slots free and none received. A reconnect takes up to 11 s.
STALLED_AFTER = 30.0


class StalledConsumerWatchdog:
    def __init__(self, *, slots: int, redis_url: str) -> None:
        self.slots = slots
        self.redis = redis.Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
        self.received_at = time.monotonic()
        self.is_leaving = False

    def leave(self, **_: object) -> None:
        """A worker that leaves takes no more messages, and `shutdown` bounds how long it takes to leave."""
        self.is_leaving = True

    def message_received(self, **_: object) -> None:
        self.received_at = time.monotonic()

    def run_once(self) -> None:
        if not self.is_stalled():
            return
        log.error("worker.stalled", extra={"seconds": round(time.monotonic() - self.received_at)})
        logging.shutdown()
        # Not a warm shutdown: it would wait for the consumer that does not answer. The leases do the rest.
        os._exit(1)

    def is_stalled(self) -> bool:
        """Without a message that waits and a slot to run it, there is nothing to receive."""
        if self.is_leaving or len(state.active_requests) >= self.slots or not self.messages_wait():
            self.message_received()
        return time.monotonic() - self.received_at > STALLED_AFTER

    def messages_wait(self) -> bool:
        try:
            return self.redis.llen(settings.QUEUE) > 0
        except (redis.RedisError, OSError):
            return False


@worker_ready.connect
def start(sender: Consumer, **_: object) -> None:
    watchdog = StalledConsumerWatchdog(
        slots=sender.pool.num_processes, redis_url=str(settings.load().redis_url)
    )
    task_received.connect(watchdog.message_received, weak=False)
    worker_shutting_down.connect(watchdog.leave, weak=False)
    background.repeat(watchdog.run_once, every=LOOK_EVERY, name="watchdog", failure="watchdog.failed")

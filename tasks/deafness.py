"""Replace a worker that is alive but no longer hears its queue: messages wait, it is idle, and it takes none."""

import logging
import os
import threading
import time

import redis
from celery.signals import task_received, worker_ready, worker_shutting_down
from celery.worker import state
from celery.worker.consumer import Consumer

import settings

log = logging.getLogger("tasks")

LOOK_EVERY = 5.0
DEAF_AFTER = 30.0  # seconds of messages waiting, slots free and none received; a reconnect takes up to 11 s


class Watch:
    def __init__(self, *, slots: int, redis_url: str) -> None:
        self.slots = slots
        self.redis = redis.Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
        self.heard_at = time.monotonic()
        self.is_leaving = False

    def leave(self, **_: object) -> None:
        """A worker that leaves takes no more messages, and has until then to finish or give back what it has."""
        self.is_leaving = True

    def hear(self, **_: object) -> None:
        self.heard_at = time.monotonic()

    def run(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            if self.is_deaf():
                log.error("worker.deaf", extra={"seconds": round(time.monotonic() - self.heard_at)})
                logging.shutdown()
                # Not a warm shutdown: that would wait for a consumer that does not answer. Leases do the rest.
                os._exit(1)

    def is_deaf(self) -> bool:
        """One look. Without a message waiting and a slot to run it there is nothing to hear."""
        if self.is_leaving or len(state.active_requests) >= self.slots or not self.messages_wait():
            self.hear()
        return time.monotonic() - self.heard_at > DEAF_AFTER

    def messages_wait(self) -> bool:
        try:
            return self.redis.llen(settings.QUEUE) > 0
        except (redis.RedisError, OSError):
            return False


@worker_ready.connect
def start(sender: Consumer, **_: object) -> None:
    watch = Watch(slots=sender.pool.num_processes, redis_url=str(settings.load().redis_url))
    task_received.connect(watch.hear, weak=False)
    worker_shutting_down.connect(watch.leave, weak=False)
    threading.Thread(target=watch.run, name="deafness", daemon=True).start()

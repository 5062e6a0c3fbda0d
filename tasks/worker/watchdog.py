"""End a worker whose consumer has stalled: messages wait, slots are free, and it takes none."""

import logging
import os
import time

import redis
from celery.signals import task_received, worker_ready, worker_shutting_down
from celery.worker import state
from celery.worker.consumer import Consumer

import settings
from broker import Broker
from tasks import background

log = logging.getLogger("tasks")

LOOK_EVERY = 15.0  # seconds; each look is a command, and some hosts of Redis charge for commands
# Seconds in which messages wait, slots are free, and no message is received. This is more than the
# 24 s after which a dead connection is detected.
CONSUMER_STALLED_AFTER = 60.0


class StalledConsumerWatchdog:
    def __init__(self, *, slots: int, broker: Broker) -> None:
        self.slots = slots
        self.redis = broker.client()
        self.received_at = time.monotonic()
        self.is_leaving = False

    def leave(self, **_: object) -> None:
        """Stop watching: a worker in shutdown takes no messages, and `shutdown` ends it in time."""
        self.is_leaving = True

    def message_received(self, **_: object) -> None:
        self.received_at = time.monotonic()

    def run_once(self) -> None:
        if not self.is_stalled():
            return
        log.error("worker.stalled", extra={"seconds": round(time.monotonic() - self.received_at)})
        logging.shutdown()
        # A warm shutdown would wait for the stalled consumer. The jobs of this worker are rescued
        # after their leases expire.
        os._exit(1)

    def is_stalled(self) -> bool:
        """Return whether the consumer has stalled.

        The time counts only while a message waits and a slot is free.
        """
        if self.is_leaving or len(state.active_requests) >= self.slots or not self.messages_wait():
            self.message_received()
        return time.monotonic() - self.received_at > CONSUMER_STALLED_AFTER

    def messages_wait(self) -> bool:
        try:
            return self.redis.llen(settings.QUEUE) > 0
        except (redis.RedisError, OSError):
            return False


@worker_ready.connect
def start(sender: Consumer, **_: object) -> None:
    watchdog = StalledConsumerWatchdog(slots=sender.pool.num_processes, broker=settings.load().broker)
    task_received.connect(watchdog.message_received, weak=False)
    worker_shutting_down.connect(watchdog.leave, weak=False)
    background.repeat(watchdog.run_once, every=LOOK_EVERY, name="watchdog", failure="watchdog.failed")

"""Leave in time: what is unfinished when a warm shutdown has lasted long enough goes to another worker at once."""

import logging
import os
import threading
import time

from celery.signals import worker_shutting_down

import settings
from tasks import lease, store

log = logging.getLogger("tasks")


@worker_shutting_down.connect
def start(**_: object) -> None:
    """Called in a signal handler. If the tasks end before the thread wakes, the process is gone by itself."""
    threading.Thread(
        target=leave, args=(settings.load().shutdown_seconds,), name="shutdown", daemon=True
    ).start()


def leave(seconds: float) -> None:
    time.sleep(seconds)
    try:
        give_back()
    except store.DATABASE_ERRORS as error:  # their leases end soon
        log.warning("jobs.not_released", extra={"error": repr(error)})
    logging.shutdown()
    os._exit(0)  # threads cannot be stopped, and the pool would wait for them


def give_back() -> int:
    """Without costing an attempt. What the threads still write afterwards is fenced out."""
    released = 0
    for held in lease.keeper().leases():
        if store.release(held.job):
            log.info("job.released", extra=held.job.facts)
            released += 1
    return released

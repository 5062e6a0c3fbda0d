"""Leave in time: jobs that are unfinished after SHUTDOWN_SECONDS are released to another worker.

SIGTERM and the first SIGINT give them that time. SIGQUIT and a second SIGINT release them at once.
"""

import logging
import os
import threading
import time
from functools import cache
from typing import NoReturn

from celery.signals import worker_shutting_down

import logs
import settings
from tasks import store
from tasks.lease import keeper

log = logging.getLogger("tasks")


@worker_shutting_down.connect
def shutting_down(**_: object) -> None:
    start()


@cache
def start() -> None:
    """Runs in a signal handler.

    If the tasks end before the thread wakes, the process ends itself.
    """
    threading.Thread(
        target=leave, args=(settings.load().shutdown_seconds,), name="shutdown", daemon=True
    ).start()


def leave(seconds: float) -> NoReturn:
    time.sleep(seconds)
    try:
        release_jobs()
    except store.DATABASE_ERRORS as error:  # their leases end soon
        log.warning("jobs.not_released", extra={"error": logs.describe(error)})
    logging.shutdown()
    os._exit(0)  # threads cannot be stopped, and the pool would wait for them


def release_jobs() -> int:
    """Release all jobs, at no attempt. Later writes of the threads are fenced out."""
    released = 0
    keeper().is_leaving = True
    for lease in keeper().leases():
        if store.release(lease.job):
            log.info("job.released", extra=lease.job.facts)
            released += 1
    return released

"""Stop in time: after SHUTDOWN_SECONDS, release the unfinished jobs to other workers.

SIGTERM and the first SIGINT give jobs that time. SIGQUIT and a second SIGINT release them at once.
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
    """Start the thread that ends this process. A signal handler calls this.

    If the tasks end before the thread wakes, the process ends by itself.
    """
    threading.Thread(
        target=leave, args=(settings.load().shutdown_seconds,), name="shutdown", daemon=True
    ).start()


def leave(seconds: float) -> NoReturn:
    time.sleep(seconds)
    try:
        release_jobs()
    except store.DATABASE_ERRORS as error:  # the leases expire soon
        log.warning("jobs.not_released", extra={"error": logs.describe(error)})
    logging.shutdown()
    os._exit(0)  # threads cannot be stopped, and the pool would wait for them


def release_jobs() -> int:
    """Release all jobs of this worker, at no attempt. Returns their number.

    The fence rejects later writes of the threads.
    """
    released = 0
    keeper().is_leaving = True
    for lease in keeper().leases():
        if store.release(lease.job):
            log.info("job.released", extra=lease.job.facts)
            released += 1
    return released

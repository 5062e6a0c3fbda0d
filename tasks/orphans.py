"""Remove pictures that belong to nobody: of lost races, deleted generations and deleted accounts."""

import logging
import threading
import time

from celery.signals import worker_ready

from tasks import storage, store
from tasks.store import Job

log = logging.getLogger("tasks")

EVERY = (
    600.0  # seconds between sweeps, of all workers together; the database remembers the last, and its place
)
PAGE = 10_000  # so many paths are looked at in each
REMOVED_AT_ONCE = 1000  # Storage takes no more in one request


def remove_of(job: Job) -> None:
    """What this worker stored for a job that it lost, unless another attempt still wants it."""
    try:
        remove(store.orphans_of(job))
    except (*store.DATABASE_ERRORS, storage.NotStored) as error:  # a sweep finds it
        log.warning("objects.not_removed", extra=job.facts | {"error": repr(error)})


def remove(paths: list[str]) -> None:
    for start in range(0, len(paths), REMOVED_AT_ONCE):
        storage.remove(paths[start : start + REMOVED_AT_ONCE])
    if paths:
        log.info("objects.removed", extra={"count": len(paths)})


def run() -> None:
    """Ask at once: a worker that is often started anew must not put its sweep off for ever."""
    while True:
        run_once()
        time.sleep(EVERY)


def run_once() -> None:
    try:
        remove(store.sweep_orphans(every=EVERY, limit=PAGE))
    except (*store.DATABASE_ERRORS, storage.NotStored) as error:
        log.warning("objects.not_removed", extra={"error": repr(error)})
    except Exception:  # a migration under way, or a bug; the next sweep may go well
        log.exception("objects.not_removed")


@worker_ready.connect
def start(**_: object) -> None:
    threading.Thread(target=run, name="orphans", daemon=True).start()

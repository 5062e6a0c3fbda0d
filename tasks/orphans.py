"""Remove pictures that belong to nobody: of lost races, deleted generations and deleted accounts."""

import logging
import random
import threading
import time

from celery.signals import worker_ready

from tasks import storage, store
from tasks.store import Job

log = logging.getLogger("tasks")

EVERY = 600.0  # seconds between sweeps, and
PAGES, PAGE = 10, 1000  # so many paths are looked at in each, going on where the last one ended


def remove_of(job: Job) -> None:
    """What this worker stored for a job that it lost, unless another attempt still wants it."""
    try:
        sweep(after=f"{job.user_id}/{job.id}/", limit=16)
    except (*store.DATABASE_ERRORS, storage.NotStored) as error:  # the next sweep finds it
        log.warning("objects.not_removed", extra=job.facts | {"error": repr(error)})


def sweep(*, after: str, limit: int) -> str | None:
    """Remove the orphans among the next `limit` pictures; the last path seen, None at the end."""
    last, paths = store.orphans(after=after, limit=limit)
    if paths:
        storage.remove(paths)
        log.info("objects.removed", extra={"count": len(paths)})
    return last


def run() -> None:
    after = ""
    while True:
        time.sleep(EVERY * random.uniform(0.5, 1.5))  # noqa: S311
        try:
            for _ in range(PAGES):
                after = sweep(after=after, limit=PAGE) or ""
                if not after:
                    break
        except (*store.DATABASE_ERRORS, storage.NotStored) as error:
            log.warning("objects.not_removed", extra={"error": repr(error)})


@worker_ready.connect
def start(**_: object) -> None:
    threading.Thread(target=run, name="orphans", daemon=True).start()

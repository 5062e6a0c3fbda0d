"""Remove unreferenced objects: of lost races, deleted generations and deleted accounts."""

import logging

from celery.signals import worker_ready

from tasks import background, storage, store
from tasks.store import Job

log = logging.getLogger("tasks")

# Seconds between two pages, of all workers together: the database keeps the time and the place.
EVERY = 600.0
PAGE = 10_000  # objects looked at in one page
REMOVED_AT_ONCE = 1000  # Storage takes no more in one request
NOT_REMOVED = "objects.not_removed"


def remove_unreferenced_objects_of(job: Job) -> None:
    """Remove what this worker stored for a job that it lost, unless the generation shows it."""
    background.attempt(lambda: remove(store.unreferenced_objects_of(job)), NOT_REMOVED)


def sweep_unreferenced_objects() -> None:
    remove(store.sweep_unreferenced_objects(every=EVERY, limit=PAGE))


def remove(paths: list[str]) -> None:
    for start in range(0, len(paths), REMOVED_AT_ONCE):
        storage.remove(paths[start : start + REMOVED_AT_ONCE])
    if paths:
        log.info("objects.removed", extra={"count": len(paths)})


@worker_ready.connect
def start(**_: object) -> None:
    background.repeat(sweep_unreferenced_objects, every=EVERY, name="sweeper", failure=NOT_REMOVED)

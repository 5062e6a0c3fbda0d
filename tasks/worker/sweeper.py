"""Remove stored objects whose row is gone, and find unreferenced objects."""

import logging
from collections import defaultdict

from celery.signals import worker_ready

from tasks import background, storage, store

log = logging.getLogger("tasks")

# Seconds. A deleted picture is removed within a minute, even if a worker dies during a batch.
REMOVE_EVERY = 20.0
REMOVED_AT_ONCE = 1000  # objects; the limit of Storage for one request
# Seconds between two pages of all workers together. The database keeps the time and the position.
SWEEP_EVERY = 600.0
PAGE = 10_000  # objects checked in one page
NOT_REMOVED = "objects.not_removed"


def remove_objects() -> None:
    while due := store.objects_to_remove(REMOVED_AT_ONCE):
        paths = defaultdict(list)
        for bucket, path in due:
            paths[bucket].append(path)
        for bucket in paths:
            storage.remove(bucket, paths[bucket])
            store.objects_removed(bucket, paths[bucket])
        log.info("objects.removed", extra={"count": len(due)})


def sweep_unreferenced_objects() -> None:
    if count := store.sweep_unreferenced_objects(every=SWEEP_EVERY, limit=PAGE):
        log.warning("objects.unreferenced", extra={"count": count})


@worker_ready.connect
def start(**_: object) -> None:
    background.repeat(remove_objects, every=REMOVE_EVERY, name="remover", failure=NOT_REMOVED)
    background.repeat(
        sweep_unreferenced_objects, every=SWEEP_EVERY, name="sweeper", failure="objects.not_swept"
    )

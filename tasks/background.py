"""What a worker does beside its jobs: each in a thread of its own, which no error ends."""

import logging
import threading
import time
from collections.abc import Callable

import logs
from tasks import store
from tasks.storage import NotStored

log = logging.getLogger("tasks")

# These errors end by themselves. Any other comes from a migration under way or a bug: it gets a traceback.
PASSING = (*store.DATABASE_ERRORS, NotStored)


def repeat(step: Callable[[], object], *, every: float, name: str, failure: str) -> threading.Thread:
    """Run `step` now, and again `every` seconds after it ended; `failure` is the event of an error."""

    def run() -> None:
        while True:
            attempt(step, failure)
            time.sleep(every)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def attempt(step: Callable[[], object], failure: str) -> None:
    """Run `step` and log what goes wrong. The thread goes on: a job's lease may depend on the next step."""
    try:
        step()
    except PASSING as error:
        log.warning(failure, extra={"error": logs.describe(error)})
    except Exception:
        log.exception(failure)

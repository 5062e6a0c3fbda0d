"""Background work of a worker: each kind has its own thread, which no error ends."""

import logging
import threading
import time
from collections.abc import Callable

import logs
from tasks import store
from tasks.storage import NotStored

log = logging.getLogger("tasks")

# These errors pass. Any other one comes from a migration under way or a bug, and gets a traceback.
PASSING = (*store.DATABASE_ERRORS, NotStored)


def repeat(step: Callable[[], object], *, every: float, name: str, failure: str) -> threading.Thread:
    """Run `step` now and `every` seconds after its end. `failure` is the event of an error."""

    def run() -> None:
        while True:
            attempt(step, failure)
            time.sleep(every)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def attempt(step: Callable[[], object], failure: str) -> None:
    """Run `step` and log its error. The thread goes on: a lease may depend on its next step."""
    try:
        step()
    except PASSING as error:
        log.warning(failure, extra={"error": logs.describe(error)})
    except Exception:
        log.exception(failure)

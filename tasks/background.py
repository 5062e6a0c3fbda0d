"""Run the periodic work of a worker, each kind in its own thread, which survives every error."""

import logging
import threading
import time
from collections.abc import Callable

import logs
from tasks import store
from tasks.storage import NotStored

log = logging.getLogger("tasks")

# These errors are temporary. Any other error comes from a running migration or a bug: its traceback
# is logged.
PASSING = (*store.DATABASE_ERRORS, NotStored)


def repeat(step: Callable[[], object], *, every: float, name: str, failure: str) -> threading.Thread:
    """Run `step` in a thread now, and again `every` seconds after each end.

    `failure` is the log event of an error.
    """

    def run() -> None:
        while True:
            attempt(step, failure)
            time.sleep(every)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def attempt(step: Callable[[], object], failure: str) -> None:
    """Run `step` and log its error. The thread must go on: a job's lease may need the next step."""
    try:
        step()
    except PASSING as error:
        log.warning(failure, extra={"error": logs.describe(error)})
    except Exception:
        log.exception(failure)

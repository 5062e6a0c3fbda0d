"""Turn the text that Celery prints beside the log into events: its banner and shutdown messages."""

import logging
import os
import sys
from typing import Any

from celery.apps import worker
from celery.signals import celeryd_init, worker_ready
from celery.worker.consumer import Consumer

import logs
import settings

log = logging.getLogger("tasks")


@celeryd_init.connect
def leave_out_the_banner(instance: Any, **_: object) -> None:
    """Suppress the banner of twenty lines. The event `worker.started` has its important facts."""
    instance.quiet = True


def say(text: str, *_: object) -> None:
    """Print a message of Celery from a signal handler.

    The log may be in the middle of a line then, so this writes the whole line in one call.
    """
    if sys.__stdout__ is not None:
        line = logs.as_json("INFO", "celery", text) if settings.load().log_format == "json" else text
        os.write(sys.__stdout__.fileno(), f"{line}\n".encode())


worker.safe_say = say  # type: ignore[attr-defined]  # celery-types lacks it


@worker_ready.connect
def started(sender: Consumer, **_: Any) -> None:
    facts = {"version": settings.VERSION, "threads": sender.pool.num_processes, "queue": settings.QUEUE}
    log.info("worker.started", extra=facts)

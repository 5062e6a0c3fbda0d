"""Turn Celery's prints into events: its banner, and its lines at a shutdown."""

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
    """Twenty lines for a person, of which `worker.started` has what matters."""
    instance.quiet = True


def say(text: str, *_: object) -> None:
    """One write: Celery prints this in a signal handler, in the middle of a log line."""
    if sys.__stdout__ is not None:
        line = logs.as_json("INFO", "celery", text) if settings.load().log_format == "json" else text
        os.write(sys.__stdout__.fileno(), f"{line}\n".encode())


worker.safe_say = say  # type: ignore[attr-defined]  # celery-types does not know it


@worker_ready.connect
def started(sender: Consumer, **_: Any) -> None:
    facts = {"version": settings.VERSION, "threads": sender.pool.num_processes, "queue": settings.QUEUE}
    log.info("worker.started", extra=facts)

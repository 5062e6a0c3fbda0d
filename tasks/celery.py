"""The Celery app.

Importing it reads no setting: Celery imports `tasks.celeryconfig` later, when it needs it.
"""

import logging

import click
from celery import Celery
from celery.signals import setup_logging

import logs
import settings

PARTS = (
    "generate",
    "worker.console",
    "worker.startup",
    "worker.pool",
    "worker.no_ack",
    "worker.stop_waiting",
    "worker.events",
    "worker.watchdog",
    "worker.shutdown",
    "worker.cancel_by_operator",
    "worker.sweeper",
    "worker.heartbeat",
    "worker.push",
)

# Of Celery's commands only the worker logs. Others, like `celery inspect ping`, print for a person.
command = click.get_current_context(silent=True)
if command is not None and command.invoked_subcommand == "worker":
    logs.begin()

app = Celery("tasks", include=[f"tasks.{part}" for part in PARTS])
app.config_from_object("tasks.celeryconfig")


@setup_logging.connect
def use_our_logging(**_: object) -> None:
    logs.configure(settings.load())
    # Our own events replace the lines of these loggers, and carry the job's id.
    for name in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)

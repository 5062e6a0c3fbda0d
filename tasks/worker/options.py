"""Refuse the options of Celery that our worker ignores. A silently ignored option would mislead."""

import click
from click.core import ParameterSource

import settings

CHILDREN = "A worker runs threads, and has no child processes: leave it out."
REFUSED = {
    "pool": "A worker runs threads: leave out --pool. For providers that compute on this machine, start several"
    " workers with WORKER_THREADS=1.",
    "autoscale": "A worker has as many threads as WORKER_THREADS says, and an idle one costs nothing: leave it out.",
    "time_limit": "A thread cannot be interrupted: set the timeout of the model in private.models instead.",
    "soft_time_limit": "A thread cannot be interrupted: set the timeout of the model in private.models instead.",
    "max_tasks_per_child": CHILDREN,
    "max_memory_per_child": CHILDREN,
    "pool_start_method": CHILDREN,
    "prefetch_multiplier": "A worker takes a message when a thread is free: leave it out.",
    "beat": "There is no schedule for Celery to keep: leave it out. pg_cron calls what is to be called.",
}
OTHER_QUEUES = (
    f"The bridge sends to the queue {settings.QUEUE} alone: leave out --queues and --exclude-queues,"
    " or the worker would not get a job, or would get what is none."
)


def refuse_options() -> None:
    """Exit if the command line has an option that our worker ignores. Runs in the main thread.

    The source of a value tells an explicit `--pool prefork` from Celery's default.
    """
    command = click.get_current_context(silent=True)
    for name, reason in REFUSED.items():
        source = command.get_parameter_source(name) if command else None
        if source not in (None, ParameterSource.DEFAULT):
            settings.refuse(f"--{name.replace('_', '-')}: {reason}", code=1)


def refuse_other_queues(queues: set[str]) -> None:
    if queues != {settings.QUEUE}:
        settings.refuse(OTHER_QUEUES, code=1)

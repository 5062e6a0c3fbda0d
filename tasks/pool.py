"""Celery's thread pool, taking the next message the moment a thread is free.

Without prefetch a worker whose threads are all busy stops asking for messages, and a thread that ends does not wake the
loop that would ask again: it sleeps until its next timer, a tenth of a second and more for every job of a burst.
"""

from typing import Any

import click
from celery.concurrency.thread import TaskPool
from celery.signals import worker_init
from click.core import ParameterSource
from kombu.asynchronous import get_event_loop

ONLY_THREADS = (
    "A worker runs threads: leave out --pool."
    " For providers that compute on this machine, start several workers with WORKER_THREADS=1."
)


class ThreadPool(TaskPool):
    def on_apply(self, *args: Any, **kwargs: Any) -> Any:
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(lambda _: wake_consumer())
        return result


@worker_init.connect
def refuse_another(**_: object) -> None:
    """Forked processes would share their parent's database connections; and Celery takes `prefork` for no choice."""
    command = click.get_current_context(silent=True)
    if command and command.get_parameter_source("pool") not in (None, ParameterSource.DEFAULT):
        raise SystemExit(ONLY_THREADS)


def wake_consumer() -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(lambda: None)

"""Celery's thread pool, which takes the next message as soon as a thread is free.

Without prefetch, a worker whose threads are all busy stops asking for messages. A thread that ends
does not wake the event loop that would ask again: the loop sleeps until its next timer, a tenth of
a second and more for every job of a burst.
"""

from typing import Any

from celery.concurrency.thread import TaskPool
from celery.worker import state
from kombu.asynchronous import get_event_loop


class ThreadPool(TaskPool):
    def on_apply(self, *args: Any, **kwargs: Any) -> Any:
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(lambda _: wake_consumer())
        return result

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """A thread cannot be ended: its job is released, or canceled, in the database."""

    def on_stop(self) -> None:
        from tasks.worker import shutdown  # Celery imports this module before sys.path has us

        if is_cold():
            shutdown.leave(0)
        shutdown.start()  # SIGHUP stops a worker, too, and Celery sends no signal of that
        super().on_stop()

    def on_terminate(self) -> None:
        from tasks.worker import shutdown

        shutdown.leave(0)


def is_cold() -> bool:
    """Whether SIGQUIT, a second SIGINT, or a SIGTERM mapped to SIGQUIT ended the worker."""
    return state.should_terminate not in (None, False)


def wake_consumer() -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(lambda: None)

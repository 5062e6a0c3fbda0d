"""Celery's thread pool, which takes the next message as soon as a thread is free.

Without prefetch, a worker whose threads are all busy stops asking for messages. A thread that ends does
not wake the event loop that would ask again: the loop sleeps until its next timer, a tenth of a second
and more for every job of a burst.
"""

from typing import Any

from celery.concurrency.thread import TaskPool
from kombu.asynchronous import get_event_loop


class ThreadPool(TaskPool):
    def on_apply(self, *args: Any, **kwargs: Any) -> Any:
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(lambda _: wake_consumer())
        return result


def wake_consumer() -> None:
    loop = get_event_loop()
    if loop is not None:
        loop.call_soon(lambda: None)

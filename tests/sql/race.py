"""Several actions, each on its own connection, started at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

Action = Callable[[], Any]
Start = Callable[..., list[Any]]


@contextmanager
def racing(runners: int) -> Iterator[Start]:
    """Yield `start(action, ...)`, which runs up to `runners` actions at once.

    It returns their results, or raises the error of one.
    """
    with ThreadPoolExecutor(runners) as threads:

        def start(*actions: Action) -> list[Any]:
            line = Barrier(len(actions))

            def run(action: Action) -> Any:
                line.wait(10)
                return action()

            return list(threads.map(run, actions))

        yield start

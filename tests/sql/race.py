"""Several deeds on connections of their own, started at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

Deed = Callable[[], Any]
Start = Callable[..., list[Any]]


@contextmanager
def racing(runners: int) -> Iterator[Start]:
    """`start(deed, ...)` does up to `runners` deeds at once; returns what each returned or raises what one raised."""
    with ThreadPoolExecutor(runners) as threads:

        def start(*deeds: Deed) -> list[Any]:
            line = Barrier(len(deeds))

            def run(deed: Deed) -> Any:
                line.wait(10)
                return deed()

            return list(threads.map(run, deeds))

        yield start

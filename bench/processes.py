"""The processes of the dispatch bench, and the moment at which each of their tasks began."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from local.stack import Stack
from tests.support.processes import ControlledProcess
from tests.support.servers import Redis
from tests.support.waiting import wait_until

THREADS = 16  # tasks that each worker runs at once
APART = 0.03  # seconds between two tasks on an idle system

Send = Callable[
    [], tuple[str, int]
]  # the id of a task, and the nanosecond of `time.monotonic_ns` at which it was sent


def celery(module: str) -> list[str]:
    """The command of a worker of `bench.workers`."""
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    program = str(Path(sys.executable).parent / "celery")
    return [program, "-A", f"bench.workers.{module}", "worker", *quiet, "--concurrency", str(THREADS)]


class Bench:
    """A Redis, and processes that write down when their tasks begin (`bench.workers.first_line`)."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.redis = Redis(stack.folder)
        self.environment = {
            "REDIS_URL": self.redis.url,
            "WORKER_THREADS": str(THREADS),
            "LOG_LEVEL": "WARNING",
            "BENCH_FOLDER": str(stack.folder),
        }

    def __enter__(self) -> Self:
        self.redis.start().wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.redis.kill()

    @contextmanager
    def running(
        self, name: str, command: list[str], environment: Mapping[str, str] | None = None
    ) -> Iterator[ControlledProcess]:
        environment = {**self.environment, **(environment or {})}
        process = ControlledProcess(name, command, folder=self.stack.folder, environment=environment).start()
        try:
            yield process
        except AssertionError:
            print(f"The log of {name} ends:\n{process.output[-2000:]}", file=sys.stderr)
            raise
        finally:
            process.kill()

    def begun(self) -> dict[str, int]:
        """The first line of each task by its id, in nanoseconds of `time.monotonic_ns`."""
        texts = [path.read_text() for path in self.stack.folder.glob("*.begun")]
        lines = [line.split() for text in texts for line in text.splitlines()]
        return {line[0]: int(line[1]) for line in lines if len(line) == 2}

    def count_begun(self) -> int:
        return len(self.begun())

    def wait_begun(self, ids: set[str], timeout: float = 60) -> dict[str, int]:
        wait_until(lambda: self.begun().keys() >= ids, "every first line", timeout)
        return self.begun()

    def latencies(self, send: Send, count: int) -> list[float]:
        """Milliseconds from sending to the first line, one task at a time.

        A worker may begin before the answer to a commit has reached us: then they are negative.
        """
        sent = []
        for _ in range(count):
            sent.append(send())
            time.sleep(APART)
        first = self.wait_begun({task_id for task_id, _ in sent})
        return [(first[task_id] - at) / 1e6 for task_id, at in sent]

    def rate(self, count: Callable[[], int], wanted: int, begin: Callable[[], None] = lambda: None) -> float:
        """How many a second are counted from the beginning until so many more are."""
        before, since = count(), time.monotonic()
        begin()
        wait_until(lambda: count() - before >= wanted, "the burst", timeout=600, every=0.1)
        return wanted / (time.monotonic() - since)

"""A real worker with one more provider, which does as its input says, and with points at which it
dies.

`celery -A tests.tasks.faulty_worker worker`. A file named after a point in the folder of
`FAILPOINTS` arms it once.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import database
from tasks import providers, storage, store
from tasks.celery import app
from tasks.providers.preview import paint
from tasks.providers.protocol import Done, Pending, Permanent, Provider, Started, Transient
from tasks.store import Job
from tasks.worker import watchdog

__all__ = ["app"]

FOLDER = Path(os.environ["FAILPOINTS"])


class Faulty:
    charges = False

    def find(self, job: Job) -> list[str]:
        return []

    def start(self, job: Job) -> Done | Started:
        with (FOLDER / "starts").open("a") as file:
            file.write(f"{job.id} {job.attempt}\n")
        time.sleep(job.provider_input.get("seconds", 0))
        return behaviour(job.provider_input.get("do", "paint"), job)

    def check(self, job: Job, ref: str) -> Done | Pending:
        if job.provider_input.get("do") == "wait endlessly":
            return Pending(check_in=3600, progress=0.5)
        return Done([[paint("a fox")]])

    def cancel(self, ref: str) -> None:
        (FOLDER / f"canceled {ref}").touch()


def behaviour(do: str, job: Job) -> Done | Started:
    match do:
        case "abort":
            os.abort()
        case "bug":
            raise KeyError("a bug of ours")
        case "be busy":
            raise Transient("provider_unavailable", "Busy.", retry_after=0, costs_attempt=job.attempt > 9)
        case "fail at first":
            if job.attempt < 2:
                raise Transient("provider_unavailable", "Not now.", retry_after=0.05)
        case "fail":
            raise Transient("provider_unavailable", "Not now.", retry_after=0.05)
        case "reject":
            raise Permanent("content_rejected", "Not that.")
        case "send rubbish":
            return Done([[b"no picture"]])
        case "start" | "wait endlessly":
            return Started(f"faulty:{job.id}", check_in=0.05 if do == "start" else 3600)
    return Done([[paint("a fox")]])


original = providers.named


def named(name: str) -> Provider:
    return Faulty() if name == "faulty" else original(name)


def armed(point: str) -> None:
    """Die here, or stop as a frozen machine does, if the test asked for it."""
    for verb, number in (("kill", signal.SIGKILL), ("freeze", signal.SIGSTOP)):
        file = FOLDER / f"{verb} {point}"
        if file.exists():
            file.unlink()
            # To this very thread: sent to the process, it may go on for a moment before all threads
            # stop.
            signal.pthread_kill(threading.get_ident(), number)


def with_points(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        armed(f"before {name}")
        answer = function(*args, **kwargs)
        armed(f"after {name}")
        return answer

    return wrapped


providers.named = named
watchdog.LOOK_EVERY, watchdog.CONSUMER_STALLED_AFTER = (
    0.2,
    float(os.environ.get("CONSUMER_STALLED_AFTER", "30")),
)
database.DATABASE_ANSWER_WITHIN = float(
    os.environ.get("DATABASE_ANSWER_WITHIN", database.DATABASE_ANSWER_WITHIN)
)
store.claim = with_points("claim", store.claim)
store.complete = with_points("complete", store.complete)
store.retry = with_points("retry", store.retry)
storage.upload = with_points("upload", storage.upload)
storage.PAUSES = (0.05,)

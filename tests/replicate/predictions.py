"""The predictions of the misbehaving Replicate, and its later actions."""

import heapq
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.replicate.behaviour import Behaviour, output_of


@dataclass(slots=True, eq=False)
class Prediction:
    id: str
    behaviour: Behaviour
    body: dict[str, Any]
    model: str
    base_url: str
    cancel_after: str | None
    created: float = field(default_factory=time.time)
    status: str = "starting"
    is_started: bool = False
    is_cancel_asked: bool = False

    @property
    def job_id(self) -> str:
        return job_of(self.body)

    @property
    def is_ended(self) -> bool:
        return self.status in ("succeeded", "failed", "canceled", "aborted")

    def json(self) -> dict[str, Any]:
        succeeded = self.status == "succeeded"
        name, _, version = self.model.partition(":")
        return {
            "id": self.id,
            "model": name,
            "version": version or None,  # the package wants one; the API does not always have one
            "input": self.body.get("input", {}),
            "logs": self.behaviour.logs,
            "output": output_of(self.behaviour.output, f"{self.base_url}/files/{self.id}")
            if succeeded
            else None,
            "error": self.behaviour.error if self.status == "failed" else None,
            "status": self.status,
            "created_at": stamp(self.created),
            "started_at": stamp(self.created) if self.is_started else None,
            "completed_at": stamp(time.time()) if self.is_ended else None,
            "data_removed": False,
            "metrics": {},
            "urls": {"get": f"{self.base_url}/v1/predictions/{self.id}"},
        }


def job_of(body: dict[str, Any]) -> str:
    """Whose prediction it is, by the webhook's URL."""
    webhook: str = body.get("webhook", "")
    return parse_qs(urlsplit(webhook).query).get("job", ["none"])[0]


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


class Predictions:
    """Every prediction ever made, newest last, and per job."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.all: dict[str, Prediction] = {}
        self.of_job: dict[str, list[Prediction]] = defaultdict(list)
        self.numbers = itertools.count(1)

    def add(self, **facts: Any) -> Prediction:
        with self.lock:
            prediction = Prediction(f"p{next(self.numbers):08d}", **facts)
            self.all[prediction.id] = prediction
            self.of_job[prediction.job_id].append(prediction)
        return prediction

    def listed(self, *, after: str | None, before: str | None, older_than: float) -> list[Prediction]:
        """Newest first, without those younger than `older_than` seconds or than their own lag."""
        since = datetime.fromisoformat(after).timestamp() if after else 0.0
        until = datetime.fromisoformat(before).timestamp() if before else time.time()
        with self.lock:
            return [
                each
                for each in reversed(self.all.values())
                if since <= each.created <= min(until, time.time() - max(older_than, each.behaviour.list_lag))
            ]

    def in_flight(self) -> int:
        with self.lock:
            return sum(not each.is_ended for each in self.all.values())


class Clock:
    """Calls functions when their time has come, in one thread."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = itertools.count()
        self.changed = threading.Condition()
        self.is_stopped = False
        threading.Thread(target=self.run, name="clock", daemon=True).start()

    def call(self, delay: float, function: Callable[[], None]) -> None:
        with self.changed:
            heapq.heappush(self.heap, (time.monotonic() + delay, next(self.numbers), function))
            self.changed.notify()

    def stop(self) -> None:
        with self.changed:
            self.is_stopped = True
            self.changed.notify()

    def run(self) -> None:
        while True:
            with self.changed:
                while not self.is_stopped and (not self.heap or self.heap[0][0] > time.monotonic()):
                    self.changed.wait(self.heap[0][0] - time.monotonic() if self.heap else None)
                if self.is_stopped:
                    return
                function = heapq.heappop(self.heap)[2]
            function()

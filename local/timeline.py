"""When each step of one job happened, and who says so. All clocks are this machine's."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import psycopg

from local.stack import Stack

# step: (whose clock or row, what it means)
MEANING = {
    "tap": ("the client", "sends the id it made, the model and the prompt"),
    "doorbell": ("a listener beside the bridge", "hears that there is something to look at"),
    "dispatched": ("the bridge's log", "has sent a Celery message with the id"),
    "claimed": ("jobs.started_at", "a worker holds the job under a lease"),
    "accepted": ("the client", "has its 202; the credit is held"),
    "stored": ("storage.objects.created_at", "the picture lies in the user's folder"),
    "ended": ("jobs.finished_at", "job, generation and credits, in one transaction"),
    "visible": ("the client", "hears of it on its private Realtime topic"),
}


@dataclass(slots=True)
class Timeline:
    instants: dict[str, float] = field(default_factory=dict)  # seconds since the epoch

    def mark(self, step: str) -> None:
        self.instants.setdefault(step, time.time())

    def read_rows(self, stack: Stack, job_id: str) -> None:
        """What the database wrote down, as the role of the migrations: an app sees none of it."""
        row = """
        select extract(epoch from j.started_at), extract(epoch from j.finished_at),
               (select extract(epoch from min(o.created_at)) from storage.objects o
                where o.name like j.user_id || '/' || j.id || '/%%')
        from public.jobs j where j.id = %s
        """
        with psycopg.connect(stack.database_url) as conn:
            found = conn.execute(row, (job_id,)).fetchone() or (None, None, None)
        for step, instant in zip(("claimed", "ended", "stored"), found, strict=True):
            if instant is not None:
                self.instants[step] = float(instant)

    def read_log(self, log: Path) -> None:
        """The bridge names no job in its line; on a stack of our own, the first after the tap is ours."""
        for line in log.read_text(errors="replace").splitlines():
            if '"jobs.dispatched"' in line:
                said = datetime.fromisoformat(json.loads(line[line.index("{") :])["at"])
                if said.timestamp() >= self.instants["tap"] - 0.001:
                    self.instants["dispatched"] = said.timestamp()
                    return

    def lines(self) -> Iterator[str]:
        start = self.instants["tap"]
        for step, instant in sorted(self.instants.items(), key=lambda pair: pair[1]):
            source, meaning = MEANING[step]
            yield f"  {(instant - start) * 1000:8.1f} ms  {step:<11} {meaning}  [{source}]"


@contextmanager
def hearing_the_doorbell(stack: Stack, timeline: Timeline) -> Iterator[None]:
    """Listen as the bridge does. Notifications reach all listeners at the commit."""
    listening, stop = Event(), Event()

    def listen() -> None:
        with psycopg.connect(stack.database_url, autocommit=True) as conn:
            conn.execute("listen jobs_due")
            listening.set()
            while not stop.is_set() and "doorbell" not in timeline.instants:
                for _ in conn.notifies(timeout=0.2, stop_after=1):
                    timeline.mark("doorbell")

    thread = Thread(target=listen)
    thread.start()
    listening.wait(5)
    try:
        yield
    finally:
        stop.set()
        thread.join()

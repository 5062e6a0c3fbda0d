"""The times of the steps of one job, each with its source. All clocks are this machine's."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg

from local.stack import Stack
from local.terminal import Terminal

REDRAW_EVERY = 0.04  # seconds; a person sees no pause

# step: (the clock or column that gives the time, the meaning)
MEANING = {
    "tap": ("the client", "sends the id it made, the model and the prompt"),
    "doorbell": ("a listener beside the bridge", "receives the notification"),
    "dispatched": ("the bridge's log", "has sent a Celery message with the id"),
    "claimed": ("jobs.started_at", "a worker has the job under a lease"),
    "accepted": ("the client", "has its 202; the credit is held"),
    "stored": ("storage.objects.created_at", "the picture is in the user's folder"),
    "ended": ("jobs.finished_at", "job, generation and credits, in one transaction"),
    "visible": ("the client", "receives it on its private Realtime topic"),
}

# The times in the database, read as the role of the migrations: an app may not read them.
ROW = """
select extract(epoch from j.started_at), extract(epoch from j.finished_at),
       (select extract(epoch from min(o.created_at)) from storage.objects o
        where o.name like j.user_id || '/' || j.id || '/%%')
from public.jobs j where j.id = %s
"""


@dataclass(slots=True)
class Timeline:
    log: Path  # of the processes
    job_id: str = ""
    instants: dict[str, float] = field(default_factory=dict)  # seconds since the epoch

    def begin(self, job_id: str) -> None:
        self.job_id = job_id
        self.mark("tap")

    def mark(self, step: str) -> None:
        self.instants.setdefault(step, time.time())

    def look(self, conn: psycopg.Connection[Any]) -> None:
        """Read the times that the database and the bridge have recorded since the tap."""
        if "tap" not in self.instants:
            return
        found = conn.execute(ROW, (self.job_id,)).fetchone() or (None, None, None)
        for step, instant in zip(("claimed", "ended", "stored"), found, strict=True):
            if instant is not None:
                self.instants[step] = float(instant)
        if "dispatched" not in self.instants:
            self.read_log()

    def read_log(self) -> None:
        """Find the time of the dispatch in the log of the bridge.

        The bridge names no job in its line. The demo has the stack to itself, so the first line
        after the tap is for its job.
        """
        for line in self.log.read_text(errors="replace").splitlines():
            if '"jobs.dispatched"' in line:
                said = datetime.fromisoformat(json.loads(line[line.index("{") :])["at"])
                if said.timestamp() >= self.instants["tap"] - 0.001:
                    self.instants["dispatched"] = said.timestamp()
                    return

    def lines(self) -> list[str]:
        start = self.instants.get("tap", 0.0)
        steps = sorted(self.instants.items(), key=lambda pair: pair[1])
        return [
            f"  {(instant - start) * 1000:8.1f} ms  {step:<11} {MEANING[step][1]}  [{MEANING[step][0]}]"
            for step, instant in steps
        ]

    def with_clock(self) -> list[str]:
        """Return the lines so far, and below them the time since the tap."""
        begun = self.instants.get("tap", time.time())
        return [*self.lines(), f"  {(time.time() - begun) * 1000:8.1f} ms  …"]


@contextmanager
def followed(stack: Stack, timeline: Timeline, terminal: Terminal) -> Iterator[None]:
    """Listen for the doorbell as the bridge does, read the rows, and draw each step at once."""
    listening, stop = Event(), Event()

    def follow() -> None:
        with psycopg.connect(stack.database_url, autocommit=True) as conn:
            conn.execute("listen jobs_due")
            listening.set()
            while not stop.is_set():
                for _ in conn.notifies(timeout=REDRAW_EVERY, stop_after=1):
                    timeline.mark("doorbell")
                # Not before the doorbell: reading the rows would delay it.
                if "doorbell" in timeline.instants:
                    timeline.look(conn)
                terminal.draw(*timeline.with_clock())
            timeline.look(conn)

    thread = Thread(target=follow)
    thread.start()
    listening.wait(5)
    try:
        yield
    finally:
        stop.set()
        thread.join()

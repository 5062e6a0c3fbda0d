"""How long it takes from the end of a fault until each job that was under way then goes on."""

import threading
import time
from dataclasses import dataclass, field

import psycopg

from tests.chaos.system import ChaosSystem

# A job goes on when it is claimed or ends. One that waits for its provider, or is to run later, has
# nothing to do.
SNAPSHOT = """
select id::text, fence, status::text from public.jobs
where finished_at is null and not (status in ('queued', 'waiting') and run_at > now() + interval '1 second')
"""
CHANGED = "select id::text, fence, status::text from public.jobs where id = any(%s::uuid[])"
State = tuple[int, str]


@dataclass
class Watched:
    fault: str
    ended_at: float
    jobs: dict[str, State] = field(default_factory=dict)
    is_snapshot: bool = False


class Recovery:
    def __init__(self, system: ChaosSystem) -> None:
        self.system = system
        self.watched: list[Watched] = []
        self.seconds: dict[str, list[float]] = {}
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def fault_ended(self, fault: str) -> None:
        self.watched.append(Watched(fault, time.monotonic()))

    def run(self) -> None:
        while not self.is_over.wait(0.1):
            try:
                with self.system.connect() as conn:
                    while not self.is_over.wait(0.1):
                        self.look(conn)
            except psycopg.Error:
                pass

    def look(self, conn: "psycopg.Connection[object]") -> None:
        for one in list(self.watched):
            if not one.is_snapshot:
                one.jobs = states(conn, SNAPSHOT)
                one.is_snapshot = True
                self.seconds.setdefault(one.fault, [])
                continue
            now = states(conn, CHANGED, list(one.jobs))
            for job_id, state in list(one.jobs.items()):
                if now.get(job_id) != state:
                    self.seconds[one.fault].append(time.monotonic() - one.ended_at)
                    del one.jobs[job_id]
            if not one.jobs:
                self.watched.remove(one)


def states(conn: "psycopg.Connection[object]", query: str, *values: object) -> dict[str, State]:
    rows = conn.execute(query.encode(), values).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows if isinstance(row, tuple)}


def percentile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

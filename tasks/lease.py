"""Keep the leases of claimed jobs while their tasks run, in one thread per process that learns who was canceled."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tasks import background, store
from tasks.store import Job


class LeaseLost(Exception):
    """The job went on without us: whatever we would do for it now, another worker does."""


class Lease:
    def __init__(self, job: Job, seconds: float) -> None:
        self.job, self.seconds = job, seconds
        self.state: store.LeaseState = "cancel_requested" if job.is_cancel_requested else "renewed"
        self.renewed_at = time.monotonic()

    @property
    def age(self) -> float:
        return time.monotonic() - self.renewed_at

    @property
    def is_cancel_requested(self) -> bool:
        return self.state == "cancel_requested"

    def renew(self, progress: float | None = None) -> None:
        begun = time.monotonic()
        self.state = store.renew(self.job, lease=self.seconds, progress=progress)
        self.renewed_at = begun

    def check(self) -> None:
        """Raise LeaseLost unless the job is ours. A process that was frozen asks before it believes so."""
        if self.state != "lost" and self.age > self.seconds / 2:
            self.renew()
        if self.state == "lost":
            raise LeaseLost


class Keeper:
    """Renews every lease this process holds; it does nothing while there is none."""

    def __init__(self) -> None:
        self.held: set[Lease] = set()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    @contextmanager
    def hold(self, job: Job, *, seconds: float) -> Iterator[Lease]:
        lease = Lease(job, seconds)
        with self.lock:
            self.held.add(lease)
            if self.thread is None:
                self.thread = background.repeat(
                    self.run_once, every=seconds / 6, name="leases", failure="leases.not_renewed"
                )
        try:
            yield lease
        finally:
            with self.lock:
                self.held.discard(lease)

    def leases(self) -> list[Lease]:
        with self.lock:
            return list(self.held)

    def run_once(self) -> int:
        """Renew what is a third through its lease, so that one slow statement costs none. Returns how many."""
        due = [lease for lease in self.leases() if lease.state != "lost" and lease.age > lease.seconds / 3]
        for lease in due:
            lease.renew()
        return len(due)


@cache
def keeper() -> Keeper:
    return Keeper()

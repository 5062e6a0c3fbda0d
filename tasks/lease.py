"""Renew the leases of claimed jobs while their tasks run, in one thread per process.

The same call returns whether the job was canceled, and shows the user that the work has begun.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from tasks import background, store
from tasks.store import Job

# Seconds. The claim itself is not broadcast to the user: most jobs end or wait for their provider
# sooner than this.
FIRST_RENEWAL_AFTER = 1.0


class LeaseLost(Exception):
    """Another worker has the job, or the job has ended. This worker must stop working on it."""


class Lease:
    def __init__(self, job: Job, seconds: float) -> None:
        self.job, self.seconds = job, seconds
        self.state: store.LeaseState = "cancel_requested" if job.is_cancel_requested else "renewed"
        self.renewed_at = time.monotonic()
        self.is_first = True

    @property
    def is_due(self) -> bool:
        """Whether to renew the lease now.

        It is due after a third of its time, so that one slow statement does not lose it. The first
        renewal is sooner, since it shows the user that the work has begun.
        """
        after = min(FIRST_RENEWAL_AFTER, self.seconds / 3) if self.is_first else self.seconds / 3
        return self.state != "lost" and self.age > after

    @property
    def age(self) -> float:
        return time.monotonic() - self.renewed_at

    @property
    def is_cancel_requested(self) -> bool:
        return self.state == "cancel_requested"

    def renew(self, progress: float | None = None) -> None:
        begun = time.monotonic()
        self.state = store.renew(self.job, lease=self.seconds, progress=progress)
        self.renewed_at, self.is_first = begun, False

    def check(self) -> None:
        """Raise LeaseLost unless this worker has the job.

        After half of the lease, renew it in the database first.
        """
        if self.state != "lost" and self.age > self.seconds / 2:
            self.renew()
        if self.state == "lost":
            raise LeaseLost


class Keeper:
    """Renews every lease of this process. Its thread starts with the first lease."""

    def __init__(self) -> None:
        self.kept: set[Lease] = set()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        # Once this is True, no job is claimed, since it would not be released.
        self.is_leaving = False

    @contextmanager
    def renewing(self, job: Job, *, seconds: float) -> Iterator[Lease]:
        lease = Lease(job, seconds)
        with self.lock:
            self.kept.add(lease)
            if self.thread is None:
                every = min(FIRST_RENEWAL_AFTER, seconds / 6)
                self.thread = background.repeat(
                    self.run_once, every=every, name="leases", failure="leases.not_renewed"
                )
        try:
            yield lease
        finally:
            with self.lock:
                self.kept.discard(lease)

    def leases(self) -> list[Lease]:
        with self.lock:
            return list(self.kept)

    def run_once(self) -> int:
        """Renew the leases that are due. Returns their number."""
        due = [lease for lease in self.leases() if lease.is_due]
        for lease in due:
            lease.renew()
        return len(due)


@cache
def keeper() -> Keeper:
    return Keeper()

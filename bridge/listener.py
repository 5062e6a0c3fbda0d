"""Wait for the doorbell, and detect that notifications no longer arrive.

A notification carries no job id: the bridge reads the due jobs from the table. A lost notification
therefore delays a job by at most one pause.
"""

import math
import time
import uuid

import psycopg
from psycopg import sql

from bridge import store

DOORBELL = "jobs_due"
HEARTBEAT_EVERY = 2.0  # seconds; a look before that time sends no heartbeat
HEARTBEAT_WITHIN = 3.0  # seconds that a heartbeat may take from its commit to this process

A_MOMENT = 0.1


class HeartbeatMissed(Exception):
    """The bridge's own heartbeat did not arrive.

    The connection is half-open, or leads through a pooler in transaction mode.
    """


class Listener:
    """A LISTEN connection in autocommit mode.

    An open transaction on it would keep Postgres from truncating the notification queue.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.channel = f"bridge_{uuid.uuid4().hex}"
        self.heartbeat_sent = -math.inf
        self.heartbeat_due = math.inf
        self.heartbeat_received = False
        self.conn: psycopg.Connection[object] | None = None

    def listen(self) -> None:
        """Connect or reconnect.

        Earlier notifications are lost, so the caller must read the table now.
        """
        self.close()
        self.conn = store.connect(self.dsn)
        for channel in (DOORBELL, self.channel):
            self.conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))

    def close(self) -> None:
        self.heartbeat_sent, self.heartbeat_due = -math.inf, math.inf
        if self.conn is not None:
            self.conn.close()
            self.conn = None

    def heartbeat(self) -> str | None:
        """Return the channel to notify with the next commit; None if no heartbeat is due."""
        return self.channel if time.monotonic() - self.heartbeat_sent >= HEARTBEAT_EVERY else None

    def expect_heartbeat(self) -> None:
        """Start the timeout of a heartbeat that was just committed; `wait` raises when it ends."""
        self.heartbeat_sent = time.monotonic()
        self.heartbeat_due = min(self.heartbeat_due, self.heartbeat_sent + HEARTBEAT_WITHIN)

    def wait(self, seconds: float) -> None:
        """Return when the doorbell rings, or after `seconds`.

        Raises:
            HeartbeatMissed: A heartbeat is overdue.
            psycopg.OperationalError: The connection broke.
        """
        assert self.conn is not None, "listen() comes first"  # noqa: S101
        until = time.monotonic() + seconds
        while True:
            left = min(until, self.heartbeat_due) - time.monotonic()
            # After a delay, by a frozen broker for example, first read the arrived notifications.
            left = max(left, A_MOMENT if self.heartbeat_due < until else 0.0)
            arrived = {note.channel for note in self.conn.notifies(timeout=left, stop_after=1)}
            if self.channel in arrived:
                self.heartbeat_received, self.heartbeat_due = True, math.inf
            now = time.monotonic()
            if not arrived and now >= self.heartbeat_due:
                raise HeartbeatMissed
            if DOORBELL in arrived or now >= until:
                return

"""Wait for the doorbell, and notice when notifications no longer arrive.

A notification is a hint, never a message: it carries no job id. A lost one costs at most one pause,
because the bridge reads the due jobs from the table.
"""

import math
import time
import uuid

import psycopg
from psycopg import sql

from bridge import store

DOORBELL = "jobs_due"
HEARTBEAT_EVERY = 2.0  # seconds; a look in between sends none
HEARTBEAT_WITHIN = 3.0  # seconds a heartbeat may take from its commit to this process

A_MOMENT = 0.1


class HeartbeatMissed(Exception):
    """The bridge's own heartbeat did not arrive: a half-open connection, or a pooler in between."""


class Listener:
    """A LISTEN connection in autocommit; anything else would hold back the notification queue."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.channel = f"bridge_{uuid.uuid4().hex}"
        self.heartbeat_sent = -math.inf
        self.heartbeat_due = math.inf
        self.heartbeat_received = False
        self.conn: psycopg.Connection[object] | None = None

    def listen(self) -> None:
        """(Re)connect. Earlier notifications are lost, so the caller must look at the table now."""
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
        """The channel to notify with the next commit, if it is time for it."""
        return self.channel if time.monotonic() - self.heartbeat_sent >= HEARTBEAT_EVERY else None

    def expect_heartbeat(self) -> None:
        """Note that a heartbeat was committed now.

        If it does not arrive, notifications are lost.
        """
        self.heartbeat_sent = time.monotonic()
        self.heartbeat_due = min(self.heartbeat_due, self.heartbeat_sent + HEARTBEAT_WITHIN)

    def wait(self, seconds: float) -> None:
        """Return when the doorbell rings, or after `seconds`.

        Raises HeartbeatMissed when a heartbeat is overdue, and psycopg.OperationalError when the
        connection broke.
        """
        assert self.conn is not None, "listen() comes first"  # noqa: S101
        until = time.monotonic() + seconds
        while True:
            left = min(until, self.heartbeat_due) - time.monotonic()
            # After a delay, by a frozen broker for example, the bridge first reads the backlog.
            left = max(left, A_MOMENT if self.heartbeat_due < until else 0.0)
            arrived = {note.channel for note in self.conn.notifies(timeout=left, stop_after=1)}
            if self.channel in arrived:
                self.heartbeat_received, self.heartbeat_due = True, math.inf
            now = time.monotonic()
            if not arrived and now >= self.heartbeat_due:
                raise HeartbeatMissed
            if DOORBELL in arrived or now >= until:
                return

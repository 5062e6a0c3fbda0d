"""The SQL of the bridge: exactly what the role `generation_bridge` may execute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

import database

# Not waiting for the disk is safe here: a dispatch that a power cut takes back is done again.
LOOK = (
    "select job_ids, outstanding, extract(epoch from next_due_in)::float8 as next_due_in"
    " from private.dispatch_jobs(%s, %s), set_config('synchronous_commit', 'off', true)"
)
LOOK_AND_HEARTBEAT = LOOK + ", pg_notify(%s, '')"


def connect(dsn: str) -> database.Connection:
    return database.connect(dsn, "generation_bridge")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the table: the jobs to send now, the messages out, the seconds to the next."""

    job_ids: list[UUID]
    outstanding: int
    next_due_in: float | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value that `/metrics` serves."""

    name: str
    labels: dict[str, str]
    value: float


class Store:
    """One connection, made again by the next call after it broke."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._conn: database.Connection | None = None

    @property
    def conn(self) -> database.Connection:
        if self._conn is None or self._conn.closed:
            self._conn = connect(self.dsn)
        return self._conn

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()

    @contextmanager
    def dispatch(self, *, limit: int, window: int, heartbeat_channel: str | None = None) -> Iterator[Look]:
        """Mark due jobs dispatched when the block ends well; if it raises they stay due.

        So a message may reach its worker before the commit: the claim waits on the row for that
        moment. `heartbeat_channel` names a channel to notify with the same commit.
        """
        query, values = (
            (LOOK, [limit, window])
            if heartbeat_channel is None
            else (LOOK_AND_HEARTBEAT, [limit, window, heartbeat_channel])
        )
        # The pipeline sends "begin" together with the look, which saves a round trip.
        with (
            self.conn.pipeline(),
            self.conn.transaction(),
            self.conn.cursor(row_factory=class_row(Look)) as cursor,
        ):
            look = cursor.execute(query, values).fetchone()
            assert look is not None  # noqa: S101  # a function with out parameters returns one row
            yield look

    def redispatch(self, *, older_than: float, next_in_queue: str | None = None) -> int:
        """Make due again what was dispatched `older_than` seconds ago and never claimed; how many.

        With the job whose message is next in the queue: `older_than` seconds before that one.
        """
        row = self.conn.execute(
            "select private.redispatch_jobs(make_interval(secs => %s), %s)", (older_than, next_in_queue)
        ).fetchone()
        return int(row[0]) if row else 0

    def rescue(self, *, limit: int) -> list[dict[str, Any]]:
        """Requeue jobs of lost workers, end jobs past their deadline; each with its new status."""
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute("select * from private.rescue_jobs(%s)", (limit,)).fetchall()

    def record_process(self, name: str, *, version: str, problem: str | None) -> None:
        """Say that this bridge runs, and what it cannot reach."""
        self.conn.execute("select private.record_process(%s, 'bridge', %s, %s)", (name, version, problem))

    def metrics(self) -> list[Measurement]:
        with self.conn.cursor(row_factory=class_row(Measurement)) as cursor:
            return cursor.execute("select * from private.metrics()").fetchall()

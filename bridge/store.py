"""The SQL of the bridge: exactly the functions that the role `generation_bridge` may execute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

import database

# The commit does not wait for the disk. This is safe: a dispatch lost in a power cut is repeated.
LOOK = (
    "select job_ids, outstanding, extract(epoch from next_due_in)::float8 as next_due_in"
    " from private.dispatch_jobs(%s, %s), set_config('synchronous_commit', 'off', true)"
)
LOOK_AND_HEARTBEAT = LOOK + ", pg_notify(%s, '')"


def connect(dsn: str) -> database.Connection:
    return database.connect(dsn, "generation_bridge")


@dataclass(frozen=True, slots=True)
class Look:
    """The result of one look at the table.

    `job_ids` are the jobs to send now. `outstanding` is the number of dispatched jobs that no
    worker has claimed, these included. `next_due_in` is in seconds, until the next job is due.
    """

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
    """One connection. If it broke, the next call opens a new one."""

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
        """Mark due jobs dispatched when the block ends without an error; otherwise they stay due.

        A message may reach its worker before the commit. Then the claim of the worker waits for the
        row lock until the commit. The same commit notifies `heartbeat_channel`, if given.
        """
        query, values = (
            (LOOK, [limit, window])
            if heartbeat_channel is None
            else (LOOK_AND_HEARTBEAT, [limit, window, heartbeat_channel])
        )
        # The pipeline sends "begin" together with the query. This saves one round trip before the
        # messages are sent.
        with (
            self.conn.pipeline(),
            self.conn.transaction(),
            self.conn.cursor(row_factory=class_row(Look)) as cursor,
        ):
            look = cursor.execute(query, values).fetchone()
            assert look is not None  # noqa: S101  # a function with out parameters returns one row
            yield look

    def redispatch(self, *, older_than: float, next_in_queue: str | None = None) -> int:
        """Make jobs due again that were dispatched but never claimed. Returns their number.

        It takes jobs that were dispatched more than `older_than` seconds ago. With `next_in_queue`,
        the id of the job whose message is next in the queue, it takes jobs that were dispatched
        more than `older_than` seconds before that job.
        """
        row = self.conn.execute(
            "select private.redispatch_jobs(make_interval(secs => %s), %s)", (older_than, next_in_queue)
        ).fetchone()
        return int(row[0]) if row else 0

    def rescue(self, *, limit: int) -> list[dict[str, Any]]:
        """Requeue the jobs of lost workers, and end the jobs past their deadline.

        Returns `job_id` and `new_status` of each.
        """
        with self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute("select * from private.rescue_jobs(%s)", (limit,)).fetchall()

    def record_process(self, name: str, *, version: str, problem: str | None) -> None:
        """Record that this bridge runs, and the server that it cannot reach."""
        self.conn.execute("select private.record_process(%s, 'bridge', %s, %s)", (name, version, problem))

    def metrics(self) -> list[Measurement]:
        with self.conn.cursor(row_factory=class_row(Measurement)) as cursor:
            return cursor.execute("select * from private.metrics()").fetchall()

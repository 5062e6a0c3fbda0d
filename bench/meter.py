"""The resources that processes and the database used between two moments.

The counts are those of the kernel and of Postgres.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from local import postgres
from local.stack import Stack

TICK = os.sysconf("SC_CLK_TCK")
COUNTS = """
select
  xact_commit as transactions, blks_hit + blks_read as buffers,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal,
  (select {fsyncs}) as fsyncs, pg_database_size(datname) as disk
from pg_stat_database where datname = %s
"""
FSYNCS = {
    17: "wal_sync from pg_stat_wal",
    18: "coalesce(sum(fsyncs), 0) from pg_stat_io where object = 'wal'",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Seconds of CPU time by kind of process, counts of the database by name, or a difference."""

    values: dict[str, float] = field(default_factory=dict)

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts({name: value - other.values.get(name, 0) for name, value in self.values.items()})

    def per(self, jobs: float) -> dict[str, float]:
        return {name: value / jobs for name, value in self.values.items()}


def stat(pid: int) -> tuple[int, int, float]:
    """Return the parent, the session, and the seconds of CPU time including ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])) / TICK


def all_stats() -> Iterator[tuple[int, tuple[int, int, float]]]:
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended
            yield int(path.name), stat(int(path.name))


def cpu(sessions: Mapping[str, Iterable[int]], postmaster: int) -> Counts:
    """Return the seconds of CPU time by kind of process.

    Args:
        sessions: the first processes of each kind. Their children stay in their session.
    """
    seconds = dict.fromkeys([*sessions, "Postgres"], 0.0)
    for pid, (parent, session, used) in all_stats():
        for kind, leaders in sessions.items():
            if session in leaders:
                seconds[kind] += used
        if postmaster in (pid, parent):
            seconds["Postgres"] += used
    return Counts(seconds)


class DatabaseCounters:
    """Counts of one database, read by a connection to another."""

    def __init__(self, stack: Stack) -> None:
        self.conn: psycopg.Connection[Any] = psycopg.connect(
            stack.url_of(postgres.SUPERUSER),
            autocommit=True,
            row_factory=dict_row,
            application_name="bench",
        )
        self.postmaster = int((postgres.data_folder(stack) / "postmaster.pid").read_text().split()[0])
        self.version = self.conn.info.server_version // 10_000

    def counts(self, database: str) -> Counts:
        row = self.conn.execute(COUNTS.format(fsyncs=FSYNCS[self.version]).encode(), (database,)).fetchone()
        assert row is not None
        return Counts({name: float(value) for name, value in row.items()})

    def sessions(self, database: str) -> list[int]:
        """Return the processes of Postgres that serve other clients than this bench."""
        query = "select pid from pg_stat_activity where datname = %s and application_name <> 'bench'"
        return [row["pid"] for row in self.conn.execute(query, (database,)).fetchall()]

    def cpu_of_sessions(self, database: str) -> float:
        return sum(stat(pid)[2] for pid in self.sessions(database))

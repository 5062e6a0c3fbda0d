"""The times and the reads of the frequent SQL calls, beside a thousand and a million queued jobs.

Two databases of one embedded Postgres are called in turns, so that other load on the machine
affects both; the ratio of the medians counts. Dispatched jobs are replaced by new ones at the end
of the order. Every other call is rolled back.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from bench import embedded
from bench.report import Report, at_least, command_line
from local import postgres
from local.stack import Stack
from operate.migrate import migrate

LOAD = Path(__file__).parent / "load.sql"
FEW = 1_000  # jobs of the smaller database; with fewer, some calls would find no job
NOT_COUNTED = 10  # calls that fill the caches
HEAVY_USER = UUID("00000000-0000-4000-8000-000000000000")  # has a third of the ended jobs
USUAL_USER = UUID("00000000-0000-4000-8000-000000000002")

USED = """
select relname || ': whole table' as what, seq_scan as scans, seq_tup_read as rows
from pg_stat_user_tables
where schemaname in ('public', 'private')
union all
select indexrelname, idx_scan, idx_tup_read from pg_stat_user_indexes
where schemaname in ('public', 'private')
"""
GALLERY = "select id, status, input, output from public.generations order by created_at desc limit 30"
# Runs without triggers. If dispatches were rolled back instead, dead versions of the first jobs
# would accumulate, which no real dispatch meets.
REPLACE = """
with gone as (delete from public.jobs where dispatched_at is not null returning *), new as (
  insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)
  select
    gen_random_uuid(), user_id, model_id, input, cost, extract(epoch from clock_timestamp()),
    max_attempts, deadline_at
  from gone
  returning id, input
)
insert into private.job_requests (job_id, provider, provider_input)
select id, 'preview', input from new
"""
UNDER_WAY = (
    "select id, status, input, progress from public.jobs"
    " where finished_at is null order by created_at desc limit 50"
)


@dataclass(frozen=True, slots=True)
class SqlCall:
    """A call: its role and user, its query, and the query for the ids that it needs."""

    role: str
    query: str
    ids: str = ""
    user_id: UUID = USUAL_USER
    is_kept: bool = False


HOLD = "select from public.credit_entries where job_id = jobs.id and kind = 'hold'"
JOBS = "select array_agg(id) from (select id from public.jobs where {} limit 50) j"
CALLS = {
    "redispatch 0": SqlCall("generation_bridge", "select private.redispatch_jobs('1 hour')"),
    "redispatch 1": SqlCall("generation_bridge", "select private.redispatch_jobs('5 seconds')"),
    "rescue": SqlCall("generation_bridge", "select * from private.rescue_jobs(500)"),
    "claim": SqlCall(
        "generation_worker",
        "select * from private.claim_jobs(array[%(id)s]::uuid[], '1 minute')",
        JOBS.format("status = 'queued'"),
    ),
    "renew": SqlCall(
        "generation_worker",
        "select private.renew_lease(%(id)s, 1, '1 minute', 0.5::real)",
        JOBS.format("status = 'running'"),
    ),
    "complete": SqlCall(
        "generation_worker",
        "select private.complete_jobs(array[%(id)s]::uuid[], '{1}', array['[]'::jsonb])",
        JOBS.format("status = 'running'"),
    ),
    "fail": SqlCall(
        "generation_worker",
        "select private.fail_job(%(id)s, 1, 'internal', '')",
        JOBS.format("status = 'running'"),
    ),
    "wake": SqlCall(
        "service_role",
        "select public.wake_job(%(id)s, %(id)s::text)",
        JOBS.format("status = 'waiting'"),
    ),
    "enqueue": SqlCall(
        "authenticated",
        "select public.enqueue_generation(gen_random_uuid(), 'preview', '{\"prompt\": \"a\"}')",
    ),
    "cancel": SqlCall(
        "authenticated",
        "select public.cancel_generation(%(id)s)",
        JOBS.format(f"status = 'queued' and user_id = '{USUAL_USER}' and exists ({HOLD})"),
    ),
    "status of 50": SqlCall(
        "authenticated",
        "select public.get_job_status(%(ids)s)",
        JOBS.format(f"user_id = '{HEAVY_USER}'"),
        HEAVY_USER,
    ),
    "gallery": SqlCall("authenticated", GALLERY, user_id=HEAVY_USER),
    "under way": SqlCall("authenticated", UNDER_WAY),
    # Last, because they replace the jobs that the other calls use.
    "dispatch 500": SqlCall(
        "generation_bridge", "select * from private.dispatch_jobs(500, 512)", is_kept=True
    ),
    "dispatch 1": SqlCall("generation_bridge", "select * from private.dispatch_jobs(1, 512)", is_kept=True),
}


class Site:
    """A database with `jobs` queued jobs, and a connection for each role."""

    def __init__(self, stack: Stack, jobs: int) -> None:
        self.stack, self.jobs = stack, jobs
        self.conns: dict[str, psycopg.Connection[Any]] = {}
        self.ids: dict[str, list[UUID]] = {}
        migrate(stack.database_url)
        postgres.seed(stack.database_url)
        with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
            begun = time.monotonic()
            conn.execute(LOAD.read_text().format(jobs=jobs).encode())
            self.load_seconds = time.monotonic() - begun
            conn.execute("update private.config set max_unfinished_jobs = 1000")
            conn.execute("vacuum analyze")

    def conn(self, role: str) -> psycopg.Connection[Any]:
        if role not in self.conns:
            login = role if role == postgres.SUPERUSER else "postgres"
            self.conns[role] = conn = psycopg.connect(self.stack.url_of(login), autocommit=True)
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            if role == postgres.SUPERUSER:
                conn.execute("set session_replication_role = replica")
        return self.conns[role]

    @contextmanager
    def asking(self, call: SqlCall) -> Iterator[Callable[[], object]]:
        """Open a transaction and yield the call, each time with the next of the ids."""
        if call.ids not in self.ids:
            row = self.conn("postgres").execute(call.ids.encode()).fetchone() if call.ids else None
            self.ids[call.ids] = row[0] if row else []
        ids = self.ids[call.ids] = self.ids[call.ids][1:] + self.ids[call.ids][:1]
        conn = self.conn(call.role)
        with conn.transaction(force_rollback=not call.is_kept):
            claims = json.dumps({"sub": str(call.user_id), "role": call.role})
            conn.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            yield lambda: conn.execute(
                call.query.encode(), {"ids": ids, "id": ids[0] if ids else None}
            ).fetchall()
        if call.is_kept:
            self.conn(postgres.SUPERUSER).execute(REPLACE)

    def close(self) -> None:
        while self.conns:
            self.conns.popitem()[1].close()

    def milliseconds(self, call: SqlCall) -> float:
        with self.asking(call) as ask:
            begun = time.perf_counter()
            ask()
            return (time.perf_counter() - begun) * 1000

    def reads(self, call: SqlCall) -> list[str]:
        """Return the tables scanned as a whole and the indexes used by one call, with rows read."""
        before = self.used(call)
        with self.asking(call) as ask:
            ask()
        after = self.used(call)
        return [
            f"{what} {after[what][1] - rows}"
            for what, (scans, rows) in before.items()
            if after[what][0] > scans
        ]

    def used(self, call: SqlCall) -> dict[str, tuple[int, int]]:
        self.conn(call.role).execute("select pg_stat_force_next_flush()")
        self.conn(call.role).execute("select 1")
        return {
            what: (scans or 0, rows or 0)
            for what, scans, rows in self.conn("postgres").execute(USED.encode())
        }


def measure(sites: list[Site], call: SqlCall, times: int) -> list[float]:
    """Return the median milliseconds of a call at each site. The sites take turns."""
    samples: list[list[float]] = [[] for _ in sites]
    for _ in range(NOT_COUNTED + times):
        for site, taken in zip(sites, samples, strict=True):
            taken.append(site.milliseconds(call))
    return [statistics.median(taken[NOT_COUNTED:]) for taken in samples]


def timed(sites: list[Site], times: int) -> Iterator[tuple[str, float, float, float]]:
    for name, call in CALLS.items():
        few, many = measure(sites, call, times)
        yield name, few, many, many / few


def read(site: Site) -> Iterator[tuple[str, str]]:
    site.close()  # a session reports all its reads to the statistics when it ends
    for name, call in CALLS.items():
        yield name, ", ".join(site.reads(call))


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--jobs", type=at_least(FEW), default=1_000_000, help="of the larger database")
    parser.add_argument("--times", type=at_least(1), default=101, help="that each call is made")
    asked = parser.parse_args()
    report = Report("sql", asked.results)
    with embedded.supabase(fsync="off", max_wal_size="8GB") as stack:
        few, many = (
            Site(embedded.database(stack, name), jobs) for name, jobs in (("few", FEW), ("many", asked.jobs))
        )
        report.title("SQL")
        report.write(
            f"\nMedians of {asked.times} calls. The jobs were loaded in {many.load_seconds:.0f} s.\n"
        )
        columns = ["ms, beside queued jobs:", f"{few.jobs:,}", f"{many.jobs:,}", "ratio"]
        report.table(columns, timed([few, many], asked.times))
        report.table(
            [f"Call, beside {many.jobs:,} queued jobs", "tables and indexes read, and rows"], read(many)
        )
        few.close()
        many.close()
    report.save()


if __name__ == "__main__":
    main()

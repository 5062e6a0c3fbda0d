"""From the commit of a job to the first line of its task, and how fast a burst drains.

Everything runs on this machine in one go, each leg in several rounds and in turns, so ratios mean something where
absolute times do not.
"""

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping

import psycopg

from bench import embedded
from bench.processes import Bench
from bench.queues import BareCelery, Peer, Pilotlight, Queue
from bench.report import Report, at_least, command_line, percentile
from local import postgres
from local.stack import Stack
from operate.migrate import migrate

PEERS = ("procrastinate", "pgqueuer")
BARE = "bare Celery"
LOOKS = 41  # of the bridge, at a backlog
USER_OF_BACKLOG = "00000000-0000-4000-8000-000000000000"

BACKLOG = """
with new as (
  insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)
  select gen_random_uuid(), %s, 'preview', '{}', 0, n, 3, now() + interval '1 day' from generate_series(1, %s) n
  returning id
)
insert into private.job_requests (job_id, provider, provider_input)
select id, 'preview', '{"prompt": "a fox"}' from new
"""
LOGINS = """
select usename, count(*) from pg_stat_activity
where application_name = %s and datname = current_database() group by usename order by usename
"""


def main() -> None:
    asked = arguments()
    report = Report(asked.output)
    with (
        embedded.supabase(log_line_prefix="%a|") as stack,
        psycopg.connect(stack.database_url, autocommit=True) as conn,
        Bench(stack) as bench,
    ):
        migrate(stack.database_url)
        postgres.seed(stack.database_url)
        postgres.make_process_logins(stack)
        ours = Pilotlight(bench, conn)
        peers = {name: Peer(bench, asked.peer, name) for name in PEERS} if asked.peer else {}
        report.title("Dispatch")
        compare(report, {BARE: BareCelery(bench), "Pilotlight": ours, **peers}, asked)
        report.table(("Idle", "login", "connections", "statements a second"), idle(ours, asked.idle))
        looks = [(f"{count:,}", milliseconds_of_a_look(stack, count)) for count in (1_000, asked.backlog)]
        report.table(("Jobs that are queued", "ms of a look that dispatches 100"), looks)
    report.save()


def arguments() -> argparse.Namespace:
    parser = command_line(__doc__)
    parser.add_argument("--rounds", type=at_least(1), default=3)
    parser.add_argument("--samples", type=at_least(1), default=200, help="latencies of each queue and round")
    parser.add_argument("--burst", type=at_least(2), default=10_000, help="tasks that wait at once")
    parser.add_argument("--idle", type=at_least(1), default=30, help="seconds in which nothing is asked")
    parser.add_argument(
        "--backlog", type=at_least(1), default=1_000_000, help="jobs beside which the bridge looks"
    )
    parser.add_argument("--peer", metavar="PYTHON", help="one that has procrastinate, pgqueuer and asyncpg")
    return parser.parse_args()


def compare(report: Report, queues: Mapping[str, Queue], asked: argparse.Namespace) -> None:
    latencies: dict[str, list[list[float]]] = {name: [] for name in queues}
    rates: dict[str, list[float]] = {name: [] for name in queues}
    for _ in range(asked.rounds):
        for name, queue in queues.items():
            latencies[name].append(queue.latencies(asked.samples))
        for name, queue in queues.items():
            rates[name].append(queue.burst(asked.burst))
    report.write(f"\nMedians of {asked.rounds} rounds, {asked.samples} latencies each.\n")
    columns = ["Commit to first line, ms", "p50", "p95", "p99", f"p50 x {BARE}"]
    report.table(columns, latency_rows(latencies))
    columns = [f"Burst of {asked.burst:,}", "tasks a second", f"x {BARE}", "each round"]
    report.table(columns, rate_rows(rates))


def latency_rows(latencies: dict[str, list[list[float]]]) -> Iterator[tuple[str, float, float, float, float]]:
    def at(name: str, share: float) -> float:
        return statistics.median(percentile(one, share) for one in latencies[name])

    for name in latencies:
        p50 = at(name, 0.5)
        yield name, p50, at(name, 0.95), at(name, 0.99), p50 / at(BARE, 0.5)


def rate_rows(rates: dict[str, list[float]]) -> Iterator[tuple[str, float, float, str]]:
    for name, each in rates.items():
        rate = statistics.median(each)
        yield name, rate, rate / statistics.median(rates[BARE]), " / ".join(f"{one:.0f}" for one in each)


def idle(ours: Pilotlight, seconds: int) -> list[tuple[str, str, int, float]]:
    """What our processes ask of the database when there is nothing to do."""
    log = ours.bench.stack.folder / "postgres.log"
    with ours.processes():
        time.sleep(seconds / 2)  # the bridge looks less and less often
        at = log.stat().st_size
        log_statements(ours.bench.stack, "all")
        time.sleep(seconds)
        log_statements(ours.bench.stack, "none")
        lines = log.read_bytes()[at:].decode(errors="replace").splitlines()
        return [
            (name, login, connections, statements(lines, name) / seconds)
            for name in ("pilotlight-bridge", "pilotlight-worker")
            for login, connections in ours.conn.execute(LOGINS, (name,)).fetchall()
        ]


def statements(lines: list[str], name: str) -> int:
    asked = [line for line in lines if line.startswith(f"{name}|")]
    return sum("statement:" in line or "execute" in line for line in asked)


def log_statements(stack: Stack, which: str) -> None:
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
        conn.execute(f"alter system set log_statement = '{which}'".encode())
        conn.execute("select pg_reload_conf()")


def milliseconds_of_a_look(stack: Stack, count: int) -> float:
    """The median, beside so many queued jobs."""
    with psycopg.connect(stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
        conn.execute("truncate public.jobs cascade")
        conn.execute("set session_replication_role = replica")  # a broadcast per row would take an hour
        conn.execute(BACKLOG, (USER_OF_BACKLOG, count))
        conn.execute("vacuum analyze public.jobs")
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        return statistics.median(look(conn) for _ in range(LOOKS))


def look(conn: "psycopg.Connection[tuple[object, ...]]") -> float:
    begun = time.perf_counter()
    with conn.transaction(force_rollback=True):
        conn.execute("select * from private.dispatch_jobs(100, 512)")
        return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()

"""From the commit of a job to the first line of its task, and how fast a burst drains.

`python -m bench.bench_dispatch --peer <a python that has procrastinate, pgqueuer and asyncpg>`. Everything runs on this
machine in one go, each leg several times and in turns, so ratios mean something where absolute times do not.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
from celery import Celery

from local import migrate, postgres
from local import stack as stacks
from local.stack import Stack
from tests.support.processes import ControlledProcess, python
from tests.support.servers import Redis
from tests.support.waiting import wait_until

THREADS = 16
CELERY = [str(Path(sys.executable).parent / "celery"), "-A"]
PEERS = ("procrastinate", "pgqueuer")
QUIET = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING", "--concurrency", str(THREADS)]


class Bench:
    def __init__(self, folder: Path, stack: Stack, peer: str | None) -> None:
        self.folder, self.stack, self.peer = folder, stack, peer
        self.started: list[ControlledProcess] = []
        self.redis = Redis(folder).start().wait_ready()
        self.environment = {
            "DATABASE_URL": stack.database_url,
            "REDIS_URL": self.redis.url,
            "WORKER_THREADS": str(THREADS),
            "LOG_LEVEL": "WARNING",
            "BENCH_FOLDER": str(folder),
        }
        self.conn = psycopg.connect(stack.database_url, autocommit=True)
        self.user_id = uuid.uuid4()
        self.conn.execute("insert into auth.users (id) values (%s)", (self.user_id,))
        self.conn.execute("select public.grant_credits(%s, 100000000, 'bench', 'bench')", (self.user_id,))
        self.conn.execute("update private.config set max_unfinished_jobs = 10000000")
        self.claims = json.dumps({"sub": str(self.user_id)})
        self.bare = Celery(broker=self.redis.url, set_as_current=False)

    def process(self, name: str, *command: str) -> ControlledProcess:
        process = ControlledProcess(name, list(command), folder=self.folder, environment=self.environment)
        self.started.append(process)
        return process.start()

    def stop(self) -> None:
        for process in (*self.started, self.redis):
            process.kill()
        self.conn.close()

    def ours(self) -> list[ControlledProcess]:
        worker = self.process("worker", *CELERY, "bench.dispatch.ours", "worker", *QUIET)
        return [self.process("bridge", *python("-m", "bridge")), worker]

    def bare_worker(self) -> ControlledProcess:
        return self.process("bare", *CELERY, "bench.dispatch.bare", "worker", *QUIET)

    def begun(self) -> dict[str, int]:
        lines = [
            line.split() for path in self.folder.glob("*.begun") for line in path.read_text().splitlines()
        ]
        return {line[0]: int(line[1]) for line in lines if len(line) == 2}

    def enqueue(self) -> tuple[str, int]:
        """The id, and the moment its commit was acknowledged."""
        job_id = str(uuid.uuid4())
        with self.conn.transaction():
            self.conn.execute("select set_config('request.jwt.claims', %s, true)", (self.claims,))
            self.conn.execute(
                "select public.enqueue_generation(%s, 'preview', '{\"prompt\": \"a\"}')", (job_id,)
            )
        return job_id, time.monotonic_ns()

    def send_bare(self) -> tuple[str, int]:
        job_id, begun = str(uuid.uuid4()), time.monotonic_ns()
        self.bare.send_task("bare", (job_id,), queue="bare")
        return job_id, begun

    def latencies(self, ask: Callable[[], tuple[str, int]], count: int) -> list[float]:
        """Milliseconds to the first line, one at a time on an idle system."""
        sent = []
        for _ in range(count):
            sent.append(ask())
            time.sleep(0.03)
        wait_until(lambda: self.begun().keys() >= {job_id for job_id, _ in sent}, "every first line")
        first = self.begun()
        return [(first[job_id] - at) / 1e6 for job_id, at in sent]

    def peer_worker(self, name: str) -> ControlledProcess:
        return self.process(name, str(self.peer), "-m", "bench.dispatch.peers", name, "work")

    def run_peer(self, *arguments: str) -> str:
        environment = self.process("nothing", "true").environment
        command = [str(self.peer), "-m", "bench.dispatch.peers", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    def peer_latencies(self, name: str, count: int) -> list[float]:
        worker = self.peer_worker(name)
        self.run_peer(name, "trickle", "20")
        sent = dict(line.split() for line in self.run_peer(name, "trickle", str(count)).splitlines())
        wait_until(lambda: self.begun().keys() >= sent.keys(), "every first line")
        worker.kill()
        first = self.begun()
        return [(first[job_id] - int(at)) / 1e6 for job_id, at in sent.items()]

    def burst_ours(self, count: int) -> float:
        """Completed jobs a second, from the moment the bridge may look until the last one is in its generation."""
        processes = self.ours()
        self.enqueue_and_wait()
        processes[0].freeze()
        self.fill(count)
        before, begun = self.finished(), time.monotonic()
        processes[0].thaw()
        wait_until(lambda: self.finished() - before >= count, "the burst", 300, every=0.1)
        rate = count / (time.monotonic() - begun)
        for process in processes:
            process.kill()
        return rate

    def enqueue_and_wait(self) -> None:
        """A worker that has run one job is warm."""
        job_id, _ = self.enqueue()
        wait_until(lambda: job_id in self.begun(), "the first job", 60)

    def fill(self, count: int) -> None:
        self.conn.execute("select set_config('request.jwt.claims', %s, false)", (self.claims,))
        self.conn.execute(
            "select count(public.enqueue_generation(gen_random_uuid(), 'preview', '{\"prompt\": \"a\"}'))"
            " from generate_series(1, %s)",
            (count,),
        )

    def finished(self) -> int:
        row = self.conn.execute("select count(*) from public.generations").fetchone()
        return int(row[0]) if row else 0

    def burst_bare(self, count: int) -> float:
        worker = self.bare_worker()
        job_id, _ = self.send_bare()
        wait_until(lambda: job_id in self.begun(), "the first task", 60)
        worker.freeze()
        with self.bare.producer_pool.acquire() as producer, producer.batch(1000):  # type: ignore[attr-defined]
            for _ in range(count):
                job_id = str(uuid.uuid4())
                self.bare.send_task("bare", (job_id,), queue="bare", producer=producer)
        before, begun = len(self.begun()), time.monotonic()
        worker.thaw()
        wait_until(lambda: len(self.begun()) - before >= count, "the burst", 300, every=0.2)
        rate = count / (time.monotonic() - begun)
        worker.kill()
        return rate

    def burst_peer(self, name: str, count: int) -> float:
        """From the first task on: a peer's worker starts with the burst waiting."""
        self.run_peer(name, "defer", str(count))
        all_of_it = len(self.begun()) + count
        worker = self.peer_worker(name)
        wait_until(lambda: len(self.begun()) > all_of_it - count, "the first task", 60)
        before, begun = len(self.begun()), time.monotonic()
        wait_until(lambda: len(self.begun()) >= all_of_it, "the burst", 300, every=0.2)
        rate = (all_of_it - before) / (time.monotonic() - begun)
        worker.kill()
        return rate

    def deep_backlog(self) -> tuple[float, float]:
        """Milliseconds of one look that dispatches 100 jobs, with a thousand and with a million queued."""
        return self.look_at(1_000), self.look_at(1_000_000)

    def look_at(self, count: int) -> float:
        with psycopg.connect(self.stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
            conn.execute("truncate public.jobs")
            conn.execute("set session_replication_role = replica")  # a broadcast per row would take an hour
            conn.execute(
                "insert into public.jobs (id, user_id, model_id, input, cost, rank, max_attempts, deadline_at)"
                " select gen_random_uuid(), %s, 'preview', '{}', 0, n, 3, now() + interval '1 day'"
                " from generate_series(1, %s) n",
                (self.user_id, count),
            )
            conn.execute("vacuum analyze public.jobs")
        return statistics.median(self.timed_look() for _ in range(41))

    def timed_look(self) -> float:
        begun = time.perf_counter()
        with self.conn.transaction(force_rollback=True):
            self.conn.execute("select * from private.dispatch_jobs(100, 512)")
            return (time.perf_counter() - begun) * 1000

    def idle(self, seconds: float) -> dict[str, float]:
        """Statements a second and connections of each of our processes when there is nothing to do."""
        processes = self.ours()
        self.enqueue_and_wait()
        time.sleep(15)  # the bridge looks less and less often
        log = self.folder / "postgres.log"
        at = log.stat().st_size
        self.alter_logging("all")
        time.sleep(seconds)
        self.alter_logging("none")
        lines = log.read_bytes()[at:].decode(errors="replace").splitlines()
        facts = {}
        for name in ("pilotlight-bridge", "pilotlight-worker"):
            said = [
                line
                for line in lines
                if line.startswith(f"{name}|") and ("statement:" in line or "execute" in line)
            ]
            facts[f"{name} statements/s"] = len(said) / seconds
            count = "select count(*) from pg_stat_activity where application_name = %s"
            row = self.conn.execute(count, (name,)).fetchone()
            facts[f"{name} connections"] = float(row[0]) if row else -1
        for process in processes:
            process.kill()
        return facts

    def alter_logging(self, what: str) -> None:
        with psycopg.connect(self.stack.url_of(postgres.SUPERUSER), autocommit=True) as conn:
            conn.execute(f"alter system set log_statement = '{what}'".encode())
            conn.execute("select pg_reload_conf()")


def summary(name: str, rounds: list[list[float]]) -> str:
    """Medians over the rounds of each percentile."""

    def at(share: float) -> float:
        return statistics.median(sorted(one)[int(len(one) * share)] for one in rounds)

    return f"{name:<28}{at(0.5):>8.2f}{at(0.95):>8.2f}{at(0.99):>8.2f}"


def measure(bench: Bench, *, rounds: int, samples: int, burst: int) -> None:
    names = ("bare Celery", "ours", *PEERS)
    latency: dict[str, list[list[float]]] = {name: [] for name in names}
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        bare, processes = bench.bare_worker(), bench.ours()
        bench.latencies(bench.send_bare, 20)
        bench.latencies(bench.enqueue, 20)
        latency["bare Celery"].append(bench.latencies(bench.send_bare, samples))
        latency["ours"].append(bench.latencies(bench.enqueue, samples))
        for process in (bare, *processes):
            process.kill()
        for name in PEERS if bench.peer else ():
            latency[name].append(bench.peer_latencies(name, samples))
            rates[name].append(bench.burst_peer(name, burst))
        rates["bare Celery"].append(bench.burst_bare(burst))
        rates["ours"].append(bench.burst_ours(burst))
    print(f"\n{'to the first line, ms':<28}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name, seen in latency.items():
        if seen:
            print(summary(name, seen))
    print(f"\n{'burst of ' + str(burst) + ', ended a second':<28}{'median':>8}   each")
    for name, seen_rates in rates.items():
        if seen_rates:
            print(f"{name:<28}{statistics.median(seen_rates):>8.0f}   {[round(rate) for rate in seen_rates]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has procrastinate, pgqueuer and asyncpg")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--burst", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilotlight-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack = stacks.with_free_ports(stacks.create(folder))
        stacks.save(stack)
        with postgres.running(stack, log_line_prefix="%a|"):
            postgres.bring_supabase(stack)
            migrate.migrate(stack.database_url)
            migrate.seed(stack.database_url)
            bench = Bench(folder, stack, given.peer)
            try:
                for name in PEERS if given.peer else ():
                    bench.run_peer(name, "apply")
                measure(bench, rounds=given.rounds, samples=given.samples, burst=given.burst)
                print("\nidle:", bench.idle(30))
                looks = [round(milliseconds, 2) for milliseconds in bench.deep_backlog()]
                print("one look at 1,000 and at 1,000,000 queued, ms:", looks)
            finally:
                bench.stop()


if __name__ == "__main__":
    main()

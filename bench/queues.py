"""The queues that are compared: each runs tasks that do nothing, at most `THREADS` at once."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, Protocol

import psycopg
from celery import Celery

from bench.processes import Bench, celery
from tests.support.processes import ROOT, ControlledProcess, python
from tests.support.waiting import wait_until

WARM_UP = 20  # tasks that are not counted
CREDITS = 100_000_000  # more than any burst costs
ENQUEUE = "select public.enqueue_generation(%s, 'preview', '{\"prompt\": \"a\"}')"
ENQUEUE_MANY = (
    "select count(public.enqueue_generation(gen_random_uuid(), 'preview', '{\"prompt\": \"a\"}'))"
    " from generate_series(1, %s)"
)
UNFINISHED = "select count(*) from public.jobs where finished_at is null"
GENERATIONS = "select count(*) from public.generations"


class Queue(Protocol):
    def latencies(self, count: int) -> list[float]:
        """Milliseconds from the commit of a task to its first line, on an idle system."""
        ...

    def burst(self, count: int) -> float:
        """Tasks that end a second while so many wait."""
        ...


class BareCelery:
    """Celery with the pool of our workers: what a message costs when nothing is promised."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.app = Celery(broker=bench.redis.url, set_as_current=False)

    @contextmanager
    def worker(self) -> Iterator[ControlledProcess]:
        with self.bench.running("bare", celery("bare")) as process:
            self.bench.latencies(self.send, WARM_UP)
            yield process

    def send(self) -> tuple[str, int]:
        task_id, sent_at = str(uuid.uuid4()), time.monotonic_ns()
        self.app.send_task("bare", (task_id,), queue="bare")
        return task_id, sent_at

    def latencies(self, count: int) -> list[float]:
        with self.worker():
            return self.bench.latencies(self.send, count)

    def burst(self, count: int) -> float:
        with self.worker() as worker:
            worker.freeze()
            with self.app.producer_pool.acquire() as producer, producer.batch(1000):  # type: ignore[attr-defined]
                for _ in range(count):
                    self.app.send_task("bare", (str(uuid.uuid4()),), queue="bare", producer=producer)
            return self.bench.rate(self.bench.count_begun, count, begin=worker.thaw)


class Pilotlight:
    """The bridge and a worker, each with its own login. Jobs are asked for by the function that the gate calls."""

    def __init__(self, bench: Bench, conn: "psycopg.Connection[Any]") -> None:
        self.bench, self.conn = bench, conn
        user_id = uuid.uuid4()
        conn.execute("insert into auth.users (id) values (%s)", (user_id,))
        conn.execute("select public.grant_credits(%s, %s, 'bench', 'bench')", (user_id, CREDITS))
        conn.execute("update private.config set max_unfinished_jobs = 10000000")
        claims = json.dumps({"sub": str(user_id)})
        conn.execute("select set_config('request.jwt.claims', %s, false)", (claims,))

    @contextmanager
    def processes(self) -> Iterator[ControlledProcess]:
        """Both run; the bridge of them is given."""
        stack = self.bench.stack
        bridge = {"BRIDGE_DATABASE_URL": stack.bridge_url}
        # No server answers at the address of Storage: there is nothing to store.
        storage = {"SUPABASE_URL": stack.gateway_url, "SUPABASE_SECRET_KEY": stack.secret_key}
        worker = {"WORKER_DATABASE_URL": stack.worker_url, **storage}
        with (
            self.bench.running("worker", celery("ours"), worker),
            self.bench.running("bridge", python("-m", "bridge"), bridge) as process,
        ):
            self.bench.latencies(self.enqueue, WARM_UP)
            wait_until(lambda: not self.count(UNFINISHED), "the first jobs to end")
            yield process

    def enqueue(self) -> tuple[str, int]:
        """The id, and the moment at which its commit was acknowledged."""
        job_id = str(uuid.uuid4())
        self.conn.execute(ENQUEUE, (job_id,))
        return job_id, time.monotonic_ns()

    def latencies(self, count: int) -> list[float]:
        with self.processes():
            return self.bench.latencies(self.enqueue, count)

    def burst(self, count: int) -> float:
        """From the moment the bridge may look until the last job has its generation."""
        with self.processes() as bridge:
            bridge.freeze()
            self.conn.execute(ENQUEUE_MANY, (count,))
            return self.bench.rate(lambda: self.count(GENERATIONS), count, begin=bridge.thaw)

    def count(self, query: LiteralString) -> int:
        row = self.conn.execute(query).fetchone()
        return int(row[0]) if row else 0


class Peer:
    """A queue that needs no broker, run by a Python that has it (`bench.workers.peers`)."""

    def __init__(self, bench: Bench, python: str, name: str) -> None:
        self.bench, self.python, self.name = bench, python, name
        # It makes tables of its own, so it logs in as the owner of the database.
        self.environment = {"DATABASE_URL": bench.stack.database_url}
        self.run("apply")

    def run(self, *arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **self.bench.environment, **self.environment}
        command = self.command(*arguments)
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "bench.workers.peers", self.name, *arguments]

    @contextmanager
    def worker(self) -> Iterator[ControlledProcess]:
        with self.bench.running(self.name, self.command("work"), self.environment) as process:
            yield process

    def latencies(self, count: int) -> list[float]:
        with self.worker():
            self.run("trickle", str(WARM_UP))
            sent = dict(line.split() for line in self.run("trickle", str(count)).splitlines())
            first = self.bench.wait_begun(set(sent))
            return [(first[task_id] - int(at)) / 1e6 for task_id, at in sent.items()]

    def burst(self, count: int) -> float:
        """From the first task to the last: a worker of a peer starts with the burst waiting."""
        self.run("defer", str(count))
        former = self.bench.begun().keys()
        with self.worker():
            wait_until(lambda: self.bench.count_begun() >= len(former) + count, "the burst", 600, every=0.1)
        times = [at for task_id, at in self.bench.begun().items() if task_id not in former]
        return (count - 1) / (max(times) - min(times)) * 1e9

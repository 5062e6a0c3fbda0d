"""The contenders: bare Celery, Pilotlight, and the queues that keep their jobs in Postgres."""

import json
import os
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from celery import Celery

from bench import backlog, install
from bench.processes import SLOTS, FirstLines, Program, celery, of_procfile
from local.stack import ROOT, Stack
from tests.support.servers import Redis

PEERS = ROOT / "bench" / "peers"
APART = 0.03  # seconds between two jobs on an idle system
CREDITS = 100_000_000  # more than any burst costs
ENQUEUE = "select public.enqueue_generation(%s, 'preview', '{\"prompt\": \"a\"}')"
ENQUEUE_MANY = (
    "select count(public.enqueue_generation(gen_random_uuid(), 'preview', '{\"prompt\": \"a\"}'))"
    " from generate_series(1, %s)"
)
Sent = dict[str, int]  # by job id, the time of its commit in nanoseconds of CLOCK_MONOTONIC


@dataclass(frozen=True, slots=True)
class Place:
    """The resources of one contender.

    They are a database, a folder for logs and first lines, and a Redis if it needs one.
    """

    stack: Stack
    folder: Path
    redis: Redis | None = None


class Contender(Protocol):
    name: str
    place: Place
    lines: FirstLines
    gate: str
    """The kind of the program that is frozen while a burst is enqueued, so that all of it waits."""

    def programs(self, *, slots: int = SLOTS, seconds: float = 0) -> list[Program]:
        """Return programs that run `slots` tasks at once, which wait `seconds` for a provider."""
        ...

    def trickle(self, count: int) -> Sent:
        """Enqueue one job after the other, and return the times of the commits."""
        ...

    def defer(self, count: int) -> None:
        """Enqueue `count` jobs at once, as the documentation of the queue recommends."""
        ...

    def fill(self, count: int) -> None:
        """Make `count` waiting jobs, by a statement that copies rows."""
        ...

    def left(self) -> int:
        """Return the number of jobs that have not ended."""
        ...

    def forget(self) -> None:
        """Delete all waiting jobs."""
        ...

    def close(self) -> None: ...


class BareCelery:
    """Celery with the pool of our workers: the cost of a message without guarantees."""

    gate = "worker"

    def __init__(self, name: str, place: Place, workers: int) -> None:
        assert place.redis is not None
        self.name, self.place, self.workers, self.redis = name, place, workers, place.redis
        self.lines = FirstLines(place.folder)
        self.app = Celery(broker=self.redis.url, set_as_current=False)

    def programs(self, *, slots: int = SLOTS, seconds: float = 0) -> list[Program]:
        environment = {"REDIS_URL": self.redis.url, "BENCH_SECONDS": str(seconds)}
        commands = [celery("bare", threads=slots // self.workers, number=n) for n in range(self.workers)]
        return [Program("worker", command, environment) for command in commands]

    def trickle(self, count: int) -> Sent:
        """Publish one message after the other.

        An application commits and then publishes, so the time of publishing counts.
        """
        sent = {}
        for _ in range(count):
            job_id = str(uuid.uuid4())
            sent[job_id] = time.monotonic_ns()
            self.app.send_task("bare", (job_id,), queue="bare")
            time.sleep(APART)
        return sent

    def defer(self, count: int) -> None:
        with (
            self.app.producer_pool.acquire() as producer,
            producer.batch(1000),  # type: ignore[attr-defined]
        ):
            for _ in range(count):
                self.app.send_task("bare", (str(uuid.uuid4()),), queue="bare", producer=producer)

    def fill(self, count: int) -> None:
        with self.redis.client as client:
            self.defer(1)
            message = client.lindex("bare", 0)
            for begun in range(0, count, 10_000):
                client.lpush("bare", *[message] * min(10_000, count - begun))

    def left(self) -> int:
        with self.redis.client as client:
            return int(client.llen("bare"))

    def forget(self) -> None:
        self.redis.flush()

    def close(self) -> None:
        self.app.close()


class Pilotlight:
    """The bridge and the workers of the Procfile, each with its own login.

    Jobs are enqueued as by the gate.
    """

    gate = "bridge"

    def __init__(self, name: str, place: Place, workers: int) -> None:
        assert place.redis is not None
        self.name, self.place, self.workers, self.redis = name, place, workers, place.redis
        self.lines = FirstLines(place.folder)
        self.conn: psycopg.Connection[Any] = connect(place.stack)
        user_id = uuid.uuid4()
        self.conn.execute("insert into auth.users (id) values (%s)", (user_id,))
        self.conn.execute("select public.grant_credits(%s, %s, 'bench', %s)", (user_id, CREDITS, name))
        self.conn.execute("update private.config set max_unfinished_jobs = 10000000")
        claims = json.dumps({"sub": str(user_id)})
        self.conn.execute("select set_config('request.jwt.claims', %s, false)", (claims,))

    def programs(self, *, slots: int = SLOTS, seconds: float = 0) -> list[Program]:
        stack = self.place.stack
        common = {
            "REDIS_URL": self.redis.url,
            "LOG_LEVEL": "WARNING",
            "WORKER_THREADS": str(SLOTS // self.workers),  # a waiting job uses no slot
            "BRIDGE_DATABASE_URL": stack.bridge_url,
            "WORKER_DATABASE_URL": stack.worker_url,
            "SUPABASE_URL": stack.gateway_url,
            "SUPABASE_SECRET_KEY": stack.secret_key,
            "BENCH_SECONDS": str(seconds),
        }
        worker = of_procfile("worker")
        worker[worker.index("tasks")] = "bench.workers.ours"
        workers = [[*worker, "--hostname", f"ours{number}@%h"] for number in range(self.workers)]
        return [
            *(Program("worker", command, common) for command in workers),
            Program("bridge", of_procfile("bridge"), common),
        ]

    def trickle(self, count: int) -> Sent:
        sent = {}
        for _ in range(count):
            job_id = str(uuid.uuid4())
            self.conn.execute(ENQUEUE, (job_id,))
            sent[job_id] = time.monotonic_ns()
            time.sleep(APART)
        return sent

    def defer(self, count: int) -> None:
        self.conn.execute(ENQUEUE_MANY, (count,))
        self.conn.execute("select pg_stat_force_next_flush()")  # not counted with the burst

    def fill(self, count: int) -> None:
        backlog.of_ours(self.place.stack, count)

    def left(self) -> int:
        return count_rows(self.conn, b"select count(*) from public.jobs where finished_at is null")

    def forget(self) -> None:
        backlog.forget_ours(self.place.stack)
        self.redis.flush()

    def close(self) -> None:
        self.conn.close()


class Peer:
    """A queue that needs no broker, run by a program of `bench/peers`."""

    gate = "worker"

    def __init__(self, name: str, place: Place, program: list[str], table: backlog.JobTable) -> None:
        self.name, self.place, self.program, self.table = name, place, program, table
        self.lines = FirstLines(place.folder)
        self.conn = connect(place.stack)
        self.environment = {
            # The queue makes its own tables, so it logs in as the owner of the database.
            "DATABASE_URL": place.stack.database_url,
            "BENCH_FOLDER": str(place.folder),
            "BENCH_PACKAGES": str(install.PACKAGES),
            "PYTHONPATH": str(PEERS),
        }
        self.client = self.start_client()
        self.ask("apply", 0)

    def start_client(self) -> "subprocess.Popen[str]":
        """Start the client of the queue. It ends with its input, and so with this process.

        Its session in Postgres counts as one of the bench.
        """
        url = {"DATABASE_URL": f"{self.place.stack.database_url}?application_name=bench"}
        return subprocess.Popen(
            [*self.program, "client"],
            env={**os.environ, **self.environment, **url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, verb: str, count: int) -> Sent:
        assert self.client.stdin is not None and self.client.stdout is not None
        print(verb, count, file=self.client.stdin, flush=True)
        sent: Sent = json.loads(self.client.stdout.readline())
        return sent

    def programs(self, *, slots: int = SLOTS, seconds: float = 0) -> list[Program]:
        environment = {**self.environment, "BENCH_SLOTS": str(slots), "BENCH_SECONDS": str(seconds)}
        return [Program("worker", [*self.program, "work"], environment)]

    def trickle(self, count: int) -> Sent:
        return self.ask("trickle", count)

    def defer(self, count: int) -> None:
        self.ask("defer", count)

    def fill(self, count: int) -> None:
        self.defer(1)
        self.table.copy_waiting_row(self.place.stack, count - 1)

    def left(self) -> int:
        return count_rows(self.conn, self.table.left)

    def forget(self) -> None:
        self.table.forget(self.place.stack)

    def close(self) -> None:
        """Stop the client. It would log errors if the server stopped first."""
        self.conn.close()
        self.client.kill()
        self.client.communicate()


def connect(stack: Stack) -> "psycopg.Connection[Any]":
    return psycopg.connect(stack.database_url, autocommit=True, application_name="bench")


def count_rows(conn: "psycopg.Connection[Any]", query: bytes) -> int:
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0

"""The real processes, from the Edge Function to the worker, against a misbehaving Replicate."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from local import postgres, processes
from local import stack as stacks
from tests.replicate.server import TOKEN, MisbehavingReplicate, misbehaving_replicate
from tests.replicate.webhooks import SECRET
from tests.support.databases import bring_schema
from tests.support.processes import ControlledProcess, of_procfile
from tests.support.servers import Postgres, Redis, supabase

ADD_MODEL = """
insert into private.models (id, title, cost, provider, provider_model, input_schema, max_attempts, timeout) values
  ('fox', 'Fox', 1, 'replicate', 'foxes/fox', '{
    "type": "object", "required": ["prompt"],
    "properties": {"prompt": {"type": "string"}, "seed": {"type": "integer"}}
  }', 5, '20 minutes');
update private.provider_limits set starts_per_day = null, anonymous_starts_per_day = null;
"""


class Farm:
    def __init__(
        self, folder: Path, replicate: MisbehavingReplicate, *, lease_seconds: int, threads: int
    ) -> None:
        self.replicate = replicate
        self.stack = stacks.with_free_ports(stacks.create(folder))
        stacks.save(self.stack)
        self.redis = Redis(folder)
        self.postgres = Postgres(self.stack)
        self.supabase = supabase(self.stack, "gateway", "provider_webhook", REPLICATE_WEBHOOK_SECRET=SECRET)
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            **processes.logins_of(self.stack),
            "REDIS_URL": self.redis.url,
            "SUPABASE_URL": self.stack.gateway_url,
            "SUPABASE_SECRET_KEY": self.stack.secret_key,
            "REPLICATE_API_TOKEN": TOKEN,
            "REPLICATE_BASE_URL": replicate.url,
            "REPLICATE_WEBHOOK_URL": f"{self.stack.gateway_url}/functions/v1/provider_webhook",
            "LEASE_SECONDS": str(lease_seconds),
            "SHUTDOWN_SECONDS": "2",
            "WORKER_THREADS": str(threads),
        }
        self.bridge, self.worker = self.ours("bridge"), self.ours("worker")

    def ours(self, kind: str) -> ControlledProcess:
        """A process of the Procfile."""
        return ControlledProcess(
            kind, of_procfile(kind), folder=self.stack.folder, environment=self.environment
        )

    def start(self) -> None:
        self.postgres.start().wait_ready()
        bring_schema(self.stack)
        self.redis.start().wait_ready()
        for process in (*self.supabase, self.bridge, self.worker):
            process.start()
        with self.connect() as conn:
            conn.execute(ADD_MODEL)

    def stop(self) -> None:
        for process in (self.worker, self.bridge, *self.supabase, self.redis, self.postgres):
            process.kill()

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.stack.url_of(postgres.SUPERUSER), autocommit=True)

    def value(self, query: str) -> Any:
        with self.connect() as conn:
            row = conn.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def unfinished(self) -> int:
        return int(self.value("select count(*) from public.jobs where finished_at is null"))

    def megabytes(self, process: ControlledProcess) -> float:
        """The memory of the process and its children now, in MB."""
        assert process.popen is not None
        pids = [process.popen.pid, *children_of(process.popen.pid)]
        lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *children_of(child))]


@contextmanager
def farm(folder: Path, *, lease_seconds: int = 5, threads: int = 16) -> Iterator[Farm]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a signal to us ends all of it
    with misbehaving_replicate() as replicate:
        made = Farm(folder, replicate, lease_seconds=lease_seconds, threads=threads)
        try:
            made.start()
            yield made
        finally:
            made.stop()


class Killer:
    """Kills a process as a power cut would, again and again, and starts it again at once as a
    supervisor does.
    """

    def __init__(self, process: ControlledProcess, every: float, most: int) -> None:
        self.process, self.every, self.most, self.kills = process, every, most, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while self.kills < self.most and not self.is_over.wait(self.every):
            self.process.kill()
            self.process.start()
            self.kills += 1

    def __enter__(self) -> "Killer":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_done(self) -> bool:
        return not self.thread.is_alive()

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join()

"""The whole system as real processes: the Procfile's, and those of Supabase and a Redis host."""

import sys
import threading
import time
from pathlib import Path

import psycopg

from local import postgres
from local import stack as stacks
from tests.support.databases import bring_schema
from tests.support.processes import ControlledProcess, of_procfile
from tests.support.relay import Relay
from tests.support.servers import Postgres, Redis, supabase
from tests.support.waiting import wait_until

LEASE_SECONDS = 5  # short, so that a minute holds many lost leases
WORKERS, BRIDGES = 2, 2


class ChaosSystem:
    """Everything that died is started again a second later, as a supervisor does, unless a fault
    holds it down.

    Bridge and workers reach their servers through relays, so that their connections can be cut and
    silenced.
    """

    def __init__(self, folder: Path) -> None:
        self.stack = stacks.with_free_ports(stacks.create(folder))
        stacks.save(self.stack)
        self.held_down: set[ControlledProcess] = set()
        self.is_stopping = threading.Event()
        self.redis = Redis(folder, keeps_data=True)
        self.postgres = Postgres(self.stack)
        self.supabase = supabase(self.stack, "gateway", "enqueue_generation", "purchase_webhook")
        self.gateway, *self.functions = self.supabase
        self.relays = {"postgres": Relay(self.stack.postgres_port), "redis": Relay(self.redis.port)}
        self.bridges = [self.ours("bridge", number) for number in range(BRIDGES)]
        self.workers = [self.ours("worker", number) for number in range(WORKERS)]

    def ours(self, kind: str, number: int) -> ControlledProcess:
        """A process of the Procfile."""
        port = self.relays["postgres"].port
        login = self.stack.bridge_url if kind == "bridge" else self.stack.worker_url
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "DATABASE_URL": login.replace(f":{self.stack.postgres_port}/", f":{port}/"),
            "REDIS_URL": f"redis://127.0.0.1:{self.relays['redis'].port}/0",
            "SUPABASE_URL": self.stack.gateway_url,
            "SUPABASE_SECRET_KEY": self.stack.secret_key,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "SHUTDOWN_SECONDS": "2",
        }
        command = of_procfile(kind)
        if kind == "worker":
            command += ["--hostname", f"worker{number}@chaos"]
        return ControlledProcess(
            f"{kind}{number}", command, folder=self.stack.folder, environment=environment
        )

    @property
    def everything(self) -> list[ControlledProcess]:
        return [self.postgres, self.redis, *self.supabase, *self.bridges, *self.workers]

    def start(self) -> None:
        self.postgres.start().wait_ready()
        bring_schema(self.stack)
        for process in self.everything[1:]:
            process.start()
        for process in (self.redis, *self.supabase):
            process.wait_ready()
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)
        self.supervisor.start()

    def supervise(self) -> None:
        while not self.is_stopping.wait(1.0):
            for process in self.everything:
                if not process.is_alive and process not in self.held_down:
                    process.start()

    def stop(self) -> None:
        self.is_stopping.set()
        self.supervisor.join()
        for process in reversed(self.everything):
            process.kill()
        for relay in self.relays.values():
            relay.close()

    def connect(self) -> "psycopg.Connection[object]":
        """As superuser, past the relay. Raises psycopg.OperationalError while Postgres is down."""
        url = self.stack.url_of(postgres.SUPERUSER)
        return psycopg.connect(url, autocommit=True, connect_timeout=3, options="-c statement_timeout=20s")

    def wait_for_jobs(self, timeout: float) -> int:
        """Wait until every job has ended; how many have not after `timeout`."""
        until = time.monotonic() + timeout
        while (left := self.unfinished()) and time.monotonic() < until:
            time.sleep(0.5)
        return left

    def unfinished(self) -> int:
        with self.connect() as conn:
            row = conn.execute("select count(*) from public.jobs where finished_at is null").fetchone()
        return int(row[0]) if isinstance(row, tuple) else 0

    def wait_answering(self) -> None:
        for process in (self.postgres, self.redis, *self.supabase):
            wait_until(process.is_ready, f"{process.name} to answer", 60)

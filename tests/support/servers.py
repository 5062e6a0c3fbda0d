"""Postgres, Redis and the gateway on free loopback ports, as processes that can be killed, frozen
and started again.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import redis

from local import postgres, processes
from local import stack as stacks
from local.stack import Stack
from local.stack import free_port as free_port
from tests.support.processes import PROGRAMS, ControlledProcess


class Postgres(ControlledProcess):
    """The embedded server of a stack, without fsync: processes die here, power does not."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        postgres.initialise(stack)
        super().__init__(
            "postgres",
            postgres.command(stack, fsync="off"),
            folder=stack.folder,
            is_ready=lambda: postgres.is_ready(stack),
        )

    def start(self) -> Self:
        postgres.forget_killed_server(self.stack)
        return super().start()

    def stop(self) -> None:
        """At once and cleanly, so that no shared memory is left."""
        self.send(signal.SIGINT)
        self.wait(30)


class Redis(ControlledProcess):
    def __init__(self, folder: Path, *, port: int | None = None, keeps_data: bool = False) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        save = ["--appendonly", "yes"] if keeps_data else ["--save", ""]
        command = [str(PROGRAMS / "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", *save]
        super().__init__(
            "redis", [*command, "--dir", str(folder)], folder=folder, is_ready=lambda: self.answers()
        )

    @property
    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, socket_timeout=2, single_connection_client=True)

    def answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def queue_length(self) -> int:
        with self.client as client:
            return int(client.llen("generations"))

    def flush(self) -> None:
        with self.client as client:
            client.flushall()


def supabase(stack: Stack, *names: str, **environment: str) -> list[ControlledProcess]:
    """The gateway and Edge Functions of these names, as the local stack starts them."""
    made = {process.name: process for process in processes.supabase(stack)}
    return [
        ControlledProcess(
            name,
            made[name].command,
            folder=stack.folder,
            environment={**made[name].environment, **environment},
            is_ready=made[name].is_ready,
        )
        for name in names
    ]


@contextmanager
def gateway(stack: Stack, folder: Path) -> Iterator[Stack]:
    """The stack with its gateway running on a port of its own: Auth, the Data API and Storage."""
    served = replace(stack, folder=folder, gateway_port=free_port())
    stacks.save(served)
    (process,) = supabase(served, "gateway")
    try:
        process.start().wait_ready()
        yield served
    finally:
        process.kill()

"""Redis on a free loopback port, as a process that can be killed, frozen and started again on the same port."""

import sys
from pathlib import Path

import redis

from local.stack import free_port as free_port
from tests.support.processes import Process

PROGRAMS = Path(sys.executable).parent


class Redis(Process):
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

"""The whole system as `make up` starts it, in a folder of its own, and the ways in which its processes are hurt."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import psycopg

from local import stack as stacks
from local.gateway import keys

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class System:
    folder: Path
    url: str
    publishable_key: str
    database_url: str

    def kill(self, name: str) -> None:
        """Without a word, as a machine that loses its power; a host starts it again."""
        os.killpg(self.pid_of(name), signal.SIGKILL)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """For as long as the block lasts, the process stands still and keeps its connections."""
        pid = self.pid_of(name)
        os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    def pid_of(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def token_of(self, token: str, *, seconds: int) -> str:
        """The same user's token with another life, signed as the system signs."""
        claims = jwt.decode(token, options={"verify_signature": False})
        return keys.sign(stacks.load(self.folder), claims, seconds=seconds)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            return conn.execute(statement.encode(), values).fetchall()

    def jobs_of(self, user_id: str) -> list[str]:
        """The ids of all that this user was ever charged for."""
        rows = self.query(
            "select job_id::text from public.credit_entries where user_id = %s and kind = 'hold'", user_id
        )
        return [job_id for (job_id,) in rows]


@contextmanager
def running(folder: Path) -> Iterator[System]:
    """`--restart` stands for the host that starts again what ends."""
    command = [sys.executable, "-m", "local.up", "--attached", "--restart", "--folder", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_until_up(process)
            facts = json.loads((folder / "stack.json").read_text())
            yield System(
                folder=folder,
                url=f"http://127.0.0.1:{facts['gateway_port']}",
                publishable_key=facts["publishable_key"],
                database_url="postgresql://postgres:{password}@127.0.0.1:{postgres_port}/{database}".format(
                    **facts
                ),
            )
        finally:
            process.terminate()


def wait_until_up(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Pilotlight is up" in line:
            # The log must be read to its end, or a full pipe stops the system.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return
    raise AssertionError(f"the system did not start:\n{said}")

"""The whole system as `make up` starts it, in a folder of its own, and the ways in which its
processes are hurt.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import psycopg

from local import stack as stacks
from local.gateway import keys
from tests.support.up import up, wait_ready


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
    with (folder / "up.log").open("w") as log, up(folder, "--restart", log=log) as process:
        wait_ready(folder, process)
        facts = json.loads((folder / "stack.json").read_text())
        yield System(
            folder=folder,
            url=f"http://127.0.0.1:{facts['gateway_port']}",
            publishable_key=facts["publishable_key"],
            database_url="postgresql://postgres:{password}@127.0.0.1:{postgres_port}/{database}".format(
                **facts
            ),
        )

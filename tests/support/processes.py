"""One real process under our control: it can be killed, frozen and started again, and its log can
be read.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from honcho.environ import parse_procfile

from local.stack import ROOT as ROOT
from tests.support.waiting import wait_until

PROGRAMS = Path(sys.executable).parent  # celery, redis-server and deno, beside our Python


class ControlledProcess:
    """Started in a session of its own, so that its child processes end with it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name, self.command, self.is_ready = name, list(command), is_ready
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self.log = folder / f"{name}.log"
        self.popen: subprocess.Popen[bytes] | None = None
        self.is_frozen = False

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                cwd=self.log.parent,  # there is no .env, as there may be in a developer's clone
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_ready(self, timeout: float = 30) -> Self:
        wait_until(lambda: not self.is_alive or self.is_ready(), f"{self.name} to be ready", timeout)
        assert self.is_alive, f"{self.name} ended:\n{self.output[-3000:]}"
        return self

    @property
    def is_alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        if self.is_alive and self.popen is not None:
            os.killpg(self.popen.pid, number)

    def freeze(self) -> None:
        self.is_frozen = True
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.is_frozen = False
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """As a power cut would."""
        self.send(signal.SIGKILL)
        self.is_frozen = False
        self.wait(30)

    def terminate(self, timeout: float = 30) -> int:
        """Ask it to leave; its exit code."""
        self.thaw()
        if self.is_alive and self.popen is not None:
            self.popen.terminate()
        return self.wait(timeout)

    def wait(self, timeout: float) -> int:
        return self.popen.wait(timeout) if self.popen is not None else 0


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def of_procfile(kind: str) -> list[str]:
    """The command of a process as every host starts it."""
    return shlex.split(parse_procfile((ROOT / "Procfile").read_text()).processes[kind])

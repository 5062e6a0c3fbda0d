"""Run processes in the foreground with labelled output.

The end of the `with` block stops them, the last started first. honcho prints the output. Its own
manager is not used: it starts and stops everything at once, so Postgres would end before its
clients, and a Ctrl-C in the first moments would lose its children.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from local import pids
from local.stack import ROOT

READY_WITHIN = 120.0  # seconds; a busy machine may need many
RESTART_AFTER = 1.0  # seconds
TELLING = re.compile("error|fatal|missing|wrong", re.IGNORECASE)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """The runner received a signal to stop."""


class Ended(Exception):
    """A process ended unexpectedly or never became ready; the message names it."""


@dataclass(frozen=True, slots=True)
class Process:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(slots=True)
class Child:
    process: Process
    colour: str
    popen: subprocess.Popen[bytes]
    printer: threading.Thread
    ended_at: float | None = None


class Runner:
    def __init__(self, folder: Path, *, restarts: bool = False, colour: bool = True) -> None:
        self.folder, self.restarts = folder, restarts
        self.printer = Printer(sys.stdout, colour=colour, width=len("enqueue_generation"))
        self.printing = threading.Lock()
        self.colours: Iterator[str] = get_colours()
        self.batches: list[list[Child]] = []
        self.last_lines: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=20))
        self.is_stopping = False

    def __enter__(self) -> Self:
        self.handlers = {number: signal.signal(number, self.request_stop) for number in SIGNALS}
        command = [sys.executable, "-m", "local.pids", str(self.folder)]
        self.keeper = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
        return self

    def __exit__(self, *_: object) -> None:
        for batch in reversed(self.batches):
            self.stop(batch)
        self.keeper.communicate()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def request_stop(self, *_: object) -> None:
        """Set a flag, which `look` checks where it is safe.

        An exception in the middle of a start would lose a process.
        """
        self.is_stopping = True

    def start(self, *processes: Process) -> None:
        """Start processes as one batch. A batch is stopped together, before the earlier batches."""
        self.batches.append([])
        for process in processes:
            self.batches[-1].append(self.launch(process, next(self.colours)))

    def wait_ready(self) -> None:
        """Wait until all started processes are ready. Raises Ended or StopRequested."""
        until = time.monotonic() + READY_WITHIN
        for batch in self.batches:
            for child in batch:
                name = child.process.name
                while not child.process.is_ready():
                    if time.monotonic() > until:
                        raise Ended(
                            f"{name} is not ready after {READY_WITHIN:.0f} s: {self.last_words(name)}"
                        )
                    self.look()

    def watch(self) -> None:
        """Watch the processes, and restart those that end if `restarts` is set.

        Raises StopRequested after a signal to stop. Raises Ended when a process ends without
        `restarts`.
        """
        while True:
            self.look()

    def look(self) -> None:
        if self.is_stopping:
            raise StopRequested
        for batch in self.batches:
            for number, child in enumerate(batch):
                if child.popen.poll() is None:
                    continue
                if child.ended_at is None:
                    self.note_end(child)
                elif time.monotonic() > child.ended_at + RESTART_AFTER:
                    batch[number] = self.launch(child.process, child.colour)
        time.sleep(0.05)

    def note_end(self, child: Child) -> None:
        child.ended_at = time.monotonic()
        pids.signal_group(child.popen.pid, signal.SIGKILL)  # its children end with it
        child.printer.join(timeout=1)
        name = child.process.name
        if not self.restarts:
            raise Ended(f"{name} {how(child.popen.returncode)}: {self.last_words(name)}")
        self.say(name, child.colour, f"{how(child.popen.returncode)}; it is started again")

    def last_words(self, name: str) -> str:
        lines = [line for line in reversed(self.last_lines[name]) if line]
        return next(
            (line for line in lines if TELLING.search(line)), lines[0] if lines else "it printed nothing"
        )

    def launch(self, process: Process, colour: str) -> Child:
        # Children of the previous process have the lock until they notice that it is gone.
        with pids.lock(self.folder / f"{process.name}.pid", timeout=pids.KILL_AFTER) as pid_file:
            popen = subprocess.Popen(
                process.command,
                cwd=self.folder,  # has no .env; that of the clone may be of a hosted project
                # os.environ is passed on, not read.
                env={**os.environ, "PYTHONPATH": str(ROOT), **process.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[pid_file.fileno()],
                start_new_session=True,
            )
            pids.write(pid_file, popen.pid)
        assert popen.stdout is not None  # noqa: S101
        arguments = (process.name, colour, popen.stdout)
        printer = threading.Thread(target=self.print_lines, args=arguments, daemon=True)
        printer.start()
        return Child(process, colour, popen, printer)

    def stop(self, batch: list[Child]) -> None:
        for child in batch:
            child.popen.send_signal(child.process.stop_signal)
        until = time.monotonic() + pids.KILL_AFTER
        for child in batch:
            try:
                child.popen.wait(max(0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(child.process.name, child.colour, "does not stop and is killed")
            pids.signal_group(child.popen.pid, signal.SIGKILL)
            child.popen.wait()
            child.printer.join(timeout=1)

    def print_lines(self, name: str, colour: str, lines: IO[bytes]) -> None:
        with lines:
            for line in lines:
                self.say(name, colour, line)
                self.last_lines[name].append(line.decode(errors="replace").strip())

    def say(self, name: str, colour: str, line: str | bytes) -> None:
        with self.printing:
            self.printer.write(Message("line", line, datetime.now(), name, colour))


def how(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

"""The processes of a contender, and the times at which their tasks began."""

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.stack import ROOT
from tests.support.processes import ControlledProcess

SLOTS = 16  # tasks that a contender runs at once, whatever the number of its processes
PROGRAMS = Path(sys.executable).parent
OPTIONS = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]


def celery(module: str, *, threads: int = SLOTS, number: int = 1) -> list[str]:
    """Return the command of a worker of `bench.workers`."""
    command = [str(PROGRAMS / "celery"), "-A", f"bench.workers.{module}", "worker", *OPTIONS]
    return [*command, "--concurrency", str(threads), "--hostname", f"{module}{number}@%h"]


def of_procfile(kind: str) -> list[str]:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    program, *arguments = shlex.split(lines[kind])
    return [str(PROGRAMS / program), *arguments]


@dataclass(frozen=True, slots=True)
class Program:
    """A process that a contender needs. Its CPU time is counted by `kind`."""

    kind: str
    command: list[str]
    environment: Mapping[str, str]


@dataclass(slots=True)
class FirstLines:
    """The ids and start times of the tasks, in nanoseconds, as a contender's workers wrote them."""

    folder: Path
    read_until: dict[Path, int] = field(default_factory=dict)
    at: list[tuple[str, int]] = field(default_factory=list)

    def count(self) -> int:
        for path in self.folder.glob("*.begun"):
            with path.open("rb") as file:
                file.seek(self.read_until.get(path, 0))
                whole, newline, _ = file.read().rpartition(b"\n")
            self.read_until[path] = self.read_until.get(path, 0) + len(whole) + len(newline)
            self.at += [(job_id, int(at)) for job_id, at in map(str.split, whole.decode().splitlines())]
        return len(self.at)

    def clear(self) -> None:
        """Delete all first lines. No worker may run at that time."""
        for path in self.folder.glob("*.begun"):
            path.unlink()
        self.read_until.clear()
        self.at.clear()


@contextmanager
def running(programs: list[Program], folder: Path) -> Iterator[list[ControlledProcess]]:
    with ExitStack() as stack:
        started = []
        for number, program in enumerate(programs):
            process = ControlledProcess(
                f"{program.kind}-{number}",
                program.command,
                folder=folder,
                environment={"BENCH_FOLDER": str(folder), **program.environment},
            )
            stack.callback(process.kill)
            started.append(process.start())
        try:
            yield started
        except AssertionError:
            for process in started:
                print(f"The log of {process.name} ends:\n{process.output[-2000:]}", file=sys.stderr)
            raise

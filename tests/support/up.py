"""The whole stack as `make up` starts it, in a folder of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local import pids
from local.up import is_ready
from tests.support.processes import ROOT, python
from tests.support.waiting import wait_until

LONGEST_WAIT = 60.0  # seconds; a machine with much else to do may need many


@contextmanager
def up(
    folder: Path, *options: str, log: int | IO[str] = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """It ends when its input ends, which shows that its parent is gone."""
    command = python("-m", "local.up", "--attached", "--folder", str(folder), *options)
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.communicate()


def wait_ready(folder: Path, process: "subprocess.Popen[str]") -> None:
    wait_until(lambda: is_ready(folder, process.pid) or process.poll() is not None, "the stack", LONGEST_WAIT)
    assert process.poll() is None, process.communicate()[0]


def alive(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.pid") if pids.is_locked(path))

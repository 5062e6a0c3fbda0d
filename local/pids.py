"""Pid files, which show the live processes of a stack.

Each process has a lock on its own pid file, and its children inherit the lock. A locked pid file is
valid and an unlocked one is stale: the number alone may belong to another process by now.

`python -m local.pids <folder>` waits for the end of its input and then stops all processes that are
left. One such keeper runs beside every runner and survives it, so that even a runner ended by
SIGKILL leaves no process behind.
"""

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

KILL_AFTER = 10.0  # seconds in which a process may end by itself


class Locked(Exception):
    """Another process has the lock; the message is its process id."""


def lock(path: Path, *, timeout: float = 0) -> IO[str]:
    """Lock a file for as long as it stays open, here or in a child. Raises Locked."""
    file = path.open("a+")
    until = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                file.close()
                raise Locked(path.read_text()) from None
            time.sleep(0.02)
        else:
            file.truncate(0)
            return file


def is_locked(path: Path) -> bool:
    try:
        lock(path).close()
    except Locked:
        return True
    return False


def write(file: IO[str], pid: int) -> None:
    file.write(str(pid))
    file.flush()


def stop_leftovers(folder: Path) -> list[str]:
    """Stop every process whose pid file is locked now, and return their names.

    Processes that start later are left alone.
    """
    running = {path: path.read_text() for path in folder.glob("*.pid") if is_locked(path)}
    started = time.monotonic()
    asked = False
    while left := [path for path, pid in running.items() if path.read_text() == pid and is_locked(path)]:
        kill = time.monotonic() - started > KILL_AFTER
        if kill or not asked:
            for path in left:
                signal_group(int(running[path] or 0), signal.SIGKILL if kill else signal.SIGTERM)
        asked = True
        time.sleep(0.05)
    return sorted(path.stem for path in running)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send SIGKILL to the whole group, any other signal to its leader only.

    After SIGTERM the leader ends its children in order.
    """
    if pid > 1:
        with suppress(ProcessLookupError):
            (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)


def main() -> None:
    sys.stdin.buffer.read()
    stop_leftovers(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

"""`python -m local.demo` does in a minute what a user of an app does.

It starts a stack of its own for that. Its exit code is 0 only if all of it really happened.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from supabase import AuthError, FunctionsError, PostgrestAPIError, StorageException

from local import postgres, scenes
from local import stack as stacks
from local.phone import DemoFailed, expect
from local.stack import FOLDER, ROOT, Stack, UnusableStack
from local.terminal import Terminal
from local.up import is_ready

REFUSALS = (AuthError, FunctionsError, PostgrestAPIError, StorageException)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the data lies (default: %(default)s)"
    )
    folder = parser.parse_args().folder.resolve()
    terminal = Terminal()
    os.umask(0o077)  # log and pictures are private, as the stack's own files
    postgres.ignore_environment()
    os.environ.update(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")  # no proxy on loopback
    try:
        terminal.say("Starting Postgres, Redis, the gateway, the Edge Functions, the bridge and a worker…")
        with running_stack(folder) as stack:
            asyncio.run(scenes.show(stack, terminal, log_of(folder)))
    except (DemoFailed, UnusableStack, *REFUSALS) as failure:
        print(f"\nThe demo failed: {failure}\nTheir log: {log_of(folder)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    terminal.say("\nAll of it happened. `make up` keeps the same system running.")
    return 0


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Run `make up` as a child process.

    It lives as long as its standard input, so it ends with this process even if that is killed.
    """
    stacks.make_private(log_of(folder).parent)
    command = [sys.executable, "-m", "local.up", "--attached", "--folder", str(folder)]
    with log_of(folder).open("wb") as log:
        up = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "LOG_FORMAT": "json"},  # passed on, not read
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not is_ready(folder, up.pid):
            expect(up.poll() is None, last_words(folder))
            time.sleep(0.05)
        yield stacks.load(folder)
    finally:
        up.communicate()


def log_of(folder: Path) -> Path:
    return folder.parent / "logs" / "demo.log"


def last_words(folder: Path) -> str:
    lines = log_of(folder).read_text(errors="replace").splitlines()
    said = [line.removeprefix("pilotlight: ") for line in lines if line.startswith("pilotlight: ")]
    return said[-1] if said else "the stack did not start"


if __name__ == "__main__":
    sys.exit(main())

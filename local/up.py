"""`python -m local.up` runs the whole system in the foreground, on this machine only."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO

from local import pids, postgres, processes
from local import stack as stacks
from local.runner import Ended, Runner, StopRequested
from local.stack import FOLDER, Stack, UnusableStack
from operate.migrate import MigrationFailed, migrate

READY = "ready"  # a file with our process id, which exists while the stack can be used


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.up", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where the data lies (default: %(default)s)"
    )
    parser.add_argument("--attached", action="store_true", help="stop when standard input ends")
    parser.add_argument("--restart", action="store_true", help="start again what ends, as a host would")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    postgres.ignore_environment()
    try:
        stacks.make_private(folder)
        with lock_folder(folder):
            run(prepare(folder), attached=arguments.attached, restarts=arguments.restart)
    except (UnusableStack, MigrationFailed, Ended, pids.Locked) as error:
        raise SystemExit(f"pilotlight: {error}") from None


def lock_folder(folder: Path) -> IO[str]:
    """Lock the folder: while this process lives, no other process starts a stack there."""
    try:
        lock = pids.lock(folder / "lock")
    except pids.Locked as locked:
        raise UnusableStack(f"A stack runs in {folder} already (process {locked}): stop it first.") from None
    pids.write(lock, os.getpid())
    return lock


def prepare(folder: Path) -> Stack:
    """Return the stack of this folder on ports that are free now.

    Before that, stop the processes that a killed run has left, and remove its files.
    """
    (folder / READY).unlink(missing_ok=True)
    if left := pids.stop_leftovers(folder):
        say(f"Stopped what a killed run had left behind: {', '.join(left)}.")
    wished = known_or_new(folder)
    if not postgres.data_folder(wished).exists():
        say("Making the database…")
        postgres.initialise(wished)
    postgres.forget_killed_server(wished)
    stack = stacks.with_free_ports(wished)
    for name in ("gateway", "postgres", "redis"):
        before, now = (getattr(each, f"{name}_port") for each in (wished, stack))
        if before not in (now, stacks.ANY_PORT):
            say(f"Port {before} is in use, so {name} listens on {now}.")
    stacks.save(stack)
    return stack


def known_or_new(folder: Path) -> Stack:
    try:
        return stacks.load(folder)
    except FileNotFoundError:
        new = stacks.create(folder)
    if postgres.data_folder(new).exists():
        raise UnusableStack(f"{folder} lost its stack.json: run `make clean`, then start again.")
    stacks.save(new)  # before initdb stores the password in the data folder
    return new


def run(stack: Stack, *, attached: bool, restarts: bool) -> None:
    ready = stack.folder / READY
    try:
        with Runner(stack.folder, restarts=restarts) as runner:
            if attached:
                threading.Thread(target=stop_at_end_of_input, daemon=True).start()
            start_servers(runner, stack)
            postgres.bring_supabase(stack)
            applied = migrate(stack.database_url)
            for name in applied:
                say(f"Applied {name}")
            if applied:
                postgres.seed(stack.database_url)
            postgres.make_process_logins(stack)
            runner.start(*processes.supabase(stack))
            runner.start(*processes.ours(stack))
            runner.wait_ready()
            ready.write_text(str(os.getpid()))
            say(welcome(stack))
            runner.watch()
    except StopRequested:
        say("Stopped.")
    finally:
        ready.unlink(missing_ok=True)


def start_servers(runner: Runner, stack: Stack) -> None:
    try:
        runner.start(*processes.servers(stack))
        runner.wait_ready()
    except Ended as ended:
        raise UnusableStack(f"{ended}. If its data is broken, `make clean` starts anew.") from None


def is_ready(folder: Path, pid: int) -> bool:
    """Return whether the stack of process `pid` can be used.

    A killed process may have left its file, so the file must name this one.
    """
    try:
        return (folder / READY).read_text() == str(pid)
    except FileNotFoundError:
        return False


def stop_at_end_of_input() -> None:
    # Not sys.stdin.read, whose lock would keep the interpreter from ending.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def welcome(stack: Stack) -> str:
    known = processes.logins_of(stack) | processes.settings_of(stack)
    settings = "\n  ".join(f"{name}={value}" for name, value in known.items())
    return f"""
Pilotlight is up, for development only and on this machine only. `make app` in another terminal builds
and serves the app with it. An app of yours needs:

  EXPO_PUBLIC_SUPABASE_URL={stack.gateway_url}
  EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY={stack.publishable_key}

`make status`, `make doctor`, `make bridge`, `make worker` and `make flower` need in .env:

  {settings}

Ctrl-C stops everything.
"""


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()

"""A process that fails prints the reason, and a killed one takes its children along."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from local import stack as stacks
from tests.support import deno
from tests.support.databases import bring_schema
from tests.support.jobs import Jobs
from tests.support.processes import ControlledProcess, of_procfile, python
from tests.support.servers import Postgres
from tests.support.waiting import wait_until


def test_a_wait_in_vain_names_its_condition() -> None:
    with pytest.raises(AssertionError, match=r"^waited 0 s in vain for the moon$"):
        wait_until(lambda: None, "the moon", timeout=0)
    assert wait_until(iter([0, "", "a picture"]).__next__, "a picture") == "a picture"


@pytest.mark.processes
def test_a_process_that_ends_before_it_is_ready_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = python("-c", "print('out of ink'); raise SystemExit(3)")
    dying = ControlledProcess("printer", command, folder=tmp_path, is_ready=lambda: False).start()
    with pytest.raises(AssertionError, match="printer ended:\nout of ink"):
        dying.wait_ready()
    assert (dying.is_alive, dying.wait(10)) == (False, 3)


@pytest.mark.processes
def test_a_killed_process_takes_its_children_with_it(tmp_path: Path) -> None:
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]
    parent = ControlledProcess("parent", command, folder=tmp_path)
    parent.is_ready = lambda: bool(parent.output)
    child = int(parent.start().wait_ready().output)
    # The shell prints the number before its child has become `sleep`.
    wait_until(lambda: command_of(child).startswith(b"sleep"), "the child")
    parent.kill()
    # The process that adopted it may not have collected it yet: a dead process has no command line.
    wait_until(lambda: not command_of(child), "the end of the child")


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.mark.processes
def test_a_killed_postgres_starts_again_with_what_was_committed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    stack = stacks.with_free_ports(stacks.create(tmp_path))
    postgres = Postgres(stack).start().wait_ready(120)
    try:
        bring_schema(stack)
        with Jobs(stack.database_url) as jobs:
            job_id = jobs.enqueue()
            session = jobs.conn.info.backend_pid
            # as on a busy machine: it ends some time after its server
            os.kill(session, signal.SIGSTOP)
            postgres.kill()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(stack.database_url)
            threading.Timer(0.5, os.kill, (session, signal.SIGCONT)).start()
            postgres.start().wait_ready(120)
        with Jobs(stack.database_url) as jobs:
            assert (jobs.status(job_id), jobs.count()) == ("queued", 1)
    finally:
        postgres.stop()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists(), "it was not stopped cleanly"


def test_a_users_jobs_are_asked_for_as_that_user(jobs: Jobs) -> None:
    other = jobs.add_user(credits=5)
    before = jobs.credits(other)
    job_id, others = jobs.enqueue(), jobs.enqueue(user_id=other)
    assert [jobs.get(one)["user_id"] for one in (job_id, others)] == [jobs.user_id, other]
    jobs.cancel(others, other)
    assert (jobs.status(job_id), jobs.status(others)) == ("queued", "canceled")
    assert (jobs.credits(other), jobs.count("user_id is not null")) == (before, 2)


@pytest.mark.processes
def test_a_client_that_fails_says_why(tmp_path: Path) -> None:
    script = tmp_path / "client.ts"
    script.write_text("console.log(Deno.args[0]); if (Deno.args[0] === 'ink') throw new Error('out of ink');")
    assert deno.run(script, "paper") == "paper\n"
    with pytest.raises(AssertionError, match="out of ink"):
        deno.run(script, "ink")


def test_the_procfile_names_bridge_and_worker() -> None:
    assert of_procfile("bridge")[-1] == "bridge"
    assert "worker" in of_procfile("worker")

"""The runner with the real processes, in a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from local import pids, stack
from local.runner import Ended, Process, Runner, StopRequested
from local.stack import UnusableStack
from local.up import READY
from tests.support.up import LONGEST_WAIT, alive, up, wait_ready
from tests.support.waiting import wait_until


def last_line(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=LONGEST_WAIT)[0].strip().splitlines()[-1]


def open_to_others(folder: Path) -> list[Path]:
    """The paths that another user of this machine could read, write or enter.

    A file may vanish before it is checked.
    """
    found = []
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            if path.lstat().st_mode & 0o077 and not path.is_symlink():
                found.append(path)
    return found


@pytest.mark.processes
def test_a_stack_serves_and_leaves_nothing_when_it_is_asked_to_stop(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        wait_ready(tmp_path, process)
        made = stack.load(tmp_path)
        assert open_to_others(tmp_path) == []
        assert {"postgres", "redis", "gateway", "ping", "bridge", "worker"} <= set(alive(tmp_path))
        answer = httpx.get(f"{made.gateway_url}/functions/v1/ping", trust_env=False)
        assert answer.status_code == 204

        with up(tmp_path) as second:
            assert last_line(second).startswith(f"pilotlight: A stack runs in {tmp_path} already")
            assert second.returncode == 1

        process.send_signal(signal.SIGINT)
        assert last_line(process) == "Stopped."
        assert process.returncode == 0
    assert alive(tmp_path) == []
    assert not (tmp_path / READY).exists()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


@pytest.mark.processes
def test_a_killed_runner_leaves_no_process_and_the_next_start_finds_its_data(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        wait_ready(tmp_path, process)
        process.kill()
    wait_until(lambda: alive(tmp_path) == [], "the keeper", LONGEST_WAIT)
    before = stack.load(tmp_path)
    with socket.create_server(("127.0.0.1", before.redis_port)), up(tmp_path) as process:
        wait_ready(tmp_path, process)
        after = stack.load(tmp_path)
        assert (after.password, after.secret_key) == (before.password, before.secret_key)
        assert after.redis_port != before.redis_port
        # closes its input, as when the parent dies
        said = process.communicate(timeout=LONGEST_WAIT)[0]
    assert f"Port {before.redis_port} is in use, so redis listens on {after.redis_port}." in said
    assert alive(tmp_path) == []


@pytest.mark.processes
def test_when_one_process_ends_all_end_and_its_last_words_are_told(tmp_path: Path) -> None:
    python = [sys.executable, "-c"]
    dying = Process("dying", [*python, "print('out of ink'); raise SystemExit(3)"])
    with (
        pytest.raises(Ended, match=r"^dying ended with code 3: out of ink$"),
        Runner(tmp_path) as runner,
    ):
        runner.start(Process("living", [*python, "import time; time.sleep(600)"]))
        assert alive(tmp_path) == ["living"]
        runner.start(dying)
        runner.watch()
    assert alive(tmp_path) == []


@pytest.mark.processes
def test_a_process_that_ignores_sigterm_is_killed_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pids, "KILL_AFTER", 0.2)
    ready = tmp_path / "child-is-there"
    stubborn = f"trap '' TERM; (touch {ready}; sleep 600) & wait"
    with Runner(tmp_path) as runner:
        runner.start(Process("stubborn", ["sh", "-c", stubborn], is_ready=ready.exists))
        runner.wait_ready()
    assert alive(tmp_path) == []


@pytest.mark.processes
def test_a_process_that_ended_starts_again_when_the_runner_is_told_so(tmp_path: Path) -> None:
    with Runner(tmp_path, restarts=True) as runner:
        runner.start(Process("living", ["sleep", "600"]))
        first = int((tmp_path / "living.pid").read_text())
        os.kill(first, signal.SIGKILL)
        looking = threading.Thread(target=watch_until_stopped, args=[runner])
        looking.start()
        wait_until(
            lambda: (tmp_path / "living.pid").read_text() not in ("", str(first)), "its return", LONGEST_WAIT
        )
        runner.request_stop()
        looking.join()
        assert alive(tmp_path) == ["living"]


def watch_until_stopped(runner: Runner) -> None:
    with suppress(StopRequested):
        runner.watch()


def test_a_stale_pid_file_harms_no_process(tmp_path: Path) -> None:
    """Its number may be another program's by now: here it is ours."""
    (tmp_path / "worker.pid").write_text(str(os.getpid()))
    assert pids.stop_leftovers(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "1"}', "null"])
def test_a_broken_stack_file_is_one_line_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(UnusableStack, match="run `make clean`"):
        stack.load(tmp_path)


@pytest.mark.processes
def test_a_folder_of_another_version_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    facts = asdict(stack.create(tmp_path)) | {"version": "0-earlier"}
    (tmp_path / "stack.json").write_text(json.dumps(facts, default=str))
    with up(tmp_path) as process:
        assert last_line(process).endswith("is of another version: run `make clean`, then start again.")
        assert process.returncode == 1


def test_a_port_in_use_is_replaced_and_a_free_one_is_kept(tmp_path: Path) -> None:
    made = stack.with_free_ports(stack.create(tmp_path))
    assert stack.with_free_ports(made) == made
    with socket.create_server(("127.0.0.1", made.gateway_port)):
        other = stack.with_free_ports(made)
    assert other.gateway_port != made.gateway_port
    assert other.postgres_port == made.postgres_port


def test_a_port_is_given_to_one_process_alone() -> None:
    port = stack.free_port()
    # as another process would try, before a server listens there
    assert not stack.is_reserved(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not stack.is_reserved(port)


def test_a_saved_stack_is_loaded_as_it_was(tmp_path: Path) -> None:
    made = stack.with_free_ports(stack.create(tmp_path))
    stack.save(made)
    assert stack.load(tmp_path) == made

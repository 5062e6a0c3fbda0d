"""A line is a line: JSON from the first byte, and no value forges one in text."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import logs
import settings
from local.stack import Stack
from tests.support import servers
from tests.support.jobs import Jobs
from tests.support.processes import ROOT, ControlledProcess, of_procfile, python
from tests.support.servers import Redis
from tests.support.waiting import wait_until

FORGED = "12:00:00.000 ERROR   forged"


def formatted(record: logging.LogRecord, *, as_json: bool) -> str:
    return logs.EventFormatter(as_json=as_json).format(record)


def record(**facts: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "job.claimed", "levelname": "INFO", "name": "tasks", **facts})


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x1b[2K\r", "\x0b"])
def test_a_value_forges_no_line(end: str) -> None:
    for facts in ({"error": f"a{end}{FORGED}"}, {"msg": f"a{end}{FORGED}"}):
        line = formatted(record(**facts), as_json=False)
        assert len(line.splitlines()) == 1
        assert line.isprintable()


def test_a_traceback_forges_no_line() -> None:
    try:
        raise ValueError(f"a\n{FORGED}")
    except ValueError:
        text = formatted(record(exc_info=sys.exc_info()), as_json=False)
    first, *others = text.splitlines()
    assert "job.claimed" in first
    assert others
    assert all(line.startswith("    ") for line in others)


def test_json_has_the_event_and_its_facts() -> None:
    found = json.loads(formatted(record(job_id="1", error="a\nb"), as_json=True))
    assert (found["event"], found["level"], found["logger"]) == ("job.claimed", "INFO", "tasks")
    assert (found["job_id"], found["error"]) == ("1", "a\nb")


def test_a_fact_does_not_take_the_place_of_the_event() -> None:
    assert (
        json.loads(formatted(record(event="forged", level="forged"), as_json=True))["event"] == "job.claimed"
    )


@pytest.fixture
def environment(stack: Stack, broker: Redis, tmp_path: Path) -> Iterator[dict[str, str]]:
    folder = tmp_path / "stack"
    folder.mkdir()
    with servers.gateway(stack, folder) as served:
        yield {
            "DATABASE_URL": served.database_url,
            "REDIS_URL": broker.url,
            "SUPABASE_URL": served.gateway_url,
            "SUPABASE_SECRET_KEY": served.secret_key,
            "LOG_FORMAT": "json",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }


@pytest.fixture
def processes(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, ControlledProcess]]:
    started = {
        kind: ControlledProcess(kind, of_procfile(kind), folder=tmp_path, environment=environment).start()
        for kind in ("bridge", "worker")
    }
    yield started
    for process in started.values():
        process.kill()


def parsed(output: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in output.splitlines()]
    assert all({"at", "level", "logger", "event"} <= set(line) for line in lines)
    return lines


def test_every_line_of_bridge_and_worker_is_json_from_start_to_end(
    processes: dict[str, ControlledProcess], jobs: Jobs
) -> None:
    """As root, Celery warns."""
    bridge, worker = processes["bridge"], processes["worker"]
    wait_until(lambda: "bridge.started" in bridge.output and "worker.started" in worker.output, "both", 60)
    jobs.enqueue()
    wait_until(lambda: "job.claimed" in worker.output, "the claim")
    for kind, process in processes.items():
        process.terminate(40)
        lines = parsed(process.output)
        started = next(line for line in lines if line["event"] == f"{kind}.started")
        assert started["version"] == settings.VERSION


@pytest.mark.quick
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("bridge", {"REDIS_URL": "http://a"}),
        ("worker", {"REDIS_URL": "http://a"}),
        ("bridge", {"DATABASE_URL": ""}),
        ("worker", {"DATABASE_URL": "mysql://a"}),
    ],
)
def test_a_refusal_to_start_is_json_too(kind: str, changes: dict[str, str], tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/postgres",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    seen = subprocess.run(
        of_procfile(kind), cwd=tmp_path, env=given | changes, capture_output=True, text=True, timeout=60
    )
    assert seen.returncode != 0
    assert parsed(seen.stdout + seen.stderr)


CRASH = """
import threading, warnings, logs
logs.begin()
warnings.warn("first\\nsecond")
print("a", "b"); print("not ended", end="")
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
raise RuntimeError("on\\ntwo lines")
"""


@pytest.mark.quick
def test_prints_warnings_and_crashes_are_json_too(tmp_path: Path) -> None:
    seen = subprocess.run(
        python("-c", CRASH),
        cwd=tmp_path,
        env={"LOG_FORMAT": "json", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert seen.returncode == 1
    events = [str(line["event"]) for line in parsed(seen.stdout) + parsed(seen.stderr)]
    assert [event for event in events if "." in event and " " not in event] == [
        "thread.crashed",
        "process.crashed",
    ]
    assert "a b" in events
    assert "not ended" in events
